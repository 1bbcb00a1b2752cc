"""What a customer's message says: text, files and flags by type of message. Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from connectors.whatsapp_cloud.payload import Card, Content, Location, Media
from normalizer.message import Attachment, AttachmentKind

FILES: tuple[AttachmentKind, ...] = ("image", "video", "audio", "document", "sticker")
#: Taps on what we offered: answers to the chatbot, not free words.
TAPS = frozenset({"interactive", "button"})
READABLE = frozenset({"text", "location", "contacts", "order", *TAPS, *FILES})
TOO_LARGE = "131052"


class Said(NamedTuple):
    """The parts of a message that a person reads."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    flags: tuple[str, ...] = ()


def said(content: Content, codes: tuple[str, ...] = ()) -> Said:
    """Text, files and flags of one message; `codes` are the errors that Meta attached to it.

    A type that we do not know gives an empty text with the flag `unsupported`: the customer is answered all the same.
    """
    kind = content.type
    if TOO_LARGE in codes:
        lost = Attachment(
            kind=kind if kind in FILES else "other", error="the file is larger than the provider hands on"
        )
        return Said(_caption(content), (lost,), ("unsupported",))
    if kind in FILES:
        media: Media | None = getattr(content, kind)
        return _file(kind, media) if media is not None else Said(flags=("unsupported",))
    match content:
        case Content(type="text", text=text) if text is not None:
            return Said(text.body)
        case Content(type="location", location=place) if place is not None:
            return Said(_place(place), flags=("location",))
        case Content(type="contacts", contacts=cards) if cards:
            return Said("\n".join(_card(card) for card in cards), flags=("contact",))
        case Content(type="interactive", interactive=tapped) if tapped is not None:
            reply = tapped.button_reply or tapped.list_reply
            if reply is not None:
                return Said(reply.title or "", flags=("bot_answer",))
            if tapped.nfm_reply is not None:
                flow = tapped.nfm_reply
                return Said(_flow(flow.body, flow.response_json), flags=("bot_answer",))
        case Content(type="button", button=button) if button is not None:
            return Said(button.text or button.payload or "", flags=("bot_answer",))
        case Content(type="order", order=order) if order is not None:
            return Said(order.text or "", flags=("unsupported",))
    return Said(_caption(content), flags=("unsupported",))


def own_number(content: Content) -> str | None:
    """The number that the customer shared on our request, or None (sheet A1, contact_request)."""
    for card in content.contacts or ():
        if card.origin == "contact_request":
            for phone in card.phones:
                if phone.wa_id or phone.phone:
                    return f"+{phone.wa_id}" if phone.wa_id else phone.phone
    return None


def _file(kind: AttachmentKind, media: Media) -> Said:
    attachment = Attachment(
        kind=kind,
        name=media.filename,
        mime=media.mime_type,
        ref=media.id or None,
        error=None if media.id else "the provider gave no media id",
    )
    return Said(media.caption or "", (attachment,), ("has_audio",) if kind == "audio" else ())


def _caption(content: Content) -> str:
    for kind in FILES:
        media: Media | None = getattr(content, kind)
        if media is not None and media.caption:
            return media.caption
    return content.text.body if content.text is not None else ""


def _place(place: Location) -> str:
    point = f"geo:{place.latitude},{place.longitude}"
    return "\n".join(part for part in (place.name, place.address, point, place.url) if part)


def _card(card: Card) -> str:
    name = card.name.formatted_name if card.name is not None else ""
    phones = ", ".join(phone.phone or f"+{phone.wa_id}" for phone in card.phones if phone.phone or phone.wa_id)
    return ": ".join(part for part in (name, phones) if part)


def _flow(body: str | None, answers: str | None) -> str:
    """A flow's answers as lines "name: value"; what is no JSON object stays as it came."""
    try:
        found = msgspec.json.decode(answers or "")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return answers or body or ""
    if not isinstance(found, dict):
        return answers or body or ""
    lines = [f"{name}: {_word(value)}" for name, value in found.items() if name != "flow_token"]
    return "\n".join(lines) or body or ""


def _word(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
