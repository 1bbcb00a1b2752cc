"""What the simulator remembers of each message."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from simulator.meta_account import Handshake as Handshake
from simulator.meta_media import Media
from simulator.place import Choice
from simulator.whatsapp_cloud.inbound import Content
from simulator.whatsapp_cloud.payloads import Person

Json = dict[str, Any]


@dataclass(slots=True)
class Received:
    """What a customer sent."""

    id: str
    person: Person
    content: Content
    at: float


@dataclass(slots=True)
class Sent:
    """What the business sent and Meta accepted."""

    id: str
    to: str  # digits of the number, or the user id
    person: Person
    type: str
    payload: Json
    at: float
    status: str = "accepted"
    errors: list[int] = field(default_factory=list)
    media: Media | None = None

    @property
    def text(self) -> str:
        """The words that the customer reads."""
        content = self.payload.get(self.type)
        if not isinstance(content, dict):
            return ""
        if self.type == "template":
            values = [
                str(parameter.get("text", ""))
                for component in content.get("components", [])
                for parameter in component.get("parameters", [])
            ]
            return f"[{content['name']}] " + " · ".join(filter(None, values))
        if self.type == "interactive":
            return str((content.get("body") or {}).get("text", ""))
        return str(content.get("body") or content.get("caption") or content.get("emoji") or "")

    @property
    def choices(self) -> list[Choice]:
        """The buttons or rows that it offers."""
        if self.type != "interactive":
            return []
        action = self.payload["interactive"]["action"]
        offered = [each["reply"] for each in action.get("buttons") or []]
        offered += [row for section in action.get("sections") or [] for row in section.get("rows", [])]
        return [Choice(str(each.get("id", "")), str(each.get("title", ""))) for each in offered]

    @property
    def callback_data(self) -> str | None:
        """The business's own mark on the message."""
        return self.payload.get("biz_opaque_callback_data")

    @property
    def in_reply_to(self) -> str | None:
        """The message that this one quotes."""
        return (self.payload.get("context") or {}).get("message_id")


def new_message_id() -> str:
    """A WhatsApp message id."""
    return "wamid.HBgN" + secrets.token_hex(20).upper() + "AA=="
