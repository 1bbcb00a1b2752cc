"""What a customer sees of an account, for the page: the direct messages, and the posts that mention it."""

from __future__ import annotations

from simulator.account import Counterpart
from simulator.place import Attachment, Choice, Line
from simulator.x.account import X
from simulator.x.records import File


class Messages(Counterpart[X]):
    """The direct messages of an account."""

    channel = "X (pesan / direct message)"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        if attachment is None:
            await self._account.inject_text(person, text)
        else:
            await self._account.inject_file(person, attachment.content, attachment.media_type, text=text)

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer answer with these words."""
        await self._account.inject_text(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back in private, oldest first."""
        id_ = self._account.meet(person).id
        return sorted(
            [
                Line(each.at, each.sender.id == id_, each.text, each.status, _files(each.file))
                for each in self._account.messages
                if id_ in (each.sender.id, each.recipient.id)
            ],
            key=lambda line: line.at,
        )


class Mentions(Counterpart[X]):
    """The posts of one person that mention an account, the public answers below them, and the private ones."""

    channel = "X (sebutan publik / mention)"

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer post and name the account."""
        await self._account.inject_mention(person, text, files=[attachment] if attachment is not None else [])

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer post these words."""
        await self._account.inject_mention(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this customer posted, what stands below it in public, and the private answers, oldest first."""
        account, id_ = self._account, self._account.meet(person).id
        mine = {each.id: each for each in account.posts if each.author.id == id_}
        lines = [
            Line(each.at, True, each.text, "kiriman publik", [file.attachment for file in each.files])
            for each in mine.values()
        ]
        lines += [
            Line(each.at, False, each.text, "balasan publik")
            for each in account.answers
            if each.in_reply_to is not None and each.in_reply_to.id in mine
        ]
        lines += [
            Line(each.at, False, each.text, "balasan pribadi") for each in account.sent if each.recipient.id == id_
        ]
        return sorted(lines, key=lambda line: line.at)


def _files(file: File | None) -> list[Attachment]:
    return [file.attachment] if file is not None else []
