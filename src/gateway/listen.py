"""Listens for HTTP: how long a connection may take, how many there may be, and how all of them end.

aiohttp has limits for headers and lines but none for time and number (P20), so those are set here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
from aiohttp import web

from gateway.config import Config
from gateway.intake import Serve

log = structlog.get_logger("aduan.listen")

_BACKLOG = 1024
_SHUTDOWN_SECONDS = 5.0
_LINGERING_SECONDS = 2.0
_FULL_SECONDS = 0.02
_NO_HANDLE_SECONDS = 1.0
#: Connections taken before others get their turn of the loop.
_AT_ONCE = 64


async def listen(
    application: web.Application, before: Callable[[Serve], Serve], config: Config, stack: AsyncExitStack
) -> str:
    """The address that is listened on until the stack closes. Raises OSError when it is taken.

    `before` gets what the application answers requests with, and returns what asks it only where it must.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        # Also the time a connection may take to bring whole headers: aiohttp closes it when no request is under way.
        keepalive_timeout=config.limits.header_seconds,
        # How long a connection is read on after a refusal, so that the client sees the answer before the end.
        lingering_time=_LINGERING_SECONDS,
        # A body is signed and limited as it came: nothing unpacks it, so no bomb can grow.
        auto_decompress=False,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    server = runner.server
    assert server is not None
    server.request_handler = before(server.request_handler)
    sockets = await _sockets(config.listen.host, config.listen.port)
    doors = [asyncio.create_task(_accept(each, server, config.limits.connections)) for each in sockets]
    stack.push_async_callback(_close, doors, sockets)
    host, port = sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _sockets(host: str, port: int) -> list[socket.socket]:
    """A listening socket for every address of the host. Raises OSError; then none stays open."""
    loop = asyncio.get_running_loop()
    found: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            each = socket.create_server((address[0], address[1]), family=family, backlog=_BACKLOG)
            found.append(each)
            each.setblocking(False)
    except BaseException:
        for each in found:
            each.close()
        raise
    return found


async def _accept(door: socket.socket, server: web.Server, most: int) -> None:
    """Takes connections while there is room; further ones wait in the system's queue."""
    connecting: set[asyncio.Task[object]] = set()
    taken = 0
    try:
        while True:
            if len(server.connections) + len(connecting) >= most:
                await asyncio.sleep(_FULL_SECONDS)
                continue
            try:
                connection, _ = door.accept()
            except BlockingIOError:
                await _readable(door)
                continue
            except OSError as error:
                # No file handle is left, or the client went away while it waited.
                log.warning("cannot_accept", error=type(error).__name__)
                await asyncio.sleep(_NO_HANDLE_SECONDS)
                continue
            connection.setblocking(False)
            task: asyncio.Task[object] = asyncio.create_task(_connect(connection, server))
            connecting.add(task)
            task.add_done_callback(connecting.discard)
            taken += 1
            if taken % _AT_ONCE == 0:
                await asyncio.sleep(0)
    finally:
        # Whoever was let in is served: only then can the server close what it has.
        while connecting:
            await asyncio.gather(*connecting, return_exceptions=True)


async def _readable(door: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(door, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(door)


async def _connect(connection: socket.socket, server: web.Server) -> None:
    try:
        await asyncio.get_running_loop().connect_accepted_socket(server, connection)
    except OSError:
        connection.close()


async def _close(doors: list[asyncio.Task[None]], sockets: list[socket.socket]) -> None:
    for door in doors:
        door.cancel()
    await asyncio.gather(*doors, return_exceptions=True)
    for each in sockets:
        each.close()
