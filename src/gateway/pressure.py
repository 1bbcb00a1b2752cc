"""How crowded the intake is: what lets recording give way to acknowledging.

A provider that is not answered in time sends again, and then drops us; a receipt may leave a second later. So while
many requests wait for the disk, recording takes a small part of the time instead of most of it, and catches up
afterwards. What is recorded is also sent and settled, which costs twice as much again: hence the long rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: Requests waiting for their acknowledgement at the same moment from which on it counts as a crowd.
_CROWD = 16
#: Seconds that a crowd is remembered: each commit answers half of it at once, and the next one is already arriving.
_REMEMBERED = 0.1
#: The worker rests this many times as long as it worked.
_REST = 20.0
#: Seconds; a receipt is never held back longer than this by one rest.
_LONGEST_REST = 2.0


class Pressure:
    """Counts requests whose bytes are on their way to the disk; lives on the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting = 0
        self._crowded_at = float("-inf")

    def enter(self) -> None:
        """One request more waits for the disk."""
        self._waiting += 1
        if self._waiting >= _CROWD:
            self._crowded_at = self._clock()

    def leave(self) -> None:
        """One request less waits."""
        self._waiting -= 1

    @property
    def is_crowd(self) -> bool:
        """Whether so many requests wait, or did a moment ago, that recording should give way."""
        return self._clock() - self._crowded_at < _REMEMBERED

    def rest_after(self, worked: float) -> float:
        """Seconds that the worker should rest at most after it has worked for `worked` seconds."""
        return min(_LONGEST_REST, worked * _REST)
