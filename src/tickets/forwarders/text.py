"""What a person reads in another ticket store about a complaint. Pure."""

from __future__ import annotations

from normalizer.complaint import Complaint, StoredAttachment
from tickets.forwarders.contract import ABOUT_FILES, EDITED, WITHDRAWN, Handover


def title(complaint: Complaint) -> str:
    """The title of the ticket: its number first, by which people and programs find it."""
    about = complaint.subject or complaint.category or complaint.kind
    return f"[{complaint.ticket_number}] {' '.join(about.split())}"[:200]


def opening(handover: Handover) -> str:
    """The first text of the ticket: who, how, when, what, with the attachments as name, size and hash."""
    complaint, person = handover.complaint, handover.complaint.complainant
    lines = [
        ("Nomor / number", complaint.ticket_number),
        ("Diterima / received", complaint.received_at.isoformat(timespec="minutes")),
        ("Kanal / channel", complaint.channel),
        ("Nama / name", person.full_name),
        ("Telepon / phone", person.phone),
        ("E-mail", person.email),
        ("Nomor nasabah / customer", person.customer_ref),
        ("Jenis / kind", complaint.kind),
        ("Kategori / category", complaint.category),
        ("Mendesak / urgency", complaint.assessment.urgency),
        ("Jawab sebelum / answer by", handover.ticket.first_response_due),
        ("Selesai sebelum / solve by", handover.ticket.resolve_due),
        ("Id", complaint.complaint_id),
    ]
    told = [f"{label}: {value}" for label, value in lines if value]
    listed = files(complaint)
    return "\n".join([*told, "", complaint.narrative, *(["", *listed] if listed else [])])


def words(handover: Handover) -> str | None:
    """What a message of the hand-over says: what was said, or how files stand that were fetched since."""
    if handover.type.startswith(ABOUT_FILES):
        return "\n".join(files(handover.complaint))
    if handover.type == WITHDRAWN:
        return "Sebuah pesan dihapus pengirimnya. / A message was deleted by its sender."
    if handover.type == EDITED and handover.text:
        return f"Diubah / edited:\n\n{handover.text}"
    return handover.text


def files(complaint: Complaint) -> list[str]:
    """The attachments as lines, with a heading; nothing without any."""
    listed = [_file(each) for each in complaint.attachments]
    return ["Lampiran / attachments:", *listed] if listed else []


def _file(file: StoredAttachment) -> str:
    known = f"{file.size} bytes, sha256 {file.sha256}" if file.sha256 else file.status
    return f"- {file.name_safe} ({known})"
