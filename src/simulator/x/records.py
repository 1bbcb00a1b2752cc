"""What happens at one account of X: people, direct messages and posts. Values only."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.place import Attachment

Json = dict[str, Any]

EPOCH_MS = 1_288_834_974_657  # milliseconds at which X's ids begin to count
POST_WEIGHT = 280
MESSAGE_CHARACTERS = 10_000
LINK_WEIGHT = 23
# twitter-text, configuration 3: these code points weigh one, all others two; a link weighs 23.
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Person:
    """A user of X."""

    id: str
    handle: str

    def as_json(self) -> Json:
        """The user as version 2 writes one."""
        return {"id": self.id, "username": self.handle, "name": self.handle.title(), "verified": False}


@dataclass(frozen=True, slots=True)
class File:
    """A file of a direct message or post, by the id under which X knows it."""

    id: str
    attachment: Attachment

    @property
    def kind(self) -> str:
        """X's word for it."""
        return "video" if self.attachment.media_type.startswith("video/") else "photo"

    @property
    def key(self) -> str:
        """The media key."""
        return f"{'7' if self.kind == 'video' else '3'}_{self.id}"

    @property
    def resource(self) -> str:
        """The last part of its private address."""
        return f"{hashlib.sha256(self.id.encode()).hexdigest()[:8]}.{'mp4' if self.kind == 'video' else 'jpg'}"


@dataclass(slots=True)
class Message:
    """A direct message, in either direction."""

    id: str
    sender: Person
    recipient: Person
    text: str
    at: float
    file: File | None = None
    status: str = "sent"

    @property
    def conversation(self) -> str:
        """The id of the conversation: the smaller id of the two first."""
        return "-".join(sorted((self.sender.id, self.recipient.id), key=int))


@dataclass(slots=True)
class Post:
    """A post of anybody that concerns the account."""

    id: str
    author: Person
    text: str
    at: float
    in_reply_to: Post | None = None
    quotes: Post | None = None
    versions: Sequence[str] = ()
    files: Sequence[File] = field(default_factory=tuple)

    @property
    def shown_from(self) -> int:
        """Where the written text begins: the names that X puts before a reply are not shown."""
        if self.in_reply_to is None:
            return 0
        names = re.match(r"(?:@\w+ )*", self.text)
        return names.end() if names is not None else 0

    def mentions(self, handle: str) -> list[int]:
        """Where the text names a user."""
        return [found.start() for found in re.finditer(rf"@{re.escape(handle)}\b", self.text, re.IGNORECASE)]

    def summons(self, account: Person) -> bool:
        """Whether its author wrote the account's name or quoted a post of the account."""
        if self.quotes is not None and self.quotes.author.id == account.id:
            return True
        return any(begin >= self.shown_from for begin in self.mentions(account.handle))


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A message of XChat, of which only ciphertext goes out."""

    id: str
    sender: Person
    at: float


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the business answered to the challenge."""

    status: int | None
    body: bytes
    ok: bool


def person_id(handle: str) -> str:
    """A user's id; the same for the same handle."""
    return str(10**18 + int.from_bytes(hashlib.sha256(handle.lower().encode()).digest()[:7], "big"))


def weight(text: str) -> int:
    """The length of a post as X counts it."""
    links = _URL.findall(text)
    rest = _URL.sub("", text)
    return LINK_WEIGHT * len(links) + sum(
        1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2 for character in rest
    )


def shortened(text: str) -> tuple[str, list[Json]]:
    """The text as X hands it out, escaped and with its own short links, and the addresses behind them."""
    urls: list[Json] = []

    def shorten(found: re.Match[str]) -> str:
        short = f"https://t.co/{hashlib.sha256(found[0].encode()).hexdigest()[:10]}"
        urls.append({"url": short, "expanded_url": found[0], "display_url": found[0].partition("://")[2]})
        return short

    return html.escape(_URL.sub(shorten, text), quote=False), urls


def stamp(at: float) -> str:
    """A moment as version 2 writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
