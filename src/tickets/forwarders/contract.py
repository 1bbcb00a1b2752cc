"""What every target store can do: take a ticket over once, follow its life, and say what others changed there.

The queue (`tickets.store.forwards`) calls a forwarder for one ticket at a time and in order, for different tickets at
once. It never calls for the same ticket twice at the same time. Errors are those of `tickets.forwarders.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from normalizer.complaint import Complaint
from tickets.model import Ticket

#: Types of what a customer said; every other type is the organisation's own doing.
BY_CUSTOMER = frozenset({"complaint.received", "message.added", "message.edited", "message.withdrawn"})
#: The customer changed what a message says, or deleted it; what it said first stays where it was handed over.
EDITED, WITHDRAWN = "message.edited", "message.withdrawn"
#: Types of what became of files that were still to be fetched begin like this ("attachment.stored").
ABOUT_FILES = "attachment."
#: Changes that are told at once, at most; the next look goes on behind the last of them.
MOST_CHANGES = 2_000


class Remote(Struct, frozen=True, kw_only=True):
    """How the ticket stood in the target store when we last saw or wrote it."""

    #: The store's own word for its state.
    state: str | None = None
    #: Anything that changes whenever the ticket changes there: a time, a number, a transaction id. Opaque to us.
    version: str | None = None


class Handover(Struct, frozen=True, kw_only=True):
    """One thing that a target is owed: the ticket as it stands now, and what happened to it."""

    complaint: Complaint
    ticket: Ticket
    #: What happened ("complaint.received", "message.added", "attachment.stored", "ticket.responded", ...), and when
    #: (aware UTC).
    type: str
    at: datetime
    #: Counts what this target is owed about this complaint, from 1.
    seq: int
    #: What was said, if something was: by the customer for the types of BY_CUSTOMER, else by the organisation.
    text: str | None = None
    #: The ticket's id in the target store, once it is known.
    store_ref: str | None = None
    #: How it stood there when we last saw it; None before the first hand-over.
    remote: Remote | None = None
    #: An earlier attempt did not come to its end: look for `key` there before anything is written again.
    repeated: bool = False
    #: False while a person has not decided about a change that was made there: hand over words, write no state.
    write_state: bool = True
    #: Addresses for people and programs, by name ("ticket", "status").
    links: Mapping[str, str] = {}

    @property
    def external_id(self) -> str:
        """What the ticket is found by in the target store: the complaint id, never the ticket number."""
        return self.complaint.complaint_id

    @property
    def key(self) -> str:
        """What one message of the hand-over is found by there: the same in every attempt, different for every seq."""
        return f"{self.complaint.complaint_id}-{self.seq}"

    @property
    def by_customer(self) -> bool:
        """Whether `text` is the customer's word."""
        return self.type in BY_CUSTOMER


class Seen(Struct, frozen=True, kw_only=True):
    """The ticket changed in the target store."""

    store_ref: str
    #: The complaint id that the ticket there carries, if it tells.
    external_id: str | None = None
    remote: Remote
    changed_at: datetime
    #: The change was made by the account that we write with.
    by_us: bool
    #: What changed, in words for a person of the desk; no text of a customer.
    note: str | None = None


class Handed(Struct, frozen=True, kw_only=True):
    """The target has what it was owed."""

    store_ref: str
    remote: Remote
    #: Somebody changed the ticket there since `Handover.remote`: our state was not written over it.
    changed: Seen | None = None


class Forwarder(Protocol):
    """One configured target store."""

    @property
    def target(self) -> str:
        """Its name in the settings."""

    async def create(self, handover: Handover) -> Handed:
        """Makes the ticket there, unless one with `handover.external_id` is found first: then that one is taken.

        It brings the complaint as it stands, with its state, but not `handover.text`: when there is more to hand over
        than the arrival of the complaint, `update` follows at once. Harmless to repeat. Raises a ForwardError.
        """

    async def update(self, handover: Handover) -> Handed:
        """Brings the text and our state to the ticket `handover.store_ref`.

        The text goes in any case, once per `handover.key`. Our state goes only when `write_state` is true and the
        ticket stands there as `handover.remote` says. When it stands otherwise, `Handed.changed` says how, also while
        `write_state` is false. `Handed.remote` is how it stands after our own write. Raises a ForwardError.
        """

    async def changes(self, since: datetime) -> Sequence[Seen]:
        """The tickets of ours that changed there at or after `since` (aware UTC), oldest change first.

        At most MOST_CHANGES, with others among them where the store does not tell ours from others; then the oldest.
        Empty for a target that cannot be asked. Raises a ForwardError.
        """

    async def check(self) -> None:
        """Nothing, when credentials, rights and settings work there; changes nothing. Raises a ForwardError."""

    async def aclose(self) -> None:
        """Gives connections back; safe to call twice."""
