"""What people can do at an account, one method each; every one posts the signed webhook and returns an id."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from simulator.delivery import Record
from simulator.instagram import payloads
from simulator.instagram.payloads import Json, Update
from simulator.instagram.records import Comment, Person, Post, Received, new_id, new_message_id
from simulator.meta_media import Media
from simulator.place import Attachment


class Injections(ABC):
    """The customers' side of an account; a person is a handle."""

    account_id: str
    username: str
    clock: Callable[[], float]
    received: Record[Received]
    posts: list[Post]

    @abstractmethod
    def meet(self, handle: str) -> Person:
        """The person behind a handle, remembered for answers."""

    @abstractmethod
    def wrote(self, person: Person, at: float) -> None:
        """Opens or renews the window of this person."""

    @abstractmethod
    def keep_comment(self, comment: Comment) -> None:
        """Remembers a comment."""

    @abstractmethod
    def add_media(self, content: bytes, media_type: str, filename: str = "") -> Media:
        """Puts a file into Meta's store."""

    @abstractmethod
    def media_address(self, media: Media) -> str:
        """A signed download address on the media host."""

    @abstractmethod
    async def put(self, update: Update) -> None:
        """Delivers one update."""

    # ---- direct messages

    def update(self, handle: str, message: Json, *, at: float | None = None) -> Update:
        """A direct message that is not yet delivered; it is remembered as received. `message` needs no mid."""
        person, at = self.meet(handle), self.clock() if at is None else at
        message = {"mid": new_message_id(), **message}
        self.wrote(person, at)
        self.received.append(Received(message["mid"], person, str(message.get("text", "")), at))
        return payloads.messaging(self.account_id, person, at, {"message": message})

    async def inject_message(self, handle: str, message: Json, *, at: float | None = None) -> str:
        """Delivers a direct message of any content and returns its mid."""
        update = self.update(handle, message, at=at)
        await self.put(update)
        return str(update.item["message"]["mid"])

    async def inject_text(self, handle: str, text: str, *, at: float | None = None, **more: Any) -> str:
        """A text; `more` goes into the message (`mid`, `reply_to`, `quick_reply`)."""
        return await self.inject_message(handle, {"text": text, **more}, at=at)

    async def inject_file(
        self, handle: str, content: bytes, media_type: str, *, filename: str = "", text: str | None = None
    ) -> str:
        """A file of the kind that its media type says."""
        media = self.add_media(content, media_type, filename)
        kind = media_type.partition("/")[0]
        attachment = {
            "type": kind if kind in ("image", "video", "audio") else "file",
            "payload": {"url": self.media_address(media)},
        }
        person, at = self.meet(handle), self.clock()
        message: Json = {"mid": new_message_id(), "attachments": [attachment]} | ({"text": text} if text else {})
        self.wrote(person, at)
        files = (Attachment(filename or f"berkas.{kind}", media_type, content),)
        self.received.append(Received(message["mid"], person, text or "", at, str(attachment["type"]), files))
        await self.put(payloads.messaging(self.account_id, person, at, {"message": message}))
        return str(message["mid"])

    async def inject_event(self, handle: str, what: Json, *, echo: bool = False) -> None:
        """Any other event of a conversation: reaction, read, postback, message_edit."""
        await self.put(payloads.messaging(self.account_id, self.meet(handle), self.clock(), what, echo=echo))

    async def inject_edit(self, handle: str, mid: str, text: str, number: int = 1) -> None:
        """The customer changes a message."""
        await self.inject_event(handle, {"message_edit": {"mid": mid, "text": text, "num_edit": number}})

    async def inject_deleted(self, handle: str, mid: str) -> None:
        """The customer takes a message back."""
        await self.inject_event(handle, {"message": {"mid": mid, "is_deleted": True}})

    async def inject_seen(self, handle: str, mid: str) -> None:
        """The customer read a message of the account."""
        await self.inject_event(handle, {"read": {"mid": mid}})

    async def inject_echo(self, handle: str, text: str, mid: str | None = None) -> str:
        """The account wrote something in the app itself, or through the API."""
        mid = mid or new_message_id()
        await self.inject_event(handle, {"message": {"mid": mid, "text": text, "is_echo": True}}, echo=True)
        return mid

    # ---- in public

    def publish(self, caption: str, *, live: bool = False) -> Post:
        """A new post, or a live video."""
        post = Post(new_id("179"), caption, self.clock(), live)
        self.posts.insert(0, post)
        return post

    def commented(
        self, handle: str, text: str, *, post: Post | None = None, parent: str | None = None, at: float | None = None
    ) -> Comment:
        """A comment under a post (default: the newest) that no webhook tells of."""
        at = self.clock() if at is None else at
        comment = Comment(new_id("178"), self.meet(handle), text, at, post or self.posts[0], parent)
        self.keep_comment(comment)
        return comment

    def comment_update(self, comment: Comment) -> Update:
        """The webhook of a comment."""
        live = comment.post is not None and comment.post.live
        value = payloads.comment_value(comment, self.account_id, self.username)
        return Update(self.account_id, comment.at, value, "live_comments" if live else "comments")

    async def inject_comment(
        self, handle: str, text: str, *, post: Post | None = None, parent: str | None = None, at: float | None = None
    ) -> str:
        """A comment, delivered; returns its id."""
        comment = self.commented(handle, text, post=post, parent=parent, at=at)
        await self.put(self.comment_update(comment))
        return comment.id

    async def inject_mention(self, handle: str, text: str, *, in_caption: bool = False) -> str:
        """Somebody names the account under a post that is not its own, or in it; the webhook holds ids alone."""
        mention = Comment(new_id("178"), self.meet(handle), text, self.clock(), None, media_id=new_id("179"))
        if in_caption:
            mention.id = mention.media_id
        self.keep_comment(mention)
        ids = {"media_id": mention.media_id} | ({} if in_caption else {"comment_id": mention.id})
        await self.put(Update(self.account_id, mention.at, ids, "mentions"))
        return mention.id
