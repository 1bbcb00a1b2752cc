"""What a customer sees of an account, for the page: the direct messages, and the comments under its newest post."""

from __future__ import annotations

from simulator.account import Counterpart
from simulator.instagram.account import Instagram
from simulator.place import Attachment, Choice, Line


class Messages(Counterpart[Instagram]):
    """The direct messages of an account."""

    channel = "Instagram (pesan / direct message)"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        if attachment is None:
            await self._account.inject_text(person, text)
            return
        await self._account.inject_file(
            person, attachment.content, attachment.media_type, filename=attachment.filename, text=text or None
        )

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a quick reply."""
        await self._account.inject_text(person, choice.title, quick_reply={"payload": choice.id})

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back in private, oldest first."""
        lines = [
            Line(each.at, True, each.text, each.kind, each.attachments)
            for each in self._account.received
            if each.person.handle == person
        ]
        lines += [
            Line(each.at, False, each.text, each.status if each.comment_id is None else "balasan pribadi")
            for each in self._account.sent
            if each.person.handle == person
        ]
        return sorted(lines, key=lambda line: line.at)


class Comments(Counterpart[Instagram]):
    """The comments of one person under the posts of an account, with both answers that a comment may get."""

    channel = "Instagram (komentar / comment)"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer comment on the newest post; a comment carries no file."""
        await self._account.inject_comment(person, text)

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer comment with these words."""
        await self._account.inject_comment(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote, what stands below it in public, and the private answers, oldest first."""
        account = self._account
        mine = {
            each.id: each
            for each in account.comments.values()
            if each.person is not None and each.person.handle == person
        }
        lines = [Line(each.at, True, each.text, "komentar publik") for each in mine.values()]
        lines += [
            Line(each.at, False, each.text, "balasan publik") for each in account.answers if each.parent_id in mine
        ]
        lines += [
            Line(each.private_answer.at, False, each.private_answer.text, "balasan pribadi")
            for each in mine.values()
            if each.private_answer is not None
        ]
        return sorted(lines, key=lambda line: line.at)
