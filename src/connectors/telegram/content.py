"""What a customer's message says: text, files and flags. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connectors.telegram.payload import Contact, Entity, File, Item, Location, Sticker
from normalizer.message import Attachment, AttachmentKind

#: Field of the message -> what kind of file it is. An animation also comes as `document`, so it stands before it.
FILES: dict[str, AttachmentKind] = {
    "voice": "audio",
    "audio": "audio",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "document": "document",
}
#: Messages that only report something (Bot API, Message: "Service message"), as far as private chats have them.
SERVICE = frozenset({
    "pinned_message", "message_auto_delete_timer_changed", "write_access_allowed", "users_shared", "chat_shared",
    "connected_website", "successful_payment", "refunded_payment", "passport_data", "proximity_alert_triggered",
    "boost_added", "chat_background_set", "forum_topic_created", "forum_topic_edited", "forum_topic_closed",
    "forum_topic_reopened", "giveaway_created", "giveaway", "giveaway_winners", "giveaway_completed",
    "video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited", "web_app_data",
    "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo",
    "group_chat_created", "supergroup_chat_created", "channel_chat_created", "migrate_from_chat_id", "invoice", "gift",
    "unique_gift", "paid_message_price_changed", "direct_message_price_changed",
})  # fmt: skip


class Said(NamedTuple):
    """The parts of a message that a person reads."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    flags: tuple[str, ...] = ()


def said(item: Item, most: int | None) -> Said | None:
    """Text, files and flags of a message, or None when it holds nothing that we know; `most` is in bytes."""
    if item.text is not None:
        return Said(_with_links(item.text, item.entities))
    words = _with_links(item.caption or "", item.caption_entities)
    if item.photo:
        return Said(words, (_file("image", item.photo[-1], most, mime="image/jpeg"),))
    if item.sticker is not None:
        return Said(item.sticker.emoji or "", (_sticker(item.sticker, most),), ("sticker",))
    for name, kind in FILES.items():
        file: File | None = getattr(item, name)
        if file is not None:
            return Said(words, (_file(kind, file, most),), ("has_audio",) if kind == "audio" else ())
    if item.venue is not None:
        place = item.venue
        return Said("\n".join(filter(None, (place.title, place.address, _geo(place.location)))), flags=("location",))
    if item.location is not None:
        return Said(_geo(item.location), flags=("location",))
    if item.contact is not None:
        return Said(_card(item.contact), flags=("contact",))
    return Said(words, flags=("unsupported",)) if item.caption is not None else None


def _with_links(text: str, entities: Sequence[Entity]) -> str:
    """The text and the addresses that hide behind its words: in a forwarded fraud they are the evidence."""
    hidden = dict.fromkeys(entity.url for entity in entities if entity.type == "text_link" and entity.url)
    return "\n".join((text, *(url for url in hidden if url)))


def _file(kind: AttachmentKind, file: File, most: int | None, mime: str | None = None) -> Attachment:
    too_large = most is not None and file.file_size is not None and file.file_size > most
    error = "the file is larger than Telegram hands on to bots (20 MB)" if too_large else None
    return Attachment(
        kind=kind,
        name=file.file_name,
        mime=file.mime_type or mime,
        size=file.file_size,
        ref=None if too_large else file.file_id or None,
        error=error if too_large or file.file_id else "the provider gave no file id",
    )


def _sticker(sticker: Sticker, most: int | None) -> Attachment:
    mime = "video/webm" if sticker.is_video else "application/x-tgsticker" if sticker.is_animated else "image/webp"
    return _file("sticker", File(sticker.file_id, mime_type=mime, file_size=sticker.file_size), most)


def _geo(place: Location) -> str:
    return f"geo:{place.latitude},{place.longitude}"


def _card(card: Contact) -> str:
    return ": ".join(filter(None, (" ".join(filter(None, (card.first_name, card.last_name))), card.phone_number)))
