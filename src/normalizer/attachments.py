"""The files of a message as the complaint keeps them: a name that harms nobody, and a guess of what each one is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, cast

from normalizer.complaint import StoredAttachment
from normalizer.lexicon import Lexicon, words
from normalizer.message import Attachment
from normalizer.text import clean

Kind = Literal["id_card", "poa", "screenshot", "recording", "transaction_proof", "other"]

_LONGEST_NAME = 100  # characters; 4 bytes each still fit the 255 bytes of common file systems with room for a number
_LONGEST_NAME_BYTES = 200
_LONGEST_CAPTION = 120  # a longer text tells the story, not what the picture shows

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,10}")
_EXTENSIONS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "image/heic": "heic",
    "video/mp4": "mp4", "video/3gpp": "3gp", "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp4": "m4a",
    "application/pdf": "pdf", "text/plain": "txt",
}  # fmt: skip
_DOCUMENT_KINDS = frozenset({"image", "video", "document", "other"})


def store(
    attachments: Sequence[Attachment],
    ids: Sequence[str],
    caption: str,
    lexicon: Lexicon,
    taken: Iterable[str] = (),
) -> tuple[StoredAttachment, ...]:
    """Return one record per file; `ids` stand in the order of the files, `taken` are names in use.

    `pending` waits for its bytes, `stored` has them in the attachment store, `refused` has nothing to fetch.
    Raises ValueError when the ids do not match the files: no file may get lost.
    """
    used = {name.casefold() for name in taken}
    stored = []
    for number, (attachment, attachment_id) in enumerate(zip(attachments, ids, strict=True), start=1):
        name = _unused(safe_name(attachment.name, f"{attachment.kind}-{number}", attachment.mime), used)
        used.add(name.casefold())
        status, reason = _status(attachment)
        stored.append(
            StoredAttachment(
                id=attachment_id,
                sha256=attachment.sha256,
                size=_size(attachment),
                name_safe=name,
                kind=guess_kind(attachment, caption, lexicon),
                provider_ref=attachment.ref,
                status=status,
                reason=reason,
            )
        )
    return tuple(stored)


def safe_name(name: str | None, fallback: str, mime: str | None = None) -> str:
    """Return a file name without path, controls, bidi signs, reserved device names or excess length (P23).

    The fallback, with the extension of the declared media type, stands in where nothing usable is left.
    """
    extension = _EXTENSIONS.get((mime or "").split(";", 1)[0].strip().lower())
    substitute = f"{fallback}.{extension}" if extension else fallback
    if not name:
        return substitute
    last = clean(name[-1000:]).replace("\\", "/").replace("\n", " ").replace("\t", " ").rsplit("/", 1)[-1]
    last = _FORBIDDEN.sub("_", last).strip(" .~")
    if not last or not any(char.isalnum() for char in last):
        return substitute
    if _RESERVED.fullmatch(last) is not None:
        last = "_" + last
    return _shortened(last)


def guess_kind(attachment: Attachment, caption: str, lexicon: Lexicon) -> Kind:
    """Return what the file seems to be, by the words of its name, then of a short caption; a person corrects it."""
    best = _kind_by_words((attachment.name or "")[-300:], lexicon)
    if best is None and caption and len(caption) <= _LONGEST_CAPTION:
        best = _kind_by_words(caption, lexicon)
    if best is not None:
        return best
    # A voice note is the complaint itself; a video shows something.
    return "recording" if attachment.kind == "video" else "other"


def are_documents(attachments: Iterable[Attachment]) -> bool:
    """Return whether supporting documents came along (K8, A9); voice notes, stickers, places and contacts are none."""
    return any(item.kind in _DOCUMENT_KINDS and _status(item)[0] != "refused" for item in attachments)


def _kind_by_words(text: str, lexicon: Lexicon) -> Kind | None:
    if not text:
        return None
    scores: dict[str, float] = {}
    # Digits stick to words in names that phones give ("Screenshot_20260105").
    for section, value, _, weight in lexicon.hits(words(text)):
        if section == "attachments":
            scores[value] = scores.get(value, 0.0) + weight
    return cast("Kind", max(scores, key=lambda value: scores[value])) if scores else None


def _status(attachment: Attachment) -> tuple[Literal["pending", "stored", "refused"], str | None]:
    if attachment.error:
        return "refused", clean(attachment.error[:500])
    if attachment.sha256:
        return "stored", None
    if attachment.content is None and not attachment.ref and not attachment.url:
        return "refused", "Penyedia tidak menyertakan isi berkas. / The provider sent no content."
    return "pending", None


def _size(attachment: Attachment) -> int | None:
    if attachment.content is not None:
        return len(attachment.content)
    return attachment.size if attachment.size is not None and 0 <= attachment.size < 2**63 else None


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or _EXTENSION.fullmatch(extension) is None:
        stem, dot, extension = name, "", ""
    stem = stem[: _LONGEST_NAME - len(dot) - len(extension)]
    stem = stem.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore").rstrip(" .")
    return f"{stem}{dot}{extension}"


def _unused(name: str, used: set[str]) -> str:
    if name.casefold() not in used:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    number = 2
    while (numbered := f"{stem}-{number}{dot}{extension}").casefold() in used:
        number += 1
    return numbered
