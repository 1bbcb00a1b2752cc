"""What the core ticket store keeps and gives back, as values. Knows no channel and no database.

Times are aware UTC, dates are WIB dates. `deadlines` is the explained form of `tickets.deadlines` (which days counted).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

from msgspec import Struct

from normalizer.complaint import Complaint, Tier
from normalizer.message import Attachment, Channel, Message, Raw
from tickets.life import Life
from tickets.told import ToldComplaint, ToldTicket

TicketState = Literal[
    "received", "in_progress", "awaiting_documents", "escalated", "responded", "objection_review",
    "resolved", "rejected", "referred", "withdrawn", "merged", "dismissed",
]  # fmt: skip
#: States in which a further message of the thread belongs to this ticket (public words only).
OPEN: frozenset[str] = frozenset(
    {"received", "in_progress", "awaiting_documents", "escalated", "responded", "objection_review", "referred"}
)
ReceiptState = Literal["queued", "sent", "delivered", "read", "failed", "suppressed"]
QuarantineState = Literal["open", "replayed", "dismissed"]
OutboxState = Literal["due", "sending", "sent", "failed", "suppressed", "halted"]


class Ticket(Struct, frozen=True, kw_only=True):
    """The state of one complaint in the core store and the dates that were promised for it."""

    ticket_number: str
    complaint_id: str
    organisation: str
    state: TicketState = "received"
    #: Level of the escalation ladder, from 1.
    level: int = 1
    tier: Tier = "single_unit"
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    first_response_due: date | None = None
    resolve_earliest: date | None = None
    resolve_due: date | None = None
    #: Every clock with the days it counted and skipped, as `tickets.deadlines.explain` gives it.
    deadlines: Mapping[str, Any]
    policy_id: str
    policy_version: str
    calendar_version: str
    #: Hash of the access code; None when no private receipt is possible.
    access_code_hash: str | None = None
    #: What happened to it since it was opened (`tickets.lifecycle`).
    life: Life = Life()
    #: The WIB date on which the clocks must be looked at next; None while none of them runs.
    look_on: date | None = None


class RawRow(Struct, frozen=True, kw_only=True):
    """A delivery as it came, kept for replay (90 days)."""

    id: str
    organisation: str
    raw: Raw


class QuarantineRow(Struct, frozen=True, kw_only=True):
    """Something that could not be understood, until a person decides."""

    id: str
    raw_id: str
    organisation: str
    channel_id: str
    #: Where in the delivery; "$" for the whole of it.
    path: str
    reason: str
    at: datetime
    state: QuarantineState = "open"
    resolved_at: datetime | None = None


class MessageRow(Struct, frozen=True, kw_only=True):
    """One message of a complaint. `digest` (SHA-256 of what the sender gave) tells a repeat from a reuse of the key."""

    id: str
    organisation: str
    complaint_id: str
    raw_id: str
    channel_id: str
    digest: str
    message: Message


class AttachmentRow(Struct, frozen=True, kw_only=True):
    """One file of a complaint, fetched by its own retried job when it is not stored yet."""

    id: str
    complaint_id: str
    message_id: str
    channel_id: str
    name_safe: str
    status: Literal["pending", "stored", "expired", "refused"]
    attachment: Attachment
    sha256: str | None = None
    mime_sniffed: str | None = None
    size: int | None = None
    reason: str | None = None
    attempts: int = 0
    due_at: datetime | None = None
    scan: Literal["pending", "clean", "blocked"] = "pending"
    fetched_at: datetime | None = None


class Route(Struct, frozen=True, kw_only=True):
    """One lawful way to reach the customer (sheet A13)."""

    channel_id: str
    recipient: str
    #: The kind of `channel_id`, for the receipt's record; None means that of the complaint.
    channel: Channel | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    window_until: datetime | None = None
    #: Purpose of an approved template that carries the text: the lawful way once the window has closed.
    template: str | None = None


class OutboxRow(Struct, frozen=True, kw_only=True):
    """One message that is owed to a customer. `key` is given to the provider where it gives it back."""

    key: str
    organisation: str
    complaint_id: str
    #: Unique with the complaint: at most one receipt per complaint.
    template: str
    language: Literal["id", "en"]
    routes: tuple[Route, ...]
    #: Which of the routes is being used.
    route: int = 0
    state: OutboxState = "due"
    due_at: datetime
    attempts: int = 0
    #: Parts of the text, 0 until it was composed once.
    parts: int = 0
    #: Parts of a long text that the provider already took.
    parts_sent: int = 0
    first_attempt_at: datetime | None = None
    #: The last attempt had no answer: the next one is flagged.
    ambiguous: bool = False
    #: Some retry followed an ambiguous attempt: the customer may have it twice.
    possible_duplicate: bool = False
    #: Why it is suppressed or failed; the class name of the last error.
    reason: str | None = None
    error_class: str | None = None
    #: Values a template needs beyond the complaint and the ticket.
    data: Mapping[str, str] = {}


class OutboxItem(Struct, frozen=True, kw_only=True):
    """A due message with what composing it needs."""

    row: OutboxRow
    complaint: ToldComplaint
    ticket: ToldTicket
    #: The customer forbade us to write to the address of the route in use.
    refused: bool = False


class Settled(Struct, frozen=True, kw_only=True):
    """What became of one attempt: the next state of its outbox row, in full."""

    row: OutboxRow
    receipt_state: ReceiptState
    #: Ids the provider gave for the parts it took in this attempt; later deliveries name them.
    provider_ids: tuple[str, ...] = ()
    #: Thread refs of what was sent, so that an answer finds the complaint.
    registers: tuple[str, ...] = ()
    body_hash: str | None = None
    template_version: str | None = None
    sent_at: datetime | None = None
    task: TaskRow | None = None


class TaskRow(Struct, frozen=True, kw_only=True):
    """Something a person must do."""

    id: str
    organisation: str
    complaint_id: str | None
    #: "no_route", "undeliverable", "refused", "needs_agent", "check_possible_duplicate", "hide_on_platform", ...
    kind: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None = None


class AuditEvent(Struct, frozen=True, kw_only=True):
    """One entry of the append-only, hash-chained log. `data` holds ids, states and dates: no text of a customer."""

    at: datetime
    actor: str
    type: str
    complaint_id: str | None
    data: Mapping[str, Any]


class Records(Struct, frozen=True, kw_only=True):
    """Everything one transaction adds; each kind is written by one set-based statement."""

    raws: Sequence[RawRow] = ()
    quarantine: Sequence[QuarantineRow] = ()
    complaints: Sequence[Complaint] = ()
    tickets: Sequence[Ticket] = ()
    #: Open complaints that a message was added to: replaced by these.
    updated: Sequence[Complaint] = ()
    #: Tickets whose state or dates changed: replaced by these.
    updated_tickets: Sequence[Ticket] = ()
    messages: Sequence[MessageRow] = ()
    attachments: Sequence[AttachmentRow] = ()
    #: (organisation, ref, complaint id): later messages with this ref belong to the complaint.
    threads: Sequence[tuple[str, str, str]] = ()
    outbox: Sequence[OutboxRow] = ()
    tasks: Sequence[TaskRow] = ()
    audit: Sequence[AuditEvent] = ()


class SeenMessage(Struct, frozen=True, kw_only=True):
    """A message that is already recorded."""

    complaint_id: str
    ticket_number: str
    digest: str


class KnownThread(Struct, frozen=True, kw_only=True):
    """The complaint that a thread ref leads to."""

    complaint: Complaint
    ticket: Ticket


class Known(Struct, frozen=True, kw_only=True):
    """What the store knows about a batch of messages before they are recorded."""

    messages: Mapping[str, SeenMessage]
    threads: Mapping[str, KnownThread]
