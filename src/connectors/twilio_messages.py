"""Twilio's messages by its REST API, for every connector whose texts go through Twilio (WhatsApp, SMS).

Twilio gives a webhook up after 15 seconds and has no idempotency key. So its list of messages is asked for what the
webhook missed and for what became of a send without an answer (sheet A13).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from msgspec import Struct, field
from pydantic import SecretStr

from connectors import http_errors
from connectors.codes import Codes
from connectors.contract import Batch, Setup
from connectors.errors import AuthFailed, Misconfigured, Unavailable
from normalizer.message import DeliveryState, Raw

T = TypeVar("T")

#: Name of the parameter in a status callback's address that brings our outbox key back.
OUTBOX = "outbox"
#: Header of a Raw that the reconciler made; a webhook's own headers never reach parse.
LISTED = "aduan-listed"
LOST = frozenset({"failed", "undelivered", "canceled"})
STATES: Mapping[str, DeliveryState] = {
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
UNDER_WAY = frozenset({"accepted", "scheduled", "queued", "sending"})
CLOCK_SKEW = timedelta(minutes=2)  # how far Twilio's clock may be behind ours when a send is looked for


# {"sid":"MM5","account_sid":"AC1","from":"whatsapp:+62812","to":"whatsapp:+62215","body":"Halo","direction":"inbound",
#  "num_media":"1","status":"received","date_sent":"Mon, 05 Jan 2026 03:00:00 +0000","error_code":null}
class Resource(Struct):
    """One message, either way, as `GET /Messages` lists it."""

    sid: str
    account_sid: str
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    body: str | None = None
    direction: str = ""
    num_media: str | int = "0"
    status: str = ""
    date_sent: str | None = None
    date_created: str | None = None


class Paged(Protocol):
    """A page of any of Twilio's lists."""

    next_page_uri: str | None


P = TypeVar("P", bound=Paged)


class Page(Struct):
    """{"messages":[...],"next_page_uri":"/2010-04-01/Accounts/AC1/Messages.json?PageSize=50&Page=1&PageToken=PAMM"}"""

    messages: list[msgspec.Raw]
    next_page_uri: str | None = None


# {"sid":"SM3","status":"queued",...}  or  {"code":63016,"message":"...","more_info":"...","status":400}
class Answer(Struct):
    """What a call is answered with, good or bad."""

    sid: str | None = None
    code: int | None = None
    status: str | int | None = None


def read(source: http_errors.Answered | msgspec.Raw, type_: type[T]) -> T | None:
    """The answer or item as `type_`, or None when it cannot be read as one."""
    try:
        return msgspec.json.decode(source.body if isinstance(source, http_errors.Answered) else source, type=type_)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def moment(found: Resource) -> datetime | None:
    """When a listed message was sent, UTC; None when Twilio does not say."""
    return first_date(found.date_sent, found.date_created)


def first_date(*texts: str | None) -> datetime | None:
    """The first of these that can be read as a date (RFC 2822), UTC."""
    for text in texts:
        try:
            at = parsedate_to_datetime(text or "")
        except (ValueError, TypeError, OverflowError):
            continue
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return None


