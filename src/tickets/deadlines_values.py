"""What deadlines are computed from, and what comes out. Dates are WIB dates, instants carry an offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from normalizer.complaint import Form, Kind, Severity, Tier, Urgency
from tickets.calendar import Due

_REASONS = {
    "documents_complete": "starts when the documents are complete",
    "first_response": "starts when the complaint is answered for the first time",
    "documents_paused": "is paused until the documents are complete",
    "forum": "follows the time of the court or dispute resolution forum",
}


@dataclass(frozen=True, slots=True)
class Pending:
    """A clock that does not run: what it waits for, and how many working days it will then have."""

    waits_for: Literal["documents_complete", "documents_paused", "first_response", "forum"]
    days: int | None = None
    min: int | None = None

    @property
    def reason(self) -> str:
        """Why there is no date yet, in English."""
        return _REASONS[self.waits_for]


@dataclass(frozen=True, slots=True)
class Documents:
    """When documents were asked for and since when they count as complete (WIB dates)."""

    #: The first request.
    requested: date | None
    complete: date | None
    #: Every request with the day on which what it asked for was there; a day before the request means not yet.
    rounds: tuple[tuple[date, date | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """More time that was granted: a number of working days, or a date that a person typed (U8)."""

    ground: str
    notified_at: datetime
    days: int | None = None
    until: date | None = None
    #: The date that it was counted from, once it is granted (R7); None: the one that is computed.
    old_due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the clocks of one complaint depend on. Instants carry an offset; None means not yet, or not known."""

    channel: str
    received_at: datetime
    #: None: as the channel counts. Set it when it differs, such as a call that turned written.
    form: Form | None = None
    kind: Kind = "complaint"
    tier: Tier = "single_unit"
    severity: Severity = "minor"
    urgency: Urgency = "medium"
    has_documents: bool = False
    #: The last request for documents, and since when what was asked for is there.
    documents_requested_at: datetime | None = None
    documents_complete_at: datetime | None = None
    #: Rounds before that one: when they were asked for (None: they came with the complaint) and complete.
    documents_before: tuple[tuple[datetime | None, datetime], ...] = ()
    #: An oral complaint became a written one when the documents asked for arrived (K9, A9): a new clock starts there.
    written_since: datetime | None = None
    #: A closed complaint goes on: its clock starts anew.
    reopened_at: datetime | None = None
    first_response_at: datetime | None = None
    responded_at: datetime | None = None
    objection_received_at: datetime | None = None
    extensions: tuple[Extension, ...] = ()
    #: The date that was promised for the resolution: an extension counts from it, whatever calendars say today (R7).
    resolve_promised: date | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """The promise to resolve: the matching track, the earliest date promised (G1), the clock after extensions."""

    track: str
    clock: Due | Pending
    earliest: date | None = None
    extensions: tuple[Due, ...] = ()

    @property
    def due(self) -> date | None:
        """The last day, or None while the clock does not run."""
        return self.clock.due if isinstance(self.clock, Due) else None


@dataclass(frozen=True, slots=True)
class DocumentsWindow:
    """By when the documents asked for are due; a rejection for missing ones is possible from `reject_from` (A21)."""

    window: Due
    extended: Due | None
    reject_from: date | None
    outstanding: bool

    @property
    def clock(self) -> Due | None:
        """The window that ends last, None once the documents are complete."""
        return (self.extended or self.window) if self.outstanding else None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Every clock of one complaint. None: nothing is promised; Pending: promised, but the clock does not run yet."""

    policy_id: str
    policy_version: str
    calendar_version: str
    received: date
    documents_complete: date | None
    #: Until when documents may be asked for; if nobody asks, the complaint counts as complete at receipt (G7).
    documents_request_by: Due | None
    first_response: Due | Pending | None
    resolve: Resolve
    documents: DocumentsWindow | None
    objection_window: Due | None
    objection_answer: Due | None
    silent_close: Due | None

    @property
    def clocks(self) -> tuple[tuple[str, Due], ...]:
        """Every clock that runs, by name."""
        found = {
            "first_response": self.first_response,
            "resolve": self.resolve.clock,
            "documents": self.documents and self.documents.clock,
            "objection_window": self.objection_window,
            "objection_answer": self.objection_answer,
            "silent_close": self.silent_close,
        }
        return tuple((name, clock) for name, clock in found.items() if isinstance(clock, Due))
