"""Everything that may happen to a ticket after it was received: one value for each event of the ticket machine.

Programs name an event by its tag (`aduan tickets do NUMBER responded ...`, `{"event": "responded", ...}`). Who did it
and when are given beside it (`tickets.lifecycle.apply`). Times are aware UTC, dates WIB dates, money whole rupiah.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from normalizer.complaint import Finding, Forum, Kind, RejectionGround, Role, Rupiah, Severity, Tier, Urgency
from tickets.life import ClockMark, ClockName, Remedy

#: What the customer reads; at most what fits into one letter.
Letter = Annotated[str, Meta(min_length=1, max_length=20_000)]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Note = Annotated[str, Meta(max_length=4_000)]
#: A name, a number, an address: never a text.
Label = Annotated[str, Meta(max_length=200)]


class Happening(Struct, frozen=True, kw_only=True, tag_field="event", forbid_unknown_fields=True):
    """One event. An unknown field is an error: a misspelt one must not be taken for an absent one."""


class Classified(Happening, frozen=True, kw_only=True, tag="classified"):
    """The desk confirms or corrects what the intake proposed. None leaves a field as it is."""

    kind: Kind | None = None
    category: Word | None = None
    product: Label | None = None
    sub_product: Label | None = None
    issue: Word | None = None
    sub_issue: Label | None = None
    urgency: Urgency | None = None
    severity: Severity | None = None
    role: Role | None = None
    root_cause: Literal[110, 120, 130, 140, 150, 160, 170, 180, 999] | None = None
    loss_type: Literal["none", "potential", "actual"] | None = None
    loss_amount_idr: Rupiah | None = None
    loss_claimed: bool | None = None
    dispute_indication: bool | None = None
    violation_indication: bool | None = None
    already_at: Literal["none", "court", "laps", "ojk"] | None = None
    verified: bool | None = None


class FirstResponse(Happening, frozen=True, kw_only=True, tag="first_response"):
    """The first answer to the customer (K7, A8); the automatic receipt is none."""

    text: Letter


class DocumentsRequested(Happening, frozen=True, kw_only=True, tag="documents_requested"):
    """Documents of the policy's list are asked for in writing (K9, A9, A12)."""

    documents: Annotated[tuple[Word, ...], Meta(min_length=1)]
    text: Annotated[str, Meta(max_length=20_000)] = ""


class DocumentsReceived(Happening, frozen=True, kw_only=True, tag="documents_received"):
    """Some or all of the documents came; `complete` when nothing more is needed."""

    documents: tuple[Word, ...] = ()
    complete: bool = False


class DocumentsWindowExtended(Happening, frozen=True, kw_only=True, tag="documents_window_extended"):
    """The window for documents passed: a reminder with the one longer window (G7)."""


class DocumentsPresumed(Happening, frozen=True, kw_only=True, tag="documents_presumed"):
    """Nobody asked for documents in time: they count as complete since the complaint was received (G7)."""


class RepresentativeNamed(Happening, frozen=True, kw_only=True, tag="representative_named"):
    """Somebody acts for the complainant (K15, A12)."""

    full_name: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Literal["person", "institution"] = "person"
    #: Where the representative is reached: results go there too, once the power of attorney is verified (K15, K17).
    phone: Label | None = None
    email: Label | None = None


class PowerOfAttorney(Happening, frozen=True, kw_only=True, tag="power_of_attorney"):
    """The representative's special power of attorney came, or was checked."""

    status: Literal["received", "verified"]


class Escalated(Happening, frozen=True, kw_only=True, tag="escalated"):
    """Handed to the next level of the ladder (K13, A13); a skipped level needs a reason."""

    level: Annotated[int, Meta(ge=2)]
    units: tuple[Word, ...] = ()
    reason: Note = ""


class TierChanged(Happening, frozen=True, kw_only=True, tag="tier_changed"):
    """Who must take part changes without a new level: the track is chosen anew, counted from the same start."""

    tier: Tier
    reason: Note = ""


class ExtensionGranted(Happening, frozen=True, kw_only=True, tag="extension_granted"):
    """More time (K11, U8): the customer is told the cause and the new date on or before the old one."""

    ground: Label
    cause: Letter
    days: int | None = None
    until: date | None = None
    stage_update: Note = ""


class Responded(Happening, frozen=True, kw_only=True, tag="responded"):
    """The answer: an explanation, or an offer with its remedies (K15, A15-A17)."""

    kind: Literal["explanation", "offer"]
    finding: Finding
    text: Letter
    remedies: tuple[Remedy, ...] = ()
    compensation_idr: Rupiah | None = None
    #: The policy's conditions of a compensation that are met (`resolution.compensation.conditions`).
    conditions: tuple[Word, ...] = ()


class Implemented(Happening, frozen=True, kw_only=True, tag="implemented"):
    """The offer was carried out (A16)."""

    note: Note = ""


class Accepted(Happening, frozen=True, kw_only=True, tag="accepted"):
    """The customer accepts the answer; by word of mouth is enough, with a note."""

    by: Literal["complainant", "representative"] = "complainant"
    oral: bool = False
    note: Note = ""


