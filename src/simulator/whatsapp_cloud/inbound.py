"""What a WhatsApp user can send: each function gives the type and content of one message. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.whatsapp_cloud.errors import GraphError

Json = dict[str, Any]

# Whether a reaction renews the 24 h window is contested; the simulator takes the strict side.
WITHOUT_WINDOW = frozenset({"reaction", "system", "edit", "revoke"})


@dataclass(frozen=True, slots=True)
class Content:
    """The type of a message and the fields that go with it."""

    type: str
    fields: Mapping[str, Any]
    text: str = ""  # what the customer sees of it


def text(body: str) -> Content:
    """A text message."""
    return Content("text", {"text": {"body": body}}, body)


def media(
    type_: str,
    media_id: str,
    media_type: str,
    sha256: str,
    *,
    url: str | None = None,
    caption: str | None = None,
    filename: str | None = None,
    voice: bool | None = None,
    animated: bool | None = None,
) -> Content:
    """An image, video, audio, document or sticker that lies in Meta's media store."""
    fields: Json = {"mime_type": media_type, "sha256": sha256, "id": media_id}
    optional = {"caption": caption, "filename": filename, "url": url, "voice": voice, "animated": animated}
    fields.update({key: value for key, value in optional.items() if value is not None})
    return Content(type_, {type_: fields}, caption or filename or "")


def location(
    latitude: float, longitude: float, *, name: str | None = None, address: str | None = None, url: str | None = None
) -> Content:
    """A place."""
    fields: Json = {"latitude": latitude, "longitude": longitude}
    fields.update({k: v for k, v in {"name": name, "address": address, "url": url}.items() if v is not None})
    return Content("location", {"location": fields}, name or f"{latitude}, {longitude}")


def contacts(cards: Sequence[Json], *, origin: str | None = None) -> Content:
    """Contact cards; origin `contact_request` means the user shared the own number on our request."""
    return Content("contacts", {"contacts": [card | ({"origin": origin} if origin else {}) for card in cards]})


def card(name: str, phone: str) -> Json:
    """One contact card with one mobile number."""
    digits = "".join(filter(str.isdigit, phone))
    return {
        "name": {"first_name": name.split(" ")[0], "formatted_name": name},
        "phones": [{"phone": phone, "wa_id": digits, "type": "MOBILE"}],
    }


def reaction(message_id: str, emoji: str | None) -> Content:
    """A reaction; no emoji means that it was taken back."""
    fields: Json = {"message_id": message_id}
    if emoji is not None:
        fields["emoji"] = emoji
    return Content("reaction", {"reaction": fields}, emoji or "")


def button_reply(id_: str, title: str) -> Content:
    """A tap on a reply button."""
    reply = {"id": id_, "title": title}
    return Content("interactive", {"interactive": {"type": "button_reply", "button_reply": reply}}, title)


def list_reply(id_: str, title: str, description: str | None = None) -> Content:
    """A choice from a list."""
    reply = {"id": id_, "title": title} | ({"description": description} if description is not None else {})
    return Content("interactive", {"interactive": {"type": "list_reply", "list_reply": reply}}, title)


def flow_reply(response_json: str, *, name: str = "flow", body: str = "Sent") -> Content:
    """A completed flow; `response_json` is JSON in a string and need not be an object."""
    reply = {"name": name, "body": body, "response_json": response_json}
    return Content("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": reply}}, body)


def button(payload: str, label: str) -> Content:
    """A tap on a quick reply of a template."""
    return Content("button", {"button": {"payload": payload, "text": label}}, label)


def order(catalog_id: str, items: Sequence[Json], note: str = "") -> Content:
    """A shopping basket."""
    fields = {"catalog_id": catalog_id, "text": note, "product_items": list(items)}
    return Content("order", {"order": fields}, note)


def unsupported(code: int = 131051, *, subtype: str | None = None) -> Content:
    """A message that Meta cannot hand on: polls, edits on some numbers, pins, view-once media."""
    error = GraphError(code, "Message type is currently not supported.").webhook()
    error.pop("href")
    if code == 131051:
        error["title"] = error["message"] = "Message type unknown"
    fields: Json = {"errors": [error]}
    if subtype is not None:
        fields["unsupported"] = {"type": subtype}
    return Content("unsupported", fields)


def edit(original_message_id: str, replacement: Content) -> Content:
    """A correction of an earlier message."""
    message = {"type": replacement.type, **replacement.fields}
    fields = {"edit": {"original_message_id": original_message_id, "message": message}}
    return Content("edit", fields, replacement.text)


def revoke(original_message_id: str) -> Content:
    """An earlier message taken back."""
    return Content("revoke", {"revoke": {"original_message_id": original_message_id}})


def changed_number(old: str, new: str, *, name: str = "") -> Content:
    """A user moved to another phone number."""
    words = f"User {name} changed from {old} to {new}".replace("  ", " ")
    return Content("system", {"system": {"body": words, "wa_id": new, "type": "user_changed_number"}})


def changed_user_id(previous: str, current: str) -> Content:
    """A user's business-scoped id changed."""
    system = {
        "body": "User changed user id",
        "type": "user_changed_user_id",
        "user_id": current,
        "previous_user_id": previous,
    }
    return Content("system", {"system": system})
