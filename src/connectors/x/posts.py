"""Posts that mention, answer or quote the account, in the shapes of versions 2 and 1.1 of the API, as events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from connectors.errors import Malformed
from connectors.json_items import identifier, moment
from connectors.x import content
from connectors.x.content import Person
from connectors.x.payload import NOTHING, Entities, Includes, OldDeleted, OldPost, Owned, Post
from normalizer import message as events
from normalizer.message import NO_PUBLIC_ANSWER, Attachment, Event, Ignored, ReplyAddress, Sender


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


def talk_with(account: str, person: str) -> str:
    """The reference of all direct messages between the account and one user."""
    return f"x:{account}:x:{person}"


def post_events(reading: Reading, post: Post, includes: Includes, *, summoned: bool) -> Iterable[Event]:
    """What a post of version 2 means; `summoned`: X itself calls it a mention or quotation. Raises Malformed."""
    if post.author_id == reading.account:
        return [Ignored(reason="own post")]
    references = post.referenced_tweets or post.referenced_posts
    if any(each.type in ("retweeted", "reposted") for each in references):
        return [Ignored(reason="repost")]
    note = post.note_tweet or post.note_post
    text, entities = (note.text, note.entities) if note is not None else (post.text, post.entities)
    begins = post.display_text_range[0] if post.display_text_range else 0
    authors = (content.readable(each, Owned) for each in (*includes.tweets, *includes.posts))
    ours = {each.id for each in authors if each is not None and each.author_id == reading.account}
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


def old_post_events(reading: Reading, post: OldPost) -> Iterable[Event]:
    """What a post of version 1.1 means. Raises Malformed."""
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
    sender = sender_of(said.author)
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
            # Whoever did not summon us gets no public answer (X docs, Pricing: replies, since 2026-02-23).
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


def deletion(reading: Reading, id_: str, author: str, at: datetime) -> Event:
    """What the deletion of a post means. Raises Malformed."""
    if author == reading.account:
        return Ignored(reason="own post deleted")
    key = post_key(reading.account, identifier(id_))
    return events.Deletion(account=reading.account, key=f"{key}:deleted", message_key=key, deleted_at=at)


def old_deletion(reading: Reading, gone: OldDeleted) -> Event:
    """The same in the shape of version 1.1. Raises Malformed."""
    at, _ = moment(gone.timestamp_ms, reading.received_at)
    return deletion(reading, gone.status.id, gone.status.user_id, at)


def sender_of(author: Person) -> Sender:
    """Who wrote, as a message names it. Raises Malformed for an id that is none."""
    return Sender(key=f"x:{identifier(author.id)}", handle=author.handle, name=author.name)


def _mentioned(reading: Reading, entities: Entities | None, begins: int) -> bool:
    """Whether the author wrote our name; the names that X itself puts before a reply stand before `begins`."""
    for each in ((entities.mentions or entities.user_mentions) if entities is not None else None) or ():
        start = each.start if each.start is not None else each.indices[0] if each.indices else 0
        id_ = each.id_str or (str(each.id) if each.id is not None else "")
        name = (each.username or each.screen_name or "").lower()
        if start >= begins and (id_ == reading.account if id_ else name and name == reading.username.lower()):
            return True
    return False
