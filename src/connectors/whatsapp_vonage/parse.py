"""Vonage's bytes to events. Pure: one message of a customer, or one status of a message of ours."""

from __future__ import annotations

import re
from datetime import timedelta

from connectors.codes import Codes
from connectors.errors import Malformed
from connectors.json_items import identifier, is_identifier, listed_moment, whole
from connectors.whatsapp_vonage.payload import Card, Details, Item, Part, Person
from normalizer import message as events
from normalizer.message import Attachment, AttachmentKind, DeliveryState, Event, Ignored, Raw

STATES: dict[str, DeliveryState] = {
    "submitted": "sent", "delivered": "delivered", "read": "read", "rejected": "failed", "undeliverable": "failed",
}  # fmt: skip
#: Type of a message that is a file -> what it is for us; its part of the webhook has the type's name.
FILES: dict[str, AttachmentKind] = {
    "image": "image", "audio": "audio", "video": "video", "file": "document", "sticker": "sticker", "vcard": "contact",
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]{3,20}")


def parse(raw: Raw, window: timedelta | None, codes: Codes, api_key: str) -> list[Event]:
    """The event of one webhook. Raises Malformed when it cannot be read."""
    item = whole(raw.body, Item)
    if item.channel != "whatsapp":
        # Where the account has one address for all its channels, their webhooks come along.
        return [Ignored(reason="another channel of the account")]
    if item.status is not None:
        return [_status(item, item.status, raw, codes)]
    if item.message_type == "reaction":
        return [Ignored(reason="reaction")]
    return [_message(item, raw, window, f"vo:{api_key}")]


def _message(item: Item, raw: Raw, window: timedelta | None, root: str) -> events.Message:
    ours, key = _ours(item.to, "$.to"), f"{root}:{identifier(item.message_uuid)}"
    sent_at, when = listed_moment(item.timestamp, raw.received_at)
    sender, (text, attachments, flags) = _sender(item), _said(item)
    thread = f"{root}:{ours}:{sender.key}"
    by_number = _NUMBER.fullmatch(item.from_) is not None
    quoted = str((item.context or {}).get("message_uuid") or "")
    refs = [f"{root}:{quoted}"] if is_identifier(quoted) else []
    refs.append(thread)
    if by_number and not sender.key.startswith("tel:"):
        refs.append(f"{root}:{ours}:tel:+{item.from_}")  # from before this customer had a user id
    return events.Message(
        channel="whatsapp",
        account=ours,
        key=key,
        external_id=item.message_uuid,
        sent_at=sent_at,
        sender=sender,
        text=text,
        attachments=attachments,
        thread_refs=tuple(refs),
        registers=(thread, key),
        reply=events.ReplyAddress(
            recipient=f"+{item.from_}" if by_number else sender.key.removeprefix("wa:"),
            window_until=min(sent_at, raw.received_at) + window if window is not None else None,
        ),
        flags=(*flags, *when),
    )


def _ours(number: str, path: str) -> str:
    if not _NUMBER.fullmatch(number):
        raise Malformed("no number of ours", path)
    return f"+{number}"


def _sender(item: Item) -> events.Sender:
    """Who wrote: the business-scoped user id when Vonage gives one, else the phone number (sheet A0.1)."""
    person, profile = (item.whatsapp or Details()).sender or Person(), item.profile or Person()
    digits = next((each for each in (item.from_, person.wa_id) if each and _NUMBER.fullmatch(each)), None)
    user_id = person.user_id or ("" if _NUMBER.fullmatch(item.from_) else item.from_)
    if not user_id and digits is None:
        raise Malformed("neither a user id nor a phone number", "$.from")
    return events.Sender(
        key=f"wa:{identifier(user_id)}" if user_id else f"tel:+{digits}",
        handle=profile.username,
        name=profile.name,
        phone=f"+{digits}" if digits is not None else None,
        verified=True,
    )


def _said(item: Item) -> tuple[str, tuple[Attachment, ...], tuple[str, ...]]:
    """Text, files and flags; `unsupported` for a type that we do not know: the customer is answered all the same."""
    kind = FILES.get(item.message_type)
    file: Part | None = getattr(item, item.message_type) if kind is not None else None
    if kind is not None and file is not None:
        error = None if file.url else "the provider gave no address for this file"
        attachment = Attachment(kind=kind, name=file.name, url=file.url or None, error=error)
        return file.caption or item.text or "", (attachment,), ("has_audio",) if kind == "audio" else ()
    match item:
        case Item(message_type="text", text=text) if text is not None:
            return text, (), ()
        case Item(message_type="location", location=place) if place is not None:
            lines = (place.name, place.address, f"geo:{place.lat},{place.long}", place.url)
            return "\n".join(line for line in lines if line), (), ("location",)
        case Item(message_type="contacts", contacts=[_, *_] as cards):
            return "\n".join(_card(card) for card in cards), (), ("contact",)
        case Item(message_type="reply", reply=tapped) | Item(message_type="button", button=tapped) if (
            tapped is not None
        ):
            return _tapped(tapped), (), ("bot_answer",)
    return item.text or "", (), ("unsupported",)


def _card(card: Card) -> str:
    phones = ", ".join(str(each["phone"]) for each in card.phones or () if each.get("phone"))
    return ": ".join(part for part in (str((card.name or {}).get("formatted_name") or ""), phones) if part)


def _tapped(part: Part) -> str:
    """What was tapped; the answers that a flow collected as lines "name: value"."""
    if isinstance(part.payload, dict):
        answers = [f"{name}: {value}" for name, value in part.payload.items() if name != "flow_token"]
        return "\n".join(answers) or part.text or ""
    return part.title or part.text or str(part.payload or "")


def _status(item: Item, status: str, raw: Raw, codes: Codes) -> Event:
    if status not in STATES:
        return Ignored(reason="status: other")
    error = item.error
    code = (error.code or (error.error.code if error.error is not None else None)) if error is not None else None
    # "Undeliverable" is Vonage's word for a WhatsApp that it could not reach.
    unnamed = "Unavailable" if status == "undeliverable" else None
    pricing = (item.whatsapp.pricing if item.whatsapp is not None else None) or {}
    return events.Delivery(
        account=_ours(item.from_, "$.from"),
        state=STATES[status],
        at=listed_moment(item.timestamp, raw.received_at)[0],
        provider_id=identifier(item.message_uuid),
        outbox_key=item.client_ref or None,
        error_code=str(code) if code is not None else None,
        error_class=(codes.named(code) or "Refused") if code is not None else unnamed,
        pricing=f"{pricing['category']}/{int(pricing.get('type') == 'regular')}" if pricing.get("category") else None,
    )