class Messages:
    """The messages of one Twilio account; `root` is where the REST API answers, without a slash at the end."""

    def __init__(
        self,
        setup: Setup,
        *,
        root: str,
        account_sid: str,
        auth_token: SecretStr,
        codes: Codes,
        timeout_seconds: float,
        page_size: int,
    ) -> None:
        self.accounts = f"{root}/2010-04-01/Accounts"
        self.account = f"{self.accounts}/{account_sid}"
        self._setup = setup
        self._root = root
        self._sid = account_sid
        self._token = auth_token
        self._codes = codes
        self._timeout = timeout_seconds
        self._page_size = page_size

    def credentials(self) -> dict[str, str]:
        """The header that logs a call in."""
        return {"Authorization": aiohttp.encode_basic_auth(self._sid, self._token.get_secret_value())}

    async def call(self, method: str, url: str, **request: Any) -> http_errors.Answered:
        """A good answer of the REST API. Raises the class of the code that a bad one carries."""
        answer = await http_errors.call(
            self._setup.session(),
            "Twilio",
            method,
            url,
            within=self._timeout,
            writes=method == "POST",
            headers=self.credentials(),
            **request,
        )
        if answer.status in (200, 201):
            return answer
        found = read(answer, Answer)
        raise http_errors.error(
            "Twilio",
            self._codes,
            answer.status,
            code=found.code if found is not None else None,
            headers=answer.headers,
            now=self._setup.now(),
            writes=method == "POST",
        )

    async def check(self) -> None:
        """Asks for the account. Raises AuthFailed, Misconfigured, Unavailable."""
        answer = read(await self.call("GET", f"{self.account}.json"), Answer)
        if answer is None or answer.sid != self._sid:
            raise Misconfigured("account_sid: Twilio knows another account under it")
        if answer.status != "active":
            raise AuthFailed(f"the Twilio account is {'suspended' if answer.status == 'suspended' else 'not active'}")

    async def find(self, to: str, from_: str, text: str, first_attempt_at: datetime) -> tuple[str, datetime] | None:
        """Id and time of a message to `to` with this text since then that did not fail; None when none is listed."""
        earliest = first_attempt_at - CLOCK_SKEW
        async with aclosing(self._list({"To": to, "From": from_}, earliest)) as pages:
            async for page in pages:
                for item in page.messages:
                    found = read(item, Resource)
                    if found is None or found.direction == "inbound" or found.status in LOST:
                        continue
                    at = moment(found) or self._setup.now()
                    if at >= earliest and (found.body or "").strip() == text.strip():
                        return found.sid, at
        return None

    async def since(
        self, to: str, earliest: datetime, keep: Callable[[msgspec.Raw], Awaitable[Raw]]
    ) -> AsyncGenerator[Batch, None]:
        """Inbound messages to `to` that Twilio lists since `earliest` (UTC), newest first, each as `keep` makes it.

        The cursor moves only with the last batch: a listing that was cut short is listed again.
        """
        newest = earliest
        async with aclosing(self._list({"To": to}, earliest)) as pages:
            async for page in pages:
                found = [each for item in page.messages if (each := _inbound(item, earliest)) is not None]
                newest = max([newest, *(at for _, at in found)])
                yield Batch(keep=tuple([await keep(item) for item, _ in found]), cursor=earliest.isoformat())
        yield Batch(keep=(), cursor=newest.isoformat())

    def _list(self, wanted: Mapping[str, str], earliest: datetime) -> AsyncGenerator[Page, None]:
        return self.pages(Page, "Messages", {**wanted, "DateSent>": earliest})

    async def pages(self, type_: type[P], name: str, wanted: Mapping[str, str | datetime]) -> AsyncGenerator[P, None]:
        """The pages of the account's list `name`, of which Twilio knows days alone (UTC). Raises Unavailable, ..."""
        query = {
            key: value.astimezone(UTC).date().isoformat() if isinstance(value, datetime) else value
            for key, value in wanted.items()
        }
        url = f"{self.account}/{name}.json?{urlencode({**query, 'PageSize': str(self._page_size)})}"
        asked: set[str] = set()
        while url:
            asked.add(url)
            page = read(await self.call("GET", url), type_)
            if page is None:
                raise Unavailable(f"Twilio's list of {name.lower()} cannot be read")
            yield page
            path = page.next_page_uri or ""
            url = f"{self._root}{path}" if path else ""
            # A path below our own address and nothing else, because the credentials go with it; and each page once.
            if path and (not path.startswith("/") or path.startswith("//") or url in asked):
                raise Unavailable(f"Twilio's list of {name.lower()} does not go on at Twilio")


def _inbound(item: msgspec.Raw, earliest: datetime) -> tuple[msgspec.Raw, datetime] | None:
    """The item and its time if it is an inbound message since `earliest`; what cannot be read counts as one."""
    found = read(item, Resource)
    if found is None:
        return item, earliest
    at = moment(found) or earliest
    return (item, at) if found.direction == "inbound" and at >= earliest else None
