"""Meta's bytes to events. Pure: `parse` reads every item of a POST, whatever number it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from connectors.codes import Codes
from connectors.errors import Malformed
from connectors.json_items import UNREADABLE, decode, each, identifier, is_identifier, moment, whole
from connectors.whatsapp_cloud.content import own_number, said
from connectors.whatsapp_cloud.payload import (
    Change,
    Contact,
    Content,
    Entry,
    Envelope,
    Error,
    Item,
    Status,
    Value,
)
from normalizer import message as events
from normalizer.message import DeliveryState, Event, Ignored, Raw

STATES: dict[str, DeliveryState] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
ACCOUNT_FIELDS = frozenset({
    "account_alerts", "account_review_update", "account_settings_update", "account_update",
    "business_capability_update", "business_status_update", "calls", "flows", "group_lifecycle_update",
    "group_participants_update", "group_settings_update", "group_status_update", "history",
    "message_template_components_update",
    "message_template_quality_update", "message_template_status_update", "partner_solutions",
    "payment_configuration_update", "phone_number_name_update", "phone_number_quality_update", "security",
    "smb_app_state_sync", "template_category_update", "template_correct_category_detection", "tracking_events",
    "user_id_update", "user_preferences",
})  # fmt: skip
_NUMBER = re.compile(r"[0-9]{1,32}")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the items of one POST are read with."""

    received_at: datetime
    #: How long an answer is allowed after a message (facts.yaml).
    window: timedelta | None
    codes: Codes


def parse(raw: Raw, window: timedelta | None, codes: Codes) -> list[Event]:
    """Events of one POST, in its order. Raises Malformed when its envelope cannot be read."""
    reading = Reading(received_at=raw.received_at, window=window, codes=codes)
    envelope = whole(raw.body, Envelope)
    found = each(envelope.entry, "$.entry", lambda item, path: _entry(reading, decode(item, Entry), path))
    return found or [Ignored(reason="empty delivery")]


def _entry(reading: Reading, entry: Entry, path: str) -> Iterable[Event]:
    if str(entry.id) == "0":
        return [Ignored(reason="sample from the provider's console")]
    return each(entry.changes, f"{path}.changes", lambda item, at: _change(reading, decode(item, Change), at))


def _change(reading: Reading, change: Change, path: str) -> Iterable[Event]:
    if change.field in ACCOUNT_FIELDS:
        return [Ignored(reason=f"account event: {change.field}")]
    if change.field not in ("messages", "smb_message_echoes"):
        return [Ignored(reason="account event: other")]
    value = decode(change.value, Value, ".value")
    if change.field == "smb_message_echoes" or value.message_echoes:
        return [Ignored(reason="own message") for _ in range(len(value.message_echoes or ()) or 1)]
    number = str(value.metadata.phone_number_id) if value.metadata else ""
    if not _NUMBER.fullmatch(number):
        raise Malformed("no phone_number_id", ".value.metadata")
    contacts = [_contact(each) for each in value.contacts or ()]
    at = f"{path}.value"
    found: list[Event] = []
    if value.messages:
        found += each(
            value.messages, f"{at}.messages", lambda i, _: [_message(reading, number, contacts, decode(i, Item))]
        )
    if value.statuses:
        found += each(value.statuses, f"{at}.statuses", lambda i, _: [_status(reading, number, decode(i, Status))])
    if value.errors:
        found += each(
            value.errors, f"{at}.errors", lambda i, _: [Ignored(reason=f"provider error {_code(decode(i, Error))}")]
        )
    return found or [Ignored(reason="nothing but metadata")]


