"""An aggregator's bytes to events, by the places that the settings name. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from connectors import json_items
from connectors.codes import ErrorClass
from connectors.errors import Malformed
from connectors.sms_http import payload
from connectors.sms_http.payload import Item
from connectors.sms_http.settings import Incoming, MessageFields, Places
from connectors.twilio_messages import LISTED, OUTBOX, Resource, moment
from connectors.twilio_signing import MOST_FIELDS
from normalizer import identity
from normalizer.message import Attachment, Delivery, Event, Ignored, Message, Permission, Raw, ReplyAddress, Sender

MOST_FILES = 10  # files of one MMS that are told of one by one
_ADDRESS = re.compile(r"[^\x00-\x1f\x7f]{1,40}")
_WISHES = {"STOP": False, "START": True}
#: What an aggregator's own word may say; anything else ("none", 0) says nothing.
_WORDS = frozenset({*_WISHES, "HELP"})
_SHORTEST_BASE64 = 60  # a word of that length without a space is no word
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_NOT_FETCHED = "a file by MMS: this channel fetches none, ask for it on another way"


class Rules(Struct, frozen=True, kw_only=True):
    """What a delivery is read with."""

    incoming: Incoming
    #: The aggregator's error codes.
    codes: Mapping[str, ErrorClass]
    #: Our number, as `numbered` gives it.
    sender: str
    #: Further numbers of ours that count as this one.
    receives: frozenset[str] = frozenset()
    #: What an id of the aggregator is unique within, besides our number.
    scope: str


class Said(Struct, frozen=True, kw_only=True):
    """What a customer wrote, before it is known what it is."""

    id: str
    from_: str
    to: str
    text: str
    sent_at: datetime
    flags: tuple[str, ...] = ()
    files: int = 0
    part: tuple[int, int] | None = None
    #: The aggregator's own word for a STOP or START.
    opt_out: str = ""


def parse(raw: Raw, rules: Rules) -> list[Event]:
    """Events of one webhook or of one listed message. Raises Malformed when it cannot be read."""
    if LISTED in raw.headers:
        return [_event(_listed(raw), rules)]
    incoming = rules.incoming
    if incoming.format == "form":
        return [_item(payload.form(raw.body), raw, rules)]
    if incoming.items is None:
        return [_item(Item(json_items.whole(raw.body, dict[str, Any])), raw, rules)]

    def read(item: msgspec.Raw, _path: str) -> list[Event]:
        return [_item(Item(json_items.decode(item, dict[str, Any])), raw, rules)]

    path, items = payload.items(raw.body, incoming.items)
    return json_items.each(items, path, read) or [Ignored(reason="empty")]


def _item(item: Item, raw: Raw, rules: Rules) -> Event:
    incoming = rules.incoming
    event = (item.text(incoming.event) or "").casefold()
    state = (item.text(incoming.status.state) or "").casefold()
    if event:
        is_message = event in map(str.casefold, incoming.message_events)
        if not is_message and event not in map(str.casefold, incoming.status_events):
            return Ignored(reason="event: other")
    else:
        is_message = not state or incoming.status.states.get(state) == "message"
    return _event(_said(item, raw, incoming), rules) if is_message else _status(item, state, raw, rules)


def _said(item: Item, raw: Raw, incoming: Incoming) -> Said:
    fields: MessageFields = incoming.message
    at, flags = _time(item, fields.sent_at, raw.received_at, incoming)
    text, decoded = _decoded(item.text(fields.text) or "", incoming)
    files = _number(item, fields.files)
    number, count = _number(item, fields.part_number), _number(item, fields.part_count)
    return Said(
        id=_id(item, fields.id),
        from_=_address(item, fields.from_) or "",
        to=_address(item, fields.to) or "",
        text=text,
        sent_at=at,
        flags=(*flags, *decoded),
        files=min(files, MOST_FILES),
        part=(number, count) if 1 <= number <= count and count > 1 else None,
        opt_out=(item.text(fields.opt_out) or "").upper(),
    )


def _event(said: Said | None, rules: Rules) -> Event:
    if said is None or numbered(said.from_) in {rules.sender, *rules.receives}:
        return Ignored(reason="own message")
    if not said.from_:
        raise Malformed("no number of the customer", _path(rules.incoming.message.from_))
    account = numbered(said.to) if said.to else rules.sender
    if account in rules.receives:
        account = rules.sender
    phone = identity.phone(said.from_)
    # What ends a long text is no text of its own.
    wish = said.opt_out if said.opt_out in _WORDS else "" if said.part else _wish(said.text, rules.incoming)
    if wish in _WISHES and phone is not None:
        return Permission(account=account, recipient=phone, allowed=_WISHES[wish], at=said.sent_at)
    if wish:
        return Ignored(reason=wish.lower())
    who = f"tel:{phone}" if phone is not None else f"sms:{said.from_}"
    scope = f"{rules.scope}:{account}"
    thread = f"{scope}:{who}"
    key = f"{scope}:{said.id}" if said.part is None else f"{scope}:{said.id}:{said.part[0]}"
    part = () if said.part is None else (f"part_{said.part[0]}_of_{said.part[1]}",)
    return Message(
        channel="sms",
        account=account,
        key=key,
        external_id=said.id,
        sent_at=said.sent_at,
        # Not verified: the sender of an SMS can be forged, so it must not link a person across channels (B9).
        sender=Sender(key=who, handle=said.from_ if phone is None else None, phone=phone),
        text=said.text,
        attachments=tuple(Attachment(kind="other", error=_NOT_FETCHED) for _ in range(said.files)),
        thread_refs=(thread,),
        registers=(thread, key),
        # A name instead of a number ("BANKXYZ") cannot be answered.
        reply=ReplyAddress(recipient=phone) if phone is not None else None,
        flags=(*said.flags, *part),
    )


def _status(item: Item, state: str, raw: Raw, rules: Rules) -> Event:
    fields = rules.incoming.status
    meaning = fields.states.get(state)
    if meaning is None or meaning in {"pending", "message"}:
        return Ignored(reason="status: pending" if meaning is not None else "status: other")
    id_, key = item.text(fields.id), item.text(fields.reference) or _key_of(raw, rules)
    if id_ is None and key is None:
        raise Malformed("neither the aggregator's id nor our key", f"$.{(*fields.id, *fields.reference, 'id')[0]}")
    code = item.text(fields.code) if meaning == "failed" else None
    code = code if code not in {"0", "000"} else None
    return Delivery(
        state=meaning,  # type: ignore[arg-type]  # what is left of its words are the states
        at=_time(item, fields.at, raw.received_at, rules.incoming)[0],
        provider_id=json_items.identifier(id_) if id_ is not None else None,
        outbox_key=key,
        error_code=code[:64] if code is not None else None,
        error_class=_class_of(code, rules) if meaning == "failed" else None,
        pricing=item.text(fields.price),
    )


def _class_of(code: str | None, rules: Rules) -> str:
    """A handset that was not reached gives no code; what the aggregator refuses for a reason of its own has one."""
    return "Unreachable" if code is None else rules.codes.get(code, "Refused")


def _key_of(raw: Raw, rules: Rules) -> str | None:
    """Our key from the query of the address that we gave: believed only where the address is signed too."""
    proof = rules.incoming.proof
    if proof.recipe != "hmac" or proof.over != "url_params":
        return None
    try:
        found = parse_qs(urlsplit(raw.target).query, max_num_fields=MOST_FIELDS).get(OUTBOX, [])
    except ValueError:
        return None
    return found[0] if found else None


def _listed(raw: Raw) -> Said | None:
    """A message that Twilio listed, as the webhook would have brought it; None for one of ours. Raises Malformed."""
    found = json_items.whole(raw.body, Resource)
    if found.direction != "inbound":
        return None
    at = moment(found)
    files = str(found.num_media)
    return Said(
        id=json_items.identifier(found.sid),
        from_=found.from_ or "",
        to=found.to or "",
        text=found.body or "",
        sent_at=at or raw.received_at,
        flags=() if at is not None else ("no_timestamp",),
        files=min(int(files), MOST_FILES) if files.isascii() and files.isdecimal() and len(files) < 4 else 0,
    )


def _id(item: Item, places: Places) -> str:
    found = item.text(places)
    if found is None or not json_items.is_identifier(found):
        raise Malformed("no id" if found is None else "an id is too long or holds control characters", _path(places))
    return found


def _address(item: Item, places: Places) -> str | None:
    found = item.text(places)
    if found is not None and not _ADDRESS.fullmatch(found):
        raise Malformed("not a number or name", _path(places))
    return found


def _path(places: Places) -> str:
    return f"$.{places[0]}" if places else "$"


def _number(item: Item, places: Places) -> int:
    text = item.text(places) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def numbered(address: str) -> str:
    """A number as E.164; a short code or a name as it is."""
    return identity.phone(address) or address


def _wish(text: str, incoming: Incoming) -> str:
    """STOP or START when the whole text is one of the words for it; else nothing."""
    if len(text) > 40:
        return ""
    said = text.strip(" \t\r\n.,!\"'").casefold()
    if said in map(str.casefold, incoming.stop_words):
        return "STOP"
    return "START" if said in map(str.casefold, incoming.start_words) else ""


def _decoded(text: str, incoming: Incoming) -> tuple[str, tuple[str, ...]]:
    """The text, taken out of Base64 where it came in it: long texts sometimes do (seen at Twilio)."""
    mode = incoming.base64_text
    if mode == "never" or len(text) % 4 or (mode == "auto" and len(text) < _SHORTEST_BASE64):
        return text, ()
    if not _BASE64.fullmatch(text):
        return text, ()
    try:
        found = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text, ()
    plausible = all(letter.isprintable() or letter in "\r\n\t\u200d" for letter in found)
    return (found, ("was_base64",)) if plausible and (mode == "always" or " " in found) else (text, ())


def _time(item: Item, places: Places, received_at: datetime, incoming: Incoming) -> tuple[datetime, tuple[str, ...]]:
    """A time as UTC: seconds, milliseconds or ISO 8601; that of receipt, flagged, when it makes no sense."""
    text = item.text(places)
    if text is None:
        return received_at, ("no_timestamp",) if places else ()
    if text.isascii() and text.isdecimal():
        return json_items.moment(text, received_at)
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = datetime.fromisoformat(f"{at.isoformat()}{incoming.utc_offset}")
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return received_at, ("no_timestamp",)
    return at, ("future_timestamp",) if at > received_at + json_items.CLOCK_SKEW else ()
