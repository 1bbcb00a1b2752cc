"""What happened to a ticket since it was opened, beside what its complaint says. Values only.

Times are aware UTC, dates are WIB dates, money is whole rupiah. Texts that were sent stand in the outbox, not here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from normalizer.complaint import Finding, Forum, Rupiah, Tier

Remedy = Literal["apology", "repair", "compensation"]
#: The clocks that are promised; `personal_data` runs in real hours (R8), the others in working days.
ClockName = Literal[
    "first_response", "resolve", "documents", "objection_window", "objection_answer", "silent_close", "personal_data"
]
ClockMark = Literal["due_soon", "breached"]


class PromisedDate(Struct, frozen=True, kw_only=True):
    """The date that was promised for a clock, and by which calendar (R6): only an event of the ticket moves it."""

    due: date
    calendar_version: str
    #: The days on which the shares of the policy's `due_soon_percent` are used up, in their order.
    soon: tuple[date, ...] = ()


class Announced(Struct, frozen=True, kw_only=True):
    """A mark of a clock that was passed. A breach stays for good, also when the complaint is solved later."""

    clock: ClockName
    mark: ClockMark
    #: Share of the clock in percent; 100 for a breach.
    percent: int
    #: What was promised when it was passed.
    due: date
    at: datetime


class DocumentsRound(Struct, frozen=True, kw_only=True):
    """One request for documents until they were complete; without a request: complete as the complaint came."""

    requested_at: datetime | None = None
    complete_at: datetime | None = None


class Extended(Struct, frozen=True, kw_only=True):
    """More time that was granted (K11, U8): counted from the old due date (R7)."""

    ground: str
    #: The cause as the customer was told it.
    cause: str
    notified_at: datetime
    old_due: date
    new_due: date
    days: int | None = None
    until: date | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """An answer that was sent: an explanation, or an offer with its remedies (K15, A15-A17)."""

    at: datetime
    kind: Literal["explanation", "offer"]
    finding: Finding
    remedies: tuple[Remedy, ...] = ()
    compensation_idr: Rupiah | None = None
    #: It followed an objection: the offer was confirmed or made anew (K16, A18).
    after_objection: bool = False


class Objected(Struct, frozen=True, kw_only=True):
    """One objection of the customer, and when it was answered (K16, A18)."""

    received_at: datetime
    new_documents: bool = False
    answered_at: datetime | None = None
    effect: bool | None = None


class Referred(Struct, frozen=True, kw_only=True):
    """The complaint went to a forum outside (K12, K17, A19); all clocks follow that forum."""

    forum: Forum
    by: Literal["complainant", "organisation"]
    at: datetime
    #: Who took part before; what a reopened complaint goes back to.
    tier_before: Tier = "single_unit"
    decided_at: datetime | None = None
    decision: str | None = None


class PersonalDataRequest(Struct, frozen=True, kw_only=True):
    """A request under UU 27/2022 about the person's own data; answered within 3 x 24 real hours (R8)."""

    kind: Literal["access", "correction", "suspension", "erasure", "consent_withdrawal"]
    received_at: datetime
    due_at: datetime
    answered_at: datetime | None = None


class Remark(Struct, frozen=True, kw_only=True):
    """Why a person of the desk did something, in their own words; never sent to the customer."""

    at: datetime
    by: str
    #: The tag of the event ("escalated").
    event: str
    text: str


class Hold(Struct, frozen=True, kw_only=True):
    """A legal hold: nothing of the complaint is erased while it stands."""

    reason: str
    since: datetime
    by: str


class Life(Struct, frozen=True, kw_only=True):
    """Everything the ticket machine remembers beside the complaint's own fields."""

    #: Counts the lifecycle events: a program that saw an older ticket can tell.
    revision: int = 0
    #: When the last of these events happened; no later event may lie before it.
    last_at: datetime | None = None
    #: Documents that were asked for in writing, and those that came.
    documents_asked: tuple[str, ...] = ()
    documents_came: tuple[str, ...] = ()
    #: When they were asked for last; the window for documents counts from here.
    documents_requested_at: datetime | None = None
    #: When any were asked for the first time: whether that was in time decides when the clocks start (G7).
    documents_first_requested_at: datetime | None = None
    #: Every round of them, oldest first; only `tickets.lifecycle_clocks` writes it.
    documents_rounds: tuple[DocumentsRound, ...] = ()
    #: The complainant got the one longer window (G7).
    window_extended_at: datetime | None = None
    #: An oral complaint became a written one (K9, A9).
    written_since: datetime | None = None
    #: Who handles it: units of the policy's escalation ladder.
    units: tuple[str, ...] = ()
    extensions: tuple[Extended, ...] = ()
    answers: tuple[Answer, ...] = ()
    #: The offer was carried out (A16).
    implemented_at: datetime | None = None
    objections: tuple[Objected, ...] = ()
    referrals: tuple[Referred, ...] = ()
    personal_data: tuple[PersonalDataRequest, ...] = ()
    #: The dates that are promised now, by clock.
    promised: dict[ClockName, PromisedDate] = {}
    announced: tuple[Announced, ...] = ()
    #: What the desk wrote beside its events: the reason of a skipped level, how an acceptance was said.
    remarks: tuple[Remark, ...] = ()
    #: Why it was dismissed, withdrawn or reopened, in a word.
    reason: str | None = None
    #: It was closed and goes on since then: answers and objections before it belong to the round that was closed.
    reopened_at: datetime | None = None
    hold: Hold | None = None
    #: The complaint that stands for all of a mass event.
    parent: str | None = None
