"""Telegram's updates to events. Pure: the same bytes come by webhook and by long poll.

One private chat is one person. What is written in groups and channels is never taken: several people would share one
ticket, and an answer would tell all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from connectors.errors import Malformed
from connectors.json_items import UNREADABLE, decode, identifier, moment, whole, why
from connectors.telegram.content import SERVICE, said
from connectors.telegram.payload import Callback, Id, Item, MemberChange, Update, User
from normalizer import message as events
from normalizer.message import Event, Ignored, Raw, Unreadable

#: What an update may be about and we do not read (Bot API, Update); anything else is counted as "other".
PASSED_OVER = frozenset({
    "channel_post", "edited_channel_post", "business_connection", "business_message", "edited_business_message",
    "deleted_business_messages", "message_reaction", "message_reaction_count", "inline_query", "chosen_inline_result",
    "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot",
})  # fmt: skip
#: Telegram's commands that every bot gets; alone they say nothing.
COMMANDS = frozenset({"/start", "/help", "/settings"})
_START = re.compile(r"/start ([A-Za-z0-9_-]{1,64})")


class Reading(Struct, frozen=True, kw_only=True):
    """What an update is read with."""

    received_at: datetime
    #: The bot's id, which every key and thread is made with.
    bot: str
    #: Larger files are not handed on to bots (facts.yaml), bytes.
    most: int | None
    #: Position of the update in the bot's queue; tells two edits of one message apart.
    update_id: int


def parse(raw: Raw, bot: str, most: int | None) -> list[Event]:
    """Events of one update. Raises Malformed when it is none."""
    update = whole(raw.body, Update)
    if "update_id" not in update:
        raise Malformed("no update_id")
    update_id = decode(update["update_id"], Id, ".update_id")
    reading = Reading(received_at=raw.received_at, bot=bot, most=most, update_id=update_id)
    found: list[Event] = []
    for name, read in _READ.items():
        if (item := update.get(name)) is None:
            continue
        try:
            found += read(reading, item)
        except UNREADABLE as broken:
            reason, at = why(broken, f"$.{name}")
            found.append(Unreadable(path=at, reason=reason))
    return found or [Ignored(reason=_passed_over(update))]


def _passed_over(update: Update) -> str:
    """What an update is about that we do not read; the words are counted, so they are never the sender's own."""
    known = PASSED_OVER & update.keys()
    return f"update: {min(known)}" if known else "update: other" if len(update) > 1 else "empty update"


def _said(reading: Reading, raw: msgspec.Raw) -> list[Event]:
    return [_message(reading, raw, decode(raw, Item))]


def _message(reading: Reading, raw: msgspec.Raw, item: Item) -> Event:
    if item.chat.type != "private":
        return Ignored(reason="group or channel")
    if item.from_ is None or item.from_.is_bot:
        return Ignored(reason="message of a bot")
    text = item.text or ""
    if text.strip() in COMMANDS:
        return Ignored(reason="command without words")
    content = said(item, reading.most)
    if content is None:
        service = SERVICE & decode(raw, dict[str, msgspec.Raw]).keys()
        if service:
            return Ignored(reason="service message")
    sent_at, flags = moment(item.date, reading.received_at)
    chat = f"tg:{reading.bot}:{item.chat.id}"
    key = f"{chat}:{item.message_id}"
    sender = _sender(item.from_, item)
    thread = f"tg:{reading.bot}:{sender.key}"
    quoted = item.reply_to_message
    album = f"{chat}:album:{identifier(item.media_group_id)}" if item.media_group_id else None
    return events.Message(
        channel="telegram",
        account=reading.bot,
        key=key,
        external_id=str(item.message_id),
        sent_at=sent_at,
        sender=sender,
        text=content.text if content is not None else "",
        attachments=content.attachments if content is not None else (),
        thread_refs=tuple(
            ref for ref in (f"{chat}:{quoted.message_id}" if quoted is not None else None, album, thread) if ref
        ),
        registers=tuple(ref for ref in (thread, key, album) if ref),
        reply=events.ReplyAddress(recipient=str(item.chat.id), in_reply_to=str(item.message_id)),
        flags=(
            *(content.flags if content is not None else ("unsupported",)),
            *(("deep_link",) if _START.fullmatch(text) else ()),
            *(("album",) if album else ()),
            *(("forwarded",) if item.forward_origin else ()),
            *flags,
        ),
    )


