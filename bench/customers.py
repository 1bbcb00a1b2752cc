"""The other side, as one process on the load core: the pretended provider, and who posts its webhooks.

`python -m bench.customers PORT` answers sends until standard input closes. A line of JSON there starts a load:
{"port", "connections", "seconds", "first", "most_open"}; then a line of JSON comes back every second, the last one
with "done". With "most_open" no more messages are posted than have no receipt yet plus that many.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench import webhooks
from simulator import WhatsAppCloud, start


class Connection(asyncio.Protocol):
    """One kept-alive connection that posts the next message as soon as the last one was answered."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Posts the first message."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.post()

    def post(self) -> None:
        """Posts the next message, or waits to be asked again when enough are under way."""
        assert self._transport is not None
        request = self._load.next()
        if request is None:
            self._load.idle.append(self)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Counts an answer and posts on."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n"):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        if len(rest) < length:
            return
        self._buffer = b""
        self._load.answered(head[9:12])
        self.post()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that the server ends before the load does is a failure."""
        self._load.lost(self)

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.abort()


class Load:
    """What is posted, and how it was answered."""

    def __init__(self, port: int, connections: int, first: int, clouds: list[WhatsAppCloud], most_open: int) -> None:
        self._port = port
        self._count = connections
        self._requests = self._signed(first)
        self._clouds = clouds
        self._before = sum(cloud.sent.total for cloud in clouds)
        self._most_open = most_open
        self._connections: list[Connection] = []
        self._ended = False
        self.idle: list[Connection] = []
        self.posted = 0
        self.acknowledged = 0
        self.failed = 0

    @staticmethod
    def _signed(first: int) -> Iterator[bytes]:
        while True:
            for path, signature, body in webhooks.signed(first, 1000):
                yield (
                    f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
                    f"Content-Type: application/json\r\nX-Hub-Signature-256: sha256={signature}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                ).encode() + body
            first += 1000

    @property
    def receipts(self) -> int:
        """Receipts that the provider has taken since the load began."""
        return sum(cloud.sent.total for cloud in self._clouds) - self._before

    def next(self) -> bytes | None:
        """The next request; None when nothing may be posted now."""
        if self._ended or (self._most_open and self.posted - self.receipts >= self._most_open):
            return None
        self.posted += 1
        return next(self._requests)

    def answered(self, status: bytes) -> None:
        """Counts one answer."""
        if status == b"200":
            self.acknowledged += 1
        else:
            self.failed += 1

    def lost(self, connection: Connection) -> None:
        """Counts a connection that ended too early."""
        if not self._ended:
            self.failed += 1

    async def run(self, seconds: float) -> None:
        """Loads for `seconds`; says the counts at every full second, and at the end."""
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        for _ in range(self._count):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
            self._connections.append(connection)
        while (passed := time.monotonic() - began) < seconds:
            await asyncio.sleep(min(0.01, seconds - passed))
            idle, self.idle = self.idle, []
            for connection in idle:
                connection.post()
            if int(time.monotonic() - began) > int(passed):
                say(self.counts(began))
        last = self.counts(began)
        self._ended = True
        for connection in self._connections:
            connection.close()
        say({**last, "done": True})

    def counts(self, began: float) -> dict[str, Any]:
        """What has happened so far."""
        return {
            "seconds": time.monotonic() - began,
            "acknowledged": self.acknowledged,
            "receipts": self.receipts,
            "failed": self.failed,
        }


def say(what: dict[str, Any]) -> None:
    """One line to whoever measures."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def cloud(index: int) -> WhatsAppCloud:
    """A number that takes every text without window, limit or later status: it is not what is measured."""
    return WhatsAppCloud(
        app_secret=webhooks.APP_SECRET,
        access_token="bench-access-token",
        phone_number_id=webhooks.phone_number_id(index),
        waba_id="200000000001",
        verify_token="bench-verify-token",
        statuses=False,
        enforce_window=False,
        keep=100,
    )


async def serve(port: int) -> None:
    """Answers sends, and loads when it is told to, until standard input closes."""
    clouds = [cloud(index) for index in range(webhooks.NUMBERS)]
    loop = asyncio.get_running_loop()
    async with await start(clouds, port=port):
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            load = Load(order["port"], order["connections"], order["first"], clouds, order["most_open"])
            await load.run(order["seconds"])


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
