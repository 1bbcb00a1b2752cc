"""Sends what the store says is owed to customers and writes down what became of it. The one loop of this package.

A row is claimed and that is committed before its send begins, so a crash leaves it `sending`: at the next start it
counts as ambiguous and is looked for before it is repeated (P11). Channels do not wait for each other.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

import structlog

from receipts.attempt import Writer, attempt
from receipts.lane import Channel, Lane
from receipts.outcome import Judge, Patience, released, reroute, settle
from tickets.model import OutboxItem, Settled

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_SETTLE_AT_ONCE = 500
#: Failures after which rows are written one by one.
_SUSPECT_ONE = 3


class Transaction(Protocol):
    """What the outbox needs of a transaction of the store."""

    def claim_outbox(self, now: datetime, limit: int, *, exclude: Collection[str]) -> Sequence[OutboxItem]:
        """Due rows, longest due first, now `sending` with this attempt counted; none of the excluded channels."""

    def settle_outbox(self, settled: Sequence[Settled], /) -> object:
        """Writes the next state of each row, its provider ids, thread refs and task."""

    def recover_outbox(self, now: datetime, wait: Mapping[str, timedelta], /) -> object:
        """Makes rows that a crash left in `sending` due again, ambiguous, after the wait of their channel."""


class Ledger(Protocol):
    """The store, as far as the outbox needs it."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """One transaction: committed when the block ends, rolled back when it raises."""


class Observe(Protocol):
    """Takes one measurement; the composition root decides what becomes of it."""

    def __call__(self, event: str, channel_id: str, seconds: float) -> None:
        """Counts an event of a channel; `seconds` since the row was due, 0 when it was not sent.

        Events: sent, retried, released, failed, halted (a row, by a bug), channel_halted, channel_resumed.
        """


class Run(Protocol):
    """Runs blocking work in the thread that owns the store."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """The result of `work`."""


class Outbox:
    """The loop. `serve` runs until `stop`; everything is called from one event loop.

    `calm` is awaited before each send: it returns, soon, when nothing more urgent needs the time.
    """

    def __init__(
        self,
        *,
        store: Ledger,
        run: Run,
        channels: Mapping[str, Channel],
        writer: Writer,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        observe: Observe,
        patience: Patience | None = None,
        calm: Callable[[], Awaitable[None]] | None = None,
        jitter: Callable[[], float] = random.random,
        batch: int = 200,
        poll_seconds: float = 1.0,
        check_seconds: float = 60.0,
        send_seconds: float = 120.0,
    ) -> None:
        self._store = store
        self._run = run
        self._writer = writer
        self._now = now
        self._observe = observe
        self._patience = patience or Patience()
        self._calm = calm
        self._jitter = jitter
        self._batch = batch
        self._poll = poll_seconds
        self._check_every = check_seconds
        self._send_seconds = send_seconds
        self._judge = Judge(
            facts={name: channel.facts for name, channel in channels.items()},
            evidence_wait={name: channel.evidence_wait for name, channel in channels.items()},
            patience=self._patience,
            new_id=new_id,
        )
        self._lanes = {name: Lane(channel, most=batch, clock=time.monotonic) for name, channel in channels.items()}
        self._wake = asyncio.Event()
        self._settle_due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._done: list[Settled] = []
        self._stopping = False
        self._closing = False
        self._grace = 10.0
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def halted(self) -> Mapping[str, str]:
        """The channels whose sending is halted, each with the class name of the error that did it."""
        return {name: lane.halted for name, lane in self._lanes.items() if lane.halted}

    @property
    def outstanding(self) -> int:
        """How many rows are claimed and not yet written back."""
        return sum(lane.outstanding for lane in self._lanes.values()) + len(self._done)

    def wake(self) -> None:
        """Makes the loop look for due rows at once: to be called after a commit that added some."""
        self._wake.set()

    def resume(self, channel_id: str) -> None:
        """Lets a halted channel send again. Raises KeyError for an unknown channel."""
        lane = self._lanes[channel_id]
        if lane.halted:
            self._observe("channel_resumed", channel_id, 0.0)
        lane.resume()
        self._wake.set()

    async def stop(self, grace: float = 10.0) -> None:
        """Ends `serve`: no new sends; those under way get `grace` seconds, everything else stays due in the store."""
        self._grace = grace
        self._stopping = True
        self._wake.set()
        await self._ended.wait()

    async def serve(self) -> None:
        """Sends until `stop`; while the store is away it waits and forgets nothing that was sent."""
        self._ended.clear()
        settler = asyncio.create_task(self._settle_forever())
        checker = asyncio.create_task(self._check_forever())
        try:
            await self._insist(self._recover)
            await self._claim_until_stopped()
            self._release_waiting()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._grace)
        finally:
            # A send that is cut off stays `sending`: at the next start it is ambiguous.
            for task in (checker, *self._tasks):
                task.cancel()
            await asyncio.gather(checker, *self._tasks, return_exceptions=True)
            self._closing = True
            self._settle_due.set()
            try:
                await settler
            finally:
                self._ended.set()

    async def _claim_until_stopped(self) -> None:
        while not self._stopping:
            self._wake.clear()
            items = await self._insist(self._claim) or ()
            excess: Counter[str] = Counter()
            for item in items:
                self._start(item, excess)
            if len(items) < self._batch:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll):
                        await self._wake.wait()

    def _start(self, item: OutboxItem, excess: Counter[str]) -> None:
        """Begins the delivery of a claimed row; `excess` counts the rows of this claim that found no room."""
        row = item.row
        now = self._now()
        moved = reroute(row, self._judge, now, refused=item.refused)
        if moved is not None:
            self._finish(moved, row.routes[row.route].channel_id if row.route < len(row.routes) else "")
            return
        name = row.routes[row.route].channel_id
        lane = self._lanes[name]
        if self._stopping or lane.full:
            self._finish(released(row, now + lane.turn(excess[name])), name)
            excess[name] += 1
            return
        lane.outstanding += 1
        lane.waiting.append(item)
        if lane.senders < lane.channel.concurrent_sends:
            lane.senders += 1
            task = asyncio.create_task(self._send_waiting(name, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send_waiting(self, name: str, lane: Lane) -> None:
        """One of a channel's senders: delivers what waits for the channel until nothing does."""
        try:
            while lane.waiting:
                if self._calm is not None:
                    await self._calm()
                    if not lane.waiting:
                        break  # another sender of the channel took it meanwhile
                try:
                    await self._deliver(lane.waiting.popleft(), name, lane)
                except Exception as error:
                    # Its row stays `sending` and is taken up at the next start, flagged.
                    _log.error("delivery_broke", exc_type=type(error).__name__)
        finally:
            lane.senders -= 1

    async def _deliver(self, item: OutboxItem, name: str, lane: Lane) -> None:
        try:
            if self._stopping or lane.halted or lane.pause:
                settled = released(item.row, self._now() + lane.turn(0))
            else:
                made = await attempt(item, lane, self._writer, self._now, self._send_seconds)
                recipient = item.row.routes[item.row.route].recipient
                if lane.learn(made.error, recipient, self._patience, self._jitter()):
                    self._observe("channel_halted", name, 0.0)
                    _log.error("sending_halted", channel_id=name, error_class=lane.halted)
                settled = settle(made, self._judge, self._jitter())
                if settled.row.state == "halted":
                    _log.error("receipt_halted", channel_id=name, key=item.row.key, exc_type=settled.row.error_class)
            self._finish(settled, name)
        finally:
            was_full = lane.outstanding >= lane.room
            lane.outstanding -= 1
            if was_full:
                self._wake.set()

    def _release_waiting(self) -> None:
        """Gives back what no sender has begun, also when all of them are held up."""
        for name, lane in self._lanes.items():
            while lane.waiting:
                lane.outstanding -= 1
                self._finish(released(lane.waiting.popleft().row, self._now() + lane.turn(0)), name)

    def _finish(self, settled: Settled, name: str) -> None:
        self._done.append(settled)
        self._settle_due.set()
        row = settled.row
        event = row.state if row.state != "due" else "released" if row.error_class is None else "retried"
        waited = (settled.sent_at - row.due_at).total_seconds() if settled.sent_at else 0.0
        self._observe(event, name, max(0.0, waited))

    async def _settle_forever(self) -> None:
        while not (self._closing and not self._done):
            await self._settle_due.wait()
            self._settle_due.clear()
            await self._flush()

    async def _flush(self) -> None:
        """Writes everything that is done. What cannot be written is kept and tried again; raises only when stopping."""
        failures = 0
        while self._done:
            batch = self._done[: _SETTLE_AT_ONCE if failures < _SUSPECT_ONE else 1]
            try:
                await self._run(partial(self._settle, batch))
            except Exception as error:
                failures += 1
                _log.error("settle_failed", rows=len(batch), exc_type=type(error).__name__)
                if self._closing and failures > _SUSPECT_ONE + len(self._done):
                    raise
                if failures > _SUSPECT_ONE:
                    # One row that cannot be written must not keep the others from being written.
                    self._done.append(self._done.pop(0))
                await asyncio.sleep(min(5.0, 0.05 * 2.0 ** min(failures, 10)))
            else:
                del self._done[: len(batch)]
                now = self._now()
                if any(settled.row.state == "due" and settled.row.due_at <= now for settled in batch):
                    self._wake.set()

    async def _check_forever(self) -> None:
        while True:
            await asyncio.sleep(self._check_every)
            for name, lane in self._lanes.items():
                if lane.halted:
                    try:
                        async with asyncio.timeout(self._send_seconds):
                            await lane.channel.connector.check()
                    except Exception as error:
                        _log.warning("still_halted", channel_id=name, error_class=type(error).__name__)
                    else:
                        self.resume(name)

    async def _insist(self, work: Callable[[], T]) -> T | None:
        """The result of `work`, tried again while the store is away; None when stopping."""
        pause = 0.1
        while not self._stopping:
            try:
                return await self._run(work)
            except Exception as error:
                _log.error("outbox_store_failed", exc_type=type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                self._wake.clear()
                pause = min(5.0, pause * 2)
        return None

    def _recover(self) -> None:
        with self._store.begin() as tx:
            tx.recover_outbox(self._now(), self._judge.evidence_wait)

    def _claim(self) -> Sequence[OutboxItem]:
        closed = frozenset(name for name, lane in self._lanes.items() if lane.closed)
        with self._store.begin() as tx:
            return tx.claim_outbox(self._now(), self._batch, exclude=closed)

    def _settle(self, batch: Sequence[Settled]) -> None:
        with self._store.begin() as tx:
            tx.settle_outbox(batch)
