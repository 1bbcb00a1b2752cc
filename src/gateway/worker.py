"""Takes deliveries from the journal, understands them and records them: hops 4 to 6 of docs/develop/architecture.md.

A batch is one transaction. When it fails it is tried again delivery by delivery, so that one poisonous delivery never
holds its neighbours; what fails five times is parked with its bytes (P7). Hostile formats are read beside
it (`gateway.reader`) and join a batch when they are read.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from connectors.contract import Connector
from connectors.errors import Malformed
from gateway.isolate import Isolated
from gateway.journal import Journal, Kept
from gateway.metrics import Metrics
from gateway.pressure import Pressure
from gateway.reader import Reader
from gateway.record import Arrival, Outcome, record
from gateway.recording import Recording
from tickets.store import Conflict, SchemaMismatch, Store

T = TypeVar("T")

log = structlog.get_logger("aduan.worker")

BATCH = 200
#: The same while a crowd waits to be acknowledged: what a batch takes, nobody is answered in.
_BATCH_IN_CROWD = 50
TRIES = 5
_REMEMBERED = 4096
_AWAY_SECONDS = 1.0
_RETRY_SECONDS = 0.1


class RunInThread(Protocol):
    """Runs store work on the one writer thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class Worker:
    """The loop between journal and store."""

    def __init__(
        self,
        *,
        journal: Journal,
        store: Store,
        recording: Recording,
        connectors: Mapping[str, Connector],
        isolated: Isolated,
        run: RunInThread,
        metrics: Metrics,
        pressure: Pressure,
        recorded: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._store = store
        self._recording = recording
        self._connectors = connectors
        self._reader = Reader(
            journal=journal, isolated=isolated, channels=recording.installation.channels, ready=self.wake
        )
        self._run = run
        self._metrics = metrics
        self._pressure = pressure
        #: Told after every commit: the outbox and the file fetcher have work.
        self._recorded = recorded
        self._woken = asyncio.Event()
        self._stopping = False
        #: Whether the journal had something when it was looked at last.
        self.is_busy = False
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._expected: dict[str, asyncio.Future[Outcome]] = {}

    def wake(self) -> None:
        """Says that the journal has something new."""
        self._woken.set()

    def stop(self) -> None:
        """Lets the loop end after the batch it is in; everything else stays in the journal."""
        self._stopping = True
        self._reader.stop()
        self._woken.set()

    async def outcome(self, raw_id: str) -> Outcome:
        """What became of a delivery: returns once it is recorded, at once when it already is."""
        if raw_id in self._outcomes:
            return self._outcomes[raw_id]
        future = self._expected.setdefault(raw_id, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    async def run(self) -> None:
        """Works until `stop`. Never ends because of a delivery, nor because the journal or the store is away."""
        reading = asyncio.create_task(self._reader.run())
        while not self._stopping:
            self._woken.clear()
            try:
                kept = await self._journal.take(_BATCH_IN_CROWD if self._pressure.is_crowd else BATCH)
            except Exception as error:
                log.error("journal_away", error=type(error).__name__)
                await asyncio.sleep(_AWAY_SECONDS)
                continue
            items: list[Kept | Arrival] = [*self._reader.collect(BATCH)]
            for one in kept:
                if self._is_isolated(one):
                    self._reader.put(one)
                else:
                    items.append(one)
            self.is_busy = bool(kept or items)
            if items:
                began = time.monotonic()
                self._pressure.behind = _age(items)
                await self._work(items)
                # Unless somebody waits for what is recorded.
                await self._pressure.rest(
                    time.monotonic() - began, unless=lambda: bool(self._expected) or self._stopping
                )
            elif not kept:
                self._pressure.behind = 0.0
                await self._woken.wait()
        await reading

    def _is_isolated(self, kept: Kept) -> bool:
        channel = self._recording.installation.channels.get(kept.raw.channel_id)
        return channel is not None and channel.spec.isolate and channel.id in self._connectors

    async def _work(self, items: Sequence[Kept | Arrival]) -> bool:
        """Records a batch, or each of its deliveries alone; False when the store is away and all were given back."""
        ids = [_kept(item).id for item in items]
        try:
            outcomes = await self._run(lambda: self._process(items))
        except Exception as error:
            if await self._is_away(error):
                # Nobody is to blame, nothing is counted, the journal keeps all.
                log.warning("store_away", error=type(error).__name__)
                await self._journal.again(ids, counted=False)
                await asyncio.sleep(_AWAY_SECONDS)
                return False
            if len(items) == 1:
                await self._failed(_kept(items[0]), error)
                return True
            for place, item in enumerate(items):
                if not await self._work([item]):
                    await self._journal.again(ids[place + 1 :], counted=False)
                    return False
            return True
        await self._journal.ack(ids)
        for outcome in outcomes:
            self._metrics.count(outcome)
            self._tell(outcome)
        self._recorded()
        return True

    async def _is_away(self, error: Exception) -> bool:
        """Whether the store or the disk is to blame, not the delivery."""
        if isinstance(error, OSError | SchemaMismatch):
            return True
        if not isinstance(error, OperationalError):
            return False

        def can_write() -> None:
            with self._store.begin():
                pass

        try:
            await self._run(can_write)
        except Exception:
            return True
        return False

    async def _failed(self, kept: Kept, error: Exception) -> None:
        """One delivery that cannot be recorded: tried again, then parked for a person."""
        name = type(error).__name__
        try:
            if isinstance(error, Conflict) and await self._run(lambda: self._store.raw(kept.id)) is not None:
                await self._journal.ack([kept.id])  # recorded before a crash cut the acknowledgement
            elif kept.attempts + 1 < TRIES:
                log.warning("delivery_failed", raw_id=kept.id, channel=kept.raw.channel_id, error=name)
                await asyncio.sleep(_RETRY_SECONDS * (kept.attempts + 1))
                await self._journal.again([kept.id])
                return
            else:
                log.error("delivery_parked", raw_id=kept.id, channel=kept.raw.channel_id, error=name)
                await self._journal.park(kept.id, f"could not be recorded: {name}")
                self._metrics.parked.inc()
        except Exception as trouble:
            log.error("journal_away", error=type(trouble).__name__)
            await asyncio.sleep(_AWAY_SECONDS)
            await self._journal.again([kept.id], counted=False)
            return
        # Whoever waits for it must not wait for a person.
        self._tell(Outcome(raw_id=kept.id))

    def _process(self, items: Sequence[Kept | Arrival]) -> list[Outcome]:
        arrivals = [item if isinstance(item, Arrival) else self._parse(item) for item in items]
        with self._store.begin() as tx:
            return record(tx, self._recording, arrivals)

    def _parse(self, kept: Kept) -> Arrival:
        """The delivery with its events. Raises KeyError when its channel is not configured any more."""
        channel = self._recording.installation.channels[kept.raw.channel_id]
        try:
            return Arrival(kept=kept, channel=channel, events=list(self._connectors[channel.id].parse(kept.raw)))
        except Malformed as error:
            return Arrival(kept=kept, channel=channel, events=error)

    def _tell(self, outcome: Outcome) -> None:
        future = self._expected.pop(outcome.raw_id, None)
        if future is not None and not future.done():
            future.set_result(outcome)
        self._outcomes[outcome.raw_id] = outcome
        if len(self._outcomes) > _REMEMBERED:
            self._outcomes.popitem(last=False)


def _kept(item: Kept | Arrival) -> Kept:
    return item if isinstance(item, Kept) else item.kept


def _age(items: Sequence[Kept | Arrival]) -> float:
    """Seconds since the oldest of them came; 0 for what the clock says comes from the future."""
    oldest = min(_kept(item).raw.received_at for item in items)
    return max(0.0, (datetime.now(UTC) - oldest).total_seconds())
