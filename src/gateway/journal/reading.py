"""What is read back from the embedded journal, on a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from gateway.journal import Kept, Parked
from normalizer.message import Raw

_decode = msgspec.msgpack.Decoder(Raw).decode
#: What one `take` brings into memory at most, bytes, unless a single delivery is larger.
_MOST_TAKEN = 32 * 1024 * 1024


class Names:
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

    def __init__(self, db: sqlite3.Connection, names: Names) -> None:
        self._db = db
        self._names = names

    def select(
        self, again: Sequence[int], given_back: Collection[int], limit: int, taken_to: int
    ) -> tuple[list[Kept], int, int]:
        """What is taken, how many of `again` were looked at for it, and to where the others were taken."""
        found: list[Kept] = []
        size = 0
        for looked_at, seq in enumerate(again, 1):
            one = self.one(seq)
            if one is not None:
                found.append(one)
                size += len(one.raw.body)
            if size >= _MOST_TAKEN:
                return found, looked_at, taken_to
        rows = self._db.execute(
            "select seq, raw, attempts from inbox where seq > ? and parked_at is null order by seq limit ?",
            (taken_to, limit - len(again)),
        )
        for seq, raw, attempts in rows:
            taken_to = seq
            if seq in given_back:
                continue  # it has its turn there
            found.append(Kept(id=self._names.id(seq), raw=_decode(raw), attempts=attempts))
            size += len(raw)
            if size >= _MOST_TAKEN:
                break
        rows.close()
        return found, len(again), taken_to

    def one(self, seq: int) -> Kept | None:
        """A delivery that waits or was taken; None when it is acknowledged or parked."""
        row = self._db.execute("select raw, attempts from inbox where seq = ? and parked_at is null", (seq,)).fetchone()
        return None if row is None else Kept(id=self._names.id(seq), raw=_decode(row[0]), attempts=row[1])

    def parked(self) -> list[Parked]:
        """Deliveries set aside, oldest first."""
        return [
            Parked(id=self._names.id(seq), raw=_decode(raw), reason=reason, parked_at=datetime.fromisoformat(at))
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
