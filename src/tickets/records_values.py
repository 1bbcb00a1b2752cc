"""What the store gives for an evidence bag beside the ticket itself, as values."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from normalizer.message import DeliveryState
from tickets.model import AuditEvent


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
