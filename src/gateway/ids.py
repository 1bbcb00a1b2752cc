"""Identifiers: ULIDs, which sort by time and need no coordination (github.com/ulid/spec)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Two characters for ten bits: half as many steps as one by one.
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
#: Bits of the last four characters, which count.
_COUNTED = 20


def new_id(now: datetime) -> str:
    """A new ULID of the instant `now`: 26 characters, sorting by time."""
    return Ids(now).new()


class Ids:
    """ULIDs of one instant, each behind the one before: rows that belong together lie together in an index."""

    def __init__(self, now: datetime) -> None:
        """`now` is aware; ValueError outside of the years 1970 to 10889, which a ULID can tell."""
        milliseconds = (now - _EPOCH) // _MILLISECOND
        if not 0 <= milliseconds < 1 << 48:
            raise ValueError("a ULID holds no such time")
        self._time = _encoded(milliseconds, 50)
        # The upper half of the random numbers is left to count on.
        self._last = int.from_bytes(os.urandom(10), "big") >> 1
        self._counted_on = -1
        self._front = ""

    def new(self) -> str:
        """The next ULID; of 80 random bits in the first, and one more in each that follows."""
        self._last += 1
        rest = self._last >> _COUNTED
        if rest != self._counted_on:
            self._counted_on = rest
            self._front = self._time + _encoded(rest, 80 - _COUNTED)
        return self._front + _PAIRS[self._last >> 10 & 1023] + _PAIRS[self._last & 1023]


def _encoded(number: int, bits: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(bits - 10, -1, -10)])
