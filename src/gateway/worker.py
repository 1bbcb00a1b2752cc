"""Takes deliveries from the journal, understands them and records them: hops 4 to 6 of design.md section 4.

A batch is one transaction. When it fails it is tried again delivery by delivery, so that one poisonous delivery never
holds its neighbours; what fails five times is parked with its bytes (promises.md P7).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from connectors.contract import Connector
from connectors.errors import Malformed, Unavailable
from gateway.batch import Recording
from gateway.isolate import Isolated
from gateway.journal import Journal, Kept
from gateway.metrics import Metrics
from gateway.record import Arrival, Outcome, record
from tickets.store import Conflict, Store

T = TypeVar("T")

log = structlog.get_logger("aduan.worker")

BATCH = 200
TRIES = 5
_REMEMBERED = 4096
_STORE_AWAY_SECONDS = 1.0
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
        recorded: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._store = store
        self._recording = recording
        self._connectors = connectors
        self._isolated = isolated
        self._run = run
        self._metrics = metrics
        #: Told after every commit: the outbox and the file fetcher have work.
        self._recorded = recorded
        self._woken = asyncio.Event()
        self._stopping = False
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._expected: dict[str, asyncio.Future[Outcome]] = {}

    def wake(self) -> None:
        """Says that the journal has something new."""
        self._woken.set()

    def stop(self) -> None:
        """Lets the loop end after the batch it is in; everything else stays in the journal."""
        self._stopping = True
        self._woken.set()

    async def outcome(self, raw_id: str) -> Outcome:
        """What became of a delivery: returns once it is recorded, at once when it already is."""
        if raw_id in self._outcomes:
            return self._outcomes[raw_id]
        future = self._expected.setdefault(raw_id, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    async def run(self) -> None:
        """Works until `stop`. Never ends because of a delivery."""
        while not self._stopping:
            self._woken.clear()
            kept = await self._journal.take(BATCH)
            if not kept:
                await self._woken.wait()
                continue
            await self._work(kept)

    async def _work(self, kept: Sequence[Kept]) -> None:
        try:
            outcomes = await self._run(lambda: self._process(kept))
        except (OperationalError, Unavailable) as error:
            # The store or the reader is away: nobody is to blame, nothing is counted, the journal keeps all.
            log.warning("store_away", error=type(error).__name__)
            await asyncio.sleep(_STORE_AWAY_SECONDS)
            await self._journal.again([k.id for k in kept])
        except Exception as error:
            if len(kept) > 1:
                for one in kept:
                    await self._work([one])
            else:
                await self._failed(kept[0], error)
        else:
            await self._journal.ack([k.id for k in kept])
            for outcome in outcomes:
                self._remember(outcome)
            self._recorded()

    async def _failed(self, kept: Kept, error: Exception) -> None:
        """One delivery that cannot be recorded: tried again, then parked for a person."""
        if isinstance(error, Conflict) and await self._run(lambda: self._store.raw(kept.id)) is not None:
            await self._journal.ack([kept.id])  # recorded before a crash cut the acknowledgement
            return
        name = type(error).__name__
        if kept.attempts + 1 < TRIES:
            log.warning("delivery_failed", raw_id=kept.id, channel=kept.raw.channel_id, error=name)
            await asyncio.sleep(_RETRY_SECONDS * (kept.attempts + 1))
            await self._journal.again([kept.id])
            return
        log.error("delivery_parked", raw_id=kept.id, channel=kept.raw.channel_id, error=name)
        self._metrics.parked.inc()
        await self._journal.park(kept.id, f"could not be recorded: {name}")

    def _process(self, kept: Sequence[Kept]) -> list[Outcome]:
        arrivals = self._read(kept)
        with self._store.begin() as tx:
            return record(tx, self._recording, arrivals)

    def _read(self, kept: Sequence[Kept]) -> list[Arrival]:
        """Every delivery with its events. A channel that is no longer configured makes its deliveries malformed."""
        arrivals: list[Arrival] = []
        channels = self._recording.installation.channels
        for one in kept:
            channel = channels.get(one.raw.channel_id)
            if channel is None:
                raise KeyError(f"channel {one.raw.channel_id} is not configured any more")
            if channel.spec.isolate:
                (events,) = self._isolated.parse([one.raw])
            else:
                try:
                    events = list(self._connectors[channel.id].parse(one.raw))
                except Malformed as error:
                    events = error
            arrivals.append(Arrival(kept=one, channel=channel, events=events))
        return arrivals

    def _remember(self, outcome: Outcome) -> None:
        self._metrics.count(outcome)
        future = self._expected.pop(outcome.raw_id, None)
        if future is not None and not future.done():
            future.set_result(outcome)
        self._outcomes[outcome.raw_id] = outcome
        if len(self._outcomes) > _REMEMBERED:
            self._outcomes.popitem(last=False)
