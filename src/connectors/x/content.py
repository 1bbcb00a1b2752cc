"""What a message or post at X says: text with its real addresses, files, people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from connectors.json_items import CLOCK_SKEW, UNREADABLE
from connectors.x.payload import NOTHING, Entities, Media, User, Variant, Wrapped
from normalizer.message import Attachment, AttachmentKind

T = TypeVar("T")
#: What `Attachment.ref` begins with where a file of a direct message is fetched through the API.
DM_MEDIA = "dm/"
_LINK = re.compile(r"https://t\.co/[A-Za-z0-9]{1,40}")
_PLACE = r"([0-9]{1,19})/([0-9]{1,19})/([A-Za-z0-9_-][A-Za-z0-9_.-]{0,199})"
_DM_FILE = re.compile(rf"https://ton\.(?:twitter|x)\.com/(?:[a-z0-9.]+/)*dm/{_PLACE}")
#: The whole of such a ref.
DM_REF = re.compile(DM_MEDIA + _PLACE)
_KINDS: dict[str, AttachmentKind] = {"photo": "image", "video": "video", "animated_gif": "video"}
#: X hands out texts with these three characters written as HTML does; the ampersand comes last.
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


class Person(Struct, frozen=True, kw_only=True):
    """A user as far as X names one."""

    id: str
    handle: str | None = None
    name: str | None = None


def readable(item: bytes | msgspec.Raw, type_: type[T]) -> T | None:
    """The item as `type_`, or None when it is none: a proxy's HTML, truncated, too deep."""
    try:
        return msgspec.json.decode(item, type=type_)
    except UNREADABLE:
        return None


def words(text: str, entities: Entities | None) -> str:
    """The text as it was written: short links become the addresses behind them."""
    behind = {url.url: url.expanded_url for url in (entities.urls if entities else None) or () if url.expanded_url}
    if behind:
        text = _LINK.sub(lambda link: behind.get(link[0]) or link[0], text)
    for escaped, character in _ESCAPED:
        text = text.replace(escaped, character)
    return text


def files(items: Iterable[msgspec.Raw], wanted: Sequence[str] | None = None) -> tuple[Attachment, ...]:
    """The files of a message; `wanted` names their media keys where the list holds those of others too."""
    found: list[Attachment] = []
    keys = None if wanted is None else set(wanted)
    for item in items:
        media = readable(item, Media)
        if media is None:
            found.append(Attachment(error="X's description of this file cannot be read"))
        elif keys is None or media.media_key in keys:
            found.append(_file(media))
            if keys is not None:
                keys.discard(media.media_key or "")
    found += [Attachment(error="X did not say where this file lies") for _ in keys or ()]
    return tuple(found)


def person(item: msgspec.Raw) -> Person | None:
    """A user out of what a payload includes, or None when it cannot be read as one."""
    # X wraps a user in an object of its own in some events and not in others.
    wrapped = readable(item, Wrapped)
    user = readable(wrapped.data if wrapped is not None and wrapped.data != NOTHING else item, User)
    return of_user(user) if user is not None else None


def of_user(user: User) -> Person | None:
    """The person that a user object means, or None when it has no id."""
    id_ = user.id_str or (str(user.id) if user.id is not None else "")
    return Person(id=id_, handle=user.username or user.screen_name, name=user.name) if id_ else None


def people(items: Iterable[msgspec.Raw]) -> dict[str, Person]:
    """Everybody that a payload includes, by their ids."""
    return {each.id: each for item in items if (each := person(item)) is not None}


def stamped(text: str | None, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    """X's time ("2026-01-05T03:00:00.000Z", or the old "Mon Jan 05 03:00:00 +0000 2026") in UTC; else ours, flagged."""
    for read in (datetime.fromisoformat, lambda old: datetime.strptime(old, "%a %b %d %H:%M:%S %z %Y")):
        try:
            at = read(text or "")
            if at.tzinfo is not None:
                at = at.astimezone(UTC)
                return at, ("future_timestamp",) if at > received_at + CLOCK_SKEW else ()
        except (ValueError, OverflowError):
            continue
    return received_at, ("no_timestamp",)


def _file(media: Media) -> Attachment:
    kind = _KINDS.get(media.type, "other")
    variants = media.video_info.variants if media.video_info is not None else media.variants
    video = _best(variants or ())
    address = video.url if video is not None else media.media_url_https or media.url or media.preview_image_url or ""
    private = _DM_FILE.fullmatch(address)
    if private is not None:
        return Attachment(kind=kind, mime=_mime(media, video), ref=DM_MEDIA + "/".join(private.groups()))
    if not address.startswith(("https://", "http://")):
        return Attachment(kind=kind, error="X did not say where this file lies")
    return Attachment(kind=kind, mime=_mime(media, video), url=address)


def _best(variants: Sequence[Variant]) -> Variant | None:
    """The sharpest file that is one, not a playlist."""
    whole = [each for each in variants if each.content_type.startswith("video/") and each.url]
    return max(whole, key=lambda each: each.bit_rate or each.bitrate or 0, default=None)


def _mime(media: Media, video: Variant | None) -> str | None:
    if video is not None:
        return video.content_type
    return (
        "image/jpeg" if media.type == "photo" and (media.media_url_https or media.url or "").endswith(".jpg") else None
    )
