"""Scripted answers of a provider's API: the next calls meet them in order, before any weather."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from simulator.weather import Weather


@dataclass(frozen=True, slots=True)
class Code:
    """An error in the provider's own shape, named by the provider's own number."""

    code: int
    status: int | None = None  # None: the status that the provider documents for this code
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Http:
    """Any answer at all: a proxy's HTML, truncated JSON, a success with an error in it."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence for that many seconds; `accepted` says whether the provider took the message all the same."""

    seconds: float
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks before the answer; `accepted` says whether the provider took the message all the same."""

    accepted: bool = False
    after_headers: bool = False


Fault = Code | Http | Stall | Reset


class Faults:
    """The queue of scripted faults of one provider."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque(maxlen=100_000)

    def add(self, fault: Fault, times: int = 1) -> None:
        """Lets the next calls meet this fault, after those already scripted."""
        self._queue.extend([fault] * times)

    def code(
        self, code: int, *, status: int | None = None, headers: Mapping[str, str] | None = None, times: int = 1
    ) -> None:
        """Scripts an error by the provider's code."""
        self.add(Code(code, status, headers or {}), times)

    def http(
        self,
        status: int,
        body: bytes = b"<html><body>Bad Gateway</body></html>",
        *,
        content_type: str = "text/html",
        headers: Mapping[str, str] | None = None,
        times: int = 1,
    ) -> None:
        """Scripts a bare HTTP answer."""
        self.add(Http(status, body, content_type, headers or {}), times)

    def stall(self, seconds: float, *, accepted: bool = False, times: int = 1) -> None:
        """Scripts silence, with or without the message having been taken."""
        self.add(Stall(seconds, accepted), times)

    def reset(self, *, accepted: bool = False, after_headers: bool = False, times: int = 1) -> None:
        """Scripts a broken connection, with or without the message having been taken."""
        self.add(Reset(accepted, after_headers), times)

    def clear(self) -> None:
        """Forgets what was scripted."""
        self._queue.clear()

    def next(self) -> Fault | None:
        """The fault that this call meets, or None."""
        return self._queue.popleft() if self._queue else None


def http_answer(fault: Http) -> web.Response:
    """The scripted answer as a response."""
    return web.Response(
        status=fault.status, body=fault.body, content_type=fault.content_type, headers=dict(fault.headers)
    )


async def break_connection(request: web.Request, *, after_headers: bool = False) -> web.StreamResponse:
    """Closes the caller's connection with nothing, or only half an answer, on the wire."""
    if after_headers:
        response = web.StreamResponse(status=200, headers={"Content-Type": "application/json", "Content-Length": "500"})
        await response.prepare(request)
        await response.write(b'{"messaging_')
    if request.transport is not None:
        request.transport.abort()
    # The handler must return something; the transport is gone, so nobody reads it.
    return web.Response(status=500)


async def silence(seconds: float) -> None:
    """Waits as the provider would, cut short when the caller hangs up."""
    await asyncio.sleep(seconds)


SERVER_TROUBLES: Mapping[Literal["500", "502", "503", "truncated", "reset"], Fault] = {
    "500": Http(500, b'{"error":{"message":"An unknown error occurred","code":1}}', "application/json"),
    "502": Http(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "503": Http(503, b"", "text/plain", {"Retry-After": "1"}),
    "truncated": Http(500, b'{"error":{"message":"An unk', "application/json"),
    "reset": Reset(),
}


def weather_fault(
    weather: Weather,
    *,
    rate_limit: Sequence[Code],
    server_error: Sequence[Code] = (),
    expired_token: Code | None = None,
    window_closed: Code | None = None,
    may_accept: bool = True,
) -> Fault | None:
    """What the next call meets, in the provider's own codes; None where it goes well or there is no such code.

    A stalled call may have been taken, unless `may_accept` is False.
    """
    trouble = weather.trouble()
    if trouble == "rate-limit":
        return rate_limit[0] if len(rate_limit) == 1 else weather.pick(rate_limit)
    if trouble == "server-error":
        return weather.pick((*SERVER_TROUBLES.values(), *server_error))
    if trouble == "stall":
        return Stall(weather.climate.stall_seconds, accepted=may_accept and weather.pick((True, False)))
    return {"expired-token": expired_token, "window-closed": window_closed}.get(trouble or "")
