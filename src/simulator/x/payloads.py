"""What X writes: events of its two services and items of its lists (X docs, Event payloads, 2026-08-22)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from simulator.x.records import Encrypted, File, Json, Message, Person, Post, shortened, stamp


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way; direct messages of one kind may share a delivery."""

    type: str
    payload: Json
    includes: Json = field(default_factory=dict)


def bodies(events: Sequence[Event], user_id: str) -> Iterable[Json]:
    """The deliveries that these events become: neighbouring direct messages of one type in one, the others alone."""
    group: list[Event] = []
    for event in (*events, None):
        shared = event is not None and "direct_message_events" in event.payload
        if group and not (shared and event is not None and event.type == group[0].type):
            yield _envelope(_merged(group), user_id)
            group = []
        if event is not None and shared:
            group.append(event)
        elif event is not None:
            yield _envelope(event, user_id)


def _merged(events: Sequence[Event]) -> Event:
    items = [item for each in events for item in each.payload["direct_message_events"]]
    users = {id_: user for each in events for id_, user in each.payload["users"].items()}
    return Event(events[0].type, {"direct_message_events": items, "users": users})


def _envelope(event: Event, user_id: str) -> Json:
    data: Json = {
        "event_uuid": str(secrets.randbelow(2**63) - 2**62),
        "filter": {"user_id": user_id},
        "event_type": event.type,
        "tag": "aduan",
        "payload": event.payload,
    }
    return {"data": data | ({"includes": event.includes} if event.includes else {})}


def direct_message(message: Message) -> Json:
    """A direct message as webhooks bring it."""
    text, urls = shortened(message.text)
    data: Json = {"text": text, "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": urls}}
    if message.file is not None:
        data["attachment"] = {"type": "media", "media": _old_media(message.id, message.file)}
    return {
        "type": "message_create",
        "id": message.id,
        "created_timestamp": str(int(message.at * 1000)),
        "message_create": {
            "target": {"recipient_id": message.recipient.id},
            "sender_id": message.sender.id,
            "message_data": data,
        },
    }


def _old_media(message_id: str, file: File) -> Json:
    place = f"https://ton.twitter.com/1.1/ton/data/dm/{message_id}/{file.id}/{file.resource}"
    media: Json = {
        "id_str": file.id,
        "media_url_https": place,
        "type": file.kind,
        "url": f"https://t.co/{file.id[-10:]}",
    }
    if file.kind == "video":
        media["video_info"] = {"variants": [{"bitrate": 832_000, "content_type": "video/mp4", "url": place}]}
    return media


def conversation(type_: str, message: Message) -> Event:
    """The event of one direct message."""
    users = {each.id: {"data": each.as_json()} for each in (message.sender, message.recipient)}
    return Event(type_, {"direct_message_events": [direct_message(message)], "users": users})


def read(message: Message, at: float) -> Event:
    """The event that the recipient of one of our messages has read it."""
    mark = {
        "created_timestamp": str(int(at * 1000)),
        "sender_id": message.recipient.id,
        "target": {"recipient_id": message.sender.id},
        "last_read_event_id": message.id,
    }
    users = {each.id: {"data": each.as_json()} for each in (message.sender, message.recipient)}
    return Event("dm.read", {"direct_message_mark_read_events": [mark], "users": users})


def encrypted(message: Encrypted, account: Person) -> Event:
    """The event of a message of XChat: ciphertext and nothing else."""
    return Event(
        "chat.received",
        {
            "conversation_token": secrets.token_urlsafe(32),
            "id": message.id,
            "created_at_msec": str(int(message.at * 1000)),
            "sender_id": message.sender.id,
            "conversation_id": f"{message.sender.id}:{account.id}",
            "conversation_key_version": "1768236281331",
            "encoded_event": secrets.token_urlsafe(48),
            "message_event_signature": {"signature": secrets.token_urlsafe(32), "signature_version": "7"},
        },
    )


