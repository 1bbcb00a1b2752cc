"""X's bytes to events. Pure: the same message means the same whether it was pushed, listed or sent in the old shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from connectors.errors import Malformed
from connectors.json_items import UNREADABLE, decode, each, identifier, moment, whole, why
from connectors.x import content
from connectors.x.content import Person
from connectors.x.payload import (
    NOTHING,
    Activity,
    Attached,
    Conversation,
    Delivery,
    DirectMessage,
    Encrypted,
    Includes,
    Listed,
    ListedMessage,
    MarkRead,
    OldDeleted,
    OldPost,
    Owned,
    Post,
)
from connectors.x.posts import Reading, deletion, old_deletion, old_post_events, post_events, sender_of, talk_with
from normalizer import message as events
from normalizer.message import Attachment, Event, Ignored, Raw, ReplyAddress, Unreadable

#: Header of a raw that we took from a list; its value says of which.
LISTED = "aduan-listed"
Source = Literal["dm", "post"]
DM: Final = "dm"
POST: Final = "post"
POSTED = frozenset({"post.mention.create", "post.reply.create", "post.quote.create"})
#: Activity under which X takes a public answer; X fires none of them for the silent mention that a reply begins with.
SUMMONS = frozenset({"post.mention.create", "post.quote.create"})
#: Activity that is never a complaint; anything else is counted as "other".
PASSED_OVER = frozenset({
    "dm.indicate_typing", "chat.sent", "chat.conversation.join", "chat.conversation_join",
    "chat.conversation.member_added", "chat.conversation.member_removed", "chat.conversation.admin_added",
    "chat.conversation.admin_removed", "chat.update.group_name", "chat.update.restrictions", "post.create",
    "post.repost.create", "like.create", "follow.follow", "follow.unfollow", "mute.mute", "mute.unmute", "block.block",
    "block.unblock", "oauth.revoke", "spaces.start", "spaces.end", "news.new",
})  # fmt: skip
ENCRYPTED = (
    "pesan terenkripsi ujung ke ujung (XChat) yang tidak dapat dibaca di sini: buka kotak pesan akun di aplikasi X dan "
    "jawab di sana / end-to-end encrypted (XChat), unreadable here: open the account's messages in the X app and answer"
)


def parse(raw: Raw, account: str, username: str) -> list[Event]:
    """Events of one webhook or of one listed item. Raises Malformed when it cannot be read."""
    reading = Reading(received_at=raw.received_at, account=account, username=username)
    if LISTED in raw.headers:
        return _listed(reading, raw)
    delivery = whole(raw.body, Delivery)
    try:
        if delivery.for_user_id is not None:
            return _old(_of(reading, delivery.for_user_id), delivery)
        if delivery.data != NOTHING:
            return _activity(reading, decode(delivery.data, Activity, ".data"))
    except UNREADABLE as broken:
        raise Malformed(*why(broken, "$")) from None
    if delivery.replay_job_status != NOTHING:
        return [Ignored(reason="replay job status")]
    return [Ignored(reason="provider error" if delivery.errors else "empty delivery")]


def _of(reading: Reading, account: str | None) -> Reading:
    """The reading for the account that a delivery names; the name that we know is our own account's only."""
    if account is None or account == reading.account:
        return reading
    return msgspec.structs.replace(reading, account=identifier(account), username="")


def _activity(reading: Reading, activity: Activity) -> list[Event]:
    reading = _of(reading, activity.filter.user_id)
    kind, payload = activity.event_type, ".data.payload"
    if kind in ("dm.received", "dm.sent", "dm.read"):
        talk = decode(activity.payload, Conversation, payload)
        return _conversation(reading, talk, f"${payload}") or [Ignored(reason="direct messages: none")]
    if kind == "chat.received":
        secret = decode(activity.payload, Encrypted, payload)
        if secret.sender_id == reading.account:
            return [Ignored(reason="own message")]
        return [Unreadable(path=f"${payload}", reason=ENCRYPTED)]
    if kind in POSTED:
        includes = Includes() if activity.includes in (NOTHING, b"null") else decode(activity.includes, Includes)
        post = decode(activity.payload, Post, payload)
        return list(post_events(reading, post, includes, summoned=kind in SUMMONS))
    if kind == "post.delete":
        gone = decode(activity.payload, Owned, payload)
        return [deletion(reading, gone.id, gone.author_id, reading.received_at)]
    return [Ignored(reason=f"activity: {kind}" if kind in PASSED_OVER else "activity: other")]


