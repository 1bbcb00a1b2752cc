"""What is read back from the embedded journal, on a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from heapq import merge
from operator import itemgetter

import msgspec

from gateway.journal import Kept, Parked
from gateway.journal.batches import unpacked
from normalizer.message import Raw

_decode = msgspec.msgpack.Decoder(Raw).decode
#: What one `take` brings into memory at most, bytes, unless a single delivery is larger.
_MOST_TAKEN = 32 * 1024 * 1024


def in_batch(db: sqlite3.Connection, seq: int) -> bytes | None:
    """The bytes of a delivery that stands in a batch."""
    row = db.execute("select first, raws from batches where last >= ? order by last limit 1", (seq,)).fetchone()
    return None if row is None or row[0] > seq else dict(unpacked(*row))[seq]


class Ids:
    """Ids of deliveries: the row's number behind the journal's epoch, so that no other journal knows them."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch

    def id(self, seq: int) -> str:
        """The id of a row."""
        return f"{self._epoch}-{seq}"

    def seq(self, id: str) -> int:
        """The row of an id. Raises KeyError when it is of another journal."""
        epoch, _, seq = id.rpartition("-")
        if epoch != self._epoch:
            raise KeyError(f"{id} is not of this journal")
        return int(seq)


class Reading:
    """The journal as its reader's thread sees it."""

    def __init__(self, db: sqlite3.Connection, ids: Ids) -> None:
        self._db = db
        self._ids = ids

    def select(
        self, again: Sequence[int], out_of_turn: Collection[int], gone: Collection[int], limit: int, fresh: range
    ) -> tuple[list[Kept], int, int]:
        """What is taken, how many of `again` were looked at for it, and to where the others were taken.

        `fresh` are the numbers that were not taken in turn, `out_of_turn` those of them that come or came by `again`,
        `gone` those that left their batch.
        """
        found: list[Kept] = []
        size = 0
        taken_to = fresh.start - 1
        for looked_at, seq in enumerate(again, 1):
            one = self.one(seq, gone)
            if one is not None:
                found.append(one)
                size += len(one.raw.body)
            if size >= _MOST_TAKEN:
                return found, looked_at, taken_to
        most = len(found) + limit - len(again)
        with self._at_one_moment():
            for seq, raw, attempts in merge(self._alone(fresh), self._batched(fresh, gone), key=itemgetter(0)):
                if len(found) >= most or size >= _MOST_TAKEN:
                    break
                taken_to = seq
                if seq in out_of_turn:
                    continue
                found.append(Kept(id=self._ids.id(seq), raw=_decode(raw), attempts=attempts))
                size += len(raw)
        return found, len(again), taken_to

    def _alone(self, fresh: range) -> Iterator[tuple[int, bytes, int]]:
        yield from self._db.execute(
            "select seq, raw, attempts from inbox where seq between ? and ? and parked_at is null order by seq",
            (fresh.start, fresh.stop - 1),
        )

    def _batched(self, fresh: range, gone: Collection[int]) -> Iterator[tuple[int, bytes, int]]:
        for first, raws in self._db.execute(
            "select first, raws from batches where last between ? and ? order by last", (fresh.start, fresh.stop - 1)
        ):
            for seq, raw in unpacked(first, raws):
                if seq in fresh and seq not in gone:
                    yield seq, raw, 0

    @contextmanager
    def _at_one_moment(self) -> Iterator[None]:
        """Both kinds of rows as one commit left them: else one could be passed by for ever."""
        self._db.execute("begin")
        try:
            yield
        finally:
            self._db.execute("rollback")

    def one(self, seq: int, gone: Collection[int]) -> Kept | None:
        """A delivery that waits or was taken; None when it is acknowledged or parked."""
        row = self._db.execute("select raw, attempts, parked_at from inbox where seq = ?", (seq,)).fetchone()
        if row is None and seq not in gone:
            raw = in_batch(self._db, seq)
            row = None if raw is None else (raw, 0, None)
        if row is None or row[2] is not None:
            return None
        return Kept(id=self._ids.id(seq), raw=_decode(row[0]), attempts=row[1])

    def parked(self) -> list[Parked]:
        """Deliveries set aside, oldest first."""
        return [
            Parked(id=self._ids.id(seq), raw=_decode(raw), reason=reason, parked_at=datetime.fromisoformat(at))
            for seq, raw, reason, at in self._db.execute(
                "select seq, raw, reason, parked_at from inbox where parked_at is not null order by seq"
            )
        ]

    def count_parked(self) -> int:
        """How many are set aside."""
        count: int = self._db.execute("select count(*) from inbox where parked_at is not null").fetchone()[0]
        return count

    def cursor(self, channel_id: str) -> str | None:
        """Where a pulled channel stands."""
        row = self._db.execute("select cursor from cursors where channel_id = ?", (channel_id,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Disconnects."""
        self._db.close()
