"""Who writes to the bot, what was written and what came back; bounded memory."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.place import Attachment, Choice

Json = dict[str, Any]
MOST_PEOPLE = 100_000
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Telegram."""

    id: int
    username: str
    first_name: str

    def user(self) -> Json:
        """As `from` of a message."""
        return {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            "username": self.username,
            "language_code": "id",
        }

    def chat(self) -> Json:
        """The private chat with the bot; it has the id of the user."""
        return {"id": self.id, "first_name": self.first_name, "username": self.username, "type": "private"}


def person_named(handle: str) -> Person:
    """The user with this name, always with the same id."""
    number = int.from_bytes(hashlib.sha256(handle.lower().encode()).digest()[:8], "big")
    return Person(1_000_000_000 + number % 6_000_000_000, handle, handle.replace("_", " ").replace(".", " ").title())


@dataclass(slots=True)
class Received:
    """What a customer wrote, or did."""

    update_id: int
    message_id: int
    person: Person
    kind: str  # of the content, or of the update where it is no message
    text: str
    at: float
    attachments: Sequence[Attachment] = ()


@dataclass(slots=True)
class Sent:
    """What the bot sent and Telegram accepted."""

    message_id: int
    chat_id: int
    text: str
    at: float
    payload: Mapping[str, Any]

    @property
    def in_reply_to(self) -> int | None:
        """The message that it quotes."""
        found = self.payload.get("reply_parameters")
        return found.get("message_id") if isinstance(found, dict) else None

    @property
    def choices(self) -> list[Choice]:
        """The buttons that it offers."""
        markup = self.payload.get("reply_markup")
        rows = markup.get("inline_keyboard") or [] if isinstance(markup, dict) else []
        return [Choice(str(each.get("callback_data", "")), str(each.get("text", ""))) for row in rows for each in row]


class Chats:
    """Private chats by id, and the numbers of their messages."""

    def __init__(self) -> None:
        self._people: OrderedDict[int, Person] = OrderedDict()
        self._last: dict[int, int] = {}

    def meet(self, handle: str) -> Person:
        """A customer who writes: from now on the bot may write back."""
        person = person_named(handle)
        self._people[person.id] = person
        self._people.move_to_end(person.id)
        while len(self._people) > MOST_PEOPLE:
            gone, _ = self._people.popitem(last=False)
            self._last.pop(gone, None)
        return person

    def find(self, chat_id: int) -> Person | None:
        """Whose chat this is, None when nobody of that id ever wrote."""
        return self._people.get(chat_id)

    def next_message(self, chat_id: int) -> int:
        """The number of the next message of a chat."""
        self._last[chat_id] = self._last.get(chat_id, 0) + 1
        return self._last[chat_id]

    def has_message(self, chat_id: int, message_id: int) -> bool:
        """Whether a chat has had this message."""
        return 1 <= message_id <= self._last.get(chat_id, 0)


@dataclass(slots=True)
class StoredFile:
    """A file at Telegram, by the id that the bot sees."""

    file_id: str
    content: bytes
    size: int  # what Telegram says; larger than the content where a test pretends
    path: str = ""
    path_until: float = 0.0


@dataclass(slots=True)
class Files:
    """Telegram's files; the oldest make room."""

    _files: OrderedDict[str, StoredFile] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _next: int = 0

    def add(self, content: bytes, size: int | None = None) -> StoredFile:
        """Keeps a file."""
        self._next += 1
        digest = hashlib.sha256(content).hexdigest()[:16]
        file = StoredFile(f"BQACAgUAAxkB{digest}{self._next}", content, len(content) if size is None else size)
        self._files[file.file_id] = file
        self._bytes += len(content)
        while self._bytes > MOST_BYTES and len(self._files) > 1:
            _, oldest = self._files.popitem(last=False)
            self._bytes -= len(oldest.content)
        return file

    def get(self, file_id: str) -> StoredFile | None:
        """The file of an id."""
        return self._files.get(file_id)

    def at_path(self, path: str, now: float) -> StoredFile | None:
        """The file at a download path, None once that expired."""
        return next((each for each in self._files.values() if each.path == path and now < each.path_until), None)

    def expire_paths(self) -> None:
        """Makes every download path useless at once."""
        for file in self._files.values():
            file.path_until = 0.0
