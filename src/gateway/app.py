"""Puts the parts together and takes them apart again: the composition root.

`Running.start` opens everything in order; `aclose` lets what is under way finish, closes every socket and leaves the
rest durable. Nothing else in the tree knows all parts.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import aiohttp
import structlog
from aiohttp import web

from connectors.contract import Connector, Pull, Reconcile
from connectors.errors import Misconfigured
from gateway.batch import Recording
from gateway.channels import accounts_of, build_connectors
from gateway.clocks import document_rules
from gateway.config_load import Installation
from gateway.desk import FrontDesk
from gateway.fetch import Fetcher
from gateway.files import Files
from gateway.health import Health
from gateway.housekeeping import Housekeeping
from gateway.ids import new_id
from gateway.intake import Intake
from gateway.isolate import Account, Isolated
from gateway.journal.sqlite import SqliteJournal
from gateway.keys import installation_secret
from gateway.letters import terms_by_organisation, ways_of
from gateway.listen import listen
from gateway.metrics import Metrics
from gateway.operations import Operations
from gateway.pressure import Pressure
from gateway.pump import Pump
from gateway.receipt_files import ReceiptFiles
from gateway.reconcile import Reconciler
from gateway.worker import Worker
from receipts.access import access_code, code_hash
from receipts.lane import Channel as SendingChannel
from receipts.outbox import Outbox
from receipts.outcome import Patience
from receipts.writer import ReceiptWriter
from tickets.store import Store
from web.public import routes as public_routes
from web.settings import UploadLimits, WebSettings

T = TypeVar("T")
log = structlog.get_logger("aduan")

#: Webhook bodies of every connector are smaller; forms are streamed past this limit.
_LARGEST_BODY = 8 * 1024 * 1024
_DISK_CHECK_SECONDS = 2.0


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass
class Running:
    """A running installation."""

    installation: Installation
    journal: SqliteJournal
    store: Store
    worker: Worker
    outbox: Outbox
    health: Health
    metrics: Metrics
    connectors: Mapping[str, Connector]
    url: str
    _stack: AsyncExitStack = field(repr=False)

    @classmethod
    async def start(cls, installation: Installation) -> Running:
        """Everything opened, listening. Raises Misconfigured, OSError, SchemaMismatch; then nothing stays open."""
        async with AsyncExitStack() as stack:
            running = await _open(installation, stack)
            running._stack = stack.pop_all()
        return running

    async def aclose(self) -> None:
        """Stops taking, finishes what is under way, closes every socket and file."""
        await self._stack.aclose()


async def _open(installation: Installation, stack: AsyncExitStack) -> Running:
    config = installation.config
    data_dir = installation.data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    stack.callback(_lock(data_dir).close)
    secret = installation_secret(data_dir)

    metrics = Metrics()
    health = Health(list(installation.channels), metrics, now)
    journal = await SqliteJournal.open(data_dir / "journal.db", max_waiting=config.limits.waiting_deliveries)
    stack.push_async_callback(journal.aclose)
    writer = ThreadPoolExecutor(1, thread_name_prefix="store")
    stack.callback(writer.shutdown)

    def run(work: Callable[[], T], /) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(writer, work)

    store = await run(lambda: Store.open(f"sqlite:///{data_dir / 'tickets.db'}"))
    stack.push_async_callback(_in_thread, run, store.close)
    files = Files(data_dir / "attachments", max_bytes=config.attachments.max_bytes)
    files.sweep()

    session = aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=256, limit_per_host=64)
    )
    stack.push_async_callback(session.close)
    connectors, broken = build_connectors(installation, secret=secret, now=now, session=lambda: session)
    for channel_id, reason in broken.items():
        health.broken(channel_id, f"does not start: {reason}")
    for connector in connectors.values():
        stack.push_async_callback(connector.aclose)
    isolated = Isolated(
        {
            id_: Account(kind=c.spec.kind, settings=c.settings, public_url=config.public_url, secret=secret)
            for id_, c in installation.channels.items()
            if c.spec.isolate and id_ in connectors
        },
        memory_bytes=config.limits.parse_memory_bytes,
        seconds=config.limits.parse_seconds,
    )
    stack.callback(isolated.close)

    recording = Recording(
        installation=installation,
        files=files,
        rules={slug: document_rules(each.policy) for slug, each in installation.organisations.items()},
        ways=ways_of(installation),
        code_hash=lambda complaint_id: code_hash(secret, complaint_id, access_code(secret, complaint_id)),
        accounts=accounts_of(installation, connectors),
        now=now,
    )
    fetcher = Fetcher(store=store, files=files, connectors=connectors, run=run, now=now)
    terms = terms_by_organisation(installation)
    receipt_files = ReceiptFiles(installation, keys=data_dir / "keys", terms=terms, secret=secret)
    outbox = Outbox(
        store=store,
        run=run,
        channels={
            id_: SendingChannel(
                connector=connector,
                facts=connector.facts,
                sends_per_second=installation.channels[id_].settings.sends_per_second,
                ambiguous_wait_seconds=config.outbox.ambiguous_wait_seconds,
                concurrent_sends=config.outbox.concurrent_sends,
            )
            for id_, connector in connectors.items()
        },
        writer=ReceiptWriter(
            wording=installation.wording,
            terms=terms,
            secret=secret,
            public_url=config.public_url,
            issuer=receipt_files.issuer,
        ),
        now=now,
        new_id=lambda: new_id(now()),
        observe=lambda event, channel_id, _seconds: metrics.sends.labels(channel_id, event).inc(),
        patience=Patience(give_up=config.outbox.give_up_hours * 3600),
    )

    def recorded() -> None:
        outbox.wake()
        fetcher.wake()

    pressure = Pressure()
    worker = Worker(
        journal=journal,
        store=store,
        recording=recording,
        connectors=connectors,
        isolated=isolated,
        run=run,
        metrics=metrics,
        pressure=pressure,
        recorded=recorded,
    )
    disk = _Disk(data_dir, config.limits.free_disk_bytes)
    _background(stack, disk.watch())
    _background(stack, fetcher.run())
    _background(stack, Housekeeping(installation, store=store, run=run, now=now).run())
    sending = asyncio.create_task(outbox.serve())
    stack.push_async_callback(_finish, sending, outbox.stop)
    working = asyncio.create_task(worker.run())
    stack.push_async_callback(_finish, working, worker.stop)
    for channel_id, connector in connectors.items():
        if isinstance(connector, Pull):
            pump = Pump(channel_id, connector, journal=journal, metrics=metrics, health=health, wake=worker.wake)
            _background(stack, pump.run())
        if isinstance(connector, Reconcile):
            reconciler = Reconciler(
                channel_id,
                connector,
                journal=journal,
                metrics=metrics,
                health=health,
                wake=worker.wake,
                now=now,
                every_seconds=config.limits.reconcile_seconds,
            )
            _background(stack, reconciler.run())

    desk = FrontDesk(
        installation,
        connectors=connectors,
        journal=journal,
        worker=worker,
        store=store,
        run=run,
        files=receipt_files,
        secret=secret,
        now=now,
        disk_is_low=disk.is_low,
    )
    intake = Intake(
        connectors,
        journal=journal,
        metrics=metrics,
        wake=worker.wake,
        pressure=pressure,
        body_seconds=config.limits.body_seconds,
        disk_is_low=disk.is_low,
    )
    operations = Operations(
        installation, journal=journal, store=store, health=health, metrics=metrics, outbox=outbox, disk=disk.is_low
    )
    application = web.Application(client_max_size=_LARGEST_BODY)
    application.router.add_route("*", "/in/{channel}", intake.take)
    application.router.add_routes(operations.routes())
    application.router.add_routes(
        public_routes(
            desk,
            WebSettings(
                public_url=config.public_url,
                secret=secret,
                attachments_dir=data_dir / "attachments",
                trusted_proxies=tuple(config.trusted_proxies),
                uploads=UploadLimits(
                    max_files=config.uploads.max_files,
                    max_file_bytes=config.uploads.max_file_bytes,
                    max_total_bytes=config.uploads.max_total_bytes,
                ),
            ),
        )
    )
    url = await listen(application, config, stack)
    return Running(
        installation=installation,
        journal=journal,
        store=store,
        worker=worker,
        outbox=outbox,
        health=health,
        metrics=metrics,
        connectors=connectors,
        url=url,
        _stack=stack,
    )


class _Disk:
    """Whether the disk has room left, looked at now and then so that no request waits for it."""

    def __init__(self, folder: Path, reserve: int) -> None:
        self._folder = folder
        self._reserve = reserve
        self._low = self._look()

    def _look(self) -> bool:
        return shutil.disk_usage(self._folder).free < self._reserve

    def is_low(self) -> bool:
        """True when less than the reserve is free."""
        return self._low

    async def watch(self) -> None:
        """Looks every two seconds until it is cancelled."""
        while True:
            await asyncio.sleep(_DISK_CHECK_SECONDS)
            low = self._look()
            if low != self._low:
                log.warning("disk_is_low" if low else "disk_has_room")
            self._low = low


def _background(stack: AsyncExitStack, work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    stack.push_async_callback(_cancel, task)


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _finish(task: asyncio.Task[None], stop: Callable[[], Awaitable[None] | None]) -> None:
    stopping = stop()
    if stopping is not None:
        await stopping
    await task


async def _in_thread(run: Callable[[Callable[[], None]], Awaitable[None]], work: Callable[[], None]) -> None:
    await run(work)


class _Lock:
    """Keeps a second process off a data folder."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def close(self) -> None:
        """Lets the next process in."""
        os.close(self._handle)


def _lock(data_dir: Path) -> _Lock:
    handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise Misconfigured("another `aduan serve` uses this data_dir: stop it, or give this one its own") from error
    return _Lock(handle)
