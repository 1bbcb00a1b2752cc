"""What a customer sees of a WhatsApp number, for the page."""

from __future__ import annotations

from simulator.delivery import Record
from simulator.meta_media import Media, MediaStore
from simulator.place import Asks, Attachment, Choice, Line, Talk
from simulator.whatsapp_cloud.injections import Injections, Sender
from simulator.whatsapp_cloud.payloads import Number
from simulator.whatsapp_cloud.people import digits_of
from simulator.whatsapp_cloud.records import Received, Sent


class CustomerView(Injections):
    """The account as a counterpart of a conversation."""

    channel = "WhatsApp (Meta)"
    asks: Asks = "number"
    name: str
    number: Number
    media: MediaStore
    sent: Record[Sent]
    received: Record[Received]

    @property
    def address(self) -> str:
        """The number that customers write to."""
        return f"+{self.number.display_phone_number}"

    def talks(self) -> list[Talk]:
        """The account itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        if attachment is None:
            await self.inject_text(person, text)
            return
        content, type_, caption = attachment.content, attachment.media_type, text or None
        if type_.startswith("image/"):
            await self.inject_image(person, content, type_, caption=caption)
        else:
            await self.inject_document(person, content, type_, filename=attachment.filename, caption=caption)

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a button or a row of the latest message that offers it."""
        key = digits_of(person)
        offers = [each for each in self.sent if each.person.key == key and choice in each.choices]
        sender: Sender = {"reply_to": offers[-1].id} if offers else {}
        if offers and offers[-1].payload["interactive"]["type"] == "list":
            await self.inject_list_reply(person, choice.id, choice.title, **sender)
        else:
            await self.inject_button_reply(person, choice.id, choice.title, **sender)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        key = digits_of(person)
        lines = [
            Line(each.at, True, each.content.text, each.content.type, self._files(each))
            for each in self.received
            if each.person.key == key
        ]
        lines.extend(
            Line(each.at, False, each.text, each.status, _as_files(each.media), each.choices)
            for each in self.sent
            if each.person.key == key
        )
        return sorted(lines, key=lambda line: line.at)

    def _files(self, received: Received) -> list[Attachment]:
        content = received.content.fields.get(received.content.type)
        media_id = content.get("id") if isinstance(content, dict) else None
        return _as_files(self.media.get(media_id, received.at) if isinstance(media_id, str) else None)


def _as_files(media: Media | None) -> list[Attachment]:
    return [Attachment(media.filename, media.media_type, media.content)] if media is not None else []
