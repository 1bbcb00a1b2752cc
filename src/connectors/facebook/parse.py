"""Meta's bytes to events: direct messages as all products of Meta have them, and the comments of the page. Pure."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors import meta_messaging
from connectors.facebook.payload import Author, Change, Comment, Enclosed, Feed, Listed
from connectors.json_items import UNREADABLE, decode, each, identifier, is_given, listed_moment, moment, whole
from connectors.meta_attachments import absolute
from connectors.meta_messaging import Entry, Product
from normalizer import message as events
from normalizer.message import Attachment, AttachmentKind, Deletion, Edit, Event, Ignored, Raw

#: Begins `Raw.ref` of comments that were listed and not pushed.
LISTED = "comments:"
#: What else happens on a page and is counted by its own name.
ITEMS = frozenset({
    "album", "event", "like", "link", "note", "photo", "post", "reaction", "share", "status", "story", "video",
})  # fmt: skip


class Reading(Struct, frozen=True, kw_only=True):
    """What a delivery is read with."""

    product: Product
    #: How long a comment may be answered in private (facts.yaml).
    window: timedelta | None


class Said(Struct, frozen=True, kw_only=True):
    """One comment, pushed or listed."""

    id: str
    post_id: str
    #: The comment that begins its thread: itself, or the one that it answers.
    anchor: str
    author: Author | None
    text: str
    sent_at: datetime
    received_at: datetime
    attachments: tuple[Attachment, ...]
    flags: tuple[str, ...]


def parse(raw: Raw, reading: Reading) -> list[Event]:
    """Events of one delivery, in its order. Raises Malformed when its envelope cannot be read."""
    if raw.ref.startswith(LISTED):
        listed = whole(raw.body, Listed)
        read = functools.partial(_listed, reading, raw, listed)
        return each(listed.data, "$.data", read) or [Ignored(reason="empty list")]
    return meta_messaging.parse(raw, reading.product, functools.partial(_changes, reading, raw))


def comment_thread(product: Product, page: str, anchor: str, person: str) -> str:
    """The reference of one person's words under one comment: never several people in one complaint (T21)."""
    return product.key(page, "thread", anchor, person)


def _changes(reading: Reading, raw: Raw, entry: Entry, page: str, path: str) -> Iterable[Event]:
    return each(
        entry.changes or (),
        f"{path}.changes",
        lambda item, _: [_change(reading, raw, entry, page, decode(item, Change))],
    )


def _change(reading: Reading, raw: Raw, entry: Entry, page: str, change: Change) -> Event:
    if change.field != "feed":
        return Ignored(reason="account event: other")
    feed = decode(change.value, Feed, ".value")
    if feed.item != "comment":
        return Ignored(reason=f"feed: {feed.item if feed.item in ITEMS else 'other'}")
    if feed.from_ is not None and str(feed.from_.id) == page:
        return Ignored(reason="own comment")
    comment_id = identifier(feed.comment_id or "")
    happened_at = moment(entry.time, raw.received_at)[0]
    key = reading.product.key(page, "comment", comment_id)
    match feed.verb:
        case "add":
            sent_at, flags = moment(feed.created_time, raw.received_at)
            said = Said(
                id=comment_id,
                post_id=feed.post_id or "",
                anchor=feed.parent_id if feed.parent_id and feed.parent_id != feed.post_id else comment_id,
                author=feed.from_,
                text=feed.message or "",
                sent_at=sent_at,
                received_at=raw.received_at,
                attachments=_files(feed),
                flags=(*flags, "hidden") if feed.is_hidden else flags,
            )
            return _message(reading, page, said)
        case "edit" | "edited":
            text = feed.message or ""
            # Meta counts no edits: the same words twice are one edit.
            version = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
            return Edit(account=page, key=f"{key}:edit:{version}", message_key=key, edited_at=happened_at, text=text)
        case "remove" | "delete":
            return Deletion(account=page, key=f"{key}:removed", message_key=key, deleted_at=happened_at)
        case "hide" | "unhide":
            return Ignored(reason=f"comment: {feed.verb}")
    return Ignored(reason="comment: other")


def _listed(reading: Reading, raw: Raw, listed: Listed, item: msgspec.Raw, _: str) -> list[Event]:
    comment = decode(item, Comment)
    if comment.from_ is not None and str(comment.from_.id) == listed.page_id:
        return [Ignored(reason="own comment")]
    sent_at, flags = listed_moment(comment.created_time, raw.received_at)
    parent = comment.parent.id if comment.parent is not None else ""
    said = Said(
        id=identifier(comment.id),
        post_id=listed.post_id,
        anchor=parent or comment.id,
        author=comment.from_,
        text=comment.message or "",
        sent_at=sent_at,
        received_at=raw.received_at,
        attachments=_enclosed(comment.attachment),
        flags=(*flags, "hidden") if comment.is_hidden else flags,
    )
    return [_message(reading, listed.page_id, said)]


def _message(reading: Reading, page: str, said: Said) -> Event:
    product = reading.product
    author = str(said.author.id) if said.author is not None else ""
    # Whoever cannot be seen is nobody else: such a comment shares its complaint with no other.
    person = product.sender(author) if author else product.sender(f"comment:{said.id}")
    key = product.key(page, "comment", said.id)
    thread = comment_thread(product, page, identifier(said.anchor), person)
    flags = said.flags if author else (*said.flags, "unknown_sender")
    return events.Message(
        channel="facebook_comment",
        account=page,
        key=key,
        external_id=said.id,
        sent_at=said.sent_at,
        sender=events.Sender(key=person, name=said.author.name if said.author is not None else None),
        text=said.text,
        attachments=said.attachments,
        thread_refs=(thread,),
        registers=(thread,),
        reply=events.ReplyAddress(
            recipient=f"{said.id}/{author}",
            in_reply_to=said.anchor if said.anchor != said.id else None,
            window_until=product.until(said.sent_at, said.received_at, reading.window),
        ),
        visibility="public",
        post_ref=said.post_id or None,
        flags=flags if said.text or said.attachments else (*flags, "unsupported"),
    )


def _files(feed: Feed) -> tuple[Attachment, ...]:
    """What was enclosed; a video comes with a photo of itself."""
    if is_given(feed.video):
        return (_file("video", _text(feed.video)),)
    if is_given(feed.photo):
        return (_file("image", _text(feed.photo)),)
    return ()


def _file(kind: AttachmentKind, address: str | None) -> Attachment:
    url = absolute(address)
    if url is None:
        return Attachment(kind=kind, error="a file whose address the provider does not give")
    return Attachment(kind=kind, url=url)


def _enclosed(raw: msgspec.Raw) -> tuple[Attachment, ...]:
    if not is_given(raw):
        return ()
    try:
        enclosed = msgspec.json.decode(raw, type=Enclosed)
    except UNREADABLE:
        enclosed = Enclosed()
    if enclosed.type == "share":
        return ()  # the link stands in the text
    media = enclosed.media
    if media is not None and media.source:
        return (_file("video", media.source),)
    return (_file("image", media.image.src if media is not None and media.image is not None else None),)


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        return None
