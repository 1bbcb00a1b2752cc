"""What people do on a page: write, tap, edit, withdraw, react, comment. A person is an id, or a user name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from simulator.delivery import Record
from simulator.facebook.people import People
from simulator.facebook.records import Comment, Json, Kind, Received, Sent, new_message_id
from simulator.place import Attachment

INBOX_APP = 263902037430900
MOST_COMMENTS = 20_000


class Injections(ABC):
    """The people's side of a page."""

    page_id: str
    app_id: str
    name: str
    authors: bool
    clock: Callable[[], float]
    people: People
    received: Record[Received]
    comments: OrderedDict[str, Comment]
    posts: dict[str, float]

    @abstractmethod
    async def put(self, kind: Kind, item: Json) -> None:
        """Delivers one item."""

    @abstractmethod
    def add_file(self, content: bytes, media_type: str, filename: str) -> str:
        """Puts a file on the media host; its address."""

    @abstractmethod
    def new_number(self) -> int:
        """A number that no comment has yet."""

    # ---- items

    def item(self, person: str, *, at: float | None = None, **parts: Any) -> Json:
        """One item from a person to the page."""
        return {
            "sender": {"id": person},
            "recipient": {"id": self.page_id},
            "timestamp": int((self.clock() if at is None else at) * 1000),
            **parts,
        }

    def echo(self, sent: Sent) -> Json:
        """The echo of what our app sent."""
        message: Json = {"mid": sent.id, "is_echo": True, "app_id": int(self.app_id), "text": sent.text}
        if sent.metadata is not None:
            message["metadata"] = sent.metadata
        return self._own(sent.to, message)

    def _own(self, to: str, message: Json) -> Json:
        return self.item(to, message=message) | {"sender": {"id": self.page_id}, "recipient": {"id": to}}

    # ---- direct messages

    async def inject(
        self, person: str, message: Json, *, at: float | None = None, file: Attachment | None = None
    ) -> str:
        """One direct message with these parts; its mid."""
        id_ = self.people.meet(person)
        moment = self.clock() if at is None else at
        mid = str(message.setdefault("mid", new_message_id()))
        self.people.wrote(id_, moment)
        self.received.append(Received(mid, id_, str(message.get("text", "")), moment, file))
        await self.put("messaging", self.item(id_, at=moment, message=message))
        return mid

    async def inject_text(self, person: str, text: str, *, at: float | None = None, reply_to: str = "") -> str:
        """A text."""
        message: Json = {"text": text}
        if reply_to:
            message["reply_to"] = {"mid": reply_to}
        return await self.inject(person, message, at=at)

    async def inject_file(
        self, person: str, content: bytes, media_type: str, *, filename: str = "", text: str = ""
    ) -> str:
        """A photo, video, recording or document."""
        kind = media_type.partition("/")[0]
        attachment = {
            "type": kind if kind in ("image", "video", "audio") else "file",
            "payload": {"url": self.add_file(content, media_type, filename)},
        }
        message: Json = {"attachments": [attachment]} | ({"text": text} if text else {})
        return await self.inject(person, message, file=Attachment(filename, media_type, content))

    async def inject_quick_reply(self, person: str, payload: str, title: str) -> str:
        """A tap on a quick reply, which comes as a message."""
        return await self.inject(person, {"text": title, "quick_reply": {"payload": payload}})

    async def inject_postback(self, person: str, payload: str, title: str) -> str:
        """A tap on a button."""
        id_, mid = self.people.meet(person), new_message_id()
        self.people.wrote(id_, self.clock())
        self.received.append(Received(mid, id_, title, self.clock()))
        await self.put("messaging", self.item(id_, postback={"mid": mid, "title": title, "payload": payload}))
        return mid

    async def inject_edit(self, person: str, mid: str, text: str, number: int = 1) -> None:
        """Another version of a message."""
        edit = {"mid": mid, "text": text, "num_edit": number}
        await self.put("messaging", self.item(self.people.meet(person), message_edit=edit))

    async def inject_delete(self, person: str, mid: str) -> None:
        """A message taken back."""
        await self.put("messaging", self.item(self.people.meet(person), message={"mid": mid, "is_deleted": True}))

    async def inject_reaction(self, person: str, mid: str, emoji: str = "\N{HEAVY BLACK HEART}") -> None:
        """A reaction."""
        reaction = {"mid": mid, "action": "react", "emoji": emoji, "reaction": "love"}
        await self.put("messaging", self.item(self.people.meet(person), reaction=reaction))

    async def inject_staff(self, person: str, text: str) -> str:
        """What staff write in the page's inbox, as its echo."""
        mid = new_message_id()
        message = {"mid": mid, "is_echo": True, "app_id": INBOX_APP, "text": text}
        await self.put("messaging", self._own(self.people.meet(person), message))
        return mid

    async def inject_standby(self, person: str, text: str) -> str:
        """A message in a conversation that another app holds."""
        mid = new_message_id()
        await self.put("standby", self.item(self.people.meet(person), message={"mid": mid, "text": text}))
        return mid

    # ---- comments

    async def comment(
        self,
        person: str,
        text: str = "",
        *,
        name: str | None = None,
        parent: str | None = None,
        post: str | None = None,
        photo: Attachment | None = None,
        at: float | None = None,
        seen: bool = True,
    ) -> str:
        """A comment of a person under a post or another comment; its id. `seen` False: no webhook tells of it."""
        author = self.people.meet(person, name)
        added = self.add_comment(author, self.people.name(author), text, parent=parent, post=post, at=at)
        if photo is not None:
            added.file = photo
            added.photo = self.add_file(photo.content, photo.media_type, photo.filename)
        if seen:
            await self.tell(added, "add")
        return added.id

    def add_comment(
        self, author: str, name: str, text: str, *, parent: str | None, post: str | None, at: float | None = None
    ) -> Comment:
        """Keeps a comment; under another comment it stands under the one that begins the thread."""
        above = self.comments.get(parent) if parent is not None else None
        post_id = above.post_id if above is not None else post or next(iter(self.posts))
        moment = self.clock() if at is None else at
        id_ = f"{post_id.partition('_')[2]}_{self.new_number()}"
        root = post_id if above is None else above.id if above.parent_id == above.post_id else above.parent_id
        comment = Comment(id_, post_id, root, author, name, text, moment)
        self.comments[id_] = comment
        while len(self.comments) > MOST_COMMENTS:
            self.comments.popitem(last=False)
        self.posts[post_id] = max(moment, self.posts.get(post_id, 0.0))
        return comment

    async def edit_comment(self, comment_id: str, text: str) -> None:
        """The author changes the words."""
        comment = self.comments[comment_id]
        comment.earlier.append(comment.text)
        comment.text = text
        await self.tell(comment, "edited")

    async def remove_comment(self, comment_id: str) -> None:
        """The author takes it back."""
        self.comments[comment_id].removed = True
        await self.tell(self.comments[comment_id], "remove")

    async def hide_comment(self, comment_id: str) -> None:
        """The page hides it."""
        self.comments[comment_id].hidden = True
        await self.tell(self.comments[comment_id], "hide")

    async def tell(self, comment: Comment, verb: str) -> None:
        """Delivers what happened to a comment."""
        value: Json = {
            "item": "comment",
            "verb": verb,
            "comment_id": comment.id,
            "post_id": comment.post_id,
            "parent_id": comment.parent_id,
            "created_time": int(comment.at),
        }
        if self.authors or comment.author == self.page_id:
            value["from"] = {"id": comment.author, "name": comment.name}
        if verb != "remove":
            value["message"] = comment.text
        if comment.photo is not None:
            value["photo"] = comment.photo
        await self.put("changes", {"field": "feed", "value": value})

    async def inject_feed(self, **value: Any) -> None:
        """Anything else that happens on the page: a like, a post, a share."""
        await self.put("changes", {"field": "feed", "value": value})
