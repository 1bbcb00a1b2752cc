"""WhatsApp by Vonage's Messages API, pretended on loopback: one number of one account.

`received`, `sent` (`text`, `to`, `status`, `client_ref`, `template`) and `deliveries` are records. What customers do:
`inject_text`, `inject_file`, `inject` (any type with its fields); `inject_raw` posts anything, signed by anybody. What
goes wrong: `unreachable` (1300), `close_window(number)`, `report(message, word, code=)`, `faults.code(1030)`.
Contested, and taken from the side that is harder for the business: a repeated webhook has the token it had at first.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Unpack

from aiohttp import web

from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.faults import Code, weather_fault
from simulator.front import CodedRefusal, answer, carry_out, refusing, suffer
from simulator.limits import Buckets
from simulator.place import Account, Asks, Attachment, Choice, Line, Mounted, Ports, Service, Talk

Json = dict[str, Any]
Hook = tuple[str, Json]  # where a webhook goes, and what it says

WINDOW_SECONDS = 24 * 3600.0
TEXT_LIMIT = 4_096
REFERENCE_LIMIT = 100
PER_SECOND = 30.0
MOST_PEOPLE = 100_000
# From 5 seconds, doubling up to every 15 minutes, for 24 hours; only after 429 and 5xx, or no answer at all.
POLICY = RetryPolicy(
    waits=(5, 10, 20, 40, 80, 160, 320, 640, *([900] * 94)),
    wanted=lambda attempt: attempt.status is None or attempt.status == 429 or attempt.status >= 500,
)
#: number -> (HTTP status, name); every other is 422. Statuses of HTTP stand for what has a name and no number.
ERRORS: Mapping[int, tuple[int, str]] = {
    401: (401, "unauthorized"), 402: (402, "low-balance"), 404: (404, "not-found"), 1000: (429, "Throttled"),
    1030: (500, "Internal error"), 1331: (503, "Provider error"),
}  # fmt: skip
#: Vonage's words -> the page's.
_NOTES = {"file": "document", "submitted": "sent", "rejected": "failed"}
_RECIPIENT = re.compile(r"[1-9][0-9]{6,14}|[A-Za-z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")


class VonageError(CodedRefusal):
    """A call that Vonage refuses."""

    documented = ERRORS
    otherwise = (422, "Refused")

    def body(self) -> Json:
        """The problem as the API writes it."""
        problem = f"/messages#{self.code}" if self.code >= 1000 else f"#{self}"
        return {"type": f"https://developer.vonage.com/api-errors{problem}", "title": str(self), "detail": "pretended"}


@dataclass(slots=True)
class Message:
    """One message in either direction; numbers without plus, as Vonage writes them. `at`: seconds since 1970."""

    from_: str
    to: str
    type: str
    text: str
    at: float
    status: str
    id: str
    file: Attachment | None = None
    client_ref: str = ""
    webhook_url: str = ""
    template: str = ""


class WhatsAppVonage(PretendedAccount[Hook]):
    """A number at Vonage. Times are seconds since the epoch; `time_scale` shortens waits."""

    kind = "whatsapp_vonage"
    path = "/vonage"
    name = "WhatsApp"
    channel = "WhatsApp (Vonage)"
    asks: Asks = "number"

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        signature_secret: str,
        number: str,
        application_id: str = "",
        status_delays: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.api_key, self.api_secret, self.signature_secret = api_key, api_secret, signature_secret
        self.number, self.application_id = number.removeprefix("+"), application_id
        self.status_delays = dict(status_delays or {"submitted": 0.05, "delivered": 0.2, "read": 1.0})
        self.unreachable: set[str] = set()
        self.sent: Record[Message] = Record(self._keep)
        self.received: Record[Message] = Record(self._keep)
        self.calls: Buckets[None] = Buckets()
        self._wrote: dict[str, float] = {}

    @classmethod
    def mount(cls, accounts: Sequence[WhatsAppVonage]) -> Mounted:
        """The API of all numbers."""
        return Mounted(Api(accounts).routes())

    # ---- from the customer

    async def inject_text(self, from_: str, text: str, **more: Any) -> str:
        """Delivers a text and returns its UUID."""
        return await self.inject(from_, "text", {"text": text, **more})

    async def inject_file(self, from_: str, file: Attachment, caption: str = "") -> str:
        """Delivers a file; Vonage keeps it at an address of its own."""
        kind, id_ = file.media_type.partition("/")[0], str(uuid.uuid4())
        kind = kind if kind in ("image", "audio", "video") else "file"
        part = {"url": f"{self.base_url}/v3/media/{id_}", "name": file.filename, "caption": caption or None}
        return await self.inject(from_, kind, {kind: part, "message_uuid": id_}, file)

    async def inject(self, from_: str, type_: str, fields: Json, file: Attachment | None = None) -> str:
        """Delivers a message with these fields; who hides the number writes from a business-scoped user id."""
        id_, part = fields.get("message_uuid", str(uuid.uuid4())), fields.get(type_, {})
        text = part if isinstance(part, str) else part.get("caption") or part.get("title") or ""
        kept = Message(from_.removeprefix("+"), self.number, type_, text, self.clock(), "received", id_, file)
        self.received.append(kept)
        self._wrote[kept.from_] = kept.at
        if len(self._wrote) > MOST_PEOPLE:
            self._wrote.pop(next(iter(self._wrote)))
        told = {"profile": {"name": "Budi"}, "context_status": "none", "message_type": type_, **fields}
        await self._mixer.put((self.webhook_url, _common(kept, kept.at) | told), self.weather)
        return kept.id

    async def inject_raw(
        self, body: bytes, *, secret: str | None = None, alg: str = "HS256", claims: Json | None = None
    ) -> Delivery:
        """Posts these bytes once; each argument falsifies one part of the proof."""
        return await self._post_once(self._delivery(self.webhook_url, body, secret, alg, claims), POLICY)

    def close_window(self, number: str) -> None:
        """Makes the customer's last message too old."""
        self._wrote.pop(number.removeprefix("+"), None)

    def window_open(self, number: str) -> bool:
        """True within 24 h of the last message from this number."""
        return self.clock() - self._wrote.get(number, float("-inf")) < WINDOW_SECONDS

    # ---- to the business

    async def report(self, message: Message, word: str, *, code: int | None = None) -> None:
        """Sets the status of a sent message and tells the business."""
        message.status = word
        body = _common(message, self.clock()) | {"status": word, "client_ref": message.client_ref}
        if code is not None:
            body["error"] = VonageError(code).body() | {"title": str(code)}
        if word == "delivered":
            body["whatsapp"] = {"pricing": {"type": "regular", "pricing_model": "PMP", "category": "service"}}
        await self._mixer.put((message.webhook_url or self.webhook_url, body), self.weather)

    async def _post(self, hooks: list[Hook]) -> None:
        for url, said in hooks:
            if url:
                body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
                await self._post_until_accepted(self._delivery(url, body), POLICY)

    def _delivery(
        self, url: str, body: bytes, secret: str | None = None, alg: str = "HS256", claims: Json | None = None
    ) -> Delivery:
        told = {"iat": int(self.clock()), "jti": str(uuid.uuid4()), "iss": "Vonage", "api_key": self.api_key}
        told |= {"payload_hash": hashlib.sha256(body).hexdigest(), **(claims or {})}
        signed = b".".join(_part(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": alg}, told))
        key = (self.signature_secret if secret is None else secret).encode()
        token = b".".join((signed, _part(hmac.digest(key, signed, "sha256")))).decode()
        return Delivery(url, body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})

    # ---- for the page

    @property
    def address(self) -> str:
        """The number that customers write to."""
        return f"+{self.number}"

    def talks(self) -> list[Talk]:
        """The account itself."""
        return [self]

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        await (self.inject_text(person, text) if attachment is None else self.inject_file(person, attachment, text))

    async def choose(self, person: str, choice: Choice) -> None:
        """Lets a customer tap a reply."""
        await self.inject(person, "reply", {"reply": {"id": choice.id, "title": choice.title}})

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        number = person.removeprefix("+")
        wrote = [
            Line(each.at, True, each.text, _note(each.type), (each.file,) if each.file is not None else ())
            for each in self.received
            if each.from_ == number
        ]
        got = [Line(each.at, False, each.text, _note(each.status)) for each in self.sent if each.to == number]
        return sorted((*wrote, *got), key=lambda line: line.at)


class Api:
    """Routes calls to the account that logs in; of several numbers of one account to the one that sends."""

    def __init__(self, accounts: Sequence[WhatsAppVonage]) -> None:
        self._accounts = list(accounts)

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below Vonage's prefix."""
        return [
            web.post("/v1/messages", refusing(self.send)),
            web.get("/v2/applications", refusing(self.application)),
            web.get("/v2/applications/{id}", refusing(self.application)),
            web.get("/v3/media/{id}", refusing(self.media)),
        ]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/messages"""
        raw = await request.read()
        account = self._of(request, raw)
        fault = account.faults.next() or weather_fault(
            account.weather,
            rate_limit=[Code(1000)],
            server_error=(Code(1030), Code(1331)),
            expired_token=Code(401),
            window_closed=None if b'"template"' in raw else Code(1340),
        )
        return await carry_out(
            fault, request, _refusal, lambda: answer({"message_uuid": _accept(account, raw).id}, 202)
        )

    async def application(self, request: web.Request) -> web.StreamResponse:
        """GET /v2/applications and /v2/applications/{id}"""
        account, id_ = self._of(request, b""), request.match_info.get("id")
        if account.weather.climate.trouble == "expired-token":
            raise VonageError(401)
        hooks = {
            name: {"address": account.webhook_url, "http_method": "POST"} for name in ("inbound_url", "status_url")
        }
        heard = {} if account.weather.climate.unsubscribed else {"messages": {"version": "v1", "webhooks": hooks}}
        found = {"id": account.application_id, "name": account.name, "capabilities": heard}
        if id_ not in (None, account.application_id):
            raise VonageError(404)
        return answer(found if id_ else {"total_items": 1, "_embedded": {"applications": [found]}})

    async def media(self, request: web.Request) -> web.StreamResponse:
        """GET /v3/media/{id}: whoever knows the address may have it."""
        for account in self._accounts:
            for each in account.received:
                if each.file is not None and each.id == request.match_info["id"]:
                    if (fault := account.media_faults.next()) is not None:
                        return await suffer(fault, request, _refusal)
                    return web.Response(body=each.file.content, headers={"Content-Type": each.file.media_type})
        raise VonageError(404)

    def _of(self, request: web.Request, raw: bytes) -> WhatsAppVonage:
        shown, asked = request.headers.get("Authorization", ""), request.match_info.get("id")
        login = {each: b64encode(f"{each.api_key}:{each.api_secret}".encode()).decode() for each in self._accounts}
        found = [each for each, pair in login.items() if shown == f"Basic {pair}"]
        if not found:
            raise VonageError(401)
        named = (each for each in found if f'"{each.number}"'.encode() in raw or each.application_id == asked)
        return next(named, found[0])


def _accept(account: WhatsAppVonage, raw: bytes) -> Message:
    """The accepted message; raises VonageError for a refused one."""
    try:
        given = json.loads(raw)
        type_, to, from_, reference = given["message_type"], given["to"], given["from"], given.get("client_ref", "")
        text = given["text"] if type_ == "text" else "\n".join(given["template"]["parameters"])
        template = given["template"]["name"] if type_ == "template" and given["whatsapp"]["locale"] else ""
        hook = given.get("webhook_url", "")
        "".join((text, to, from_, reference, template, hook))  # raises TypeError for what is no text
    except (ValueError, KeyError, TypeError, RecursionError):
        raise VonageError(1010) from None
    if given.get("channel") != "whatsapp" or from_ != account.number:
        raise VonageError(1400 if from_ == account.number else 1420)
    if not _RECIPIENT.fullmatch(to):
        raise VonageError(1430)
    if not 1 <= len(text) <= TEXT_LIMIT or (template and "\n" in text):
        raise VonageError(1020)
    now = account.clock()
    if len(reference) > REFERENCE_LIMIT or not account.calls.fits(None, now, per_second=PER_SECOND, burst=PER_SECOND):
        raise VonageError(1450 if len(reference) > REFERENCE_LIMIT else 1000)
    account.calls.fill(None, now, per_second=PER_SECOND)
    kept = Message(from_, to, type_, text, now, "accepted", str(uuid.uuid4()), None, reference, hook, template)
    account.sent.append(kept)
    closed = not template and not account.window_open(to)
    account.tasks.spawn(_go(account, kept, 1300 if to in account.unreachable else 1340 if closed else None))
    return kept


async def _go(account: WhatsAppVonage, message: Message, refusal: int | None) -> None:
    delays = account.status_delays if refusal is None else {"rejected": account.status_delays["submitted"]}
    for word, delay in delays.items():
        await asyncio.sleep(delay * account.time_scale)
        await account.report(message, word, code=refusal)


def _common(message: Message, at: float) -> Json:
    found = {"channel": "whatsapp", "message_uuid": message.id, "to": message.to, "from": message.from_}
    return found | {"timestamp": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def _note(word: str) -> str:
    return _NOTES.get(word, word)


def _refusal(code: Code) -> VonageError:
    return VonageError(code.code, status=code.status)


def _part(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def providers(accounts: Sequence[Account], _ports: Ports) -> list[WhatsAppVonage]:
    """A number for each account."""
    return [
        WhatsAppVonage(
            api_key=each.settings["api_key"],
            api_secret=each.settings["api_secret"],
            signature_secret=each.settings["signature_secrets"][0],
            number=each.settings["number"],
            application_id=each.settings["application_id"] or "",
            webhook_url=each.webhook_url,
            name=each.name,
        )
        for each in accounts
    ]


SERVICE = Service(kinds=("whatsapp_vonage",), providers=providers)
