"""The embedded journal: SQLite in WAL with synchronous=FULL and group commit.

One thread writes. Everything that waits while a commit is under way goes into the next one, together with what the
loop can still read, so batches size themselves and nobody lingers: one fsync serves all of them
(docs/adr/0002-keep-before-parse.md).
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.journal import JournalFull, Kept, Parked
from gateway.journal.batches import Batches
from gateway.journal.reading import Ids, Reading, in_batch
from gateway.journal.wal import WriteAheadLog
from gateway.journal.writing import PAGE, SCHEMA, Waiting, commit, is_batch, logged, transaction
from normalizer.message import Raw

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode

#: Turns of the loop without anybody new after which a commit leaves: what one turn reads, the next one brings here.
_QUIET_TURNS = 2
#: Turns that a commit waits at most.
_MOST_TURNS = 16


class SqliteJournal:
    """A journal in one file. Create it inside a running loop by `await SqliteJournal.open(path)`."""

    def __init__(self, path: Path, *, max_waiting: int) -> None:
        self._path = path
        self._max_waiting = max_waiting
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        self._waiting: list[Waiting] = []
        self._acked: list[int] = []
        self._committing: asyncio.Task[None] | None = None
        self._taken_to = 0
        #: The last number whose commit has come back: only up to there is it known which numbers are in a batch.
        self._known_to = 0
        self._again: list[int] = []
        #: Given back and taken although nothing was taken up to there yet: they have had their turn.
        self._ahead: set[int] = set()
        self._batches = Batches()
        self._depth = 0
        self._log = WriteAheadLog(path, self._connect)

    @classmethod
    async def open(cls, path: Path, *, max_waiting: int = 1_000_000) -> SqliteJournal:
        """A journal on `path`, created when missing. Raises OSError or sqlite3.Error when it cannot be written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = cls(path, max_waiting=max_waiting)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(journal._writer, journal._open_writer)
        await loop.run_in_executor(journal._reader, journal._open_reader)
        await journal._log.open()
        return journal

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        db.execute(f"pragma page_size={PAGE}")
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("pragma busy_timeout=5000")
        db.execute("pragma wal_autocheckpoint=0")  # see gateway.journal.wal
        return db

    def _open_writer(self) -> None:
        self._db = self._connect()
        self._db.executescript(SCHEMA)
        self._db.execute("insert or ignore into meta values ('epoch', ?)", (secrets.token_hex(8),))
        self._ids = Ids(self._db.execute("select value from meta where name='epoch'").fetchone()[0])
        used = self._db.execute("select seq from sqlite_sequence where name='inbox'").fetchone()
        self._known_to = used[0] if used else 0
        for first, last, gone in self._db.execute("select first, last, gone from batches order by last"):
            self._batches.add(first, last, gone)
        alone = self._db.execute("select count(*) from inbox where parked_at is null").fetchone()[0]
        self._depth = alone + self._batches.waiting

    def _open_reader(self) -> None:
        self._reading = Reading(self._connect(), self._ids)

    async def keep(self, raws: Sequence[Raw], cursor: tuple[str, str] | None = None) -> Sequence[str]:
        """Ids of `raws` once they (and the cursor of a channel) are durable. Raises JournalFull."""
        if self._depth + len(raws) > self._max_waiting:
            raise JournalFull(f"{self._depth} deliveries wait")
        done: asyncio.Future[range] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting([_encode(raw) for raw in raws], cursor, done))
        self._start_commit()
        return [self._ids.id(seq) for seq in await done]

    def _start_commit(self) -> None:
        if self._committing is None:
            self._committing = asyncio.get_running_loop().create_task(self._commit_all())

    async def _commit_all(self) -> None:
        """Commits until nobody waits. The next batch is what came while the last one was on its way to the disk."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting or self._acked or self._batches.empty:
                await self._all_aboard()
                batch, self._waiting = self._waiting, []
                acked, self._acked = self._acked, []
                empty, self._batches.empty = self._batches.empty, []
                try:
                    ranges = await loop.run_in_executor(self._writer, self._commit, batch, acked, empty)
                except sqlite3.Error as error:
                    self._acked[:0] = acked
                    self._batches.empty[:0] = empty
                    for waiting in batch:
                        if not waiting.done.done():
                            waiting.done.set_exception(JournalFull(type(error).__name__))
                    if not self._waiting:
                        return
                else:
                    self._depth += sum(len(seqs) for seqs in ranges) - len(acked)
                    self._log.grew(logged(batch, acked, empty), self._on_writer)
                    if ranges:
                        self._known_to = ranges[-1].stop - 1
                    if is_batch(batch):
                        self._batches.add(ranges[0].start, ranges[-1].stop - 1)
                    for waiting, seqs in zip(batch, ranges, strict=True):
                        if not waiting.done.done():
                            waiting.done.set_result(seqs)
        finally:
            self._committing = None

    async def _all_aboard(self) -> None:
        """Returns when the loop brings nobody new: whoever can be read now shares this commit instead of the next.

        This is not a linger: a loop that has nothing else to do leaves at once.
        """
        quiet = 0
        for _ in range(_MOST_TURNS):
            waiting = len(self._waiting)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == waiting else 0
            if quiet == _QUIET_TURNS:
                return

    def _commit(self, batch: list[Waiting], acked: list[int], empty: list[int]) -> list[range]:
        return commit(self._db, batch, acked, empty)

    async def take(self, limit: int) -> Sequence[Kept]:
        """Deliveries that nobody holds, oldest first: up to `limit`, fewer when they are large; never none of some.

        They stay until `ack` or `park`.
        """
        again = self._again[:limit]
        out_of_turn = self._ahead.union(self._again)
        fresh = range(self._taken_to + 1, self._known_to + 1)
        kept, looked_at, self._taken_to = await self._run(
            self._reader, lambda: self._reading.select(again, out_of_turn, self._batches.gone, limit, fresh)
        )
        self._ahead = {seq for seq in self._ahead.union(again[:looked_at]) if seq > self._taken_to}
        # What a person put back meanwhile may have been seen in its turn.
        taken = {self._ids.seq(one.id) for one in kept}
        self._again = [seq for seq in self._again[looked_at:] if seq not in taken]
        return kept

    async def read(self, id: str) -> Kept | None:
        """A delivery that was taken, once more; None when it is acknowledged or parked."""
        return await self._run(self._reader, lambda: self._reading.one(self._ids.seq(id), self._batches.gone))

    async def ack(self, ids: Sequence[str]) -> None:
        """Forgets deliveries that the store has; rides on the next commit (a crash before it only repeats them)."""
        seqs = [self._ids.seq(id) for id in ids]
        common = [seq for seq in seqs if self._batches.holds(seq)]
        if common:
            self._batches.leave(common)
            self._depth -= len(common)
            seqs = sorted({*seqs}.difference(common))
        self._acked += seqs
        if self._acked or self._batches.empty:
            self._start_commit()

    async def again(self, ids: Sequence[str], *, counted: bool = True) -> None:
        """Gives deliveries back after a failed try; counts the try when the delivery is to blame for it."""
        seqs = [self._ids.seq(id) for id in ids]
        try:
            if counted:
                await self._on_own_rows(seqs, "update inbox set attempts = attempts + 1 where seq = ?", ())
        finally:
            # Also when the try could not be counted: what is not given back would wait for a restart.
            self._again += seqs

    async def park(self, id: str, reason: str) -> None:
        """Sets one delivery aside for a person."""
        now = datetime.now(UTC).isoformat()
        await self._on_own_rows(
            [self._ids.seq(id)], "update inbox set parked_at = ?, reason = ? where seq = ?", (now, reason)
        )
        self._depth -= 1

    async def parked(self) -> Sequence[Parked]:
        """Deliveries set aside, oldest first."""
        return await self._run(self._reader, self._reading.parked)

    async def unpark(self, ids: Sequence[str]) -> int:
        """Number of parked deliveries put back into the queue."""
        seqs = [self._ids.seq(id) for id in ids]
        changed: list[int] = []

        def put_back(db: sqlite3.Connection) -> None:
            for seq in seqs:
                done = db.execute(
                    "update inbox set parked_at = null, reason = null, attempts = 0 "
                    "where seq = ? and parked_at is not null",
                    (seq,),
                )
                changed.extend([seq] * done.rowcount)

        await self._write(put_back)
        self._again += changed
        self._depth += len(changed)
        return len(changed)

    async def cursor(self, channel_id: str) -> str | None:
        """Where a pulled channel stands."""
        return await self._run(self._reader, lambda: self._reading.cursor(channel_id))

    async def depth(self) -> Mapping[str, int]:
        """Counts of waiting and parked deliveries."""
        parked = await self._run(self._reader, self._reading.count_parked)
        return {"waiting": self._depth, "parked": parked}

    async def aclose(self) -> None:
        """Commits what waits, then closes."""
        while self._committing is not None or self._waiting or self._acked or self._batches.empty:
            self._start_commit()
            if self._committing is not None:
                await asyncio.shield(self._committing)
        await self._log.aclose()
        await self._run(self._reader, self._reading.close)
        await self._run(self._writer, self._db.close)
        self._reader.shutdown()
        self._writer.shutdown()

    async def _on_own_rows(self, seqs: Sequence[int], sql: str, values: tuple[str, ...]) -> None:
        """Runs an update on each delivery's own row, which it gets first where it stands in a common one."""
        leaving = [seq for seq in seqs if self._batches.holds(seq)]
        left = self._batches.without(leaving)

        def work(db: sqlite3.Connection) -> None:
            db.executemany("insert into inbox (seq, raw) values (?, ?)", [(seq, in_batch(db, seq)) for seq in leaving])
            db.executemany("update batches set gone = ? where last = ?", left)
            db.executemany(sql, [(*values, seq) for seq in seqs])

        await self._write(work)
        self._batches.leave(leaving)

    async def _on_writer(self, work: Callable[[sqlite3.Connection], object]) -> None:
        await self._run(self._writer, lambda: work(self._db))

    async def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        def write() -> None:
            with transaction(self._db):
                work(self._db)

        await self._run(self._writer, write)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)
