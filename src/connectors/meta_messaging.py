"""Direct messages at Meta, Messenger and Instagram alike: a delivery, and what its items mean. Pure.

Both products wrap everything in the same envelope: entries of one account each, with direct messages in `messaging`,
those of another app in `standby`, and everything else in `changes`, which each connector reads itself.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors.errors import Malformed
from connectors.json_items import Stamp, decode, each, identifier, is_given, is_identifier, moment, whole
from connectors.meta_attachments import read_attachments
from connectors.meta_payload import NOTHING, About, Delivered, Item, Message, MessageEdit, Postback
from normalizer import message as events
from normalizer.message import Channel, Deletion, Delivery, Edit, Event, Ignored, Raw

#: The app under which staff write in Meta's own inbox.
INBOX_APP = "263902037430900"
#: Stands before our outbox key in the metadata of what we send, so that the echo of it is known for ours.
MARK = "aduan:"
_ACCOUNT = re.compile(r"[0-9]{1,32}")


# {"object":"page","entry":[{"id":"1029","time":1767573000000,"messaging":[{...}]}]}
class Envelope(Struct):
    """One POST."""

    entry: list[msgspec.Raw]
    object: str = ""


# Instagram also sends a change as the entry itself: {"id":"1784","time":1767573000,"field":"comments","value":{...}}
class Entry(Struct):
    """What happened to one account."""

    id: str | int
    time: Stamp = None
    messaging: list[msgspec.Raw] | None = None
    standby: list[msgspec.Raw] | None = None
    changes: list[msgspec.Raw] | None = None
    field: str | None = None
    value: msgspec.Raw = NOTHING


class Product(Struct, frozen=True, kw_only=True):
    """What differs between the two products."""

    #: The word in the envelope: "page" or "instagram".
    object: str
    #: Begins every key, reference and sender key: "fb" or "ig".
    prefix: str
    channel: Channel
    #: How long an answer is allowed after a message (facts.yaml); None: always.
    window: timedelta | None
    #: Ids of our own app, where the operator named them.
    own_apps: frozenset[str] = frozenset()
    #: Whether an echo brings back the metadata of what we sent, so that one without it is not ours.
    marks_echoes: bool = True

    def key(self, account: str, *parts: str) -> str:
        """A key or reference, complete with provider and account."""
        return ":".join((self.prefix, account, *parts))

    def sender(self, id_: str) -> str:
        """The `Sender.key` of a person."""
        return f"{self.prefix}:{identifier(id_)}"

    def until(self, sent_at: datetime, received_at: datetime, window: timedelta | None) -> datetime | None:
        """Until when an answer is allowed: by the provider's clock, unless that runs ahead of ours."""
        return min(sent_at, received_at) + window if window is not None else None


#: Reads what is neither `messaging` nor `standby`: (entry, account, path) -> events.
ReadOther = Callable[[Entry, str, str], Iterable[Event]]


def parse(raw: Raw, product: Product, other: ReadOther) -> list[Event]:
    """Events of one POST, in its order. Raises Malformed when its envelope cannot be read."""
    envelope = whole(raw.body, Envelope)
    if envelope.object and envelope.object != product.object:
        # Passed over, whole conversations would be lost where an operator gave the webhook the wrong address.
        raise Malformed(f"not of {product.object}: each product's webhook needs its own channel's address", "$.object")
    found = each(envelope.entry, "$.entry", lambda item, path: _entry(raw, product, other, decode(item, Entry), path))
    return found or [Ignored(reason="empty delivery")]


def _entry(raw: Raw, product: Product, other: ReadOther, entry: Entry, path: str) -> Iterable[Event]:
    account = str(entry.id)
    if account == "0":
        return [Ignored(reason="sample from the provider's console")]
    if not _ACCOUNT.fullmatch(account):
        raise Malformed("not the id of an account", ".id")
    found: list[Event] = []
    read = functools.partial(_item, account, product, raw.received_at)
    found += each(entry.messaging or (), f"{path}.messaging", read)
    found += map(of_another_app, each(entry.standby or (), f"{path}.standby", read))
    found += other(entry, account, path)
    return found or [Ignored(reason="nothing but metadata")]


def _item(account: str, product: Product, received_at: datetime, item: msgspec.Raw, _: str) -> list[Event]:
    return messaging(item, account, product, received_at)


def of_another_app(event: Event) -> Event:
    """What an event in `standby` means: it is kept and not answered, another app holds the conversation (sheet A6)."""
    if isinstance(event, events.Message | Edit | Deletion):
        return Ignored(reason="standby: another app holds the conversation")
    return event


