"""WhatsApp through Twilio: one WhatsApp number.

Twilio gives a webhook up after 15 seconds and sends it never again, so this connector also lists what the webhook may
have missed (`since`) and what became of a send without an answer (`find`). Messages and status callbacks come to the
same address; a status brings our outbox key back in the query of the address that Twilio signs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from connectors import codes, facts
from connectors.contract import Answer, Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, Refused, Unreachable
from connectors.media import MediaClient
from connectors.twilio_messages import LISTED, OUTBOX, Resource, read
from connectors.twilio_messages import Answer as RestAnswer
from connectors.whatsapp_twilio import payload
from connectors.whatsapp_twilio.parse import parse
from connectors.whatsapp_twilio.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")


class WhatsAppTwilio:
    """One WhatsApp number at Twilio."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.number
        self._setup = setup
        self._settings = settings
        self._proof = settings.proof(setup)
        self._messages = settings.messages(setup, CODES)
        self._window = setup.facts.reply_window
        self._media = MediaClient.of(setup.facts, settings.root, timeout=settings.media_timeout_seconds)

    def receive(self, request: Request) -> Intake:
        """Keeps a message or status whose signature is good. Raises Rejected."""
        self._proof.check(request)
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body, target=request.target)
        return Intake(keep=(raw,), answer=Answer(body=b"<Response/>", content_type="text/xml"))

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one webhook, status callback or listed message. Raises Malformed."""
        return parse(raw, self._window, CODES, self._messages.accounts)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Twilio; its status callbacks bring `out.key` back."""
        form = {"To": f"whatsapp:{out.recipient}", "From": f"whatsapp:{self._settings.number}", **self._content(out)}
        query = urlencode({OUTBOX: out.key})
        form["StatusCallback"] = f"{self._setup.address}?{query}"
        url = f"{self._messages.account}/Messages.json"
        answer = read(await self._messages.call("POST", url, data=form), RestAnswer)
        if answer is None or not answer.sid:
            raise Ambiguous("Twilio accepted the message but its answer names none")
        return self._sent(answer.sid, self._setup.now())

    async def find(self, out: Outgoing) -> Sent | None:
        """What Twilio lists of an earlier attempt of `out`: same recipient, same text, not failed (A13)."""
        if out.first_attempt_at is None:
            return None
        to, sender = f"whatsapp:{out.recipient}", f"whatsapp:{self._settings.number}"
        found = await self._messages.find(to, sender, out.text, out.first_attempt_at)
        return self._sent(*found) if found is not None else None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Inbound messages that Twilio lists since `moment` (UTC), newest first."""
        async with aclosing(self._messages.since(f"whatsapp:{self._settings.number}", moment, self._raw)) as batches:
            async for batch in batches:
                yield batch

    async def check(self) -> None:
        """Asks Twilio for the account. Raises AuthFailed, Misconfigured, Unavailable."""
        await self._messages.check()

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment; the credentials go to Twilio's API alone, not along with its redirect."""
        url = attachment.url or ""
        if not url.startswith(f"{self._messages.accounts}/"):
            raise Unreachable("this attachment does not lie at Twilio")
        async with aclosing(self._media.fetch(url, self._messages.credentials())) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    def _content(self, out: Outgoing) -> dict[str, str]:
        limit = self.facts.max_text.value
        if not out.text or len(out.text) > limit:
            raise Refused("text_length", f"a text has 1 to {limit} characters")
        if out.files:
            raise Refused("files", "this channel sends text only")
        if out.template is None:
            return {"Body": out.text}
        if out.template not in self._settings.templates:
            raise Refused("template", "no template of that purpose is configured for this channel")
        variables = msgspec.json.encode({"1": " ".join(out.text.split())}).decode()
        return {"ContentSid": self._settings.templates[out.template], "ContentVariables": variables}

    def _sent(self, sid: str, at: datetime) -> Sent:
        return Sent(provider_id=sid, at=at, registers=(f"tw:{self._settings.account_sid}:{sid}",))

    async def _raw(self, item: msgspec.Raw) -> Raw:
        media: list[payload.MediaResource] = []
        resource = read(item, Resource)
        if resource is not None and str(resource.num_media) != "0":
            url = f"{self._messages.account}/Messages/{quote(resource.sid, safe='')}/Media.json"
            media = (read(await self._messages.call("GET", url), payload.MediaPage) or payload.MediaPage()).media_list
        return Raw(
            channel_id=self.channel_id,
            received_at=self._setup.now(),
            body=msgspec.json.encode(payload.Listed(message=item, media=media)),
            headers={LISTED: "message"},
            ref=resource.sid if resource is not None else "",
        )


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return WhatsAppTwilio(setup)


CONNECTOR = Spec(kind="whatsapp_twilio", channels=("whatsapp",), settings=Settings, facts=FACTS, build=build)
