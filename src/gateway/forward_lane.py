"""The way to one target: what is owed is claimed, committed, and only then handed over; a crash repeats, never loses.

A row that a crash left on its way counts as repeated: the forwarder looks before it writes. A target that does not
answer rests, longer each time; one that refuses our credentials halts, and its queue waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from gateway.worker import RunInThread
from receipts.outcome import Patience
from tickets.forwarders.contract import MOST_CHANGES, Forwarder, Handed, Handover
from tickets.forwarders.errors import Ambiguous, AuthFailed, Declined, ForwardError, Misconfigured, Refused, Unavailable
from tickets.forwarders.settings import TargetSettings
from tickets.forwarders.values import ForwardItem, ForwardRow, Settled
from tickets.store import Store

log = structlog.get_logger("aduan.forward")

#: Failures in a row after which the whole target rests.
_PATIENT_FAILURES = 3
#: A target that is back is noticed within a minute.
_LONGEST_REST = timedelta(minutes=1)
#: A hand-over is a few calls, each with its own time limit.
_CALLS = 8
#: Changes are asked for again this far back: clocks differ, lists lag.
_OVERLAP = timedelta(minutes=5)
_FIRST_LOOK = timedelta(days=1)
PATIENCE = Patience(first_wait=2.0, longest_wait=600.0)


class Lane:
    """One target. Every method is called from one event loop."""

    def __init__(
        self,
        forwarder: Forwarder,
        settings: TargetSettings,
        *,
        store: Store,
        run: RunInThread,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        jitter: Callable[[], float],
        links: Callable[[str], Mapping[str, str]],
        observe: Callable[[str, str], None] = lambda target, outcome: None,
    ) -> None:
        self.forwarder = forwarder
        self.settings = settings
        self._store = store
        self._run = run
        self._now = now
        self._new_id = new_id
        self._jitter = jitter
        self._links = links
        self._observe = observe
        self._failures = 0
        self._successes = 0
        #: Of rows that fail: how often they did after others had gone through, and the successes that were known then.
        self._failing: dict[tuple[str, int], tuple[int, int]] = {}
        self._resting_until: datetime | None = None
        self._more_to_see = False
        #: Since when nothing succeeded, and the class of the last error; None while it works.
        self.trouble: tuple[datetime, str] | None = None

    @property
    def name(self) -> str:
        """The target's name."""
        return self.settings.name

    @property
    def rest(self) -> float:
        """Seconds until it is tried again; 0 when it may be tried now."""
        if self._resting_until is None:
            return 0.0
        left = (self._resting_until - self._now()).total_seconds()
        # A clock that was set back must not keep a target resting.
        return min(max(0.0, left), 2 * _LONGEST_REST.total_seconds())

    def recover(self) -> int:
        """How many rows an earlier run left on their way; in the store's thread, before the first claim."""
        with self._store.begin() as tx:
            return tx.forwards.recover([self.name])

    async def claim(self, limit: int) -> Sequence[ForwardItem]:
        """At most `limit` rows to hand over now; none while it rests or is halted."""
        if self.rest or not await asyncio.to_thread(self._store.forwards.is_due, self.name, self._now()):
            return ()
        # One at a time until it answers again.
        room = 1 if self._failures >= _PATIENT_FAILURES else limit

        def claim() -> Sequence[ForwardItem]:
            with self._store.begin() as tx:
                return tx.forwards.claim(self.name, self._now(), room)

        return await self._run(claim)

    async def turn(self) -> int:
        """How many rows were attempted: one round of everything that may be handed over at the same time."""
        items = await self.claim(self.settings.at_once)
        await asyncio.gather(*(self.deliver(item) for item in items))
        return len(items)

    async def deliver(self, item: ForwardItem) -> None:
        """Hands one claimed row over and writes down what became of it. Raises only a cancellation."""
        row = item.row
        handed: Handed | None = None
        error: Exception | None = None
        if self.rest and self._failures:
            # Its neighbour has just found the target gone.
            row = replace(row, state="due", attempts=row.attempts - 1, due_at=self._now())
        else:
            handed, error = await self._attempt(item)
            row = self._judge(item.row, error)
        settled = Settled(row=row, handed=handed, task_id=self._new_id())

        def settle() -> None:
            with self._store.begin() as tx:
                tx.forwards.settle(settled)
                if isinstance(error, ForwardError) and error.halts:
                    tx.forwards.halt(self.name, type(error).__name__, str(error))

        await self._insist(settle)
        self._observe(self.name, row.state if row.state != "due" else "released" if error is None else "retried")

    async def look(self) -> int:
        """How many tickets others changed there since the last look. Raises a ForwardError."""
        state = (await asyncio.to_thread(self._store.forwards.targets)).get(self.name)
        began = self._now()
        # What was left over lies behind the last change that was told.
        overlap = timedelta() if self._more_to_see else _OVERLAP
        since = began - _FIRST_LOOK if state is None or state.looked_at is None else state.looked_at - overlap
        async with asyncio.timeout(self.settings.timeout_seconds * _CALLS):
            found = [(seen, self._new_id()) for seen in await self.forwarder.changes(since)]
        more = len(found) >= MOST_CHANGES
        until = found[-1][0].changed_at if more else began

        def keep() -> int:
            with self._store.begin() as tx:
                return len(tx.forwards.saw(self.name, found, began, until))

        told = await self._run(keep)
        self._more_to_see = more
        return told

    async def try_again(self, halted: str) -> bool:
        """Whether a halted target works again; one that said 410 is only resumed by a person."""
        if halted not in {AuthFailed.__name__, Misconfigured.__name__}:
            return False
        try:
            async with asyncio.timeout(self.settings.timeout_seconds * _CALLS):
                await self.forwarder.check()
        except (ForwardError, TimeoutError):
            return False

        def resume() -> bool:
            with self._store.begin() as tx:
                return tx.forwards.resume(self.name)

        return await self._run(resume)

    async def _attempt(self, item: ForwardItem) -> tuple[Handed | None, Exception | None]:
        """What the target took, and what went wrong; both when a ticket was made and its text was not taken."""
        handed: Handed | None = None
        try:
            async with asyncio.timeout(self.settings.timeout_seconds * _CALLS):
                handover = self._handover(item)
                if handover.store_ref is None:
                    handed = await self.forwarder.create(handover)
                    handover = replace(handover, store_ref=handed.store_ref, remote=handed.remote)
                    if handover.type == "complaint.received":
                        return handed, None
                return await self.forwarder.update(handover), None
        except ForwardError as error:
            return handed, error
        except TimeoutError:
            return handed, Ambiguous(f"{self.name} did not finish in time")
        except Exception as error:  # a bug in a forwarder: its class says enough, its text may hold anything
            log.exception("forward_broke", target=self.name, error=type(error).__name__)
            return handed, Declined(f"the forwarder failed with {type(error).__name__}")

    def _handover(self, item: ForwardItem) -> Handover:
        row, link = item.row, item.link
        return Handover(
            complaint=item.complaint,
            ticket=item.ticket,
            type=row.type,
            at=row.at,
            seq=row.seq,
            text=row.text,
            store_ref=link.store_ref,
            remote=link.remote,
            repeated=row.repeated,
            write_state=not item.held,
            links=self._links(item.ticket.ticket_number),
        )

    def _judge(self, row: ForwardRow, error: Exception | None) -> ForwardRow:
        """The row's next state, and what the attempt says about the target as a whole."""
        now = self._now()
        if error is None or isinstance(error, Refused):
            self._failures, self._resting_until, self.trouble = 0, None, None
            self._successes += 1
            self._failing.pop((row.complaint_id, row.seq), None)
        if error is None:
            return replace(row, state="done", done_at=now, error_class=None, reason=None, repeated=False)
        # A hand-over is several calls: one may be done although the error of a later one says that nothing was.
        row = replace(row, error_class=type(error).__name__, reason=str(error), state="due", repeated=True)
        log.warning("forward_failed", target=self.name, seq=row.seq, error=row.error_class, attempts=row.attempts)
        if isinstance(error, Refused):
            return replace(row, state="refused", done_at=now)
        if isinstance(error, ForwardError) and error.halts:
            return replace(row, due_at=now)
        alone = self._failed_alone(row)
        if self._gives_up(row, now, row.attempts if isinstance(error, Declined) else alone):
            self._failing.pop((row.complaint_id, row.seq), None)
            return replace(row, state="refused", done_at=now)
        asked = error.after if isinstance(error, Unavailable) else None
        wait = PATIENCE.wait(row.attempts, self._jitter())
        self._failed(now, row.error_class or "", asked)
        if asked is not None:
            wait = max(wait, timedelta(seconds=asked))
        return replace(row, due_at=now + wait)

    def _gives_up(self, row: ForwardRow, now: datetime, tries: int) -> bool:
        """Whether a row failed in vain for `give_up_hours`: an event may be old when it is first handed over."""
        patience = timedelta(hours=self.settings.give_up_hours)
        return now - row.at > patience and tries * timedelta(seconds=PATIENCE.longest_wait) >= patience

    def _failed_alone(self, row: ForwardRow) -> int:
        """How often a row has failed while others went through: then it is not the target that is away."""
        key = row.complaint_id, row.seq
        count, known = self._failing.get(key, (0, self._successes))
        count += self._successes > known
        self._failing[key] = count, self._successes
        return count

    def _failed(self, now: datetime, error_class: str, asked: float | None) -> None:
        self._failures += 1
        self.trouble = (now if self.trouble is None else self.trouble[0], error_class)
        rest = timedelta(seconds=asked or 0.0)
        if self._failures >= _PATIENT_FAILURES:
            rest = max(rest, min(_LONGEST_REST, PATIENCE.wait(self._failures - _PATIENT_FAILURES + 1, self._jitter())))
        if rest:
            self._resting_until = max(self._resting_until or now, now + rest)

    async def _insist(self, work: Callable[[], None]) -> None:
        """Writes what became of an attempt, again and again while the store is away."""
        pause = 0.1
        while True:
            try:
                await self._run(work)
            except Exception as error:
                log.error("forward_store_failed", target=self.name, error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
            else:
                return