def post(item: Post, account: Person) -> Json:
    """A post in the shape of version 2."""
    text, urls = shortened(item.text)
    named = [
        {"start": at, "end": at + len(account.handle) + 1, "username": account.handle, "id": account.id}
        for at in item.mentions(account.handle)
    ]
    root = item
    while root.in_reply_to is not None:
        root = root.in_reply_to
    found: Json = {
        "id": item.id,
        "author_id": item.author.id,
        "text": text,
        "created_at": stamp(item.at),
        "conversation_id": root.id,
        "edit_history_tweet_ids": list(item.versions) or [item.id],
        "display_text_range": [item.shown_from, len(text)],
        "entities": {"mentions": named, "urls": urls},
        "reply_settings": "everyone",
        "lang": "in",
    }
    references = [("replied_to", item.in_reply_to), ("quoted", item.quotes)]
    listed = [{"type": type_, "id": each.id} for type_, each in references if each is not None]
    if listed:
        found["referenced_tweets"] = listed
    if item.in_reply_to is not None:
        found["in_reply_to_user_id"] = item.in_reply_to.author.id
    if item.files:
        found["attachments"] = {"media_keys": [file.key for file in item.files]}
    return found


def includes(items: Sequence[Post], account: Person, addresses: Mapping[str, str]) -> Json:
    """What these posts refer to; `addresses` are those of files by their ids."""
    users = {each.id: each for item in items for each in (item.author, account)}
    quoted = [each for item in items for each in (item.quotes, item.in_reply_to) if each is not None]
    files = [file for item in items for file in item.files]
    found: Json = {"users": [each.as_json() for each in users.values()]}
    if quoted:
        found["tweets"] = [post(each, account) for each in quoted]
    if files:
        found["media"] = [_media(file, addresses[file.id]) for file in files]
    return found


def _media(file: File, address: str) -> Json:
    found: Json = {"media_key": file.key, "type": file.kind}
    if file.kind == "photo":
        return {**found, "url": address}
    return {**found, "variants": [{"bit_rate": 832_000, "content_type": file.attachment.media_type, "url": address}]}


def listed_message(message: Message, fields: frozenset[str]) -> Json:
    """A direct message as lists show it: what was not asked for is missing."""
    text, urls = shortened(message.text)
    whole: Json = {
        "id": message.id,
        "event_type": "MessageCreate",
        "text": text,
        "sender_id": message.sender.id,
        "created_at": stamp(message.at),
        "dm_conversation_id": message.conversation,
        "entities": {"urls": urls},
    }
    if message.file is not None:
        whole["attachments"] = {"media_keys": [message.file.key]}
    return {name: value for name, value in whole.items() if name in fields | {"id", "event_type", "text"}}


def listed_media(message: Message) -> Json | None:
    """The file of a listed direct message as its list includes it."""
    if message.file is None:
        return None
    old = _old_media(message.id, message.file)
    return {"media_key": message.file.key, "type": message.file.kind, "url": old["media_url_https"]}


def old_post(item: Post, account: Person) -> Json:
    """A post in the shape of version 1.1, as the deprecated Account Activity API brings it."""
    begins = [{"screen_name": account.handle, "id_str": account.id, "indices": [at, at + len(account.handle) + 1]}
              for at in item.mentions(account.handle)]  # fmt: skip
    text, urls = shortened(item.text)
    whole: Json = {"full_text": text, "display_text_range": [item.shown_from, len(text)],
                   "entities": {"user_mentions": begins, "urls": urls}}  # fmt: skip
    return {
        "created_at": datetime.fromtimestamp(item.at, UTC).strftime("%a %b %d %H:%M:%S %z %Y"),
        "id_str": item.id,
        "text": text[:139] + "…" if len(text) > 140 else text,
        "truncated": len(text) > 140,
        "user": {"id_str": item.author.id, "screen_name": item.author.handle, "name": item.author.handle.title()},
        "entities": {"user_mentions": begins, "urls": urls},
        "display_text_range": [item.shown_from, min(len(text), 140)],
        "timestamp_ms": str(int(item.at * 1000)),
    } | ({"extended_tweet": whole} if len(text) > 140 else {})


def query(pairs: Mapping[str, str]) -> str:
    """The query of a challenge."""
    return urlencode(pairs)
