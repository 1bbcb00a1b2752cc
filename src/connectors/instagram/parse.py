"""Instagram's bytes to events. Pure. Direct messages are read as Messenger's; comments and mentions are read here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from connectors.errors import Malformed
from connectors.instagram.payload import Change, Comment, Listed, Mention
from connectors.json_items import decode, each, identifier, is_identifier, listed_moment, moment, whole
from connectors.meta_messaging import Entry, Product, messaging, of_another_app
from connectors.meta_messaging import parse as parse_delivery
from connectors.meta_payload import NOTHING
from normalizer import message as events
from normalizer.message import NO_PUBLIC_ANSWER, Attachment, Event, Ignored, Raw

COMMENTS = frozenset({"comments", "live_comments"})
INSIGHTS = "story_insights"
#: What `ReplyAddress.recipient` begins with where it is not a person: a comment, or a mention under another's post.
COMMENT, MENTION = "comment:", "mention:"
#: What `Attachment.ref` begins with: the words of a mention are asked for afterwards.
MENTIONED_COMMENT, MENTIONED_MEDIA = "mentioned_comment:", "mentioned_media:"
#: What else may come as a change: an item of a conversation, as in `messaging`. Other fields tell of the account.
CONVERSATION = frozenset({"messages", "message_edit", "message_reactions", "messaging_postbacks", "messaging_seen",
                          "messaging_referral", "messaging_handover", "messaging_optins", "standby"})  # fmt: skip


def product(window: timedelta | None) -> Product:
    """How direct messages are read; `window` is how long they may be answered (facts.yaml)."""
    # No document of Meta promises the metadata of a message in its echo on Instagram.
    return Product(object="instagram", prefix="ig", channel="instagram_dm", window=window, marks_echoes=False)


def parse(raw: Raw, product_: Product, comment_window: timedelta | None) -> list[Event]:
    """Events of one POST, or of a list of comments that `since` brought. Raises Malformed."""
    if raw.ref:
        listed = whole(raw.body, Listed)
        reading = Reading(product_, comment_window, raw.received_at, identifier(listed.account))
        found = each(
            listed.comments, "$.comments", lambda item, _: [reading.comment(decode(item, Comment), None, listed.media)]
        )
        return found or [Ignored(reason="empty list")]
    return parse_delivery(raw, product_, lambda entry, account, path: _changes(
        Reading(product_, comment_window, raw.received_at, account), entry, path
    ))  # fmt: skip


def _changes(reading: Reading, entry: Entry, path: str) -> Iterable[Event]:
    """Both forms of a change: in a list, and beside the account's id (sheet A8)."""
    found = each(
        entry.changes or (), f"{path}.changes", lambda item, _: reading.change(decode(item, Change), entry, ".value")
    )
    if entry.field is not None:
        # Read as the one item of its entry, so that its path is the entry's own.
        found += reading.change(Change(field=entry.field, value=entry.value), entry, ".value")
    return found


class Reading:
    """What the public items of one entry are read with."""

    def __init__(self, product_: Product, window: timedelta | None, received_at: datetime, account: str) -> None:
        self._product = product_
        self._window = window
        self._received_at = received_at
        self._account = account

    def change(self, change: Change, entry: Entry, path: str) -> Sequence[Event]:
        """Events of one change."""
        if change.field not in COMMENTS | CONVERSATION and change.field != "mentions":
            return [Ignored(reason=f"account event: {change.field if change.field == INSIGHTS else 'other'}")]
        if change.value == NOTHING:
            raise Malformed("no value", path)
        if change.field in CONVERSATION:
            found = messaging(change.value, self._account, self._product, self._received_at, path)
            return [of_another_app(event) for event in found] if change.field == "standby" else found
        sent_at, flags = moment(entry.time, self._received_at)
        if change.field == "mentions":
            return [self._mention(decode(change.value, Mention, path), sent_at, flags)]
        comment = decode(change.value, Comment, path)
        # On a live video there is no public answer, and a private one only during the broadcast.
        live = ("live", NO_PUBLIC_ANSWER) if change.field == "live_comments" else ()
        media = comment.media.id if comment.media is not None else None
        return [self.comment(comment, (sent_at, (*flags, *live)), media)]

    def comment(self, item: Comment, at: tuple[datetime, tuple[str, ...]] | None, media: str | None) -> Event:
        """One comment, from a webhook (`at` given) or from a list."""
        sent_at, flags = at or listed_moment(item.timestamp, self._received_at)
        author = item.from_.id if item.from_ is not None else None
        if item.is_of(self._account):
            return Ignored(reason="own comment")
        key = self._product.key(self._account, "comment", identifier(item.id))
        # Without an author nothing ties two comments together: each is a complaint of its own (T21).
        person = self._product.sender(author) if author else f"{self._product.prefix}:comment:{item.id}"
        # The thread of this person's direct messages: the id is the same there (Meta, changelog of 2021-10-20), and
        # the comments of other people above this one are none of it.
        thread = self._product.key(self._account, person)
        return events.Message(
            channel="instagram_comment",
            account=self._account,
            key=key,
            external_id=item.id,
            sent_at=sent_at,
            sender=events.Sender(key=person, handle=item.from_.username if item.from_ is not None else None),
            text=item.text or "",
            thread_refs=(thread,),
            registers=(thread, key),
            reply=events.ReplyAddress(
                # The comment for both answers, the author to look for what was said before.
                recipient=f"{COMMENT}{item.id}/{author}" if author else COMMENT + item.id,
                # A public answer to a reply stands below the comment of the top level.
                in_reply_to=item.parent_id if is_identifier(item.parent_id) else None,
                window_until=self._product.until(sent_at, self._received_at, self._window),
            ),
            visibility="public",
            post_ref=media,
            flags=flags if item.text else (*flags, "unsupported"),
        )

    def _mention(self, item: Mention, sent_at: datetime, flags: tuple[str, ...]) -> Event:
        """A mention under or in a post of somebody else: its words come as a file, its author stays unknown."""
        media = identifier(item.media_id)
        place = f"{media}/{item.comment_id}" if is_identifier(item.comment_id) else media
        ref = MENTIONED_COMMENT + str(item.comment_id) if is_identifier(item.comment_id) else MENTIONED_MEDIA + media
        key = self._product.key(self._account, "mention", place)
        return events.Message(
            channel="instagram_comment",
            account=self._account,
            key=key,
            external_id=item.comment_id or media,
            sent_at=sent_at,
            sender=events.Sender(key=f"{self._product.prefix}:mention:{place}"),
            attachments=(Attachment(kind="other", name="mention.txt", mime="text/plain", ref=ref),),
            registers=(key,),
            reply=events.ReplyAddress(
                recipient=MENTION + place, window_until=self._product.until(sent_at, self._received_at, self._window)
            ),
            visibility="public",
            post_ref=media,
            flags=(*flags, "mention", "unsupported"),
        )
