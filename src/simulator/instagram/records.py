"""What happens at one account: people, messages, posts and comments. Values only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.place import Attachment

WINDOW_SECONDS = 24 * 3600.0
PRIVATE_REPLY_SECONDS = 7 * 24 * 3600.0
TEXT_BYTES = 1_000
COMMENT_CHARACTERS = 2_200


@dataclass(frozen=True, slots=True)
class Person:
    """A user as this account sees one: the id is scoped to the account, in comments and messages alike."""

    id: str
    handle: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a customer sent as a direct message."""

    id: str
    person: Person
    text: str
    at: float
    kind: str = "text"
    attachments: Sequence[Attachment] = ()


@dataclass(slots=True)
class Sent:
    """What the account sent in private and Meta accepted."""

    id: str
    person: Person
    text: str
    at: float
    comment_id: str | None = None  # the comment that it answers
    status: str = "sent"


@dataclass(frozen=True, slots=True)
class Post:
    """A post of the account; on a live video comments live only while it runs."""

    id: str
    caption: str
    at: float
    live: bool = False


@dataclass(slots=True)
class Comment:
    """A comment under a post of the account, or one elsewhere that mentions the account (`post` is then None)."""

    id: str
    person: Person | None  # None: the account itself
    text: str
    at: float
    post: Post | None
    parent_id: str | None = None
    media_id: str = ""
    private_answer: Sent | None = field(default=None)


def scoped_id(handle: str, account_id: str) -> str:
    """The Instagram-scoped id of a user: another one at another account."""
    digest = hashlib.sha256(f"{account_id}:{handle.lower()}".encode()).digest()
    return f"1{int.from_bytes(digest[:6], 'big'):015}"


def new_id(prefix: str) -> str:
    """An id of a post ("179") or a comment ("178")."""
    return prefix + f"{secrets.randbelow(10**14):014}"


def new_message_id() -> str:
    """An id of a direct message."""
    return "aWdfZAG1faXRlbToxOkl" + secrets.token_urlsafe(60)
