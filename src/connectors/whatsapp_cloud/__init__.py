"""WhatsApp through Meta's Cloud API: one business number.

Several numbers of one app share one webhook, and one POST may mix them. So `receive` keeps every authentic POST and
`parse` reads all of its items; each Message names in `account` the phone_number_id that it was sent to. Whoever records
the events gives each to the channel that is configured for its account, and dedupes on `Message.key`: a POST that came
to the addresses of two channels is then one set of messages.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from connectors import codes, facts
from connectors.contract import Connector, Setup, Spec
from connectors.errors import Ambiguous, Misconfigured, Refused, Unreachable
from connectors.media import Gone
from connectors.meta_account import Apps, MetaAccount
from connectors.meta_payload import Node
from connectors.whatsapp_cloud.parse import parse
from connectors.whatsapp_cloud.payload import MediaAnswer, SendAnswer
from connectors.whatsapp_cloud.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")


class WhatsAppCloud(MetaAccount):
    """One business number at Meta."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        super().__init__(setup, settings.phone_number_id, settings.access_token, CODES)
        self._settings = settings
        self._window = setup.facts.reply_window

    def parse(self, raw: Raw) -> list[Event]:
        """Events of every item in the POST, whatever number it belongs to. Raises Malformed."""
        return parse(raw, self._window, CODES)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Meta; `biz_opaque_callback_data` brings `out.key` back with every status (A13)."""
        to = {"to": out.recipient} if out.recipient.startswith("+") else {"recipient": out.recipient}
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **to,
            **self._content(out),
            "biz_opaque_callback_data": out.key,
        }
        if out.in_reply_to:
            body["context"] = {"message_id": out.in_reply_to}
        found = await self._graph.post(f"{self.account}/messages", SendAnswer, body)
        if found is None or not found.messages or not found.messages[0].id:
            raise Ambiguous("WhatsApp accepted the message but its answer names none")
        wamid = found.messages[0].id
        return Sent(provider_id=wamid, at=self._now(), registers=(f"wa:{self.account}:{wamid}",))

    async def check(self) -> None:
        """Asks Meta for the number and whether the app listens to its account. Raises AuthFailed, Misconfigured, ..."""
        if (
            await self._graph.get(self.account, Node, fields="id,display_phone_number,verified_name")
        ).id != self.account:
            raise Misconfigured("phone_number_id: Meta knows another number under it")
        waba = self._settings.waba_id
        if waba is not None and not (await self._graph.get(f"{waba}/subscribed_apps", Apps)).data:
            raise Misconfigured("waba_id: no app is subscribed to this account, so no webhook will ever come")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment. Its address lives five minutes: a stale one is asked for once more."""
        if not attachment.ref:
            raise Unreachable("this attachment has no media id")
        for attempt in (1, 2):
            url = await self._media_url(attachment.ref)
            try:
                async with aclosing(self._media.fetch(url, self._graph.bearer())) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Gone:
                if attempt == 2:
                    raise
            else:
                return

    def _content(self, out: Outgoing) -> dict[str, Any]:
        limit = self.facts.max_text.value
        if not out.text or len(out.text) > limit:
            raise Refused("text_length", f"a text has 1 to {limit} characters")
        if out.files:
            raise Refused("files", "this channel sends text only")
        if out.template is None:
            return {"type": "text", "text": {"body": out.text, "preview_url": False}}
        template = self._settings.templates.get(out.template)
        if template is None:
            raise Refused("template", "no template of that purpose is configured for this channel")
        # A template's variable may hold no line break, tab or run of blanks (132012).
        value = {"type": "text", "text": " ".join(out.text.split())}
        components = [{"type": "body", "parameters": [value]}] if template.variable else []
        named = {"name": template.name, "language": {"code": template.language}, "components": components}
        return {"type": "template", "template": named}

    async def _media_url(self, media_id: str) -> str:
        if not media_id.isalnum():
            raise Unreachable("this attachment's media id is not one")
        found = await self._graph.get(media_id, MediaAnswer, phone_number_id=self.account)
        if not found.url:
            raise Unreachable("WhatsApp names no address for this attachment")
        return found.url


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return WhatsAppCloud(setup)


CONNECTOR = Spec(kind="whatsapp_cloud", channels=("whatsapp",), settings=Settings, facts=FACTS, build=build)
