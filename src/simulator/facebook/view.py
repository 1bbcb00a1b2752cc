"""What a person sees of a page: the conversation in Messenger, and the comments under its posts."""

from __future__ import annotations

from simulator.account import Counterpart
from simulator.facebook.account import Facebook
from simulator.facebook.people import id_of
from simulator.facebook.records import Comment, Sent
from simulator.place import Attachment, Choice, Line


class Messenger(Counterpart[Facebook]):
    """The page's inbox as the counterpart of a conversation."""

    channel = "Facebook Messenger"

    @property
    def address(self) -> str:
        """The page."""
        return f"m.me/{self._account.username}"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a person write."""
        if attachment is None:
            await self._account.inject_text(person, text)
        else:
            await self._account.inject_file(
                person, attachment.content, attachment.media_type, filename=attachment.filename, text=text
            )

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a person tap a quick reply."""
        await self._account.inject_quick_reply(person, choice.id, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this person wrote and what came back, private replies to comments too; oldest first."""
        id_ = id_of(person)
        lines = [
            Line(each.at, True, each.text, "", [each.file] if each.file is not None else [])
            for each in self._account.received
            if each.person == id_
        ]
        lines.extend(_private(each) for each in self._account.sent if each.to == id_)
        return sorted(lines, key=lambda line: line.at)


class Comments(Counterpart[Facebook]):
    """The newest post of the page as the counterpart of a conversation that everybody reads."""

    channel = "Facebook (komentar / comments)"

    @property
    def address(self) -> str:
        """The post."""
        return f"facebook.com/{next(iter(self._account.posts))}"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a person comment; what follows stands under the first one."""
        own = self._own(person)
        await self._account.comment(person, text, parent=own[0].id if own else None, photo=attachment)

    async def choose(self, person: str, choice: Choice) -> None:
        """Under a comment nothing can be tapped: the words are written."""
        await self.say(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this person wrote under the post, what the page answered there, and what it answered in private."""
        own = self._own(person)
        threads = {each.id if each.parent_id == each.post_id else each.parent_id for each in own}
        ids = {each.id for each in own}
        lines = [Line(each.at, True, each.text, _note(each), [each.file] if each.file else []) for each in own]
        lines.extend(
            Line(each.at, False, each.text, "publik / public")
            for each in self._account.answers
            if each.parent_id in threads
        )
        lines.extend(_private(each) for each in self._account.sent if each.comment_id in ids)
        return sorted(lines, key=lambda line: line.at)

    def _own(self, person: str) -> list[Comment]:
        id_ = id_of(person)
        return [each for each in self._account.comments.values() if each.author == id_ and not each.removed]


def _private(sent: Sent) -> Line:
    note = sent.status if sent.comment_id is None else f"pribadi / private, {sent.status}"
    return Line(sent.at, False, sent.text, note, [], sent.choices)


def _note(comment: Comment) -> str:
    return "disembunyikan / hidden" if comment.hidden else ""
