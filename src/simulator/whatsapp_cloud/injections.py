"""What a customer can do, one method each; every one posts the signed webhook and returns the message id."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from simulator.meta_media import Media
from simulator.whatsapp_cloud import inbound
from simulator.whatsapp_cloud.inbound import Content
from simulator.whatsapp_cloud.payloads import webhook_sha256

Json = dict[str, Any]


class Sender(TypedDict, total=False):
    """Who writes, and how the message hangs together with others; everything is optional."""

    user_id: str | None  # business-scoped user id; None: made from the number
    name: str | None
    username: str | None
    message_id: str
    at: float  # seconds since the epoch
    reply_to: str  # id of the message that this one answers
    forwarded: bool
    frequently_forwarded: bool
    referral: Json
    group_id: str


class Injections(ABC):
    """The customer's side of a WhatsApp number. `from_` None means that only the user id is known."""

    @abstractmethod
    async def inject(self, from_: str | None, content: Content, **sender: Unpack[Sender]) -> str:
        """Delivers one message to the business and returns its wamid."""

    @abstractmethod
    def add_media(self, content: bytes, media_type: str, filename: str = "") -> Media:
        """Puts a file into Meta's store and returns it with its id."""

    @abstractmethod
    def media_address(self, media: Media, source: str = "webhook") -> str | None:
        """A temporary download address as the webhook carries it, None when the account leaves it out."""

    async def inject_text(self, from_: str | None, text: str, **sender: Unpack[Sender]) -> str:
        """A text."""
        return await self.inject(from_, inbound.text(text), **sender)

    async def inject_media(
        self,
        type_: str,
        from_: str | None,
        content: bytes,
        media_type: str,
        *,
        caption: str | None = None,
        filename: str | None = None,
        voice: bool | None = None,
        animated: bool | None = None,
        sha256: str | None = None,
        **sender: Unpack[Sender],
    ) -> str:
        """A file of any type; `sha256` overrides the true checksum."""
        media = self.add_media(content, media_type, filename or "")
        message = inbound.media(
            type_,
            media.id,
            media_type,
            sha256 or webhook_sha256(content),
            url=self.media_address(media),
            caption=caption,
            filename=filename,
            voice=voice,
            animated=animated,
        )
        return await self.inject(from_, message, **sender)

    async def inject_image(
        self,
        from_: str | None,
        content: bytes,
        media_type: str = "image/jpeg",
        *,
        caption: str | None = None,
        **sender: Unpack[Sender],
    ) -> str:
        """A photo."""
        return await self.inject_media("image", from_, content, media_type, caption=caption, **sender)

    async def inject_document(
        self,
        from_: str | None,
        content: bytes,
        media_type: str = "application/pdf",
        *,
        filename: str = "bukti.pdf",
        caption: str | None = None,
        **sender: Unpack[Sender],
    ) -> str:
        """A document."""
        return await self.inject_media(
            "document", from_, content, media_type, caption=caption, filename=filename, **sender
        )

    async def inject_audio(
        self,
        from_: str | None,
        content: bytes,
        media_type: str = "audio/ogg; codecs=opus",
        *,
        voice: bool = True,
        **sender: Unpack[Sender],
    ) -> str:
        """A voice note, or a sound file with voice=False."""
        return await self.inject_media("audio", from_, content, media_type, voice=voice, **sender)

    async def inject_video(
        self,
        from_: str | None,
        content: bytes,
        media_type: str = "video/mp4",
        *,
        caption: str | None = None,
        **sender: Unpack[Sender],
    ) -> str:
        """A video."""
        return await self.inject_media("video", from_, content, media_type, caption=caption, **sender)

    async def inject_sticker(
        self,
        from_: str | None,
        content: bytes,
        media_type: str = "image/webp",
        *,
        animated: bool = False,
        **sender: Unpack[Sender],
    ) -> str:
        """A sticker."""
        return await self.inject_media("sticker", from_, content, media_type, animated=animated, **sender)

    async def inject_location(
        self,
        from_: str | None,
        latitude: float,
        longitude: float,
        *,
        place: str | None = None,
        address: str | None = None,
        **sender: Unpack[Sender],
    ) -> str:
        """A place."""
        return await self.inject(from_, inbound.location(latitude, longitude, name=place, address=address), **sender)

    async def inject_contacts(
        self, from_: str | None, cards: Sequence[Json], *, origin: str | None = None, **sender: Unpack[Sender]
    ) -> str:
        """Contact cards (see inbound.card)."""
        return await self.inject(from_, inbound.contacts(cards, origin=origin), **sender)

    async def inject_reaction(
        self, from_: str | None, original_id: str, emoji: str | None = "👍", **sender: Unpack[Sender]
    ) -> str:
        """A reaction to message `original_id`; emoji None takes it back."""
        return await self.inject(from_, inbound.reaction(original_id, emoji), **sender)

    async def inject_button_reply(self, from_: str | None, id_: str, title: str, **sender: Unpack[Sender]) -> str:
        """A tap on a reply button."""
        return await self.inject(from_, inbound.button_reply(id_, title), **sender)

    async def inject_list_reply(self, from_: str | None, id_: str, title: str, **sender: Unpack[Sender]) -> str:
        """A choice from a list."""
        return await self.inject(from_, inbound.list_reply(id_, title), **sender)

    async def inject_button(self, from_: str | None, payload: str, label: str, **sender: Unpack[Sender]) -> str:
        """A tap on a quick reply of a template."""
        return await self.inject(from_, inbound.button(payload, label), **sender)

    async def inject_edit(self, from_: str | None, original_id: str, text: str, **sender: Unpack[Sender]) -> str:
        """A corrected text."""
        return await self.inject(from_, inbound.edit(original_id, inbound.text(text)), **sender)

    async def inject_revoke(self, from_: str | None, original_id: str, **sender: Unpack[Sender]) -> str:
        """A message taken back."""
        return await self.inject(from_, inbound.revoke(original_id), **sender)

    async def inject_unsupported(
        self, from_: str | None, code: int = 131051, *, subtype: str | None = None, **sender: Unpack[Sender]
    ) -> str:
        """Something that Meta cannot hand on, such as a poll."""
        return await self.inject(from_, inbound.unsupported(code, subtype=subtype), **sender)

    async def inject_changed_number(self, from_: str, new: str, **sender: Unpack[Sender]) -> str:
        """The notice that a user moved to another number."""
        return await self.inject(from_, inbound.changed_number(from_, new, name=sender.get("name") or ""), **sender)