class SilenceExpired(Happening, frozen=True, kw_only=True, tag="silence_expired"):
    """The customer's window to react has passed without a word (G10)."""


class ObjectionRaised(Happening, frozen=True, kw_only=True, tag="objection_raised"):
    """The customer does not accept (K16, A18)."""

    new_documents: bool = False
    by: Literal["complainant", "representative"] = "complainant"
    note: Note = ""


class ObjectionAnswered(Happening, frozen=True, kw_only=True, tag="objection_answered"):
    """The second answer: the first one confirmed, or a new offer (K16, A18)."""

    result: Literal["confirmed", "new_offer"]
    text: Letter
    finding: Finding | None = None
    remedies: tuple[Remedy, ...] = ()
    compensation_idr: Rupiah | None = None
    conditions: tuple[Word, ...] = ()


class ObjectionRejected(Happening, frozen=True, kw_only=True, tag="objection_rejected"):
    """The review says that the new documents change nothing (A18)."""

    reasons: Letter


class Rejected(Happening, frozen=True, kw_only=True, tag="rejected"):
    """Rejected on one of the published grounds, in writing and with reasons (A21, A22)."""

    ground: RejectionGround
    reasons: Letter


class Dismissed(Happening, frozen=True, kw_only=True, tag="dismissed"):
    """Not a complaint to this company; never for its topic (U3)."""

    reason: Literal["spam", "test", "noise", "misdirected"]
    #: For a misdirected one: where the sender should go.
    direct_to: Note = ""
    note: Note = ""


class ReferredOut(Happening, frozen=True, kw_only=True, tag="referred"):
    """A court or a dispute resolution body takes over (K12, K17, A19, A20, U9)."""

    forum: Forum
    by: Literal["complainant", "organisation"] = "complainant"
    note: Note = ""


class ForumDecided(Happening, frozen=True, kw_only=True, tag="forum_decided"):
    """The forum outside has decided."""

    decision: Note


class Withdrawn(Happening, frozen=True, kw_only=True, tag="withdrawn"):
    """The customer takes the complaint back."""

    by: Literal["complainant", "representative"] = "complainant"
    note: Note = ""


class Merged(Happening, frozen=True, kw_only=True, tag="merged"):
    """The same complaint came twice: this one goes on under another number; its own stays valid as an alias."""

    into: Label


class Grouped(Happening, frozen=True, kw_only=True, tag="grouped"):
    """One of many complaints with one cause: `parent` stands for all of them; each keeps its own receipt and dates."""

    parent: Label


class Ungrouped(Happening, frozen=True, kw_only=True, tag="ungrouped"):
    """It has a cause of its own after all."""


class Reopened(Happening, frozen=True, kw_only=True, tag="reopened"):
    """A closed complaint goes on, because the customer wrote again within 30 days."""

    reason: Note = ""


class HoldSet(Happening, frozen=True, kw_only=True, tag="hold_set"):
    """A legal hold begins: nothing is erased."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class HoldLifted(Happening, frozen=True, kw_only=True, tag="hold_lifted"):
    """The legal hold ends."""


class PersonalDataAsked(Happening, frozen=True, kw_only=True, tag="personal_data_asked"):
    """A request about the person's own data: 3 x 24 real hours (R8, UU 27/2022)."""

    kind: Literal["access", "correction", "suspension", "erasure", "consent_withdrawal"]
    #: When it came, if not now.
    received_at: datetime | None = None


class PersonalDataAnswered(Happening, frozen=True, kw_only=True, tag="personal_data_answered"):
    """The oldest open request of this kind was answered."""

    kind: Literal["access", "correction", "suspension", "erasure", "consent_withdrawal"]
    note: Note = ""


class ClockPassed(Happening, frozen=True, kw_only=True, tag="clock_passed"):
    """A clock reached a share of its time, or its end. By the clock alone, never by a person."""

    clock: ClockName
    mark: ClockMark
    percent: Annotated[int, Meta(ge=1, le=100)]


Event = (
    Classified
    | FirstResponse
    | DocumentsRequested
    | DocumentsReceived
    | DocumentsWindowExtended
    | DocumentsPresumed
    | RepresentativeNamed
    | PowerOfAttorney
    | Escalated
    | TierChanged
    | ExtensionGranted
    | Responded
    | Implemented
    | Accepted
    | SilenceExpired
    | ObjectionRaised
    | ObjectionAnswered
    | ObjectionRejected
    | Rejected
    | Dismissed
    | ReferredOut
    | ForumDecided
    | Withdrawn
    | Merged
    | Grouped
    | Ungrouped
    | Reopened
    | HoldSet
    | HoldLifted
    | PersonalDataAsked
    | PersonalDataAnswered
    | ClockPassed
)

#: The actor that gives the events of the clock to `tickets.lifecycle.apply`.
CLOCK_ACTOR = "clock"
#: What a person or a program may not say: only the clock does.
BY_THE_CLOCK = (ClockPassed, SilenceExpired, DocumentsWindowExtended, DocumentsPresumed)

read_event = msgspec.json.Decoder(Event).decode
