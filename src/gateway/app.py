"""Puts the parts together and takes them apart again: the composition root.

`gateway.reception` takes messages in; here comes everything that understands and answers them. `aclose` lets what is
under way finish, closes every socket and leaves the rest durable. Nothing else in the tree knows all parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.contract import Connector, Pull, Reconcile
from gateway.channels import accounts_of
from gateway.clocks import document_rules
from gateway.deciding import Deciding
from gateway.desk import FrontDesk
from gateway.fetch import Fetcher
from gateway.files import Files
from gateway.filing import Filings
from gateway.forwarding import Forwarding
from gateway.handling import Handling, LiveHandling
from gateway.handling_notices import notices_of
from gateway.health import Health
from gateway.ids import new_id
from gateway.installation import Installation
from gateway.isolate import Account, Isolated
from gateway.jobs import by_the_clock
from gateway.journal.sqlite import SqliteJournal
from gateway.letters import terms_by_organisation, ways_of
from gateway.metrics import Metrics
from gateway.office import DeskOffice
from gateway.operations import Operations
from gateway.pump import Pump
from gateway.receipt_files import ReceiptFiles
from gateway.reception import Reception, now
from gateway.reconcile import Reconciler
from gateway.recording import Recording
from gateway.report_figures import figures_of
from gateway.tasks import cancel
from gateway.watchdog import Watchdog
from gateway.worker import Worker
from receipts.access import access_code, code_hash
from receipts.lane import Channel as SendingChannel
from receipts.outbox import Outbox
from receipts.outcome import Patience
from receipts.writer import ReceiptWriter
from tickets.store import Store
from web.desk_api import routes as desk_routes
from web.public import routes as public_routes
from web.settings import UploadLimits, WebSettings

T = TypeVar("T")


@dataclass
class Running:
    """A running installation."""

    installation: Installation
    reception: Reception
    store: Store
    worker: Worker
    outbox: Outbox
    handling: LiveHandling
    _stack: AsyncExitStack = field(repr=False)

    @classmethod
    async def start(cls, installation: Installation) -> Running:
        """Everything opened, listening. Raises Misconfigured, OSError, SchemaMismatch; then nothing stays open."""
        reception = await Reception.open(installation)
        try:
            return await cls.complete(reception, installation)
        except BaseException:
            await reception.aclose()
            raise

    @classmethod
    async def complete(cls, reception: Reception, installation: Installation) -> Running:
        """The rest around a reception that already takes messages. Raises OSError, SchemaMismatch; closes the rest."""
        async with AsyncExitStack() as stack:
            running = await _open(installation, reception, stack)
            running._stack = stack.pop_all()
        return running

    @property
    def journal(self) -> SqliteJournal:
        """The durable inbox."""
        return self.reception.journal

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """Every connector that could be built, by channel id."""
        return self.reception.connectors

    @property
    def health(self) -> Health:
        """The state of every channel."""
        return self.reception.health

    @property
    def metrics(self) -> Metrics:
        """What was counted."""
        return self.reception.metrics

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.reception.url

    async def aclose(self) -> None:
        """Stops taking, finishes what is under way, closes every socket and file."""
        await self.reception.close_doors()
        await self._stack.aclose()
        await self.reception.aclose()


async def _open(installation: Installation, reception: Reception, stack: AsyncExitStack) -> Running:
    config, data_dir = installation.config, installation.data_dir
    journal, connectors, secret = reception.journal, reception.connectors, reception.secret
    health, metrics = reception.health, reception.metrics
    writer = ThreadPoolExecutor(1, thread_name_prefix="store")
    stack.callback(writer.shutdown)

    def run(work: Callable[[], T], /) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(writer, work)

    store = await run(lambda: Store.open(f"sqlite:///{data_dir / 'tickets.db'}"))
    stack.push_async_callback(_in_thread, run, store.close)
    files = Files(data_dir / "attachments", max_bytes=config.attachments.max_bytes)
    files.sweep()
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
        calm=reception.pressure.calm,
    )

    def fresh_id() -> str:
        return new_id(now())

    owe = notices_of(installation, fresh_id)
    handling = Handling(installation, store=store, new_id=fresh_id, now=now, owe=owe)
    live = LiveHandling(handling, run, written=outbox.wake)

    forwarding = Forwarding(
        config.forward,
        list(installation.organisations),
        store=store,
        run=run,
        now=now,
        new_id=fresh_id,
        public_url=config.public_url,
        observe=lambda target, outcome: metrics.sends.labels(f"forward:{target}", outcome).inc(),
    )
    stack.push_async_callback(forwarding.aclose)

    def recorded() -> None:
        outbox.wake()
        fetcher.wake()
        forwarding.wake()

    worker = Worker(
        journal=journal,
        store=store,
        recording=recording,
        connectors=connectors,
        isolated=isolated,
        run=run,
        metrics=metrics,
        pressure=reception.pressure,
        recorded=recorded,
    )
    _background(stack, fetcher.run())
    _background(stack, forwarding.run())
    for job in by_the_clock(
        installation,
        data_dir=data_dir,
        store=store,
        handling=handling,
        run=run,
        busy=lambda: reception.pressure.is_crowd or worker.is_busy,
        key=secret,
        now=now,
        owed=outbox.wake,
    ):
        _background(stack, job)
    sending = asyncio.create_task(outbox.serve())
    stack.push_async_callback(_finish, sending, outbox.stop)
    working = asyncio.create_task(worker.run())
    stack.push_async_callback(_finish, working, worker.stop)
    reception.wake = worker.wake
    reception.filings.set_result(Filings(installation, worker, now).filed)
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
                outcome=worker.outcome,
                now=now,
                every_seconds=config.limits.reconcile_seconds,
            )
            _background(stack, reconciler.run())

    watchdog = Watchdog(
        installation, connectors, store=store, health=health, now=now, every_seconds=config.limits.check_seconds
    )
    _background(stack, watchdog.run())

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
        disk_is_low=reception.disk.is_low,
    )
    operations = Operations(
        installation,
        connectors=connectors,
        journal=journal,
        store=store,
        health=health,
        metrics=metrics,
        outbox=outbox,
        forwarding=forwarding,
        disk=reception.disk.is_low,
    )
    settings = WebSettings(
        public_url=config.public_url,
        secret=secret,
        attachments_dir=data_dir / "attachments",
        trusted_proxies=tuple(config.trusted_proxies),
        uploads=UploadLimits(
            max_files=config.uploads.max_files,
            max_file_bytes=config.uploads.max_file_bytes,
            max_total_bytes=config.uploads.max_total_bytes,
        ),
    )
    # The words of the pages are read here; meanwhile the loop acknowledges.
    pages = await asyncio.to_thread(public_routes, desk, settings)
    office = DeskOffice(
        installation,
        store=store,
        run=run,
        handling=live,
        deciding=Deciding(store, handling),
        health=health,
        halted=lambda: outbox.halted,
        report=figures_of(installation, store),
        now=now,
    )
    # Addresses with names of ours come before the form's, which takes what is left.
    reception.later.serve([*operations.routes(), *desk_routes(office, settings), *pages])
    return Running(installation, reception, store, worker, outbox, live, stack)


def _background(stack: AsyncExitStack, work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    stack.push_async_callback(cancel, task)


async def _finish(task: asyncio.Task[None], stop: Callable[[], Awaitable[None] | None]) -> None:
    stopping = stop()
    if stopping is not None:
        await stopping
    await task


async def _in_thread(run: Callable[[Callable[[], None]], Awaitable[None]], work: Callable[[], None]) -> None:
    await run(work)
