"""What a report to the regulator is made of, as values. Dates are WIB dates; nothing here names a customer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from normalizer.complaint import Finding, Form, Forum, Kind, Role, Rupiah, Tier
from normalizer.message import Channel
from tickets.deadlines import Period
from tickets.model import TicketState
from tickets.policy_clocks import ReportSection

#: The sections that hold figures: those of K19, and how many complaints stood open before and after.
Section = Literal["standing"] | ReportSection
#: Ours: the official list of publication types was not seen.
PublicationType = Literal["print", "tv_radio", "online_media", "social_media", "readers_letter", "other"]
Band = Literal["within", "extended", "beyond", "open"]
ProblemField = Literal["issue", "category"]
#: What a person must fill in before the report is handed in.
Missing = Literal["product", "problem", "cause"]

#: The row or column of what nobody filled in; a product is free text, so that no word could serve.
MISSING = ""
#: The row or column of sums.
TOTAL = "*"
COUNT = "count"
STANDING_ROWS = ("open_before", "received", "settled", "open_after")
#: First digit: received in an earlier period, or in this one. Last digit: the band.
SETTLEMENT_ROWS = ("101", "102", "103", "104", "201", "202", "203", "204")
CAUSES = ("110", "120", "130", "140", "150", "160", "170", "180", "999")
PUBLICATION_TYPES: tuple[PublicationType, ...] = (
    "print", "tv_radio", "online_media", "social_media", "readers_letter", "other",
)  # fmt: skip
#: States in which a complaint counts as settled; one that is referred stays in process until its forum has decided.
SETTLED: frozenset[TicketState] = frozenset({"resolved", "rejected", "withdrawn"})
#: States of tickets that are no complaints of their own.
NO_COMPLAINT: frozenset[TicketState] = frozenset({"dismissed", "merged"})


class Span(Struct, frozen=True, kw_only=True):
    """The days that a report is about, first and last included."""

    label: str
    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Span:
        """The span written as 2026-02, 2026-Q1 or 2026-01-01..2026-06-30. Raises ValueError for anything else."""
        first, dots, last = text.partition("..")
        if not dots:
            period = Period.parse(text)
            return cls(label=str(period), first=period.first, last=period.last)
        try:
            days = date.fromisoformat(first), date.fromisoformat(last)
        except ValueError:
            raise ValueError("days are written as 2026-01-01..2026-06-30") from None
        if days[0] > days[1]:
            raise ValueError("the first day lies after the last")
        return cls(label=f"{days[0]}..{days[1]}", first=days[0], last=days[1])

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Fact(Struct, frozen=True, kw_only=True):
    """What the reports use of one ticket."""

    number: str
    state: TicketState
    kind: Kind
    channel: Channel
    form: Form
    role: Role
    tier: Tier
    product: str | None = None
    sub_product: str | None = None
    category: str | None = None
    issue: str | None = None
    cause: int | None = None
    #: The day it arrived, as on the customer's receipt.
    received: date
    #: Day 0 of its settlement clock.
    counted_from: date
    answered: date | None = None
    answer_due: date | None = None
    settled: date | None = None
    settle_due: date | None = None
    extended: bool = False
    #: The working day of its clock on which it was settled; a day that does not count belongs to the next one.
    days: int | None = None
    #: Working days of its promise, and with the longest extension that was granted: as days, or as the date typed.
    allowed: int
    allowed_longer: int | None = None
    longer_until: date | None = None
    finding: Finding | None = None
    resolution_type: str | None = None
    forum: Forum | None = None
    compensation_idr: Rupiah | None = None
    timely: bool | None = None


class PublicSaid(Struct, frozen=True, kw_only=True):
    """A public comment or mention that opened a complaint or was added to one."""

    message_id: str
    number: str
    on: date
    state: TicketState
    kind: Kind


class Publication(Struct, frozen=True, kw_only=True):
    """A negative publication that a person entered (K19 (4))."""

    id: str
    organisation: str
    type: PublicationType
    published_on: date
    #: How often it appeared: one report that four papers print counts four.
    count: int = 1
    url: str | None = None
    added_at: datetime
    added_by: str
    #: It was entered wrongly; it stays in the list and counts no more.
    withdrawn_at: datetime | None = None


class Figure(Struct, frozen=True, kw_only=True):
    """One number of a report, and what it counts: ticket numbers, `number#message` or `publication id`."""

    row: str
    column: str
    value: int
    behind: tuple[str, ...]


class Table(Struct, frozen=True, kw_only=True):
    """One section; a cell without a figure is 0."""

    section: Section
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    figures: tuple[Figure, ...]

    def figure(self, row: str, column: str) -> Figure:
        """The figure of a cell. Raises LookupError when the section has no such row or column."""
        if row not in self.rows or column not in self.columns:
            raise LookupError(f"{self.section} has no figure ({row}, {column})")
        empty = Figure(row=row, column=column, value=0, behind=())
        return next((f for f in self.figures if (f.row, f.column) == (row, column)), empty)

    def value(self, row: str, column: str) -> int:
        """The number of a cell. Raises LookupError as `figure` does."""
        return self.figure(row, column).value


class Handled(Struct, frozen=True, kw_only=True):
    """One complaint that was open in the period, as the report counts it."""

    fact: Fact
    #: Row of the settlement section.
    code: str
    problem: str | None
    #: It was settled in the period; else it was in process at its end.
    settled: bool


class Incomplete(Struct, frozen=True, kw_only=True):
    """What a person must still fill in on a ticket before the report is handed in."""

    number: str
    missing: tuple[Missing, ...]


class Report(Struct, frozen=True, kw_only=True):
    """One report: its figures, what stands behind them, and by which rules they were counted."""

    organisation: str
    report: str
    span: Span
    policy_version: str
    calendar_version: str
    tables: tuple[Table, ...]
    #: Every complaint that was open in the period, oldest first.
    handled: tuple[Handled, ...]
    #: Tickets received in the period that are no complaints: "dismissed", "merged" and other kinds than complaint.
    apart: dict[str, int]
    incomplete: tuple[Incomplete, ...]

    @property
    def is_nil(self) -> bool:
        """True when there is nothing to report; such a report is handed in as well."""
        return not any(table.figures for table in self.tables)

    def table(self, section: str) -> Table:
        """One section. Raises LookupError when the report has no such section."""
        for table in self.tables:
            if table.section == section:
                return table
        raise LookupError(f"this report has the sections {', '.join(t.section for t in self.tables)}, not {section}")
