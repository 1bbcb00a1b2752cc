"""One clock between its start and its end, and what a request for documents does to it (R9)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from tickets.calendar import Calendar, Due, NonWorking, Skipped
from tickets.deadlines_values import Documents, Pending
from tickets.policy_clocks import ResolveClock

AWAITED = NonWorking("paused", "menunggu dokumen (documents awaited)")


def run(
    calendar: Calendar,
    start: date,
    rule: ResolveClock,
    effect: Literal["none", "pause", "start_on_complete"],
    documents: Documents,
) -> Due | Pending:
    """The end of a clock: a request for documents is ignored, pauses it (used days stay used) or restarts it (R9)."""
    if effect == "none" or documents.requested is None or rule.from_ == "documents_complete":
        return calendar.due(start, rule.days)
    if effect == "start_on_complete":
        if documents.complete is None:
            return Pending("documents_complete", rule.days, rule.min)
        return calendar.due(max(start, documents.complete), rule.days)
    return _paused(calendar, start, rule, documents, documents.requested)


def _paused(
    calendar: Calendar, start: date, rule: ResolveClock, documents: Documents, requested: date
) -> Due | Pending:
    whole = calendar.due(start, rule.days)
    if requested >= whole.due:
        return whole
    used = tuple(day for day in whole.counted if day <= requested)
    left = rule.days - len(used)
    if documents.complete is None or documents.outstanding:
        return Pending("documents_paused", left, rule.min)
    again = max(start, documents.complete)
    rest = calendar.due(again, left)
    pause = calendar.until(max(start, requested), again)
    skipped = (
        *(skip for skip in whole.skipped if skip.date <= requested),
        *pause.skipped,
        *(Skipped(day, AWAITED) for day in pause.counted),
        *rest.skipped,
    )
    return Due(start, rule.days, rest.due, used + rest.counted, tuple(sorted(skipped, key=lambda skip: skip.date)))
