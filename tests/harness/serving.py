"""Small servers for tests of single connectors, and the types of what their fixtures give."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.contract import Setup

#: Makes the Setup of a kind; further arguments are settings.
MakeSetup = Callable[..., Setup]
#: Starts a small server that gives every request to one function; its address.
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@asynccontextmanager
async def small_servers() -> AsyncIterator[Serve]:
    """What starts servers on loopback; all of them are closed at the end."""
    runners: list[web.AppRunner] = []

    async def start(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    try:
        yield start
    finally:
        for runner in runners:
            await runner.cleanup()