def _message(reading: Reading, number: str, contacts: list[Contact], item: Item) -> Event:
    if item.group_id:
        return Ignored(reason="group message")
    if item.type == "reaction":
        return Ignored(reason="reaction")
    sent_at, flags = moment(item.timestamp, reading.received_at)
    if item.type == "system":
        return _system(item, number, sent_at)
    key = f"wa:{number}:{identifier(item.id)}"
    revision = item.edit or item.revoke
    if item.type in ("edit", "revoke") and revision is not None:
        original = f"wa:{number}:{identifier(revision.original_message_id)}"
        if item.type == "revoke":
            return events.Deletion(account=number, key=key, message_key=original, deleted_at=sent_at)
        content = said(revision.message or Content())
        return events.Edit(account=number, key=key, message_key=original, edited_at=sent_at, text=content.text)
    sender = _sender(item, contacts)
    content = said(item, tuple(_code(error) for error in item.errors or ()))
    context = item.context
    quoted = context.id if context is not None and context.id and is_identifier(context.id) else None
    if context is not None and (context.forwarded or context.frequently_forwarded):
        flags = (*flags, "forwarded")
    thread = f"wa:{number}:{sender.key}"
    by_number = bool(item.from_) and sender.phone is not None
    older = f"wa:{number}:tel:{sender.phone}" if by_number and not sender.key.startswith("tel:") else None
    return events.Message(
        channel="whatsapp",
        account=number,
        key=key,
        external_id=item.id,
        sent_at=sent_at,
        sender=sender,
        text=content.text,
        attachments=content.attachments,
        # What is quoted, then the conversation, then the one from before Meta gave this customer a user id.
        thread_refs=tuple(ref for ref in (quoted and f"wa:{number}:{quoted}", thread, older) if ref),
        registers=(thread, key),
        reply=events.ReplyAddress(
            recipient=sender.phone if by_number and sender.phone else sender.key.split(":", 1)[1],
            in_reply_to=item.id,
            window_until=min(sent_at, reading.received_at) + reading.window if reading.window is not None else None,
        ),
        flags=(*content.flags, *flags),
    )


def _sender(item: Item, contacts: list[Contact]) -> events.Sender:
    """Who wrote: the business-scoped user id when Meta gives one, else the phone number (sheet A0.1)."""
    contact = next((each for each in contacts if each.wa_id and each.wa_id == item.from_), None)
    contact = contact or next((each for each in contacts if each.user_id and each.user_id == item.from_user_id), None)
    if contact is None and len(contacts) == 1 and not (item.from_ and contacts[0].wa_id):
        contact = contacts[0]
    contact = contact or Contact()
    user_id = item.from_user_id or contact.user_id
    digits = (item.from_ or contact.wa_id or "").removeprefix("+")
    if digits and not _NUMBER.fullmatch(digits):
        user_id, digits = user_id or digits, ""
    if not user_id and not digits:
        raise Malformed("neither a user id nor a phone number", ".from")
    profile = contact.profile
    return events.Sender(
        key=f"wa:{identifier(user_id)}" if user_id else f"tel:+{digits}",
        handle=profile.username if profile is not None else None,
        name=profile.name if profile is not None else None,
        phone=f"+{digits}" if digits else own_number(item),
        verified=True,
    )


def _system(item: Item, number: str, at: datetime) -> Event:
    system = item.system
    if system is None or system.type not in ("user_changed_number", "user_changed_user_id"):
        return Ignored(reason="system message")
    new_id = system.user_id or item.from_user_id
    new = f"wa:{identifier(new_id)}" if new_id else f"tel:+{identifier(system.wa_id)}" if system.wa_id else ""
    old = (
        f"wa:{identifier(system.previous_user_id)}"
        if system.previous_user_id
        else f"tel:+{item.from_}"
        if item.from_
        else ""
    )
    if not old or not new or old == new:
        return Ignored(reason="system message")
    return events.Rekey(account=number, old=old, new=new, at=at)


def _status(reading: Reading, number: str, status: Status) -> Event:
    if status.status not in STATES:
        return Ignored(reason="status: other")
    code = _code(status.errors[0]) if status.errors else None
    pricing = status.pricing
    return events.Delivery(
        account=number,
        state=STATES[status.status],
        at=moment(status.timestamp, reading.received_at)[0],
        provider_id=identifier(status.id),
        outbox_key=status.biz_opaque_callback_data or None,
        error_code=code,
        error_class=(reading.codes.named(int(code)) or "Refused") if code is not None and code.isdecimal() else None,
        pricing=f"{pricing.category}/{int(bool(pricing.billable))}"
        if pricing is not None and pricing.category
        else None,
    )


def _contact(item: msgspec.Raw) -> Contact:
    try:
        return decode(item, Contact)
    except UNREADABLE:
        return Contact()  # a name that cannot be read must not cost the message


def _code(error: Error) -> str:
    return str(error.code)[:16] if isinstance(error.code, int) or str(error.code).isdecimal() else "unknown"