def _old(reading: Reading, delivery: Delivery) -> list[Event]:
    found = _conversation(reading, delivery, "$")
    found += each(
        delivery.tweet_create_events or (),
        "$.tweet_create_events",
        lambda item, _: old_post_events(reading, decode(item, OldPost)),
    )
    found += each(
        delivery.tweet_delete_events or (),
        "$.tweet_delete_events",
        lambda item, _: [old_deletion(reading, decode(item, OldDeleted))],
    )
    return found or [Ignored(reason="activity: other")]


def _listed(reading: Reading, raw: Raw) -> list[Event]:
    listed = whole(raw.body, Listed)
    try:
        if raw.headers[LISTED] == DM:
            return [_listed_message(reading, decode(listed.item, ListedMessage, ".item"), listed.includes)]
        return list(post_events(reading, decode(listed.item, Post, ".item"), listed.includes, summoned=False))
    except UNREADABLE as broken:
        raise Malformed(*why(broken, "$")) from None


def _conversation(reading: Reading, talk: Conversation, path: str) -> list[Event]:
    people = content.people(talk.users.values())
    found = each(
        talk.direct_message_events or (),
        f"{path}.direct_message_events",
        lambda item, _: [_direct(reading, decode(item, DirectMessage), people)],
    )
    return found + each(
        talk.direct_message_mark_read_events or (),
        f"{path}.direct_message_mark_read_events",
        lambda item, _: [_read(reading, decode(item, MarkRead))],
    )


def _direct(reading: Reading, item: DirectMessage, people: Mapping[str, Person]) -> Event:
    made = item.message_create
    if item.type != "message_create" or made is None:
        return Ignored(reason="direct messages: other")
    said, attached = made.message_data, made.message_data.attachment or Attached()
    attachments = content.files([attached.media] if attached.media != NOTHING else [])
    at = moment(item.created_timestamp, reading.received_at)
    text = content.words(said.text, said.entities)
    return _message(reading, item.id, people.get(made.sender_id) or Person(id=made.sender_id), text, attachments, at)


def _listed_message(reading: Reading, item: ListedMessage, includes: Includes) -> Event:
    if item.event_type != "MessageCreate":
        return Ignored(reason="direct messages: other")
    if item.sender_id is None:
        raise Malformed("no sender_id", ".item")
    keys = item.attachments.media_keys if item.attachments is not None else None
    author = content.people(includes.users).get(item.sender_id) or Person(id=item.sender_id)
    at = content.stamped(item.created_at, reading.received_at)
    attachments = content.files(includes.media, keys or ())
    return _message(reading, item.id, author, content.words(item.text, item.entities), attachments, at)


def _message(
    reading: Reading,
    id_: str,
    author: Person,
    text: str,
    attachments: tuple[Attachment, ...],
    at: tuple[datetime, tuple[str, ...]],
) -> Event:
    if author.id == reading.account:
        return Ignored(reason="own message")
    sender = sender_of(author)
    key = f"x:{reading.account}:dm:{identifier(id_)}"
    thread = talk_with(reading.account, author.id)
    return events.Message(
        channel="x_dm",
        account=reading.account,
        key=key,
        external_id=id_,
        sent_at=at[0],
        sender=sender,
        text=text,
        attachments=attachments,
        thread_refs=(thread,),
        registers=(thread, key),
        reply=ReplyAddress(recipient=author.id),
        flags=at[1] if text or attachments else ("unsupported", *at[1]),
    )


def _read(reading: Reading, item: MarkRead) -> Event:
    if item.sender_id == reading.account:
        return Ignored(reason="own reading")
    at, _ = moment(item.created_timestamp, reading.received_at)
    read = identifier(item.last_read_event_id)
    return events.Delivery(account=reading.account, state="read", at=at, provider_id=read)
