"""A business that receives webhooks: a real server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

Answering = Callable[["Call"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str  # with the query
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass
class Business:
    """What received, and how it answers."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # answers of the next calls; 200 afterwards
    verify_token: str = "verify-me"
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait(self, count: int) -> list[Call]:
        """The calls as soon as there are `count`."""
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: len(self.calls) >= count)
        return self.calls

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Keeps the call and answers as told."""
        call = Call(request.method, request.raw_path, request.headers, await request.read())
        if request.method == "GET" and "hub.mode" in request.query:
            if request.query["hub.verify_token"] != self.verify_token:
                return web.Response(status=403)
            return web.Response(text=request.query["hub.challenge"])
        async with self.arrived:
            self.calls.append(call)
            self.arrived.notify_all()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def business() -> AsyncIterator[Business]:
    """A business that listens at `business.url`."""
    business = Business()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", business.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    business.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield business
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as session:
        yield session
