"""A pretended page whose webhooks come to the connector over the wire, as the gateway would take them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from connectors.facebook import Facebook
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from normalizer.message import Event, Outgoing, Raw
from simulator.app import start
from simulator.facebook import Facebook as Page

T = TypeVar("T")

SARI, TONO = "24900000000001", "24900000000002"


class Ours(Webhook):
    """The connector behind its webhook; keeps what every delivery means."""

    @property
    def facebook(self) -> Facebook:
        """The connector, once the page runs, with all that it can do."""
        assert isinstance(self.connector, Facebook)
        return self.connector

    def all(self, type_: type[T]) -> list[T]:
        """The events of one type so far."""
        return [event for event in self.events if isinstance(event, type_)]

    def last(self, type_: type[T]) -> T:
        """The latest event of one type."""
        return self.all(type_)[-1]

    async def listed(self, since: datetime) -> list[Event]:
        """What the connector lists since a moment, parsed."""
        raws: list[Raw] = [raw async for batch in self.facebook.since(since) for raw in batch.keep]
        return [event for raw in raws for event in self.facebook.parse(raw)]


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
        await ours.facebook.aclose()


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "01KDFX3Z5Y.1", "recipient": SARI, "text": "Nomor tiket: AKS-1", **changes})
