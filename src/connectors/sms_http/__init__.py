"""SMS through any aggregator that calls a webhook and takes texts by HTTP; Twilio is one profile of it.

The settings say how its webhook looks and proves itself, how a text is handed in, and what its codes mean. Through
Twilio, what the webhook missed and what became of a send without an answer are listed too (`since`, `find`).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec

from connectors import facts, http_errors, json_items, signing
from connectors.codes import Codes
from connectors.contract import Answer, Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    ConnectorError,
    Misconfigured,
    Refused,
    Rejected,
    Throttled,
)
from connectors.sms_http import payload
from connectors.sms_http.parse import Rules, numbered, parse
from connectors.sms_http.proof import verify
from connectors.sms_http.segments import cheapest, size
from connectors.sms_http.settings import CODES, HERE, TWILIO_URL, Settings, Value
from connectors.twilio_messages import LISTED, OUTBOX, Messages, Resource, read
from normalizer.message import Event, Outgoing, Raw, Sent

FACTS = facts.load(HERE / "facts.yaml")
PROVIDER = "the SMS aggregator"


class SmsHttp:
    """One SMS sender at an aggregator."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: our number.
        self.account = numbered(settings.sender)
        self._setup = setup
        self._settings = settings
        self._secrets = signing.keys(settings.secrets)
        self._url = str(settings.send_url)
        self._rules = Rules(
            incoming=settings.incoming,
            codes=settings.outgoing.codes,
            sender=self.account,
            receives=frozenset(map(numbered, settings.receives)),
            scope=f"sms:{urlsplit(self._url).hostname}",
        )
        #: For answers without a code that the settings list: the HTTP status decides.
        self._bare = Codes(
            source="settings", read_on=CODES.read_on, throttled_after=settings.outgoing.throttled_after, codes={}
        )

    def receive(self, request: Request) -> Intake:
        """Keeps what the aggregator proves to be its own. Raises Rejected."""
        if request.method != "POST":
            raise Rejected(405, "only POST")
        if len(request.body) > self.facts.max_body_bytes.value:
            raise Rejected(413, "larger than any webhook about texts")
        incoming = self._settings.incoming
        verify(request, incoming.proof, self._secrets, self._setup.public_url)
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body, target=request.target)
        return Intake(keep=(raw,), answer=Answer(body=incoming.answer.encode(), content_type=incoming.answer_type))

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one webhook or listed message. Raises Malformed."""
        return parse(raw, self._rules)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to the aggregator, in the alphabet that costs least; its report brings `out.key` back."""
        limit = self.facts.max_text.value
        text = cheapest(out.text)
        if not out.text or len(out.text.encode("utf-16-le", "surrogatepass")) // 2 > limit:
            raise Refused("text_length", f"a text has 1 to {limit} UTF-16 units")
        if out.files or out.public or out.template is not None:
            raise Refused("kind", "this channel sends private texts only")
        settings = self._settings
        values: dict[Value, str | bool] = {
            "to": out.recipient,
            "from": settings.sender,
            "text": text,
            "key": out.key,
            "callback": self._callback(out.key),
            "unicode": size(text).alphabet == "ucs2",
        }
        answer = await self._post(payload.body(settings.outgoing, values, self._secret()))
        found = payload.word(payload.at(answer.json(), settings.outgoing.id))
        if found is None or not json_items.is_identifier(found):
            raise Ambiguous(f"{PROVIDER} accepted the text but its answer names none")
        return Sent(provider_id=found, at=self._setup.now())

    async def check(self) -> None:
        """Asks `check_url`, where one is given. Raises AuthFailed, Unavailable, Misconfigured."""
        url = self._settings.outgoing.check_url
        if url is None:
            return
        answer = await self._call("GET", str(url))
        if answer.status == 403:
            raise AuthFailed(f"{PROVIDER} answered HTTP 403")
        if not 200 <= answer.status < 300:
            error = self._error(answer)
            raise Misconfigured("outgoing.check_url: no good answer") if isinstance(error, Refused) else error

    async def aclose(self) -> None:
        """Holds nothing."""

    def _callback(self, key: str) -> str:
        return f"{self._setup.address}?{urlencode({OUTBOX: key})}"

    async def _post(self, body: dict[str, Any]) -> http_errors.Answered:
        given = self._settings.outgoing
        if given.format == "form":
            answer = await self._call(given.method, self._url, data=body)
        else:
            headers = {"Content-Type": "application/json"}
            answer = await self._call(given.method, self._url, data=msgspec.json.encode(body), headers=headers)
        code = payload.word(payload.at(answer.json(), given.code))
        if not 200 <= answer.status < 300 or (code is not None and code not in given.good_codes):
            raise self._error(answer, code, writes=True)
        return answer

    async def _call(self, method: str, url: str, **request: Any) -> http_errors.Answered:
        headers = {**self._login(), **request.pop("headers", {})}
        return await http_errors.call(
            self._setup.session(),
            PROVIDER,
            method,
            url,
            within=self._settings.timeout_seconds,
            writes=method != "GET",
            headers=headers,
            **request,
        )

    def _login(self) -> dict[str, str]:
        login = self._settings.outgoing.login
        match login.scheme:
            case "bearer":
                return {"Authorization": f"Bearer {self._secret()}"}
            case "basic":
                return {"Authorization": aiohttp.encode_basic_auth(login.user, self._secret())}
            case "header":
                return {login.header: self._secret()}
            case _:
                return {}

    def _secret(self) -> str:
        return (self._settings.outgoing.login.secret or self._settings.secrets[0]).get_secret_value()

    def _error(self, answer: http_errors.Answered, code: str | None = None, *, writes: bool = False) -> ConnectorError:
        """What an answer means: the aggregator's own code first, else the HTTP status."""
        codes = self._settings.outgoing.codes
        name = codes.get(code or "") or codes.get(f"http {answer.status}")
        now = self._setup.now()
        if name is None and not 200 <= answer.status < 300:
            found = http_errors.error(
                PROVIDER, self._bare, answer.status, headers=answer.headers, now=now, writes=writes
            )
            if code is None or not isinstance(found, Refused):
                return found
        text = f"{PROVIDER} answered HTTP {answer.status}"
        if name == "Throttled":
            asked = http_errors.retry_after(answer.headers, now)
            return Throttled(text, after=asked if asked is not None else self._bare.throttled_after)
        return Refused(_short(code), text) if name in {None, "Refused"} else CLASSES[str(name)](text)


