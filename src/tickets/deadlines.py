"""By when one complaint must be answered and solved, with every day counted and skipped.

Everything here is pure: the time is an argument. Start at `deadlines`. The rules (R1 to R9) and the reading of the
institutions' texts are explained in docs/develop/deadlines.md.
"""

from tickets.deadlines_compute import deadlines, due_soon_dates, extend, received_date, track_for
from tickets.deadlines_explain import explain, explain_text
from tickets.deadlines_guard import Granted, Refused, may_extend, rejection_from
from tickets.deadlines_report import Period, report_due
from tickets.deadlines_values import Case, Deadlines, DocumentsWindow, Extension, Pending, Resolve

__all__ = [
    "Case",
    "Deadlines",
    "DocumentsWindow",
    "Extension",
    "Granted",
    "Pending",
    "Period",
    "Refused",
    "Resolve",
    "deadlines",
    "due_soon_dates",
    "explain",
    "explain_text",
    "extend",
    "may_extend",
    "received_date",
    "rejection_from",
    "report_due",
    "track_for",
]
