"""What the store keeps of hand-overs, as values. Times are aware UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from normalizer.complaint import Complaint
from tickets.forwarders.contract import Handed, Remote
from tickets.model import Ticket

#: "waiting" stands behind another of the same ticket; "refused" waits for nobody but a person.
ForwardState = Literal["waiting", "due", "sending", "done", "refused"]


class Owed(Struct, frozen=True, kw_only=True):
    """Something happened to a ticket, and every target of the organisation must hear of it."""

    organisation: str
    complaint_id: str
    type: str
    at: datetime
    text: str | None = None


class ForwardRow(Struct, frozen=True, kw_only=True):
    """One thing that one target is owed about one ticket. `text` is personal data."""

    target: str
    complaint_id: str
    seq: int
    type: str
    at: datetime
    text: str | None = None
    state: ForwardState = "due"
    due_at: datetime
    attempts: int = 0
    #: An attempt failed, or was cut off by a crash: the next one looks first.
    repeated: bool = False
    error_class: str | None = None
    reason: str | None = None
    done_at: datetime | None = None


class ForwardLink(Struct, frozen=True, kw_only=True):
    """One ticket in one target."""

    target: str
    complaint_id: str
    organisation: str
    last_seq: int
    store_ref: str | None = None
    linked_at: datetime | None = None
    remote: Remote | None = None
    changed_at: datetime | None = None
    changed_note: str | None = None
    task_id: str | None = None


class ForwardItem(Struct, frozen=True, kw_only=True):
    """A claimed row with everything that handing it over needs."""

    row: ForwardRow
    link: ForwardLink
    complaint: Complaint
    ticket: Ticket
    #: A person has not decided yet about a change that was made there.
    held: bool = False


class Settled(Struct, frozen=True, kw_only=True):
    """What became of one attempt: the row's next state in full, and what the target said if it took it over."""

    row: ForwardRow
    handed: Handed | None = None
    #: Id for the task that a refusal or a change there opens.
    task_id: str


class ForwardLine(Struct, frozen=True, kw_only=True):
    """One row as a list shows it, without any text of a customer."""

    target: str
    ticket_number: str
    organisation: str
    complaint_id: str
    seq: int
    type: str
    at: datetime
    state: ForwardState
    due_at: datetime
    attempts: int
    error_class: str | None
    reason: str | None
    done_at: datetime | None
    store_ref: str | None
    remote_state: str | None
    changed_at: datetime | None
    changed_note: str | None

    @property
    def id(self) -> str:
        """What a command names the row by: `Handover.key` with its target."""
        return f"{self.target}:{self.complaint_id}-{self.seq}"


class TargetState(Struct, frozen=True, kw_only=True):
    """How one target stands in the store."""

    target: str
    organisations: tuple[str, ...] = ()
    #: Class name of the error that halted it.
    halted: str | None = None
    reason: str | None = None
    since: datetime | None = None
    looked_at: datetime | None = None
    #: Rows that wait, in whatever state.
    waiting: int = 0
    refused: int = 0
    oldest_due: datetime | None = None
