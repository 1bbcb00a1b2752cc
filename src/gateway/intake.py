"""Hop 1: providers' webhooks. Judged by the connector, kept in the journal, and only then answered.

Nothing is parsed here. A request that is not authentic leaves no trace but a count; what cannot be kept is answered
503, so that the provider keeps it and comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connectors.contract import Answering, Connector, Filed, Push, Request
from connectors.errors import Rejected
from gateway.journal import Journal, JournalFull
from gateway.metrics import Metrics
from gateway.pressure import Pressure

log = structlog.get_logger("aduan.intake")


#: What answers a request of a connection.
Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Filing(Protocol):
    """Knows what became of deliveries that were just kept."""

    def __call__(self, channel_id: str, ids: Sequence[str], /) -> Awaitable[Filed]:
        """What a customer who waits may be told; never raises, and answers within `filing.WAIT_SECONDS`."""


class Intake:
    """Serves `GET` and `POST /in/{channel}`."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        *,
        journal: Journal,
        metrics: Metrics,
        wake: Callable[[], None],
        heard: Callable[[str], None],
        pressure: Pressure,
        body_seconds: float,
        disk_is_low: Callable[[], bool],
        filed: Filing,
    ) -> None:
        self._pushed = {id_: c for id_, c in connectors.items() if isinstance(c, Push)}
        self._at = {f"/in/{id_}": id_ for id_ in self._pushed}
        self._largest = {id_: connectors[id_].facts.max_body_bytes.value for id_ in self._pushed}
        self._kept = {id_: metrics.kept.labels(id_) for id_ in self._pushed}
        self._journal = journal
        self._metrics = metrics
        self._wake = wake
        self._heard = heard
        self._pressure = pressure
        self._body_seconds = body_seconds
        self._disk_is_low = disk_is_low
        self._filed = filed

    def before(self, routed: Serve) -> Serve:
        """Serves webhooks at their plain addresses without the router, a sixth of what a request costs.

        Whatever asks for more (a query, another spelling of the path, `Expect`) goes on to `routed`.
        """

        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            channel_id = self._at.get(request.raw_path)
            if channel_id is None or "Expect" in request.headers:
                return await routed(request)
            return await self.take(request, channel_id)

        return serve

    async def route(self, request: web.Request) -> web.Response:
        """As `take`, for what the router found."""
        return await self.take(request, request.match_info["channel"])

    async def take(self, request: web.BaseRequest, channel_id: str) -> web.Response:
        """The provider's answer, given after what it sent is durable. 4xx keep nothing; 503 asks to come again."""
        connector = self._pushed.get(channel_id)
        if connector is None:
            return _answer(404, "no such channel")
        try:
            asked = await self._read(request, self._largest[channel_id])
            found = connector.receive(asked)
        except Rejected as error:
            self._metrics.refused.labels(channel_id, str(error.status)).inc()
            return _answer(error.status, error.reason, close=error.status in {408, 413, 415})
        ids: Sequence[str] = ()
        if found.keep:
            if self._disk_is_low():
                return self._unavailable(channel_id)
            self._pressure.enter()
            try:
                ids = await self._journal.keep(found.keep)
            except JournalFull:
                return self._unavailable(channel_id)
            finally:
                self._pressure.leave()
            self._kept[channel_id].inc(len(found.keep))
            self._heard(channel_id)
            self._wake()
        answer = found.answer
        if found.waits and isinstance(connector, Answering):
            answer = connector.answer(asked, await self._filed(channel_id, ids))
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)

    async def _read(self, request: web.BaseRequest, largest: int) -> Request:
        """The request as a value. Raises Rejected: 413 over `largest`, 408 when it drips, 415 when it is packed."""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Rejected(415, "no provider packs its webhooks: send the body as it is")
        if request.content_length is not None and request.content_length > largest:
            raise Rejected(413, f"the body is larger than {largest} bytes")
        body = b""
        if request.body_exists:
            try:
                if request.content.is_eof():
                    # It came whole with its headers, as nearly every webhook does: there is nothing to wait for.
                    body = request.content.read_nowait()
                else:
                    async with asyncio.timeout(self._body_seconds):
                        body = await request.read()
            except TimeoutError:
                raise Rejected(408, f"the body did not arrive within {self._body_seconds:g} s") from None
            except web.HTTPRequestEntityTooLarge:
                raise Rejected(413, f"the body is larger than {largest} bytes") from None
            except (web.RequestPayloadError, HttpProcessingError):
                raise Rejected(400, "the body could not be read as its headers say") from None
            if len(body) > largest:
                raise Rejected(413, f"the body is larger than {largest} bytes")
        return Request(
            method=request.method,
            target=request.raw_path,
            headers=tuple([(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in request.raw_headers]),
            body=body,
            received_at=datetime.now(UTC),
            remote=request.remote or "",
        )

    def _unavailable(self, channel_id: str) -> web.Response:
        self._metrics.refused.labels(channel_id, "503").inc()
        log.error("cannot_keep", channel=channel_id)
        return web.Response(status=503, text="cannot be kept now", headers={"Retry-After": "30"})


def _answer(status: int, text: str, *, close: bool = False) -> web.Response:
    response = web.Response(status=status, text=text)
    if close:
        response.force_close()
    return response
