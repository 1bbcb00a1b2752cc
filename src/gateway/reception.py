"""What receives messages: opened first, closed last.

"Keep first, understand later" holds for the start too. Journal, connectors and `/in/` need a fraction of what the whole
needs, so a provider is acknowledged while `gateway.app` is still being imported; its other addresses follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from connectors.contract import Connector, Filed
from gateway.channels import build_connectors
from gateway.disk import Disk, Lock
from gateway.health import Health
from gateway.installation import Front
from gateway.intake import Filing, Intake
from gateway.journal.sqlite import SqliteJournal
from gateway.keys import installation_secret
from gateway.later import Later
from gateway.listen import listen
from gateway.metrics import Metrics
from gateway.pressure import Pressure
from gateway.tasks import cancel

#: Webhook bodies of every connector are smaller; forms are streamed past this limit.
_LARGEST_BODY = 8 * 1024 * 1024
#: How long an answer that needs the whole waits for a start to end; together with `filing.WAIT_SECONDS` under 15 s.
_START_SECONDS = 4.0


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass
class Reception:
    """Takes messages in, listening; whoever understands them sets `wake`."""

    secret: bytes
    journal: SqliteJournal
    connectors: Mapping[str, Connector]
    health: Health
    metrics: Metrics
    pressure: Pressure
    disk: Disk
    later: Later
    #: Called after every delivery that was kept.
    wake: Callable[[], None] = field(default=lambda: None)
    #: Set by whoever understands messages; a customer who waits for an answer waits for it too.
    filings: asyncio.Future[Filing] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    url: str = ""
    _parts: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)
    _doors: AsyncExitStack = field(default_factory=AsyncExitStack, repr=False)

    @classmethod
    async def open(cls, front: Front) -> Reception:
        """Journal and connectors opened, listening. Raises Misconfigured, OSError; then nothing stays open."""
        async with AsyncExitStack() as stack:
            reception = await cls._open(front, stack)
            await reception._listen(front)
            reception._parts = stack.pop_all()
        return reception

    @classmethod
    async def _open(cls, front: Front, stack: AsyncExitStack) -> Reception:
        config, data_dir = front.config, front.data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        stack.callback(Lock(data_dir).close)
        secret = installation_secret(data_dir)
        metrics = Metrics()
        health = Health(list(front.channels), metrics, now)
        journal = await SqliteJournal.open(data_dir / "journal.db", max_waiting=config.limits.waiting_deliveries)
        stack.push_async_callback(journal.aclose)
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=256, limit_per_host=64)
        )
        stack.push_async_callback(session.close)
        connectors, broken = build_connectors(front, secret=secret, now=now, session=lambda: session)
        for channel_id, reason in broken.items():
            health.broken(channel_id, "start", f"does not start: {reason}")
        for connector in connectors.values():
            stack.push_async_callback(connector.aclose)
        disk = Disk(data_dir, config.limits.free_disk_bytes)
        watching = asyncio.create_task(disk.watch())
        stack.push_async_callback(cancel, watching)
        return cls(
            secret=secret,
            journal=journal,
            connectors=connectors,
            health=health,
            metrics=metrics,
            pressure=Pressure(),
            disk=disk,
            later=Later(),
        )

    async def _listen(self, front: Front) -> None:
        intake = Intake(
            self.connectors,
            journal=self.journal,
            metrics=self.metrics,
            wake=lambda: self.wake(),
            heard=self.health.heard,
            pressure=self.pressure,
            body_seconds=front.config.limits.body_seconds,
            disk_is_low=self.disk.is_low,
            filed=self._filed,
        )
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/in/{channel}", intake.route)
        application.router.add_get("/healthz", _alive)
        application.router.register_resource(self.later)
        async with AsyncExitStack() as doors:
            self.url = await listen(application, intake.before, front.config, doors)
            self._doors = doors.pop_all()

    async def _filed(self, channel_id: str, ids: Sequence[str]) -> Filed:
        try:
            async with asyncio.timeout(_START_SECONDS):
                filing = await asyncio.shield(self.filings)
        except TimeoutError:
            return Filed()
        return await filing(channel_id, ids)

    async def close_doors(self) -> None:
        """Stops listening, once whoever was let in is answered; may be called again."""
        self.later.give_up()
        await self._doors.aclose()

    async def aclose(self) -> None:
        """Stops listening and closes everything; what was kept stays kept. May be called again."""
        await self.close_doors()
        await self._parts.aclose()


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "alive"})
