"""An HTTP server on loopback that fails when it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

#: `fail`: 500 and nothing done; `fail_after`: done, then 500; `cut`: done, then the connection is cut; `silent`: done,
#: then no answer; `wait`: 429 with Retry-After; `html`: a proxy's page with 502; `none`: this one goes well; the others
#: are an answer alone.
Fault = Literal["none", "fail", "fail_after", "cut", "silent", "wait", "unauthorized", "html", "gone", "bad", "moved"]
_STATUS = {"fail": 500, "wait": 429, "unauthorized": 401, "html": 502, "gone": 410, "bad": 400, "moved": 302}
RETRY_AFTER = 7


class Server:
    """Starts, stops and starts again on the same port; what it keeps lives as long as the object."""

    def __init__(self) -> None:
        self._faults: deque[tuple[Fault, str | None]] = deque()
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._release = asyncio.Event()
        #: Method and path of every request, in their order.
        self.requests: list[tuple[str, str]] = []
        #: While set, every request fails like this.
        self.always: Fault | None = None

    @property
    def url(self) -> str:
        """Where it listens, or listened."""
        return f"http://127.0.0.1:{self._port}"

    def fail(self, *faults: Fault, method: str | None = None) -> None:
        """Makes the next requests, of this method if given, fail: one for each fault."""
        self._faults.extend((fault, method) for fault in faults)

    async def start(self) -> None:
        """Listens; the port stays the same after the first time."""
        app = web.Application(middlewares=[self._weather])
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._release.clear()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Closes the port; what is kept stays."""
        runner, self._runner = self._runner, None
        self._release.set()
        if runner is not None:
            await runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to one request; each store has its own."""
        raise web.HTTPNotFound

    @web.middleware
    async def _weather(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        fault = self.always
        if fault is None and self._faults and self._faults[0][1] in (None, request.method):
            fault = self._faults.popleft()[0]
        if fault in (None, "none"):
            return await handler(request)
        if fault in _STATUS:
            headers = {"Retry-After": str(RETRY_AFTER)} if fault == "wait" else {}
            if fault == "moved":
                headers["Location"] = f"{self.url}/elsewhere"
            return web.Response(status=_STATUS[fault], text="<html>no</html>", headers=headers)
        await request.read()
        await handler(request)
        if fault == "fail_after":
            return web.Response(status=500)
        if fault == "silent":
            await self._release.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
