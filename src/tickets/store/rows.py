"""Values to rows and back. Rows of `*_row` functions stand in the order of their table's columns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from normalizer.complaint import Complaint, ReceiptRecord, StoredAttachment
from normalizer.message import Raw
from tickets.model import (
    OPEN,
    AttachmentRow,
    MessageRow,
    OutboxRow,
    QuarantineRow,
    RawRow,
    Route,
    TaskRow,
    Ticket,
)
from tickets.store.batch import Found, Values
from tickets.store.documents import COMPLAINTS, MESSAGES, TICKETS
from tickets.store.times import from_micros, micros_or_none, moment_or_none, to_micros

_encode = msgspec.json.Encoder().encode
_decode_attachment = msgspec.json.Decoder(AttachmentRow).decode
_decode_routes = msgspec.json.Decoder(tuple[Route, ...]).decode
_decode_words = msgspec.json.Decoder(dict[str, str]).decode


def document(value: object) -> str:
    """The value as JSON text."""
    return _encode(value).decode()


def raw_row(row: RawRow) -> Values:
    raw = row.raw
    return (
        row.id, row.organisation, raw.channel_id, to_micros(raw.received_at), raw.body, document(raw.headers),
        raw.target, raw.ref,
    )  # fmt: skip


def raw_from(row: Found) -> RawRow:
    return RawRow(
        id=row.id,
        organisation=row.organisation,
        raw=Raw(
            channel_id=row.channel_id,
            received_at=row.received_at,
            body=bytes(row.body),
            headers=_decode_words(row.headers),
            target=row.target,
            ref=row.ref,
        ),
    )


def quarantine_row(row: QuarantineRow) -> Values:
    return (
        row.id, row.raw_id, row.organisation, row.channel_id, row.path, row.reason, to_micros(row.at), row.state,
        micros_or_none(row.resolved_at),
    )  # fmt: skip


def ticket_row(complaint: Complaint, ticket: Ticket) -> Values:
    if ticket.complaint_id != complaint.complaint_id or ticket.ticket_number != complaint.ticket_number:
        raise ValueError("the ticket and the complaint name each other differently")
    *standing, ticket_document, _ = ticket_columns(ticket)
    channel_columns = complaint_columns(complaint)
    return (
        complaint.complaint_id, complaint.ticket_number, ticket.organisation, *channel_columns[:-2],
        *standing, channel_columns[-2], ticket_document,
    )  # fmt: skip


def complaint_columns(complaint: Complaint) -> Values:
    """What is written again when a complaint changes, its id last."""
    # Receipts are the outbox rows: a copy here would go stale.
    kept = msgspec.structs.replace(complaint, receipts=()) if complaint.receipts else complaint
    return (
        complaint.channel, complaint.channel_id, complaint.sender_key, to_micros(complaint.received_at),
        complaint.effective_received_date.isoformat(), complaint.kind, complaint.category,
        complaint.assessment.urgency, COMPLAINTS.write(kept), complaint.complaint_id,
    )  # fmt: skip


def ticket_columns(ticket: Ticket) -> Values:
    """What is written again when a ticket changes, its complaint's id last."""
    return (
        ticket.state, int(ticket.state in OPEN),
        ticket.first_response_due.isoformat() if ticket.first_response_due else None,
        ticket.resolve_due.isoformat() if ticket.resolve_due else None,
        to_micros(ticket.opened_at), to_micros(ticket.updated_at), micros_or_none(ticket.closed_at),
        ticket.look_on.isoformat() if ticket.look_on else None, TICKETS.write(ticket), ticket.complaint_id,
    )  # fmt: skip


def complaint_from(written: bytes) -> Complaint:
    return COMPLAINTS.read(written)


def ticket_from(written: bytes) -> Ticket:
    return TICKETS.read(written)


def message_row(row: MessageRow) -> Values:
    message = row.message
    if any(attachment.content is not None for attachment in message.attachments):
        # The bytes lie in the attachment store and in the raw; a third copy would only bloat the history.
        bare = tuple(msgspec.structs.replace(attachment, content=None) for attachment in message.attachments)
        message = msgspec.structs.replace(message, attachments=bare)
    return (
        row.id, row.organisation, message.key, row.complaint_id, row.raw_id, row.channel_id, row.digest,
        MESSAGES.write(message),
    )  # fmt: skip


def message_from(row: Found) -> MessageRow:
    return MessageRow(
        id=row.id,
        organisation=row.organisation,
        complaint_id=row.complaint_id,
        raw_id=row.raw_id,
        channel_id=row.channel_id,
        digest=row.digest,
        message=MESSAGES.read(row.document),
    )


def attachment_row(row: AttachmentRow) -> Values:
    return (row.id, row.complaint_id, row.status, micros_or_none(row.due_at), row.attempts, document(row))


def attachment_from(row: Found) -> AttachmentRow:
    # The columns are what the claims move; the document is what the job last said.
    return msgspec.structs.replace(
        _decode_attachment(row.document), status=row.status, due_at=row.due_at, attempts=row.attempts
    )


