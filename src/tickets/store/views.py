"""What the store shows of a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from normalizer.complaint import Complaint, Urgency
from normalizer.message import Channel
from tickets.model import AttachmentRow, AuditEvent, MessageRow, OutboxRow, TaskRow, Ticket, TicketState


class MessageVersion(Struct, frozen=True, kw_only=True):
    """What a message said from `at` on."""

    at: datetime
    text: str
    subject: str | None = None


class MessageView(Struct, frozen=True, kw_only=True):
    """A message as it came, all that it was changed to, and whether the customer withdrew it."""

    row: MessageRow
    #: Oldest first; the first is what came, also when an edit overtook it.
    versions: tuple[MessageVersion, ...]
    withdrawn_at: datetime | None = None

    @property
    def text(self) -> str:
        """What the message says now."""
        return self.versions[-1].text


class TicketView(Struct, frozen=True, kw_only=True):
    """All that is kept of one complaint; `complaint.receipts` and `.attachments` say how it stands now."""

    complaint: Complaint
    ticket: Ticket
    messages: Sequence[MessageView]
    outbox: Sequence[OutboxRow]
    attachments: Sequence[AttachmentRow]
    tasks: Sequence[TaskRow]
    audit: Sequence[AuditEvent]
    aliases: Sequence[str]


class TicketLine(Struct, frozen=True, kw_only=True):
    """One ticket in a list; `complaint_id` is the position to go on from."""

    complaint_id: str
    ticket_number: str
    organisation: str
    channel: Channel
    channel_id: str
    state: TicketState
    kind: str
    category: str | None
    urgency: Urgency
    received_at: datetime
    effective_received_date: date
    first_response_due: date | None
    resolve_due: date | None
    updated_at: datetime
    closed_at: datetime | None


class Counts(Struct, frozen=True, kw_only=True):
    """How much waits where."""

    outbox_due: int
    outbox_sending: int
    outbox_halted: int
    quarantine_open: int
    tasks_open: int
    attachments_pending: int
    tickets_open: int
    deliveries_parked: int
