"""Our webhook without the gateway: what a pretended provider posts goes through one connector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from aiohttp import web

from connectors.contract import Intake, Request
from connectors.errors import Rejected
from normalizer.message import Event, Raw


class Pushed(Protocol):
    """A connector that is called by its provider."""

    def receive(self, request: Request) -> Intake:
        """Judges one request."""

    def parse(self, raw: Raw) -> Sequence[Event]:
        """Events of one delivery."""


class Webhook:
    """Hands every request to its connector and keeps what it means."""

    def __init__(self) -> None:
        self.connector: Pushed | None = None
        self.events: list[Event] = []
        #: Answers to give before the connector is asked at all, the last first.
        self.statuses: list[int] = []

    async def answer(self, called: web.Request) -> web.StreamResponse:
        """What the gateway answers, without its journal."""
        headers = tuple((name.lower(), value) for name, value in called.headers.items())
        request = Request(
            method=called.method,
            target=called.raw_path,
            headers=headers,
            body=await called.read(),
            received_at=datetime.now(UTC),
        )
        if self.statuses:
            return web.Response(status=self.statuses.pop())
        assert self.connector is not None
        try:
            intake = self.connector.receive(request)
        except Rejected as rejected:
            return web.Response(status=rejected.status)
        for raw in intake.keep:
            self.events += self.connector.parse(raw)
        answer = intake.answer
        return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)
