"""WhatsApp through Twilio: one WhatsApp number.

Twilio gives a webhook up after 15 seconds and sends it never again, so this connector also lists what the webhook may
have missed (`since`) and what became of a send without an answer (`find`). Messages and status callbacks come to the
same address; a status brings our outbox key back in the query of the address that Twilio signs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from connectors import codes, facts, http_errors, signing, twilio_signing
from connectors.contract import Answer, Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Rejected, Unavailable, Unreachable
from connectors.media import MediaClient
from connectors.whatsapp_twilio import payload
from connectors.whatsapp_twilio.parse import LISTED, OUTBOX, moment, parse
from connectors.whatsapp_twilio.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
LOST = frozenset({"failed", "undelivered", "canceled"})
CLOCK_SKEW = timedelta(minutes=2)  # how far Twilio's clock may be behind ours when a send is looked for


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
        self._tokens = signing.keys(settings.auth_tokens)
        self._keys = {name: signing.keys([secret])[0] for name, secret in settings.shared_keys.items()}
        self._root = str(settings.api_base).rstrip("/")
        self._accounts = f"{self._root}/2010-04-01/Accounts"
        self._account = f"{self._accounts}/{settings.account_sid}"
        hours = setup.facts.reply_window_hours.value
        self._window = timedelta(hours=hours) if hours is not None else None
        self._media = MediaClient(
            setup.facts.media_hosts.value,
            [self._root],
            max_bytes=setup.facts.max_attachment_bytes.value or 0,
            timeout=settings.media_timeout_seconds,
        )

    def receive(self, request: Request) -> Intake:
        """Keeps a message or status whose signature is good. Raises Rejected."""
        if request.method != "POST":
            raise Rejected(405, "only POST")
        if len(request.body) > self.facts.max_body_bytes.value:
            raise Rejected(413, "larger than any webhook of Twilio")
        twilio_signing.verify(request, self._setup.public_url, self._tokens, self._keys)
        if twilio_signing.media_type(request) != twilio_signing.FORM:
            raise Rejected(415, "messages come as forms")
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body, target=request.target)
        return Intake(keep=(raw,), answer=Answer(body=b"<Response/>", content_type="text/xml"))

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one webhook, status callback or listed message. Raises Malformed."""
        return parse(raw, self._window, CODES, self._accounts)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Twilio; its status callbacks bring `out.key` back."""
        form = {"To": f"whatsapp:{out.recipient}", "From": f"whatsapp:{self._settings.number}", **self._content(out)}
        query = urlencode({OUTBOX: out.key})
        form["StatusCallback"] = f"{self._setup.public_url.rstrip('/')}/in/{quote(self.channel_id, safe='')}?{query}"
        answer = _read(await self._call("POST", f"{self._account}/Messages.json", data=form), payload.Answer)
        if answer is None or not answer.sid:
            raise Ambiguous("Twilio accepted the message but its answer names none")
        return self._sent(answer.sid, self._setup.now())

    async def find(self, out: Outgoing) -> Sent | None:
        """What Twilio lists of an earlier attempt of `out`: same recipient, same text, not failed (A13)."""
        if out.first_attempt_at is None:
            return None
        earliest = out.first_attempt_at - CLOCK_SKEW
        wanted = {"To": f"whatsapp:{out.recipient}", "From": f"whatsapp:{self._settings.number}"}
        async with aclosing(self._messages(wanted, earliest)) as pages:
            async for page in pages:
                for item in page:
                    found = _read(item, payload.Resource)
                    if found is None or found.direction == "inbound" or found.status in LOST:
                        continue
                    at = moment(found) or self._setup.now()
                    if at >= earliest and (found.body or "").strip() == out.text.strip():
                        return self._sent(found.sid, at)
        return None

    async def since(self, moment_: datetime) -> AsyncGenerator[Batch, None]:
        """Inbound messages that Twilio lists since `moment_` (UTC), newest first.

        The cursor moves only with the last batch: a listing that was cut short is listed again.
        """
        newest = moment_
        kept: tuple[Raw, ...] = ()
        async with aclosing(self._messages({"To": f"whatsapp:{self._settings.number}"}, moment_)) as pages:
            async for page in pages:
                if kept:
                    yield Batch(keep=kept, cursor=moment_.isoformat())
                found = [each for item in page if (each := _listed(item, moment_)) is not None]
                newest = max([newest, *(at for _, at in found)])
                kept = tuple([await self._raw(item) for item, _ in found])
        yield Batch(keep=kept, cursor=newest.isoformat())

    async def check(self) -> None:
        """Asks Twilio for the account. Raises AuthFailed, Misconfigured, Unavailable."""
        answer = _read(await self._call("GET", f"{self._account}.json"), payload.Answer)
        if answer is None or answer.sid != self._settings.account_sid:
            raise Misconfigured("account_sid: Twilio knows another account under it")
        if answer.status != "active":
            raise AuthFailed(f"the Twilio account is {'suspended' if answer.status == 'suspended' else 'not active'}")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment; the credentials go to Twilio's API alone, not along with its redirect."""
        url = attachment.url or ""
        if not url.startswith(f"{self._accounts}/"):
            raise Unreachable("this attachment does not lie at Twilio")
        async with aclosing(self._media.fetch(url, self._basic())) as chunks:
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

    async def _messages(self, wanted: dict[str, str], earliest: datetime) -> AsyncGenerator[list[msgspec.Raw], None]:
        day = earliest.astimezone(UTC).date().isoformat()
        query = urlencode({**wanted, "DateSent>": day, "PageSize": str(self._settings.page_size)})
        url = f"{self._account}/Messages.json?{query}"
        while True:
            page = _read(await self._call("GET", url), payload.Page)
            if page is None:
                raise Unavailable("Twilio's list of messages cannot be read")
            yield page.messages
            # A path below our own address and nothing else: the credentials go with it.
            if not page.next_page_uri or not page.next_page_uri.startswith("/") or page.next_page_uri.startswith("//"):
                return
            url = f"{self._root}{page.next_page_uri}"

    async def _raw(self, item: msgspec.Raw) -> Raw:
        media: list[payload.MediaResource] = []
        resource = _read(item, payload.Resource)
        if resource is not None and str(resource.num_media) != "0":
            answer = await self._call("GET", f"{self._account}/Messages/{quote(resource.sid, safe='')}/Media.json")
            media = (_read(answer, payload.MediaPage) or payload.MediaPage()).media_list
        return Raw(
            channel_id=self.channel_id,
            received_at=self._setup.now(),
            body=msgspec.json.encode(payload.Listed(message=item, media=media)),
            headers={LISTED: "message"},
            ref=resource.sid if resource is not None else "",
        )

    def _basic(self) -> dict[str, str]:
        token = self._settings.auth_tokens[0].get_secret_value()
        return {"Authorization": aiohttp.encode_basic_auth(self._settings.account_sid, token)}

    async def _call(self, method: str, url: str, **request: Any) -> http_errors.Answered:
        answer = await http_errors.call(
            self._setup.session(),
            "Twilio",
            method,
            url,
            within=self._settings.timeout_seconds,
            writes=method == "POST",
            headers=self._basic(),
            **request,
        )
        if answer.status in (200, 201):
            return answer
        found = _read(answer, payload.Answer)
        raise http_errors.error(
            "Twilio",
            CODES,
            answer.status,
            code=found.code if found is not None else None,
            headers=answer.headers,
            now=self._setup.now(),
            writes=method == "POST",
        )


def _listed(item: msgspec.Raw, earliest: datetime) -> tuple[msgspec.Raw, datetime] | None:
    """The item and its time if it is an inbound message since `earliest`; what cannot be read counts as one."""
    found = _read(item, payload.Resource)
    if found is None:
        return item, earliest
    at = moment(found) or earliest
    return (item, at) if found.direction == "inbound" and at >= earliest else None


def _read(source: http_errors.Answered | msgspec.Raw, type_: Any) -> Any:
    """The answer or item as `type_`, or None when it cannot be read as one."""
    try:
        return msgspec.json.decode(source.body if isinstance(source, http_errors.Answered) else source, type=type_)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return WhatsAppTwilio(setup)


CONNECTOR = Spec(kind="whatsapp_twilio", channels=("whatsapp",), settings=Settings, facts=FACTS, build=build)
