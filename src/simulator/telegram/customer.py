"""What a customer can do with a bot, and what the customer sees of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from simulator.delivery import Record
from simulator.place import Asks, Attachment, Choice, Line, Talk
from simulator.telegram.people import Chats, Files, Person, Received, Sent

Json = dict[str, Any]
SIZES = (90, 320, 1280)  # of a photo: Telegram offers it in several


class Customer(ABC):
    """The customer's side of a bot; `handle` is the user name of who writes, and every method gives the update's id."""

    channel = "Telegram"
    asks: Asks = "handle"
    name: str
    username: str
    clock: Callable[[], float]
    chats: Chats
    files: Files
    blocked: set[int]
    sent: Record[Sent]
    received: Record[Received]

    @abstractmethod
    async def update(self, kind: str, content: Json, chat_id: int, at: float | None = None) -> int:
        """Queues one update and returns its id."""

    @abstractmethod
    def remember(self, received: Received) -> None:
        """Keeps what a customer wrote."""

    @abstractmethod
    def me(self) -> Json:
        """The bot as a user."""

    # ---- messages

    async def inject(
        self,
        handle: str,
        content: Json,
        *,
        shown: str = "",
        kind: str = "text",
        files: Sequence[Attachment] = (),
        reply_to: int | None = None,
        at: float | None = None,
    ) -> int:
        """One message with this content; `shown` is what the customer sees of it."""
        person = self.chats.meet(handle)
        moment = self.clock() if at is None else at
        message = self.message(person, content, moment, reply_to)
        update_id = await self.update("message", message, person.id, moment)
        self.remember(Received(update_id, message["message_id"], person, kind, shown, moment, files))
        return update_id

    def message(self, person: Person, content: Json, at: float, reply_to: int | None = None) -> Json:
        """A message in the private chat, numbered."""
        found = {
            "message_id": self.chats.next_message(person.id),
            "from": person.user(),
            "chat": person.chat(),
            "date": int(at),
            **content,
        }
        if reply_to is not None:
            quoted = next((e.text for e in self.sent if (e.chat_id, e.message_id) == (person.id, reply_to)), "")
            found["reply_to_message"] = {
                "message_id": reply_to, "from": self.me(), "chat": person.chat(), "date": int(at), "text": quoted,
            }  # fmt: skip
        return found

    async def inject_text(self, handle: str, text: str, *, reply_to: int | None = None, at: float | None = None) -> int:
        """A text; one that begins with a slash is marked as a command."""
        content: Json = {"text": text}
        if text.startswith("/"):
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
        return await self.inject(handle, content, shown=text, reply_to=reply_to, at=at)

    async def inject_start(self, handle: str, payload: str = "") -> int:
        """START pressed, on a link with this payload."""
        return await self.inject_text(handle, f"/start {payload}".rstrip())

    async def inject_photo(
        self, handle: str, content: bytes, *, caption: str | None = None, media_group_id: str | None = None
    ) -> int:
        """A photo, alone or as one of an album."""
        fields: Json = {"photo": [self._stored(content) | {"width": size, "height": size} for size in SIZES]}
        fields |= {"caption": caption} if caption else {}
        fields |= {"media_group_id": media_group_id} if media_group_id else {}
        file = Attachment("foto.jpg", "image/jpeg", content)
        return await self.inject(handle, fields, shown=caption or "", kind="image", files=[file])

    async def inject_album(self, handle: str, pictures: Sequence[bytes], *, caption: str = "") -> list[int]:
        """Several pictures at once: one update for each."""
        group = str(13_000_000_000_000_000 + self.chats.next_message(self.chats.meet(handle).id))
        return [
            await self.inject_photo(handle, picture, caption=None if number else caption, media_group_id=group)
            for number, picture in enumerate(pictures)
        ]

    async def inject_file(
        self,
        handle: str,
        type_: str,
        content: bytes,
        media_type: str,
        *,
        filename: str | None = None,
        caption: str | None = None,
        size: int | None = None,
    ) -> int:
        """A document, voice, audio, video, video_note or animation; `size` is what Telegram says of it."""
        fields = self._stored(content, size) | {"mime_type": media_type} | ({"file_name": filename} if filename else {})
        shown = [Attachment(filename or type_, media_type, content)]
        message = {type_: fields} | ({"caption": caption} if caption else {})
        return await self.inject(handle, message, shown=caption or "", kind=type_, files=shown)

    def _stored(self, content: bytes, size: int | None = None) -> Json:
        file = self.files.add(content, size)
        return {"file_id": file.file_id, "file_unique_id": file.file_id[-12:], "file_size": file.size}

    # ---- other things

    async def edit(self, handle: str, message_id: int, text: str) -> int:
        """The customer changes a text."""
        person = self.chats.meet(handle)
        now = self.clock()
        content = {
            "message_id": message_id, "from": person.user(), "chat": person.chat(), "date": int(now),
            "edit_date": int(now), "text": text,
        }  # fmt: skip
        return await self.update("edited_message", content, person.id)

    async def tap(self, handle: str, sent: Sent, data: str) -> int:
        """The customer taps a button of a message."""
        person = self.chats.meet(handle)
        words = next((choice.title for choice in sent.choices if choice.id == data), data)
        message = {
            "message_id": sent.message_id, "from": self.me(), "chat": person.chat(), "date": int(sent.at),
            "text": sent.text, "reply_markup": sent.payload.get("reply_markup", {}),
        }  # fmt: skip
        number = f"{person.id}{self.received.total:06}"
        content = {"id": number, "from": person.user(), "chat_instance": "1", "message": message, "data": data}
        update_id = await self.update("callback_query", content, person.id)
        self.remember(Received(update_id, sent.message_id, person, "button", words, self.clock()))
        return update_id

    async def block(self, handle: str, *, again: bool = False) -> int:
        """The customer blocks the bot, or (`again`) lets it write again."""
        person = self.chats.meet(handle)
        (self.blocked.discard if again else self.blocked.add)(person.id)
        was, now = ("kicked", "member") if again else ("member", "kicked")
        content = {
            "chat": person.chat(), "from": person.user(), "date": int(self.clock()),
            "old_chat_member": {"user": self.me(), "status": was},
            "new_chat_member": {"user": self.me(), "status": now},
        }  # fmt: skip
        return await self.update("my_chat_member", content, person.id)

    async def inject_group_text(self, handle: str, group_id: int, text: str) -> int:
        """Somebody writes in a group that the bot is in."""
        person = self.chats.meet(handle)
        content = {
            "message_id": self.chats.next_message(group_id), "from": person.user(), "date": int(self.clock()),
            "chat": {"id": group_id, "title": "Grup", "type": "supergroup"}, "text": text,
        }  # fmt: skip
        return await self.update("message", content, group_id)

    # ---- the page

    @property
    def address(self) -> str:
        """The name that customers search for."""
        return f"@{self.username}"

    def talks(self) -> list[Talk]:
        """The bot itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        if attachment is None:
            await self.inject_text(person, text)
        elif attachment.media_type.startswith("image/"):
            await self.inject_photo(person, attachment.content, caption=text or None)
        else:
            await self.inject_file(
                person, "document", attachment.content, attachment.media_type,
                filename=attachment.filename, caption=text or None,
            )  # fmt: skip

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a button of the latest message that offers it."""
        chat_id = self.chats.meet(person).id
        offers = [each for each in self.sent if each.chat_id == chat_id and choice in each.choices]
        if offers:
            await self.tap(person, offers[-1], choice.id)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        chat_id = self.chats.meet(person).id
        lines = [
            Line(each.at, True, each.text, each.kind, each.attachments)
            for each in self.received
            if each.person.id == chat_id
        ]
        lines.extend(
            Line(each.at, False, each.text, "sent", (), each.choices) for each in self.sent if each.chat_id == chat_id
        )
        return sorted(lines, key=lambda line: line.at)