def stored_attachments(complaint: Complaint, rows: Sequence[AttachmentRow]) -> tuple[StoredAttachment, ...]:
    """The attachments of the complaint as its rows say now, in the order of the complaint, new ones behind."""
    said = {attachment.id: attachment for attachment in complaint.attachments}
    found = {row.id: row for row in rows}
    order = [*said, *(row.id for row in rows if row.id not in said)]
    return tuple(_stored_attachment(found[id_], said.get(id_)) if id_ in found else said[id_] for id_ in order)


def _stored_attachment(row: AttachmentRow, said: StoredAttachment | None) -> StoredAttachment:
    return StoredAttachment(
        id=row.id,
        sha256=row.sha256,
        mime_sniffed=row.mime_sniffed,
        size=row.size,
        name_safe=row.name_safe,
        kind=said.kind if said else "other",
        scan=row.scan,
        provider_ref=row.attachment.ref,
        fetched_at=row.fetched_at,
        status=row.status,
        reason=row.reason,
    )


def outbox_row(row: OutboxRow, added_at: int) -> Values:
    return (
        row.key, row.organisation, row.complaint_id, row.template, row.language, added_at, *route_columns(row),
        document(row.routes), document(row.data), row.route, row.state, to_micros(row.due_at), row.attempts,
        row.parts, row.parts_sent, micros_or_none(row.first_attempt_at), int(row.ambiguous),
        int(row.possible_duplicate), row.reason, row.error_class,
        1 << row.route if row.state == "sent" else 0,
        "suppressed" if row.state == "suppressed" else "failed" if row.state == "failed" else "queued",
        None, None, "", None,
    )  # fmt: skip


def route_columns(row: OutboxRow) -> tuple[str, str]:
    """Channel and recipient of the route in use; empty when there is none."""
    if row.route >= len(row.routes):
        return "", ""
    route = row.routes[row.route]
    return route.channel_id, route.recipient


def routes_from(document: str) -> tuple[Route, ...]:
    """The ways to the customer that a row of the outbox has."""
    return _decode_routes(document)


def outbox_from(row: Found) -> OutboxRow:
    """The outbox row of a result with plain moments (see `schema.plain`)."""
    return OutboxRow(
        key=row.key,
        organisation=row.organisation,
        complaint_id=row.complaint_id,
        template=row.template,
        language=row.language,
        routes=_decode_routes(row.routes),
        route=row.route,
        state=row.state,
        due_at=from_micros(row.due_at),
        attempts=row.attempts,
        parts=row.parts,
        parts_sent=row.parts_sent,
        first_attempt_at=moment_or_none(row.first_attempt_at),
        ambiguous=bool(row.ambiguous),
        possible_duplicate=bool(row.possible_duplicate),
        reason=row.reason,
        error_class=row.error_class,
        data=_decode_words(row.data),
    )


def outbox_claimed(row: Found) -> OutboxRow:
    """The outbox row of a claim, whose columns are `claiming.CLAIMED_COLUMNS`."""
    (
        key, organisation, complaint_id, template, language, routes, data, route, due_at, attempts, parts, parts_sent,
        first_attempt_at, ambiguous, possible_duplicate, reason, error_class,
    ) = row  # fmt: skip
    return OutboxRow(
        key=key,
        organisation=organisation,
        complaint_id=complaint_id,
        template=template,
        language=language,
        routes=_decode_routes(routes),
        route=route,
        state="sending",
        due_at=from_micros(due_at),
        attempts=attempts,
        parts=parts,
        parts_sent=parts_sent,
        first_attempt_at=from_micros(first_attempt_at),
        ambiguous=bool(ambiguous),
        possible_duplicate=bool(possible_duplicate),
        reason=reason,
        error_class=error_class,
        data=_decode_words(data),
    )


def receipt_from(row: Found, complaint: Complaint) -> ReceiptRecord:
    """The receipt of the complaint schema that an outbox row is."""
    routes = _decode_routes(row.routes)
    route = routes[row.route] if row.route < len(routes) else None
    return ReceiptRecord(
        id=row.key,
        channel=(route.channel if route else None) or complaint.channel,
        recipient=route.recipient if route else "",
        template=row.template,
        template_version=row.template_version,
        language=row.language,
        body_hash=row.body_hash,
        state=row.receipt_state,
        provider_id=row.provider_id,
        attempts=row.attempts,
        sent_at=moment_or_none(row.sent_at),
        reason=row.reason,
    )


def task_row(row: TaskRow) -> Values:
    return (
        row.id, row.organisation, row.complaint_id, row.kind, row.reason, to_micros(row.opened_at),
        micros_or_none(row.closed_at),
    )  # fmt: skip


def task_from(row: Found) -> TaskRow:
    return TaskRow(
        id=row.id,
        organisation=row.organisation,
        complaint_id=row.complaint_id,
        kind=row.kind,
        reason=row.reason,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
