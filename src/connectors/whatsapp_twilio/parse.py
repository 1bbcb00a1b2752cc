"""Twilio's bytes to events. Pure: a webhook's form, a status callback, or a message that the reconciler listed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from connectors.codes import Codes
from connectors.errors import Malformed
from connectors.twilio_messages import LISTED, OUTBOX, STATES, UNDER_WAY, Resource, moment
from connectors.whatsapp_twilio.payload import Listed
from normalizer.message import (
    Attachment,
    AttachmentKind,
    Delivery,
    Event,
    Ignored,
    Message,
    Raw,
    ReplyAddress,
    Sender,
)

KINDS: dict[str, AttachmentKind] = {"image": "image", "video": "video", "audio": "audio"}
CARDS = frozenset({"text/vcard", "text/x-vcard"})
MOST_MEDIA = 10  # files in one message; more addresses than that are read, more missing ones are not made up
MOST_FIELDS = 1_000
_SID = re.compile(r"[A-Za-z0-9]{1,64}")
_PHONE = re.compile(r"\+[0-9]{3,20}")
_USER = re.compile(r"[^\x00-\x20\x7f+][^\x00-\x20\x7f]{0,255}")

Form = Mapping[str, str]


def parse(raw: Raw, window: timedelta | None, codes: Codes, media_base: str) -> list[Event]:
    """Events of one webhook or of one listed message. Raises Malformed when it cannot be read."""
    if LISTED in raw.headers:
        return [_listed(raw, window, media_base)]
    try:
        pairs = parse_qsl(raw.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeError, ValueError):
        raise Malformed("the form cannot be read") from None
    form = dict(reversed(pairs))  # of a name that stands twice the first counts
    status = form.get("MessageStatus") or form.get("SmsStatus", "")
    if status and status != "received":
        return [_status(form, status, raw, codes)]
    return [_message(form, raw.received_at, window)]


def _message(form: Form, at: datetime, window: timedelta | None, when: tuple[str, ...] = ()) -> Message:
    account, sid = _sid(form, "AccountSid"), _sid(form, "MessageSid", "SmsMessageSid", "SmsSid")
    ours = form.get("To", "").removeprefix("whatsapp:")
    if not _PHONE.fullmatch(ours):
        raise Malformed("no number of ours", "$.To")
    sender = _sender(form)
    text, flags = _text(form)
    attachments = _attachments(form)
    if any(each.kind == "audio" for each in attachments):
        flags = (*flags, "has_audio")
    thread = f"tw:{account}:{ours}:{sender.key}"
    older = f"tw:{account}:{ours}:tel:{sender.phone}" if sender.phone and not sender.key.startswith("tel:") else None
    quoted = form.get("OriginalRepliedMessageSid", "")
    key = f"tw:{account}:{sid}"
    return Message(
        channel="whatsapp",
        account=ours,
        key=key,
        external_id=sid,
        sent_at=at,
        sender=sender,
        text=text,
        attachments=attachments,
        # What is quoted, then the conversation, then the one from before this customer had a user id.
        thread_refs=tuple(ref for ref in (_SID.fullmatch(quoted) and f"tw:{account}:{quoted}", thread, older) if ref),
        registers=(thread, key),
        reply=ReplyAddress(
            recipient=sender.phone or sender.key.removeprefix("wa:"), window_until=at + window if window else None
        ),
        flags=(*flags, *when),
    )


def _sender(form: Form) -> Sender:
    """Who wrote: the business-scoped user id when Twilio gives one, else the phone number (sheet A0.1)."""
    scheme, _, address = form.get("From", "").partition(":")
    if scheme != "whatsapp":
        raise Malformed("not a WhatsApp sender", "$.From")
    phone = address if _PHONE.fullmatch(address) else f"+{form.get('WaId', '')}"
    user_id = form.get("ExternalUserId") or ("" if address.startswith("+") else address)
    if user_id and not _USER.fullmatch(user_id):
        raise Malformed("no user id", "$.ExternalUserId")
    known = phone if _PHONE.fullmatch(phone) else None
    if not user_id and known is None:
        raise Malformed("neither a user id nor a phone number", "$.From")
    return Sender(
        key=f"wa:{user_id}" if user_id else f"tel:{known}",
        name=form.get("ProfileName") or None,
        phone=known,
        verified=True,
    )


def _text(form: Form) -> tuple[str, tuple[str, ...]]:
    if form.get("Latitude") and form.get("Longitude"):
        point = f"geo:{form['Latitude']},{form['Longitude']}"
        lines = (form.get("Body"), form.get("Label"), form.get("Address"), point)
        return "\n".join(dict.fromkeys(line for line in lines if line)), ("location",)
    if form.get("ButtonText") or form.get("ButtonPayload"):
        return form.get("Body") or form.get("ButtonText") or form.get("ButtonPayload", ""), ("bot_answer",)
    return form.get("Body", ""), ()


def _attachments(form: Form) -> tuple[Attachment, ...]:
    told = form.get("NumMedia", "")
    count = min(int(told), MOST_MEDIA) if told.isascii() and told.isdecimal() and len(told) < 9 else 0
    given = [int(name[8:]) for name in form if name.startswith("MediaUrl") and name[8:].isdecimal() and len(name) < 12]
    found = []
    for index in sorted({*range(count), *given}):
        url, mime = form.get(f"MediaUrl{index}", ""), form.get(f"MediaContentType{index}") or None
        error = None if url else "the provider gave no address for this file"
        found.append(Attachment(kind=_kind(mime), mime=mime, url=url or None, error=error))
    return tuple(found)


def _kind(mime: str | None) -> AttachmentKind:
    declared = (mime or "").partition(";")[0].strip().lower()
    if declared in CARDS:
        return "contact"
    return KINDS.get(declared.partition("/")[0], "document")


def _status(form: Form, status: str, raw: Raw, codes: Codes) -> Event:
    if status not in STATES:
        return Ignored(reason=f"status: {status}" if status in UNDER_WAY else "status: other")
    keys = parse_qs(urlsplit(raw.target).query, max_num_fields=MOST_FIELDS).get(OUTBOX, [])
    code = form.get("ErrorCode", "")
    known = code if code.isascii() and code.isdecimal() and len(code) <= 9 and int(code) else None
    return Delivery(
        state=STATES[status],
        at=raw.received_at,
        provider_id=_sid(form, "MessageSid", "SmsSid"),
        # Our own word: it stands in the address that Twilio signed.
        outbox_key=keys[0] if keys else None,
        error_code=known,
        error_class=(codes.named(int(known)) or "Refused") if known is not None else None,
    )


def _listed(raw: Raw, window: timedelta | None, media_base: str) -> Event:
    """A listed message, read as the webhook that would have brought it: the same key, so that it is seen once."""
    try:
        listed = msgspec.json.decode(raw.body, type=Listed)
        found = msgspec.json.decode(listed.message, type=Resource)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as broken:
        reason = "nested too deeply" if isinstance(broken, RecursionError) else type(broken).__name__
        raise Malformed(f"not a listed message: {reason}") from None
    if found.direction != "inbound":
        return Ignored(reason="own message")
    form = {
        "AccountSid": found.account_sid,
        "MessageSid": found.sid,
        "From": found.from_ or "",
        "To": found.to or "",
        "Body": found.body or "",
        "NumMedia": str(found.num_media),
    }
    for index, media in enumerate(listed.media[:MOST_MEDIA]):
        form[f"MediaUrl{index}"] = f"{media_base}/{found.account_sid}/Messages/{found.sid}/Media/{media.sid}"
        form[f"MediaContentType{index}"] = media.content_type or ""
    at = moment(found)
    return _message(form, at or raw.received_at, window, () if at is not None else ("no_timestamp",))


def _sid(form: Form, *names: str) -> str:
    for name in names:
        if form.get(name):
            if not _SID.fullmatch(form[name]):
                raise Malformed("not an id of Twilio", f"$.{name}")
            return form[name]
    raise Malformed("missing", f"$.{names[0]}")
