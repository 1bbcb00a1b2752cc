"""Speaks to the gateway byte by byte, as hostile clients do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from yarl import URL


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the server; it is torn down at the end whatever the server does."""
    address = URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def head(target: str, headers: Iterable[tuple[str, str]], method: str = "POST") -> bytes:
    """The bytes of a request line and its headers."""
    lines = [f"{method} {target} HTTP/1.1", "Host: aduan", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


async def answer(reader: asyncio.StreamReader, *, bodyless: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of the next answer. Raises EOFError when the server just closes."""
    try:
        block = await reader.readuntil(b"\r\n\r\n")
        first, *rest = block.decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        body = b"" if bodyless else await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError) as closed:
        raise EOFError("closed without an answer") from closed
    return int(first.split(" ")[1]), headers, body


async def exchange(url: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to these bytes on a connection of their own."""
    async with connected(url) as (reader, writer):
        writer.write(request)
        with suppress(ConnectionError):
            await writer.drain()
        return await answer(reader, bodyless=request.startswith(b"HEAD "))


def open_sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count