def _edit(reading: Reading, raw: msgspec.Raw) -> list[Event]:
    """A new version, and the message itself: what it was before may have been a command, or lost in an outage."""
    item = decode(raw, Item)
    if item.location is not None:
        return [Ignored(reason="live location moved")]
    message = _message(reading, raw, item)
    if not isinstance(message, events.Message):
        return [message]
    edit = events.Edit(
        account=reading.bot,
        key=f"{message.key}:{reading.update_id}",
        message_key=message.key,
        edited_at=moment(item.edit_date or item.date, reading.received_at)[0],
        text=message.text,
    )
    return [message, edit]


def _callback(reading: Reading, raw: msgspec.Raw) -> list[Event]:
    """A tap on a button that we offered: an answer to the chatbot in the words of the button."""
    tap = decode(raw, Callback)
    offered = tap.message
    if offered is None or offered.chat.type != "private" or tap.from_.is_bot:
        return [Ignored(reason="tap outside a private chat")]
    rows = offered.reply_markup.inline_keyboard if offered.reply_markup is not None else []
    words = next((b.text for row in rows for b in row if b.callback_data == tap.data and b.text), tap.data or "")
    chat = f"tg:{reading.bot}:{offered.chat.id}"
    sender = _sender(tap.from_, None)
    thread = f"tg:{reading.bot}:{sender.key}"
    key = f"{chat}:tap:{identifier(tap.id)}"
    answer = events.Message(
        channel="telegram",
        account=reading.bot,
        key=key,
        external_id=tap.id,
        sent_at=reading.received_at,  # a tap has no time of its own
        sender=sender,
        text=words,
        thread_refs=(f"{chat}:{offered.message_id}", thread),
        registers=(thread, key),
        reply=events.ReplyAddress(recipient=str(offered.chat.id)),
        flags=("bot_answer",),
    )
    return [answer]


def _member(reading: Reading, raw: msgspec.Raw) -> list[Event]:
    change = decode(raw, MemberChange)
    if change.chat.type != "private":
        return [Ignored(reason="group or channel")]
    status = change.new_chat_member.status
    if status not in ("kicked", "member"):
        return [Ignored(reason="membership: other")]
    at, _ = moment(change.date, reading.received_at)
    allowed = status == "member"
    return [events.Permission(account=reading.bot, recipient=str(change.chat.id), allowed=allowed, at=at)]


def _sender(user: User, item: Item | None) -> events.Sender:
    # Telegram names the owner of a shared number: only then is it the sender's, and Telegram vouches for it.
    card = item.contact if item is not None else None
    own = card.phone_number if card is not None and card.user_id == user.id and card.phone_number else None
    return events.Sender(
        key=f"tg:{user.id}",
        handle=user.username,
        name=" ".join(filter(None, (user.first_name, user.last_name))) or None,
        phone=f"+{own.removeprefix('+')}" if own else None,
        verified=own is not None,
    )


_READ: Mapping[str, Callable[[Reading, msgspec.Raw], list[Event]]] = {
    "message": _said,
    "edited_message": _edit,
    "callback_query": _callback,
    "my_chat_member": _member,
}
#: What we ask Telegram for.
WANTED = tuple(_READ)


def courtesy(body: bytes, greeting: str | None) -> dict[str, str | int] | None:
    """The call that Telegram expects at once, whatever becomes of the update, or None; never raises.

    It ends the waiting of a button, or greets. With `method` in it, it may be the answer to a webhook (Bot API, Making
    requests when getting updates).
    """
    # A slash may come escaped.
    if not any(sign in body for sign in (b'"callback_query"', b'"/', b'"\\/')):
        return None
    try:
        update = msgspec.json.decode(body, type=Update)
        if "callback_query" in update:
            tap = decode(update["callback_query"], Callback)
            return {"method": "answerCallbackQuery", "callback_query_id": tap.id}
        item = decode(update["message"], Item)
    except (*UNREADABLE, KeyError):
        return None
    if greeting is None or item.chat.type != "private" or (item.text or "").strip() not in COMMANDS:
        return None
    return {"method": "sendMessage", "chat_id": item.chat.id, "text": greeting}