class TwilioSms(SmsHttp):
    """One SMS sender at Twilio, whose messages can be listed."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        settings: Settings = setup.settings
        found = re.match(TWILIO_URL, self._url)
        if found is None:
            raise Misconfigured("send_url: Twilio's ends with /2010-04-01/Accounts/AC.../Messages.json")
        account = found["account"]
        self._rules = msgspec.structs.replace(self._rules, scope=f"tw:{account}")
        self._messages = Messages(
            setup,
            root=found["root"],
            account_sid=account,
            auth_token=settings.outgoing.login.secret or settings.secrets[0],
            codes=CODES,
            timeout_seconds=settings.timeout_seconds,
            page_size=settings.page_size,
        )

    def _login(self) -> dict[str, str]:
        return self._messages.credentials()

    async def find(self, out: Outgoing) -> Sent | None:
        """What Twilio lists of an earlier attempt of `out`: same recipient, same text, not failed (A13)."""
        if out.first_attempt_at is None:
            return None
        found = await self._messages.find(
            out.recipient, self._settings.sender, cheapest(out.text), out.first_attempt_at
        )
        return Sent(provider_id=found[0], at=found[1]) if found is not None else None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Inbound messages that Twilio lists since `moment` (UTC), newest first."""
        for number in (self._settings.sender, *self._settings.receives):
            async with aclosing(self._messages.since(number, moment, self._raw)) as batches:
                async for batch in batches:
                    yield batch

    async def check(self) -> None:
        """Asks Twilio for the account. Raises AuthFailed, Misconfigured, Unavailable."""
        await self._messages.check()

    async def _raw(self, item: msgspec.Raw) -> Raw:
        resource = read(item, Resource)
        return Raw(
            channel_id=self.channel_id,
            received_at=self._setup.now(),
            body=bytes(item),
            headers={LISTED: "message"},
            ref=resource.sid if resource is not None else "",
        )


def _short(code: str | None) -> str:
    """A code as far as it can be one: a text in its place may hold anything."""
    return code if code is not None and re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", code) else "unknown"


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    settings: Settings = setup.settings
    return TwilioSms(setup) if settings.profile == "twilio" else SmsHttp(setup)


CONNECTOR = Spec(kind="sms_http", channels=("sms",), settings=Settings, facts=FACTS, build=build)
