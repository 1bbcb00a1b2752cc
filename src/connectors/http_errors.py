"""From an HTTP answer to the error class that says what happens next: one mapping for every provider.

What is special to a provider is data: `codes.yaml` beside its connector. Nothing of an answer's body, which may hold
customer data, and nothing of an address, which may hold a token, gets into an error's text.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from connectors.codes import Codes
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    ConnectorError,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
)

#: An answer of an API is small; whatever is longer is not one.
MOST_ANSWER_BYTES = 4 * 1024 * 1024
#: The HTTP client itself repeats requests of other methods whose connection is lost (RFC 9112 section 9.3.1).
_SENT_ONCE = frozenset({"POST", "PATCH"})
#: "Wait a year" in a Retry-After is an accident, seconds.
LONGEST_WAIT = 86_400.0


class Answered(Struct, frozen=True, kw_only=True):
    """What an API answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, or None when it is none: a proxy's HTML, truncated, too deep."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, as number or date (RFC 9110 section 10.2.3); None when it says nothing."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
            seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)


def error(
    provider: str,
    codes: Codes,
    status: int,
    *,
    code: int | None = None,
    headers: Mapping[str, str] | None = None,
    now: datetime,
    writes: bool = False,
) -> ConnectorError:
    """The error that an answer means: the provider's own code first, else the HTTP status.

    `writes` says that the call was a send: a gateway's time-out (504) then leaves open whether it went through.
    """
    text = f"{provider} answered HTTP {status}" + ("" if code is None else f", code {code}")
    name = codes.named(code)
    asked = retry_after(headers or {}, now)
    if name == "Throttled" or (name is None and status == HTTPStatus.TOO_MANY_REQUESTS):
        return Throttled(text, after=asked if asked is not None else codes.wait(code))
    if name == "Refused":
        return Refused(str(code), text)
    if name is not None:
        return CLASSES[name](text)
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed(text)
    if status == HTTPStatus.GATEWAY_TIMEOUT and writes:
        return Ambiguous(text)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Unavailable(text)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        # Something between us and the provider redirects; the credentials follow nowhere.
        return Unavailable(f"{text}: redirects are not followed")
    return Refused(str(code) if code is not None else f"http {status}", text)


@asynccontextmanager
async def network(provider: str, *, writes: bool) -> AsyncGenerator[None, None]:
    """Turns network trouble inside the block into Unavailable, or Ambiguous when a send may have left already."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as broken:
        raise trouble(provider, broken, writes=writes) from None


def trouble(provider: str, broken: Exception, *, writes: bool) -> ConnectorError:
    """The error that network trouble means; with `writes`, a send may have left already."""
    if isinstance(broken, aiohttp.InvalidURL):
        return Misconfigured(f"{provider}: the address in api_base is not one")
    if isinstance(broken, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        # No connection, no certificate, no name: nothing has left.
        return Unavailable(f"{provider} cannot be reached ({type(broken).__name__})")
    text = f"{provider} did not answer ({type(broken).__name__})"
    return Ambiguous(text) if writes else Unavailable(text)


async def call(
    session: aiohttp.ClientSession,
    provider: str,
    method: str,
    url: str,
    *,
    within: float,
    writes: bool,
    connect_within: float = 5.0,
    **request: Any,
) -> Answered:
    """The answer of one API call, redirects not followed, at most MOST_ANSWER_BYTES read; times in seconds.

    Raises Unavailable when nothing can have happened at the provider, Ambiguous when a send may have gone through.
    """
    limits = aiohttp.ClientTimeout(total=within, sock_connect=min(connect_within, within))
    if writes and method not in _SENT_ONCE:
        request["middlewares"] = (_once,)
    try:
        async with session.request(method, url, timeout=limits, allow_redirects=False, **request) as answer:
            # Nearly every answer is small and comes whole with its headers.
            body = await answer.content.readany()
            if not answer.content.at_eof():
                body = await _rest(answer.content, body)
            return Answered(status=answer.status, headers=answer.headers, body=body)
    # Not by `network`: a generator costs more than all that this function does itself.
    except (aiohttp.ClientError, TimeoutError, OSError) as broken:
        raise trouble(provider, broken, writes=writes) from None


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Lets no lost connection be answered by a second request: the first one may have been done."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(type(lost).__name__) from None


async def _rest(content: aiohttp.StreamReader, begun: bytes) -> bytes:
    """The body that begins like this, read until it is longer than any answer should be."""
    body = bytearray(begun)
    while not content.at_eof() and len(body) <= MOST_ANSWER_BYTES:
        body += await content.readany()
    return bytes(body)
