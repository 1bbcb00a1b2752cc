"""What an evidence bag is made of beside the ticket itself, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from normalizer.complaint import Complaint
from normalizer.message import DeliveryState
from tickets.model import AuditEvent, RawRow
from tickets.store.views import TicketView


class ChainedEvent(Struct, frozen=True, kw_only=True):
    """An audit event with its place in the chain; `hashed` is the text that its hash was made of."""

    seq: int
    event: AuditEvent
    hashed: str
    prev_hash: bytes
    hash: bytes


class SentPart(Struct, frozen=True, kw_only=True):
    """One part of a message that a provider took, and what it reported last."""

    outbox_key: str
    channel_id: str
    provider_id: str
    state: DeliveryState
    at: datetime
    error_code: str | None = None


class SentText(Struct, frozen=True, kw_only=True):
    """What went out for one row of the outbox: SHA-256 of the text, and by which template."""

    key: str
    body_hash: str | None
    template_version: str
    sent_at: datetime | None


class Case(Struct, frozen=True, kw_only=True):
    """All that is known of one complaint at one moment."""

    view: TicketView
    organisation: str
    made_at: datetime
    #: Complaints that were merged into it.
    merged: Sequence[Complaint]
    chain: Sequence[ChainedEvent]
    #: Events of the whole audit log, the hash of the last one, and whether every one follows from the one before.
    log_events: int
    log_head: str
    log_intact: bool
    texts: Sequence[SentText]
    parts: Sequence[SentPart]
    #: By id: None for a delivery that also holds messages of other people's complaints.
    deliveries: Mapping[str, RawRow | None]
