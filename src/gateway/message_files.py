"""The files of a message on their way to the file store, and the hash that tells a repeat from a reused key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from gateway.files import Files, TooLarge
from normalizer.complaint import StoredAttachment
from normalizer.message import Attachment, Message
from tickets.model import AttachmentRow, MessageRow


def store_files(files: Files, message: Message) -> tuple[Message, dict[str, str]]:
    """The message without the bytes of its files, which are in the store now; and their sniffed types by digest."""
    kept: list[Attachment] = []
    sniffed: dict[str, str] = {}
    for attachment in message.attachments:
        if attachment.content is None:
            kept.append(attachment)
            continue
        try:
            file = files.put(attachment.content)
        except TooLarge as error:
            kept.append(msgspec.structs.replace(attachment, content=None, error=str(error)))
        else:
            sniffed[file.sha256] = file.mime_sniffed
            kept.append(msgspec.structs.replace(attachment, content=None, sha256=file.sha256, size=file.size))
    return (msgspec.structs.replace(message, attachments=tuple(kept)) if kept else message), sniffed


def file_row(
    row: MessageRow, file: StoredAttachment, attachment: Attachment, sniffed: Mapping[str, str], now: datetime
) -> AttachmentRow:
    """The row of one file: due for the fetcher at once when its bytes are still at the provider."""
    return AttachmentRow(
        id=file.id,
        complaint_id=row.complaint_id,
        message_id=row.id,
        channel_id=row.channel_id,
        name_safe=file.name_safe,
        status=file.status,
        attachment=attachment,
        sha256=attachment.sha256,
        mime_sniffed=sniffed.get(attachment.sha256 or "", attachment.mime if attachment.sha256 else None),
        size=attachment.size,
        reason=file.reason,
        due_at=now if file.status == "pending" else None,
    )


def digest_of(message: Message) -> str:
    """What the sender gave, as one hash: a repeat has the same, a reused key another."""
    files = [
        a.sha256 or (hashlib.sha256(a.content).hexdigest() if a.content is not None else a.ref or a.name)
        for a in message.attachments
    ]
    content = msgspec.json.encode([message.text, message.subject, sorted(message.fields.items()), files])
    return hashlib.sha256(content).hexdigest()
