"""What a message or post at X says: text with its real addresses, files, people. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from connectors.json_items import CLOCK_SKEW, UNREADABLE, decode
from connectors.x.payload import NOTHING, Entities, Media, Mention, User, Variant, Wrapped
from normalizer.message import Attachment, AttachmentKind

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
        try:
            media = decode(item, Media)
        except UNREADABLE:
            found.append(Attachment(error="X's description of this file cannot be read"))
            continue
        if keys is None or media.media_key in keys:
            found.append(_file(media))
            if keys is not None:
                keys.discard(media.media_key or "")
    found += [Attachment(error="X did not say where this file lies") for _ in keys or ()]
    return tuple(found)


def person(item: msgspec.Raw) -> Person | None:
    """A user out of what a payload includes, or None when it cannot be read as one."""
    try:
        # X wraps a user in an object of its own in some events and not in others.
        inner = decode(item, Wrapped).data
        return of_user(decode(item if inner == NOTHING else inner, User))
    except UNREADABLE:
        return None


def of_user(user: User) -> Person | None:
    """The person that a user object means, or None when it has no id."""
    id_ = user.id_str or (str(user.id) if user.id is not None else "")
    return Person(id=id_, handle=user.username or user.screen_name, name=user.name) if id_ else None


def people(items: Iterable[msgspec.Raw]) -> dict[str, Person]:
    """Everybody that a payload includes, by their ids."""
    return {each.id: each for item in items if (each := person(item)) is not None}


def names(mention: Mention, account: str, username: str) -> bool:
    """Whether a mention in a text names our account; `username` may be "" where it is not known."""
    id_ = mention.id_str or (str(mention.id) if mention.id is not None else "")
    if id_:
        return id_ == account
    said = mention.username or mention.screen_name or ""
    return bool(username) and said.lower() == username.lower()


def start_of(mention: Mention) -> int:
    """Where in the text a mention begins."""
    return mention.start if mention.start is not None else mention.indices[0] if mention.indices else 0


def stamped(text: str | None, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    """X's time ("2026-01-05T03:00:00.000Z", or the old "Mon Jan 05 03:00:00 +0000 2026") in UTC; else ours, flagged."""
    at = instant(text)
    if at is None:
        return received_at, ("no_timestamp",)
    return at, ("future_timestamp",) if at > received_at + CLOCK_SKEW else ()


def instant(text: str | None) -> datetime | None:
    """The moment that a text of X names, UTC, or None."""
    for read in (datetime.fromisoformat, lambda old: datetime.strptime(old, "%a %b %d %H:%M:%S %z %Y")):
        try:
            at = read(text or "")
            return at.astimezone(UTC) if at.tzinfo is not None else None
        except (ValueError, OverflowError):
            continue
    return None


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
