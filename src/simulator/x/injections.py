"""What people can do at an account, one method each; every one posts the signed webhook and returns an id."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from uuid import uuid4

from simulator.delivery import Delivery, Record
from simulator.place import Attachment
from simulator.x import payloads
from simulator.x.payloads import Event
from simulator.x.records import Encrypted, File, Json, Message, Person, Post


class Injections(ABC):
    """The customers' side of an account; a person is a handle."""

    me: Person
    clock: Callable[[], float]
    messages: Record[Message]
    received: Record[Message]
    encrypted: Record[Encrypted]
    posts: Record[Post]
    sent: Record[Message]

    @abstractmethod
    def meet(self, handle: str) -> Person:
        """The person behind a handle, remembered for answers."""

    @abstractmethod
    def new_id(self, at: float) -> str:
        """An id of X for something that happens at a moment."""

    @abstractmethod
    def add_file(self, attachment: Attachment) -> File:
        """Puts a file into X's store."""

    @abstractmethod
    def public_address(self, file: File) -> str:
        """Where everybody can fetch the file of a post."""

    @abstractmethod
    async def put(self, event: Event) -> None:
        """Delivers one event."""

    @abstractmethod
    async def inject_raw(self, body: bytes | Json, *, secret: str | None = None) -> Delivery:
        """Posts these bytes once."""

    # ---- direct messages

    def wrote(
        self, handle: str, text: str, *, attachment: Attachment | None = None, at: float | None = None
    ) -> Message:
        """A direct message that no webhook brings; lists show it."""
        moment = self.clock() if at is None else at
        file = self.add_file(attachment) if attachment is not None else None
        message = Message(self.new_id(moment), self.meet(handle), self.me, text, moment, file)
        self.messages.append(message)
        self.received.append(message)
        return message

    async def inject_text(self, handle: str, text: str, *, at: float | None = None) -> str:
        """A direct message."""
        return await self._received(self.wrote(handle, text, at=at))

    async def inject_file(self, handle: str, content: bytes, media_type: str, *, text: str = "") -> str:
        """A direct message with a file."""
        attachment = Attachment("file", media_type, content)
        return await self._received(self.wrote(handle, text, attachment=attachment))

    async def inject_encrypted(self, handle: str) -> str:
        """A message of XChat, which nobody can read here."""
        message = Encrypted(str(uuid4()), self.meet(handle), self.clock())
        self.encrypted.append(message)
        await self.put(payloads.encrypted(message, self.me))
        return message.id

    async def inject_read(self, message: Message) -> None:
        """The customer reads up to this message of ours."""
        message.status = "read"
        await self.put(payloads.read(message, self.clock()))

    async def inject_typing(self, handle: str) -> None:
        """The customer types."""
        await self.put(Event("dm.indicate_typing", {"sender_id": self.meet(handle).id}))

    async def _received(self, message: Message) -> str:
        await self.put(payloads.conversation("dm.received", message))
        return message.id

    # ---- posts

    def posted(
        self,
        handle: str,
        text: str,
        *,
        reply_to: Post | None = None,
        quotes: Post | None = None,
        files: Sequence[Attachment] = (),
        at: float | None = None,
    ) -> Post:
        """A post that no webhook brings; before a reply stand the names of those it answers, as X puts them there."""
        moment = self.clock() if at is None else at
        names = f"@{reply_to.author.handle} " if reply_to is not None else ""
        item = Post(
            self.new_id(moment),
            self.meet(handle),
            names + text,
            moment,
            reply_to,
            quotes,
            files=[self.add_file(each) for each in files],
        )
        self.posts.append(item)
        return item

    def own_post(self, text: str) -> Post:
        """A post of the account itself."""
        item = Post(self.new_id(self.clock()), self.me, text, self.clock())
        self.posts.append(item)
        return item

    async def inject_mention(
        self, handle: str, text: str, *, files: Sequence[Attachment] = (), reply_to: Post | None = None
    ) -> str:
        """A post that names the account, at its beginning when the text does not."""
        words = text if f"@{self.me.handle}" in text else f"@{self.me.handle} {text}"
        item = self.posted(handle, words, files=files, reply_to=reply_to)
        await self.put(self.post_event("post.mention.create", item))
        return item.id

    async def inject_reply(self, handle: str, text: str, to: Post) -> str:
        """An answer to a post of the account, whose author does not write its name."""
        item = self.posted(handle, text, reply_to=to)
        await self.put(self.post_event("post.reply.create", item))
        return item.id

    async def inject_quote(self, handle: str, text: str, of: Post) -> str:
        """A post that quotes one of the account."""
        item = self.posted(handle, text, quotes=of)
        await self.put(self.post_event("post.quote.create", item))
        return item.id

    async def inject_edit(self, post_id: str, text: str) -> str:
        """A new version of a mention, with an id of its own."""
        before = next(each for each in self.posts if each.id == post_id)
        item = self.posted(before.author.handle, text, reply_to=before.in_reply_to, quotes=before.quotes)
        item.versions = [*(before.versions or [before.id]), item.id]
        await self.put(self.post_event("post.mention.create", item))
        return item.id

    def post_event(self, type_: str, item: Post) -> Event:
        """A post as an event that is not yet delivered."""
        addresses = {file.id: self.public_address(file) for file in item.files}
        return Event(type_, payloads.post(item, self.me), payloads.includes([item], self.me, addresses))

    # ---- the deprecated Account Activity API

    async def inject_old(self, handle: str, *, text: str | None = None, post: str | None = None) -> Delivery:
        """A direct message or a mention, or both in one delivery, in the shapes of the Account Activity API."""
        body: Json = {"for_user_id": self.me.id}
        if text is not None:
            message = self.wrote(handle, text)
            body["direct_message_events"] = [payloads.direct_message(message)]
            body["users"] = {
                message.sender.id: {"id": message.sender.id, "screen_name": handle, "name": handle.title()}
            }
        if post is not None:
            body["tweet_create_events"] = [payloads.old_post(self.posted(handle, post), self.me)]
        return await self.inject_raw(body)
