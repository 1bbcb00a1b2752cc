"""Deliveries that were committed together stand together: one row for all of them, as long as one of them waits.

Sixty rows cost an acknowledgement 7 us of processor time, one row with the same bytes 2 (docs/develop/performance.md).
Whichever needs a row of its own, because it failed or waits for a person, leaves the common one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

#: So many deliveries of one commit stand together, unless they are larger than that many bytes.
LEAST, MOST_BYTES = 8, 4 * 1024 * 1024

pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[bytes]).decode
_numbers = msgspec.msgpack.Decoder(list[int]).decode


def unpacked(first: int, raws: bytes) -> Iterator[tuple[int, bytes]]:
    """The deliveries of a batch, each with its number."""
    return enumerate(_unpack(raws), first)


class Batches:
    """Which numbers stand in a batch, and which of them are done with; lives on the event loop."""

    def __init__(self) -> None:
        self._lasts: list[int] = []
        self._firsts: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._gone: set[int] = set()
        #: Batches that nobody needs any more, by their last number: to be deleted by the next commit.
        self.empty: list[int] = []

    @property
    def gone(self) -> Collection[int]:
        """Numbers that left a batch which still stands."""
        return self._gone

    @property
    def waiting(self) -> int:
        """How many deliveries stand in batches and are not done with."""
        return sum(self._left.values())

    def add(self, first: int, last: int, gone: bytes | None = None) -> None:
        """A batch that was committed, and what it says of itself; rows come in ascending order."""
        self._lasts.append(last)
        self._firsts[last] = first
        self._left[last] = last - first + 1
        if gone is not None:
            self.leave(_numbers(gone))

    def without(self, numbers: Iterable[int]) -> list[tuple[bytes, int]]:
        """What batches must say of themselves before these get rows of their own: who is gone, and which row.

        Else a restart would bring back what was settled in a row of its own.
        """
        gone: dict[int, set[int]] = {}
        for number in numbers:
            last = self._row_of(number)
            if last is not None:
                gone.setdefault(last, self._gone.intersection(range(self._firsts[last], last + 1))).add(number)
        return [(pack(sorted(found)), last) for last, found in gone.items()]

    def holds(self, number: int) -> bool:
        """Whether the delivery stands in a batch, and nowhere else."""
        return self._row_of(number) is not None and number not in self._gone

    def leave(self, numbers: Sequence[int]) -> None:
        """These are done with, or have a row of their own now."""
        for number in numbers:
            last = self._row_of(number)
            if last is None or number in self._gone:
                continue
            self._gone.add(number)
            self._left[last] -= 1
            if not self._left[last]:
                self._gone.difference_update(range(self._firsts.pop(last), last + 1))
                del self._left[last]
                del self._lasts[bisect_left(self._lasts, last)]
                self.empty.append(last)

    def _row_of(self, number: int) -> int | None:
        place = bisect_left(self._lasts, number)
        if place == len(self._lasts):
            return None
        last = self._lasts[place]
        return last if self._firsts[last] <= number else None
