"""WhatsApp through Vonage's Messages API: one WhatsApp number.

Messages and statuses come to the same address, and a status brings our outbox key back (`client_ref`). A message of
another number of the account names it in `account` and is given to the channel that is configured for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from connectors import codes, facts, http_errors
from connectors.contract import Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, Misconfigured, Refused, Unavailable
from connectors.media import MediaClient
from connectors.whatsapp_vonage.parse import parse
from connectors.whatsapp_vonage.payload import Answer, Application, Capabilities, Messages
from connectors.whatsapp_vonage.proof import Proof
from connectors.whatsapp_vonage.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")

T = TypeVar("T")


class WhatsAppVonage:
    """One WhatsApp number at Vonage."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.number
        self._setup = setup
        self._settings = settings
        self._proof = Proof(setup)
        self._base = str(settings.api_base).rstrip("/")
        self._media = MediaClient.of(setup.facts, self._base, timeout=settings.media_timeout_seconds)

    def receive(self, request: Request) -> Intake:
        """Keeps a webhook whose signature is good. Raises Rejected."""
        self._proof.check(request)
        return Intake(keep=(Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body),))

    def parse(self, raw: Raw) -> list[Event]:
        """The event of one webhook. Raises Malformed."""
        return parse(raw, self.facts.reply_window, CODES, self._settings.api_key)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Vonage, whose statuses bring `out.key` back to this channel's own address (A13)."""
        body = {
            **self._content(out),
            "channel": "whatsapp",
            "from": self.account.removeprefix("+"),
            "to": out.recipient.removeprefix("+"),
            "client_ref": out.key,
            "webhook_url": self._setup.address,
            "webhook_version": "v1",
        }
        accepted = _read(await self._call("POST", "/v1/messages", json=body), Answer)
        if accepted is None or not accepted.message_uuid:
            raise Ambiguous("Vonage accepted the message but its answer names none")
        register = f"vo:{self._settings.api_key}:{accepted.message_uuid}"
        return Sent(provider_id=accepted.message_uuid, at=self._setup.now(), registers=(register,))

    async def check(self) -> None:
        """Asks for the application and its inbound address, or for any. Raises AuthFailed, Misconfigured, ..."""
        id_ = self._settings.application_id
        path = "/v2/applications?page_size=1" if id_ is None else f"/v2/applications/{id_}"
        found = _read(await self._call("GET", path), Application)
        if found is None:
            raise Unavailable("Vonage's answer about the application cannot be read")
        messages = (found.capabilities or Capabilities()).messages or Messages()
        inbound = str(messages.webhooks.get("inbound_url", {}).get("address") or "")
        if id_ is not None and not inbound.startswith(f"{self._setup.address.rpartition('/')[0]}/"):
            raise Misconfigured("application_id: its inbound address is none of ours, so no webhook will ever come")
        if id_ is not None and messages.version == "v0.1":
            raise Misconfigured("application_id: its webhooks come in version v0.1, which we do not read: set v1")
        if id_ is not None and messages.authenticate_inbound_media:
            raise Misconfigured("application_id: secure inbound media is on, so no file can be fetched: switch it off")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment, whose address is the secret for 48 hours: no credentials go along."""
        async with aclosing(self._media.fetch(attachment.url or "")) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    def _content(self, out: Outgoing) -> dict[str, Any]:
        if not 1 <= len(out.text) <= self.facts.max_text.value:
            raise Refused("text_length", f"a text has 1 to {self.facts.max_text.value} characters")
        if out.files:
            raise Refused("files", "this channel sends text only")
        if out.template is None:
            return {"message_type": "text", "text": out.text}
        name = self._settings.templates.get(out.template)
        if name is None:
            raise Refused("template", "no template of that purpose is configured for this channel")
        # WhatsApp takes no line break, tab or run of blanks in a template's variable.
        filled = {"name": name, "parameters": [" ".join(out.text.split())]}
        how = {"policy": "deterministic", "locale": self._settings.template_locale}
        return {"message_type": "template", "template": filled, "whatsapp": how}

    async def _call(self, method: str, path: str, **request: Any) -> http_errors.Answered:
        """A good answer. Raises the class of the number that a bad one carries, else of its status."""
        writes, secret = method == "POST", self._settings.api_secret.get_secret_value()
        answer = await http_errors.call(
            self._setup.session(),
            "Vonage",
            method,
            self._base + path,
            within=self._settings.timeout_seconds,
            writes=writes,
            headers={"Authorization": aiohttp.encode_basic_auth(self._settings.api_key, secret)},
            **request,
        )
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        code = (_read(answer, Answer) or Answer()).code
        # What has a name and no number (no credit, suspended) is told by its status, which the table lists too.
        told = code if code is not None or CODES.named(answer.status) is None else answer.status
        now = self._setup.now()
        raise http_errors.error(
            "Vonage", CODES, answer.status, code=told, headers=answer.headers, now=now, writes=writes
        )


def _read(answer: http_errors.Answered, type_: type[T]) -> T | None:
    try:
        return msgspec.json.decode(answer.body, type=type_)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return WhatsAppVonage(setup)


CONNECTOR = Spec(kind="whatsapp_vonage", channels=("whatsapp",), settings=Settings, facts=FACTS, build=build)
