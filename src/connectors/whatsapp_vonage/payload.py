"""Vonage's webhooks and answers as types: only the fields that we read; every other field is passed over.

One webhook is one message or one status, in version 1 of the Messages API (specification 1.20.0).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


# {"message_uuid":"aaaa..."}
# {"type":"https://developer.vonage.com/api-errors/messages#1340","title":"1340","detail":"...","instance":"bf0c..."}
class Answer(Struct):
    """What a call is answered with, good or bad (RFC 9457)."""

    message_uuid: str = ""
    type: str | None = None
    title: str | int | None = None

    @property
    def code(self) -> int | None:
        """Vonage's number of an error: it ends the type, in a status it is the title too. None where a name stands."""
        told = ((self.type or "").rpartition("#")[2], str(self.title))
        return next((int(text) for text in told if text.isascii() and text.isdecimal() and len(text) <= 6), None)


class Failure(Answer):
    """The error of a status; Vonage's Kotlin library knows it inside another `error` too, its title as a number."""

    error: Answer | None = None


# {"url":"https://api-us.nexmo.com/v3/media/1b45...","name":"bukti.pdf","caption":"..."}
# {"lat":-6.2,"long":106.8,"name":"Kantor","address":"Jl. Sudirman 1","url":"https://..."}
# {"id":"ya","title":"Ya"}  or  {"payload":"STOP","text":"Berhenti"}  or  {"payload":{"flow_token":"...","bank":"BCA"}}
class Part(Struct):
    """The part of a message that its type names: a file, a place, or what was tapped."""

    url: str | None = None
    name: str | None = None
    caption: str | None = None
    lat: float | str = ""
    long: float | str = ""
    address: str | None = None
    title: str | None = None
    text: str | None = None
    payload: Any = None


# {"name":{"formatted_name":"Budi"},"phones":[{"phone":"+62 812-0000-0001","type":"home"}]}
class Card(Struct):
    """A contact that a customer shared."""

    name: dict[str, Any] | None = None
    phones: list[dict[str, Any]] | None = None


# {"name":"Sari","username":"sari.k"}  and  {"user_id":"ID.1349","wa_id":"6281200000001"}
class Person(Struct):
    """A customer's profile, or a customer's identity."""

    name: str | None = None
    username: str | None = None
    user_id: str | None = None
    wa_id: str | None = None


# {"sender":{...}} of a message; {"pricing":{"type":"regular","category":"service"}} of a status
class Details(Struct):
    """What WhatsApp alone has."""

    sender: Person | None = None
    pricing: dict[str, Any] | None = None


# {"channel":"whatsapp","message_uuid":"aaaa...","to":"622150996000","from":"6281200000001",
#  "timestamp":"2026-01-05T03:00:00Z","message_type":"text","text":"...","profile":{...},"whatsapp":{...}}
# {"channel":"whatsapp","message_uuid":"bbbb...","to":"6281200000001","from":"622150996000",
#  "timestamp":"2026-01-05T03:00:01Z","status":"rejected","error":{...},"client_ref":"r-17.1"}
class Item(Struct):
    """One webhook: a status when it has one, else a customer's message."""

    message_uuid: str
    channel: str = ""
    from_: str = field(default="", name="from")
    to: str = ""
    timestamp: str | None = None
    status: str | None = None
    client_ref: str | None = None
    error: Failure | None = None
    message_type: str = ""
    text: str | None = None
    image: Part | None = None
    audio: Part | None = None
    video: Part | None = None
    file: Part | None = None
    sticker: Part | None = None
    vcard: Part | None = None
    location: Part | None = None
    reply: Part | None = None
    button: Part | None = None
    contacts: list[Card] | None = None
    profile: Person | None = None
    context: dict[str, Any] | None = None
    whatsapp: Details | None = None


# {"webhooks":{"inbound_url":{"address":"https://...","http_method":"POST"},"status_url":{...}},"version":"v1",
#  "authenticate_inbound_media":false}
class Messages(Struct):
    """Where an application hears of messages, and how."""

    webhooks: dict[str, dict[str, Any]] = {}
    version: str | None = None
    authenticate_inbound_media: bool | None = None


class Capabilities(Struct):
    """What an application is switched on for."""

    messages: Messages | None = None


class Application(Struct):
    """{"id":"78d3...","capabilities":{"messages":{...},"voice":{...}}}"""

    capabilities: Capabilities | None = None
