"""What the simulator remembers of each message and comment."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from simulator.place import Attachment, Choice

Json = dict[str, Any]
Kind = Literal["messaging", "standby", "changes"]


@dataclass(frozen=True, slots=True)
class Update:
    """One item of a webhook, and the list that it stands in."""

    kind: Kind
    item: Json
    at: float


@dataclass(slots=True)
class Received:
    """What a customer sent as a direct message."""

    id: str
    person: str
    text: str
    at: float
    file: Attachment | None = None


@dataclass(slots=True)
class Sent:
    """What the business sent and Meta accepted: a direct message, or the private reply to a comment."""

    id: str
    to: str  # page-scoped id
    payload: Json
    at: float
    comment_id: str | None = None
    status: str = "accepted"

    @property
    def text(self) -> str:
        """The words that the customer reads."""
        return str(self.payload["message"].get("text", ""))

    @property
    def metadata(self) -> str | None:
        """The business's own mark on the message."""
        mark = self.payload["message"].get("metadata")
        return None if mark is None else str(mark)

    @property
    def choices(self) -> list[Choice]:
        """The quick replies that it offers."""
        offered = self.payload["message"].get("quick_replies") or []
        return [Choice(str(each.get("payload", "")), str(each.get("title", ""))) for each in offered]


@dataclass(slots=True)
class Comment:
    """A comment under a post, the page's own ones too."""

    id: str
    post_id: str
    parent_id: str  # the post, or the comment that it answers
    author: str
    name: str
    text: str
    at: float
    photo: str | None = None
    file: Attachment | None = None
    hidden: bool = False
    removed: bool = False
    private_reply: Sent | None = None
    earlier: list[str] = field(default_factory=list)  # what it said before it was edited


def new_message_id() -> str:
    """A Messenger message id."""
    return "m_" + secrets.token_urlsafe(48)
