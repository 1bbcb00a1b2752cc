"""WhatsApp through Meta's Cloud API: one business number.

Several numbers of one app share one webhook, and one POST may mix them. So `receive` keeps every authentic POST and
`parse` reads all of its items; each Message names in `account` the phone_number_id that it was sent to. Whoever records
the events gives each to the channel that is configured for its account, and dedupes on `Message.key`: a POST that came
to the addresses of two channels is then one set of messages.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from connectors import codes, facts, http_errors
from connectors.contract import Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, ConnectorError, Misconfigured, Refused, Unreachable
from connectors.media import Gone, MediaClient
from connectors.meta_webhook import MetaWebhook
from connectors.whatsapp_cloud.parse import parse
from connectors.whatsapp_cloud.payload import MediaAnswer, SendAnswer
from connectors.whatsapp_cloud.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
_encode = msgspec.json.Encoder().encode


class WhatsAppCloud:
    """One business number at Meta."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.phone_number_id
        self._setup = setup
        self._settings = settings
        self._webhook = MetaWebhook(setup)
        self._base = f"{str(settings.api_base).rstrip('/')}/{settings.api_version}"
        hours = setup.facts.reply_window_hours.value
        self._window = timedelta(hours=hours) if hours is not None else None
        self._media = MediaClient(
            setup.facts.media_hosts.value,
            [str(settings.api_base)],
            max_bytes=setup.facts.max_attachment_bytes.value or 0,
            timeout=settings.media_timeout_seconds,
        )

    def receive(self, request: Request) -> Intake:
        """Answers Meta's handshake, or keeps a POST whose signature is good. Raises Rejected."""
        return self._webhook.receive(request)

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
        _, found = await self._exchange("POST", f"{self._settings.phone_number_id}/messages", data=_encode(body))
        if found is None or not found.messages or not found.messages[0].id:
            raise Ambiguous("WhatsApp accepted the message but its answer names none")
        wamid = found.messages[0].id
        ref = f"wa:{self._settings.phone_number_id}:{wamid}"
        return Sent(provider_id=wamid, at=self._setup.now(), registers=(ref,))

    async def check(self) -> None:
        """Asks Meta for the number and whether the app listens to its account. Raises AuthFailed, Misconfigured, ..."""
        number = self._settings.phone_number_id
        answer = await self._call("GET", number, params={"fields": "id,display_phone_number,verified_name"})
        found = answer.json()
        if not isinstance(found, dict) or found.get("id") != number:
            raise Misconfigured("phone_number_id: Meta knows another number under it")
        if self._settings.waba_id is not None:
            apps = (await self._call("GET", f"{self._settings.waba_id}/subscribed_apps")).json()
            if not isinstance(apps, dict) or not apps.get("data"):
                raise Misconfigured("waba_id: no app is subscribed to this account, so no webhook will ever come")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment. Its address lives five minutes: a stale one is asked for once more."""
        if not attachment.ref:
            raise Unreachable("this attachment has no media id")
        for attempt in (1, 2):
            url = await self._media_url(attachment.ref)
            try:
                async with aclosing(self._media.fetch(url, self._bearer())) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Gone:
                if attempt == 2:
                    raise
            else:
                return

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

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
        answer = await self._call("GET", media_id, params={"phone_number_id": self._settings.phone_number_id})
        found = _read(answer, MediaAnswer)
        if found is None or not found.url:
            raise Unreachable("WhatsApp names no address for this attachment")
        return str(found.url)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"}

    async def _call(self, method: str, path: str, **request: Any) -> http_errors.Answered:
        answer, _ = await self._exchange(method, path, **request)
        return answer

    async def _exchange(self, method: str, path: str, **request: Any) -> tuple[http_errors.Answered, SendAnswer | None]:
        """A good answer as it came and as far as it answers a send; `data` is JSON."""
        headers = self._bearer()
        if "data" in request:
            headers["Content-Type"] = "application/json"
        answer = await http_errors.call(
            self._setup.session(),
            "WhatsApp",
            method,
            f"{self._base}/{path}",
            within=self._settings.timeout_seconds,
            writes=method == "POST",
            headers=headers,
            **request,
        )
        found: SendAnswer | None = _read(answer, SendAnswer)
        failed = found.error if found is not None else None
        if answer.status != 200 or failed is not None:
            raise self._error(answer, failed.code if failed is not None else None, writes=method == "POST")
        return answer, found

    def _error(self, answer: http_errors.Answered, code: int | str | None, *, writes: bool) -> ConnectorError:
        return http_errors.error(
            "WhatsApp",
            CODES,
            answer.status,
            code=int(code) if code is not None and str(code).isdecimal() else None,
            headers=answer.headers,
            now=self._setup.now(),
            writes=writes,
        )


def _read(answer: http_errors.Answered, type_: Any) -> Any:
    """The answer as `type_`, or None when it cannot be read as one."""
    try:
        return msgspec.json.decode(answer.body, type=type_)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return WhatsAppCloud(setup)


CONNECTOR = Spec(kind="whatsapp_cloud", channels=("whatsapp",), settings=Settings, facts=FACTS, build=build)
