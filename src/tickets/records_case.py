"""All that an evidence bag is made of, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from tickets.model import RawRow
from tickets.records_values import ChainedEvent, SentPart, SentText
from tickets.store.views import TicketView


class Case(Struct, frozen=True, kw_only=True):
    """All that is known of one complaint at one moment."""

    view: TicketView
    organisation: str
    made_at: datetime
    #: Complaints that were merged into it: their messages, files and open tasks are with it, the rest is theirs.
    merged: Sequence[TicketView]
    #: The events of all of them.
    chain: Sequence[ChainedEvent]
    #: Events of the whole audit log, the hash of the last one, and whether every one follows from the one before.
    log_events: int
    log_head: str
    log_intact: bool
    texts: Sequence[SentText]
    parts: Sequence[SentPart]
    #: By id: None for a delivery that also holds messages of other people's complaints.
    deliveries: Mapping[str, RawRow | None]

    @property
    def views(self) -> tuple[TicketView, ...]:
        """The complaint, then those that were merged into it."""
        return (self.view, *self.merged)
