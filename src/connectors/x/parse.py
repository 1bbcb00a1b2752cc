"""X's bytes to events. Pure: the same message means the same whether it was pushed, listed or sent in the old shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from connectors.errors import Malformed
from connectors.json_items import UNREADABLE, decode, each, identifier, moment, whole, why
from connectors.x import content
from connectors.x.content import Person
from connectors.x.payload import (
    NOTHING,
    Activity,
    Attached,
    Author,
    Conversation,
    Deleted,
    Delivery,
    DirectMessage,
    Encrypted,
    Entities,
    Includes,
    Listed,
    ListedMessage,
    MarkRead,
    OldDeleted,
    OldPost,
    Post,
)
from normalizer import message as events
from normalizer.message import Attachment, Event, Ignored, Raw, ReplyAddress, Sender, Unreadable

#: Header of a raw that we took from a list; its value says of which.
LISTED = "aduan-listed"
Source = Literal["dm", "post"]
DM: Final = "dm"
POST: Final = "post"
#: The author did not summon us, so X takes no public answer (X docs, Pricing: replies, since 2026-02-23).
NO_PUBLIC_ANSWER = "no_public_answer"
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


class Reading(Struct, frozen=True, kw_only=True):
    """What the items of one delivery are read with."""

    received_at: datetime
    #: Whose activity it is: our account, or another one of the same app.
    account: str
    #: The name of the account without @, where it is known.
    username: str = ""


class Said(Struct, frozen=True, kw_only=True):
    """A post in either shape, as far as it concerns us."""

    #: All versions of an edited post, oldest first.
    versions: Sequence[str]
    author: Person
    text: str
    attachments: tuple[Attachment, ...]
    at: datetime
    flags: tuple[str, ...]
    summoned: bool


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
        return list(_post(reading, post, includes, summoned=kind in SUMMONS))
    if kind == "post.delete":
        gone = decode(activity.payload, Deleted, payload)
        return [_deletion(reading, gone.id, gone.author_id, reading.received_at)]
    return [Ignored(reason=f"activity: {kind}" if kind in PASSED_OVER else "activity: other")]


def _old(reading: Reading, delivery: Delivery) -> list[Event]:
    talk = Conversation(delivery.direct_message_events, delivery.direct_message_mark_read_events, delivery.users)
    found = _conversation(reading, talk, "$")
    found += each(
        delivery.tweet_create_events or (),
        "$.tweet_create_events",
        lambda item, _: _old_post(reading, decode(item, OldPost)),
    )
    found += each(
        delivery.tweet_delete_events or (),
        "$.tweet_delete_events",
        lambda item, _: [_old_deletion(reading, decode(item, OldDeleted))],
    )
    return found or [Ignored(reason="activity: other")]


def _listed(reading: Reading, raw: Raw) -> list[Event]:
    listed = whole(raw.body, Listed)
    try:
        if raw.headers[LISTED] == DM:
            return [_listed_message(reading, decode(listed.item, ListedMessage, ".item"), listed.includes)]
        return list(_post(reading, decode(listed.item, Post, ".item"), listed.includes, summoned=False))
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
    sender = _sender(author)
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


def talk_with(account: str, person: str) -> str:
    """The reference of all direct messages between the account and one user."""
    return f"x:{account}:x:{person}"


def _read(reading: Reading, item: MarkRead) -> Event:
    if item.sender_id == reading.account:
        return Ignored(reason="own reading")
    at, _ = moment(item.created_timestamp, reading.received_at)
    read = identifier(item.last_read_event_id)
    return events.Delivery(account=reading.account, state="read", at=at, provider_id=read)


def _post(reading: Reading, post: Post, includes: Includes, *, summoned: bool) -> Iterable[Event]:
    if post.author_id == reading.account:
        return [Ignored(reason="own post")]
    references = post.referenced_tweets or post.referenced_posts
    if any(each.type in ("retweeted", "reposted") for each in references):
        return [Ignored(reason="repost")]
    note = post.note_tweet or post.note_post
    text, entities = (note.text, note.entities) if note is not None else (post.text, post.entities)
    begins = post.display_text_range[0] if post.display_text_range else 0
    ours = {author.id for author in _authors(includes) if author.author_id == reading.account}
    quoted = any(each.type == "quoted" and each.id in ours for each in references)
    at, flags = content.stamped(post.created_at, reading.received_at)
    keys = post.attachments.media_keys if post.attachments is not None else None
    said = Said(
        versions=[*(post.edit_history_tweet_ids or post.edit_history_post_ids or [post.id])],
        author=content.people(includes.users).get(post.author_id) or Person(id=post.author_id),
        text=content.words(text, entities),
        attachments=content.files(includes.media, keys or ()),
        at=at,
        flags=flags,
        summoned=summoned or quoted or _mentioned(reading, post.entities, begins),
    )
    return _public(reading, post.id, said)


def _old_post(reading: Reading, post: OldPost) -> Iterable[Event]:
    author = content.of_user(post.user)
    if author is None:
        raise Malformed("no author", ".user")
    if author.id == reading.account:
        return [Ignored(reason="own post")]
    if post.retweeted_status not in (NOTHING, b"null"):
        return [Ignored(reason="repost")]
    long = post.extended_tweet
    text, entities = (long.full_text, long.entities) if long is not None else (post.text, post.entities)
    shown = long.display_text_range if long is not None else post.display_text_range
    quoted = content.of_user(post.quoted_status.user) if post.quoted_status and post.quoted_status.user else None
    media = (long.extended_entities if long is not None else None) or post.extended_entities
    at, flags = (
        moment(post.timestamp_ms, reading.received_at)
        if post.timestamp_ms
        else content.stamped(post.created_at, reading.received_at)
    )
    said = Said(
        versions=[post.id_str],
        author=author,
        text=content.words(text, entities),
        attachments=content.files(media.media if media is not None else []),
        at=at,
        flags=flags,
        summoned=(quoted is not None and quoted.id == reading.account)
        or _mentioned(reading, entities, shown[0] if shown else 0),
    )
    return _public(reading, post.id_str, said)


def _public(reading: Reading, id_: str, said: Said) -> Iterable[Event]:
    """A post as a message; of an edited one also the edit, because we may have seen what it was before."""
    first = identifier(said.versions[0])
    key = post_key(reading.account, first)
    sender = _sender(said.author)
    thread = f"x:{reading.account}:posts:{sender.key}"
    yield events.Message(
        channel="x_mention",
        account=reading.account,
        key=key,
        external_id=identifier(id_),
        sent_at=said.at,
        sender=sender,
        text=said.text,
        attachments=said.attachments,
        # This person's posts, then this person's direct messages; never the posts of others in the conversation (T21).
        thread_refs=(thread, talk_with(reading.account, said.author.id)),
        registers=(thread, key),
        reply=ReplyAddress(recipient=f"{said.author.id}/{id_}"),
        visibility="public",
        post_ref=id_,
        flags=(
            *(() if said.text or said.attachments else ("unsupported",)),
            *(() if said.summoned else (NO_PUBLIC_ANSWER,)),
            *said.flags,
        ),
    )
    if id_ != first:
        version = f"{key}:{id_}"
        yield events.Edit(account=reading.account, key=version, message_key=key, edited_at=said.at, text=said.text)


def post_key(account: str, id_: str) -> str:
    """The key of a post, whichever of its versions it is told by its first id."""
    return f"x:{account}:post:{id_}"


def _deletion(reading: Reading, id_: str, author: str, at: datetime) -> Event:
    if author == reading.account:
        return Ignored(reason="own post deleted")
    key = post_key(reading.account, identifier(id_))
    return events.Deletion(account=reading.account, key=f"{key}:deleted", message_key=key, deleted_at=at)


def _old_deletion(reading: Reading, gone: OldDeleted) -> Event:
    at, _ = moment(gone.timestamp_ms, reading.received_at)
    return _deletion(reading, gone.status.id, gone.status.user_id, at)


def _sender(author: Person) -> Sender:
    return Sender(key=f"x:{identifier(author.id)}", handle=author.handle, name=author.name)


def _mentioned(reading: Reading, entities: Entities | None, begins: int) -> bool:
    """Whether the author wrote our name; the names that X itself puts before a reply stand before `begins`."""
    named = ((entities.mentions or entities.user_mentions) if entities is not None else None) or ()
    return any(
        content.start_of(each) >= begins and content.names(each, reading.account, reading.username) for each in named
    )


def _authors(includes: Includes) -> Iterable[Author]:
    for item in (*includes.tweets, *includes.posts):
        try:
            yield decode(item, Author)
        except UNREADABLE:
            continue
