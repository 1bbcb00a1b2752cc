"""What a ticket in RT says: for the organisation's own people, Indonesian first. Pure.

It holds no access code, no file (names, sizes and hashes only), and no name of a customer in a subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from normalizer.complaint import Complaint
from tickets.calendar import WIB
from tickets.forwarders.contract import ABOUT_FILES, EDITED, Handover
from tickets.model import Ticket

#: Tickets.Subject and Attachments.Subject hold so many characters (RT's schema).
MOST_SUBJECT = 200


def link(external_id: str) -> str:
    """What the ticket in RT refers to: by this it is found again."""
    return f"urn:aduan:complaint:{external_id}"


def subject(complaint: Complaint) -> str:
    """The ticket's subject, on one line."""
    given = (" ".join((each or "").split()) for each in (complaint.subject, complaint.category, complaint.kind))
    return f"[{complaint.ticket_number}] {next(filter(None, given))}"[:MOST_SUBJECT]


def message_subject(handover: Handover) -> str:
    """The subject of one message: it carries the key that the message is found by."""
    return f"{handover.complaint.ticket_number} {handover.key}"


def content(handover: Handover) -> str:
    """The first message of the ticket: what is known of the complaint, then the customer's own words."""
    return "\n".join([*_facts(handover), "", handover.complaint.narrative or "-"])


def message(handover: Handover) -> str:
    """A later message: what was said, or what happened without a word."""
    if handover.text is None:
        return _happened(handover)
    who = "Dari pelanggan / From the customer" if handover.by_customer else "Kepada pelanggan / To the customer"
    edited = ", diubah / edited" if handover.type == EDITED else ""
    return f"{who} ({_moment(handover.at)}{edited}):\n\n{handover.text}"


def due(ticket: Ticket) -> datetime | None:
    """The last second of the day on which the complaint must be resolved; None while no date is promised."""
    day = ticket.resolve_due
    return None if day is None else datetime.combine(day, time(23, 59, 59), WIB).astimezone(UTC)


def _happened(handover: Handover) -> str:
    ticket = handover.ticket
    lines = [
        f"Aduan: {handover.type} ({_moment(handover.at)})",
        f"Keadaan / State: {ticket.state}; tingkat / level {ticket.level}",
    ]
    if ticket.resolve_due is not None:
        lines.append(f"Tenggat / Due: {ticket.resolve_due.isoformat()}")
    if handover.type.startswith(ABOUT_FILES):
        lines += _files(handover.complaint)
    return "\n".join(lines)


def _facts(handover: Handover) -> Iterator[str]:
    complaint, ticket = handover.complaint, handover.ticket
    person = complaint.complainant
    yield f"Pengaduan / Complaint {complaint.ticket_number}"
    yield f"Diterima / Received: {_moment(complaint.received_at)} ({complaint.channel})"
    yield f"Jenis / Kind: {_joined(complaint.kind, complaint.category, complaint.product, complaint.issue)}"
    yield f"Urgensi / Urgency: {complaint.assessment.urgency}"
    yield "Pelapor / Complainant: " + _joined(
        person.full_name, person.phone, person.email, person.customer_ref, complaint.sender_handle
    )
    if complaint.representative is not None:
        acts = complaint.representative
        yield f"Wakil / Representative: {_joined(acts.full_name, f'surat kuasa / power of attorney {acts.poa_status}')}"
    if complaint.transaction is not None:
        about = complaint.transaction
        amount = None if about.amount_idr is None else f"IDR {about.amount_idr}"
        yield f"Transaksi / Transaction: {_joined(about.type, _day(about.date), about.reference, amount)}"
    yield f"Jawaban pertama / First answer: {_day(ticket.first_response_due) or '-'}"
    yield f"Penyelesaian / Resolution: {_day(ticket.resolve_due) or '-'}"
    yield from _files(complaint)
    for name, address in handover.links.items():
        yield f"{name}: {address}"


def _files(complaint: Complaint) -> Iterator[str]:
    for file in complaint.attachments:
        size = None if file.size is None else f"{file.size} B"
        yield f"Lampiran / Attachment: {_joined(file.name_safe, size, file.sha256 and f'sha256 {file.sha256}')}"


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part) or "-"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(at: datetime) -> str:
    return at.astimezone(WIB).strftime("%Y-%m-%d %H:%M WIB")
