"""What comes with a direct message at Meta: files, places, shared links. Pure.

The addresses are signed, need no credentials and expire; what they point at is fetched at once by its own job. A shared
link is text: it is never fetched, because its address is the customer's word.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from connectors.json_items import UNREADABLE
from normalizer.message import Attachment, AttachmentKind

KINDS: dict[str, AttachmentKind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "file": "document",
    "sticker": "sticker",
    "reel": "video",
    "ig_reel": "video",
    "ig_post": "other",
    "share": "other",
}
#: Meta's terms forbid keeping the story of somebody who mentions us (sheet A8).
NOT_KEPT = frozenset({"story_mention"})
LONGEST_NAME = 200
LOOKED_THROUGH = 4_000  # characters of a text that are searched for a link that it shares


class Coordinates(Struct):
    """{"lat":-6.2,"long":106.8}"""

    lat: float | str = ""
    long: float | str = ""


# {"url":"https://scontent.xx.fbcdn.net/a.jpg?oh=..","sticker_id":3692,"coordinates":{...},"title":"..."}
class Payload(Struct):
    """Where an attachment lies, or the place that it names."""

    url: str | None = None
    title: str | None = None
    sticker_id: int | str | None = None
    coordinates: Coordinates | None = None


# {"type":"image","payload":{...}}; a shared link: {"type":"fallback","title":"...","url":"/l.php?u=..","payload":"x"}
class Item(Struct):
    """One attachment; the payload of a `fallback` may be null or a string."""

    type: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"")
    title: str | None = None
    url: str | None = None


class Content(NamedTuple):
    """The parts of a message that a person reads."""

    text: str
    attachments: tuple[Attachment, ...]
    flags: tuple[str, ...]


def read_attachments(text: str, items: Sequence[msgspec.Raw]) -> Content:
    """Text, files and flags of a message; an attachment that cannot be read is named as one and costs nothing else."""
    lines = [text] if text else []
    beginning = text[:LOOKED_THROUGH]
    files: list[Attachment] = []
    flags: list[str] = []
    for item in items:
        try:
            read = msgspec.json.decode(item, type=Item)
        except UNREADABLE:
            files.append(Attachment(error="an attachment that cannot be read"))
            continue
        payload = _payload(read.payload)
        if read.type == "location" and payload.coordinates is not None:
            place = f"geo:{payload.coordinates.lat},{payload.coordinates.long}"
            lines += [line for line in (payload.title or read.title, place) if line]
            flags.append("location")
        elif read.type in KINDS:
            files.append(_file("sticker" if payload.sticker_id else KINDS[read.type], payload))
            if read.type == "audio":
                flags.append("has_audio")
        elif read.type in NOT_KEPT:
            files.append(Attachment(kind="image", error="a story: the platform's terms forbid keeping it"))
        elif read.type == "like_heart":
            lines.append("\N{HEAVY BLACK HEART}")
        else:
            shared = [payload.title or read.title, absolute(payload.url) or absolute(read.url)]
            said = [line for line in shared if line and line not in beginning]
            lines += said
            if not said and not text:
                flags.append("unsupported")
    return Content("\n".join(lines), tuple(files), tuple(dict.fromkeys(flags)))


def _payload(raw: msgspec.Raw) -> Payload:
    try:
        return msgspec.json.decode(raw, type=Payload)
    except UNREADABLE:
        return Payload()


def _file(kind: AttachmentKind, payload: Payload) -> Attachment:
    url = absolute(payload.url)
    if url is None:
        return Attachment(kind=kind, error="the provider gave no address for this file")
    return Attachment(kind=kind, name=_name(url) if kind == "document" else None, url=url)


def absolute(url: str | None) -> str | None:
    """The address if it is one, else None: a shared link may come as a relative scrap."""
    return url if url is not None and url.startswith(("https://", "http://")) else None


def _name(url: str) -> str | None:
    try:
        name = posixpath.basename(unquote(urlsplit(url).path))
    except ValueError:
        return None
    return name[-LONGEST_NAME:] or None