def messaging(raw: msgspec.Raw, account: str, product: Product, received_at: datetime, path: str = "") -> list[Event]:
    """Events of one item, which stands at `path`. Raises what `json_items.each` turns into Unreadable."""
    item = decode(raw, Item, path)
    sent_at, flags = moment(item.timestamp, received_at)
    if item.delivery is not None:
        return _delivered(item.delivery, account, sent_at, received_at)
    if item.read is not None and item.read.mid is not None:
        return [Delivery(account=account, state="read", at=sent_at, provider_id=identifier(item.read.mid))]
    sender = str(item.sender.id) if item.sender is not None else ""
    own = sender == account
    found: list[Event] = []
    if item.message is not None:
        said = item.message
        identifier(said.mid)
        if said.is_echo or said.is_self or own:
            found.append(_echo(said, account, sent_at, product))
        elif said.is_deleted:
            key = product.key(account, said.mid)
            found.append(Deletion(account=account, key=f"{key}:deleted", message_key=key, deleted_at=sent_at))
        else:
            found.append(_message(said, account, sender, sent_at, flags, product, received_at))
    if item.message_edit is not None:
        found.append(Ignored(reason="own message") if own else _edit(item.message_edit, account, sent_at, product))
    if item.postback is not None and not own:
        said = _tapped(item.postback, sender, sent_at)
        found.append(_message(said, account, sender, sent_at, (*flags, "bot_answer"), product, received_at))
    return found or [Ignored(reason=_about(raw))]


def _message(
    said: Message,
    account: str,
    sender: str,
    sent_at: datetime,
    flags: tuple[str, ...],
    product: Product,
    received_at: datetime,
) -> Event:
    if not sender:
        raise Malformed("no sender", ".sender")
    person = product.sender(sender)
    content = read_attachments(said.text or "", said.attachments or ())
    if is_given(said.quick_reply):
        flags = (*flags, "bot_answer")
    if not content.text and not content.attachments and "unsupported" not in content.flags:
        flags = (*flags, "unsupported")
    quoted = said.reply_to.mid if said.reply_to is not None else None
    if said.reply_to is not None and is_given(said.reply_to.story):
        flags = (*flags, "story_reply")
    key = product.key(account, said.mid)
    thread = product.key(account, person)
    return events.Message(
        channel=product.channel,
        account=account,
        key=key,
        external_id=said.mid,
        sent_at=sent_at,
        # Nobody vouches for a number or address that such a person types.
        sender=events.Sender(key=person),
        text=content.text,
        attachments=content.attachments,
        # What is quoted, then the conversation, then the comment of this person that we answered in private.
        thread_refs=(
            *((product.key(account, quoted),) if quoted is not None and is_identifier(quoted) else ()),
            thread,
            after_comment(product, account, person),
        ),
        registers=(thread, key),
        reply=events.ReplyAddress(recipient=sender, window_until=product.until(sent_at, received_at, product.window)),
        flags=(*content.flags, *flags),
    )


def after_comment(product: Product, account: str, person: str) -> str:
    """The reference under which a person's direct message finds the comment that was answered in private."""
    return product.key(account, "commented", person)


def _echo(said: Message, account: str, at: datetime, product: Product) -> Event:
    """What the account itself said: evidence of our own sends, never a complaint (T33)."""
    if said.metadata is not None and said.metadata.startswith(MARK):
        return Delivery(
            account=account, state="sent", at=at, provider_id=said.mid, outbox_key=said.metadata.removeprefix(MARK)
        )
    app = str(said.app_id) if said.app_id is not None else ""
    if app in product.own_apps:
        return Ignored(reason="own message")
    if not product.marks_echoes:
        return Ignored(reason="own message or staff's")
    if app in ("", INBOX_APP):
        return Ignored(reason="written by staff in the provider's inbox")
    return Ignored(reason="sent by another app")


def _edit(edit: MessageEdit, account: str, at: datetime, product: Product) -> Event:
    key = product.key(account, identifier(edit.mid))
    if edit.text is None:
        # Instagram announces some new messages so (num_edit 0): as an edit it would blank what it names.
        raise Malformed("an edit without words: look for the message in the provider's inbox", ".message_edit")
    return Edit(
        account=account,
        key=f"{key}:edit:{str(edit.num_edit)[:16]}",
        message_key=key,
        edited_at=at,
        text=edit.text,
    )


def _tapped(postback: Postback, sender: str, at: datetime) -> Message:
    """A tap as the message that it stands for; one without a mid is known by who tapped what and when (T4)."""
    mid = postback.mid
    if not mid:
        what = msgspec.json.encode([sender, at, postback.payload, postback.title])
        mid = f"postback:{hashlib.sha256(what).hexdigest()}"
    return Message(mid=identifier(mid), text=postback.title or postback.payload)


def _delivered(delivered: Delivered, account: str, at: datetime, received_at: datetime) -> list[Event]:
    if not delivered.mids:
        # A watermark alone names no message.
        return [Ignored(reason="delivered: no message named")]
    if delivered.watermark is not None:
        at = moment(delivered.watermark, received_at)[0]
    return [Delivery(account=account, state="delivered", at=at, provider_id=identifier(mid)) for mid in delivered.mids]


def _about(raw: msgspec.Raw) -> str:
    if len(memoryview(raw)) <= len(b"{}"):
        return "conversation event: other"
    about = decode(raw, About)
    held = (name for name in About.__struct_fields__ if bytes(getattr(about, name)))
    return f"conversation event: {next(held, 'other')}"
