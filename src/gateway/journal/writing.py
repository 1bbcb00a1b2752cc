"""What one commit of the embedded journal writes; runs in the writer's thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from gateway.journal.batches import LEAST, MOST_BYTES, pack

#: Bytes of a page: a large one takes a batch in few pieces.
PAGE = 16384
SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists inbox (
  seq integer primary key autoincrement,
  raw blob not null,
  attempts integer not null default 0,
  parked_at text,
  reason text
);
create index if not exists inbox_parked on inbox (seq) where parked_at is not null;
create table if not exists batches (
  last integer primary key,
  first integer not null,
  raws blob not null,
  gone blob
);
create table if not exists cursors (channel_id text primary key, cursor text not null);
"""


class Waiting(msgspec.Struct):
    """One caller of `keep` that waits for the next commit."""

    blobs: list[bytes]
    cursor: tuple[str, str] | None
    done: asyncio.Future[range]


def is_batch(batch: Sequence[Waiting]) -> bool:
    """Whether what one commit brings becomes one row."""
    count = sum(len(waiting.blobs) for waiting in batch)
    return count >= LEAST and sum(len(blob) for waiting in batch for blob in waiting.blobs) <= MOST_BYTES


def commit(db: sqlite3.Connection, batch: Sequence[Waiting], acked: Sequence[int], empty: Sequence[int]) -> list[range]:
    """The numbers of each caller's deliveries, once they are durable; forgets what was acknowledged.

    Raises sqlite3.Error; then nothing was written.
    """
    with transaction(db):
        ranges = _insert(db, batch) if batch else []
        cursors = [waiting.cursor for waiting in batch if waiting.cursor]
        if cursors:
            db.executemany("insert or replace into cursors values (?, ?)", cursors)
        if acked:
            db.executemany("delete from inbox where seq = ?", [(seq,) for seq in acked])
        if empty:
            db.executemany("delete from batches where last = ?", [(last,) for last in empty])
    return ranges


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction: durable when the block ends, undone when it raises. Raises sqlite3.Error."""
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise


def _insert(db: sqlite3.Connection, batch: Sequence[Waiting]) -> list[range]:
    used = db.execute("select seq from sqlite_sequence where name='inbox'").fetchone()
    seq = used[0] if used else 0
    ranges = []
    for waiting in batch:
        ranges.append(range(seq + 1, seq + 1 + len(waiting.blobs)))
        seq += len(waiting.blobs)
    first = ranges[0].start
    blobs = [blob for waiting in batch for blob in waiting.blobs]
    if not is_batch(batch):
        rows = zip(range(first, seq + 1), blobs, strict=True)
        db.executemany("insert into inbox (seq, raw) values (?, ?)", rows)
        return ranges
    db.execute("insert into batches (last, first, raws) values (?, ?, ?)", (seq, first, pack(blobs)))
    # The next number of both tables.
    if used:
        db.execute("update sqlite_sequence set seq = ? where name = 'inbox'", (seq,))
    else:
        db.execute("insert into sqlite_sequence values ('inbox', ?)", (seq,))
    return ranges


def logged(batch: Sequence[Waiting], acked: Sequence[int], empty: Sequence[int]) -> int:
    """About how many bytes a commit wrote to the log."""
    kept = sum(len(blob) for waiting in batch for blob in waiting.blobs)
    return 2 * PAGE + kept + len(acked) * PAGE // 4 + len(empty) * PAGE
