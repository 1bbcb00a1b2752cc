"""A receiver of webhooks that keeps every request as it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.ticket_stores.server import Server


@dataclass(frozen=True)
class Received:
    """One POST."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Receiver(Server):
    """Takes everything with 204; only requests that it answered like this are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[Received] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Keeps a POST."""
        if request.method == "POST":
            self.received.append(Received(dict(request.headers), await request.read()))
        return web.Response(status=204)

    def ids(self) -> list[str]:
        """`webhook-id` of each request that was kept."""
        return [each.headers["webhook-id"] for each in self.received]
