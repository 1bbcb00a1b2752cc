"""The files of an evidence bag: what was said, every version, what was answered, what was decided and why. Pure.

The same case gives the same bytes. Names of files are our own: nothing that a customer typed becomes a path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from tickets.records_case import Case
from tickets.records_summary import readme, summary
from tickets.store.views import MessageView

#: The kinds of audit events that are decisions about the ticket, by the beginning of their type.
_DECISIONS = ("complaint.", "ticket.", "clocks.", "records.")
#: Endings by sniffed type, so that a double click shows a file; anything else is only bytes.
_ENDINGS = {
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "video/mp4": "mp4",
}
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public-key.pem"


class Listed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the bag."""

    path: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the signature vouches for."""

    #: Version of this layout. No other thing that the key signs begins like this.
    aduan_evidence: int = 1
    ticket_number: str
    #: The numbers that were merged into it.
    merged: tuple[str, ...] = ()
    organisation: str
    #: RFC 3339, UTC.
    made_at: str
    key_id: str
    files: tuple[Listed, ...]
    #: What belongs to the complaint and is not here, and why.
    missing: tuple[str, ...] = ()


class Files(Struct, frozen=True, kw_only=True):
    """The written files by their paths, the attachments by theirs with their digests, and what is not there."""

    written: Mapping[str, bytes]
    attachments: Mapping[str, str]
    missing: tuple[str, ...]


def files_of(case: Case) -> Files:
    """Every file of the bag but the manifest and its signature."""
    view = case.view
    ticket = replace(view.ticket, access_code_hash=None)
    written: dict[str, bytes] = {
        "README.txt": readme(case).encode(),
        "summary.html": summary(case).encode(),
        "complaint.json": _json(view.complaint),
        "ticket.json": _json(ticket),
        "deadlines.json": _json(
            {
                "explained": ticket.deadlines,
                "promised": ticket.life.promised,
                "passed": ticket.life.announced,
                "extensions": ticket.life.extensions,
                "policy": {"id": ticket.policy_id, "version": ticket.policy_version},
                "calendar_version": ticket.calendar_version,
            }
        ),
        "sent.json": _json(_sent(case)),
        "decisions.json": _json([link.event for link in case.chain if link.event.type.startswith(_DECISIONS)]),
        "tasks.json": _json([task for each in case.views for task in each.tasks]),
        "audit.jsonl": b"".join(
            msgspec.json.encode(
                {
                    "seq": link.seq,
                    "prev_hash": link.prev_hash.hex(),
                    "hash": link.hash.hex(),
                    "hashed": link.hashed,
                }
            )
            + b"\n"
            for link in case.chain
        ),
        "audit-log.json": _json(
            {"events": case.log_events, "head": case.log_head, "intact": case.log_intact, "at": case.made_at}
        ),
    }
    for place, each in enumerate(case.merged, 1):
        written[f"merged/{place:04d}.json"] = _json(each.complaint)
        written[f"merged/{place:04d}-ticket.json"] = _json(replace(each.ticket, access_code_hash=None))
    missing: list[str] = []
    for place, message in enumerate(view.messages, 1):
        stem = f"messages/{place:04d}"
        delivery, why = _delivery(case, message)
        row = case.deliveries.get(message.row.raw_id)
        received_at = None if row is None else row.raw.received_at
        written[f"{stem}.json"] = _json(_message(message, received_at, delivery, why))
        if delivery is not None:
            written[f"{stem}.raw"] = delivery
        else:
            missing.append(f"{stem}.raw: {why}")
    attachments: dict[str, str] = {}
    for file in view.attachments:
        if file.sha256 is not None and file.status == "stored":
            attachments[f"attachments/{file.sha256}.{_ENDINGS.get(file.mime_sniffed or '', 'bin')}"] = file.sha256
        else:
            missing.append(f"attachment {file.id}: {file.status}")
    written["attachments.json"] = _json(
        [
            {
                "id": file.id,
                "message_id": file.message_id,
                "name": file.name_safe,
                "sha256": file.sha256,
                "type": file.mime_sniffed,
                "size": file.size,
                "status": file.status,
                "reason": file.reason,
            }
            for file in view.attachments
        ]
    )
    return Files(written=written, attachments=attachments, missing=tuple(missing))


def listed(path: str, content: bytes) -> Listed:
    """The line of the manifest for a file."""
    return Listed(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def manifest_of(case: Case, files: Sequence[Listed], missing: Sequence[str], key_id: str) -> bytes:
    """The manifest as it is signed, files by path."""
    return _json(
        Manifest(
            ticket_number=case.view.ticket.ticket_number,
            merged=tuple(each.ticket.ticket_number for each in case.merged),
            organisation=case.organisation,
            made_at=case.made_at.isoformat(),
            key_id=key_id,
            files=tuple(sorted(files, key=lambda file: file.path)),
            missing=tuple(missing),
        )
    )


def read_manifest(content: bytes) -> Manifest | None:
    """The manifest of these bytes; None when they are none."""
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _delivery(case: Case, message: MessageView) -> tuple[bytes | None, str | None]:
    """The bytes of the delivery that a message came in, or why they are not here."""
    raw_id = message.row.raw_id
    if raw_id not in case.deliveries:
        return None, "its days of retention have passed, or its sender deleted it"
    row = case.deliveries[raw_id]
    if row is None:
        return None, "withheld: the same delivery holds messages of other people"
    return row.raw.body, None


def _message(
    message: MessageView, received_at: datetime | None, delivery: bytes | None, why: str | None
) -> dict[str, Any]:
    return {
        "id": message.row.id,
        "channel_id": message.row.channel_id,
        "content_digest": message.row.digest,
        "delivery": {
            "id": message.row.raw_id,
            "received_at": received_at,
            "sha256": None if delivery is None else hashlib.sha256(delivery).hexdigest(),
            "not_here": why,
        },
        "as_received": message.row.message,
        "versions": message.versions,
        "deleted_by_sender_at": message.withdrawn_at,
    }


def _sent(case: Case) -> list[dict[str, Any]]:
    texts = {text.key: text for text in case.texts}
    return [
        {
            "ticket_number": each.ticket.ticket_number,
            "outbox": {**asdict(row), "data": _without_code(row.data)},
            "text": texts.get(row.key),
            "parts": [part for part in case.parts if part.outbox_key == row.key],
        }
        for each in case.views
        for row in each.outbox
    ]


def _without_code(data: Mapping[str, str]) -> dict[str, str]:
    """The values of a message without a secret of the customer, should one ever be among them."""
    return {name: value for name, value in data.items() if "code" not in name}


def _json(value: object) -> bytes:
    """Readable JSON whose order depends on nothing but the value."""
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic", enc_hook=str), indent=2) + b"\n"
