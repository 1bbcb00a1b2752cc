"""A line to a real server that fails on order: before the request got there, or after it was acted on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from aiohttp import web

Fault = Literal["error_before", "error_after", "cut_before", "cut_after", "stall_after"]


@dataclass
class Line:
    """What the line carried, and the faults that it has in store for requests of a method and path."""

    target: str
    port: int = 0
    carried: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    #: A page that answers every request instead of the server.
    answer_all_with: str | None = None
    _before: dict[tuple[str, str], Callable[[], None]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the line begins."""
        return f"http://127.0.0.1:{self.port}"

    def order(self, fault: Fault, method: str = "POST", path: str = "/REST/2.0/ticket", times: int = 1) -> None:
        """The next `times` requests of this method and exact path meet the fault."""
        self.faults += [(method, path, fault)] * times

    def before(self, method: str, path: str, act: Callable[[], None]) -> None:
        """Does something just before the next request of this method and exact path goes on."""
        self._before[method, path] = act

    async def prepare(self, method: str, path: str) -> None:
        """Does what was ordered for before this request."""
        act = self._before.pop((method, path), None)
        if act is not None:
            await asyncio.to_thread(act)

    def writes(self) -> list[str]:
        """The paths of the requests that were no questions, in their order."""
        return [path for method, path in self.carried if method != "GET"]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        for each in self.faults:
            if each[:2] == (method, path):
                self.faults.remove(each)
                return each[2]
        return None


@contextlib.asynccontextmanager
async def lay(target: str) -> AsyncIterator[Line]:
    """A line to the server at `target`."""
    line = Line(target)
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def carry(request: web.Request) -> web.StreamResponse:
            line.carried.append((request.method, request.path))
            if line.answer_all_with is not None:
                return web.Response(text=line.answer_all_with, content_type="text/html")
            await line.prepare(request.method, request.path)
            fault = line.take(request.method, request.path)
            if fault == "cut_before":
                return _cut(request)
            if fault == "error_before":
                return web.json_response({"message": "Internal Server Error"}, status=500)
            headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            try:
                async with session.request(
                    request.method, line.target + request.path_qs, headers=headers, data=await request.read(),
                    allow_redirects=False,
                ) as answer:  # fmt: skip
                    body = await answer.read()
            except aiohttp.ClientError:
                return _cut(request)
            if fault == "cut_after":
                return _cut(request)
            if fault == "stall_after":
                await asyncio.sleep(60)
            if fault == "error_after":
                return web.json_response({"message": "Internal Server Error"}, status=500)
            kept = {
                name: answer.headers[name] for name in ("ETag", "Location", "Content-Type") if name in answer.headers
            }
            return web.Response(status=answer.status, body=body, headers=kept)

        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", carry)
        # A request that stalls ends when its caller goes away.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        line.port = int(runner.addresses[0][1])
        try:
            yield line
        finally:
            await runner.cleanup()


def _cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
