"""A pretended page whose webhooks come to the connector over the wire, as the gateway would take them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web

from connectors.contract import Request, Setup
from connectors.errors import Rejected
from connectors.facebook import Facebook
from normalizer.message import Event, Outgoing, Raw
from simulator.app import start
from simulator.facebook import Facebook as Page

MakeSetup = Callable[..., Setup]
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]
T = TypeVar("T")

SARI, TONO = "24900000000001", "24900000000002"


class Ours:
    """The connector behind its webhook; keeps what every delivery means."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._connector: Facebook | None = None

    @property
    def connector(self) -> Facebook:
        """The connector, once the page runs."""
        assert self._connector is not None
        return self._connector

    @connector.setter
    def connector(self, connector: Facebook) -> None:
        self._connector = connector

    async def answer(self, called: web.Request) -> web.StreamResponse:
        """What the gateway does, without its journal."""
        headers = tuple((name.lower(), value) for name, value in called.headers.items())
        body = await called.read()
        now = datetime.now(UTC)
        request = Request(method=called.method, target=called.raw_path, headers=headers, body=body, received_at=now)
        try:
            intake = self.connector.receive(request)
        except Rejected as rejected:
            return web.Response(status=rejected.status)
        for raw in intake.keep:
            self.events += self.connector.parse(raw)
        return web.Response(body=intake.answer.body)

    def all(self, type_: type[T]) -> list[T]:
        """The events of one type so far."""
        return [event for event in self.events if isinstance(event, type_)]

    def last(self, type_: type[T]) -> T:
        """The latest event of one type."""
        return self.all(type_)[-1]

    async def listed(self, since: datetime) -> list[Event]:
        """What the connector lists since a moment, parsed."""
        raws: list[Raw] = [raw async for batch in self.connector.since(since) for raw in batch.keep]
        return [event for raw in raws for event in self.connector.parse(raw)]


@asynccontextmanager
async def page_of(ours: Ours, serve: Serve, make_setup: MakeSetup, **given: Any) -> AsyncIterator[Page]:
    """A page whose app is subscribed and whose webhooks come to us; `given` are settings of the connector."""
    page = Page(
        app_secret="invented-app-secret",
        page_token="invented-page-token",
        page_id="102900000000001",
        verify_token="invented-verify-token",
        webhook_url=await serve(ours.answer) + "/in/fb",
        name="Akseleran",
        time_scale=0.001,
        report_delays={"sent": 0.0, "delivered": 0.0, "read": 0.0},
    )
    async with await start([page]):
        page.subscribe()
        ours.connector = Facebook(
            make_setup("facebook", **{"api_base": page.base_url, "timeout_seconds": 0.5, **given})
        )
        yield page
        await ours.connector.aclose()


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "01KDFX3Z5Y.1", "recipient": SARI, "text": "Nomor tiket: AKS-1", **changes})
