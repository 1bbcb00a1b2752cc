"""How crowded the intake is: what lets recording and sending give way to acknowledging.

A provider that is not answered in time sends again, and then drops us; a receipt may leave a few seconds later. So
while many requests wait, the rest takes a small part of the time instead of most of it, and catches up afterwards.
Not where they wait for a slow disk, whose time nobody takes; and not for ever: a receipt should leave within ten
minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

#: Requests waiting for their acknowledgement at the same moment from which on it counts as a crowd.
_CROWD = 16
#: Seconds that a crowd is remembered: a commit answers all of it at once, and a slow one takes as long as this.
_REMEMBERED = 0.3
#: The worker rests this many times as long as it worked; the second figure holds once its work has become old.
_REST, _REST_LATE = 20.0, 1.0
#: Seconds; a receipt is never held back longer than this by one rest.
_LONGEST_REST = 2.0
#: Seconds after which a delivery without a record is old: of the ten minutes to a receipt, six are left.
_PATIENCE = 240.0
_LOOK_SECONDS = 0.02
#: The share of one processor under which a crowd waits for something else than the processor, and over how many seconds
#: it is judged: a single slow commit must not pass for a slow disk. What was seen longer ago says nothing.
_IDLE, _JUDGED_OVER, _FORGOTTEN = 0.5, 0.25, 1.0


class Pressure:
    """Counts requests whose bytes are on their way to the disk; lives on the event loop."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, used: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._used = used
        self._waiting = 0
        self._crowded_at = float("-inf")
        self._calming: asyncio.Task[None] | None = None
        self._looked = clock(), used()
        self._is_busy = True
        #: How many seconds ago the oldest delivery came that is being recorded.
        self.behind = 0.0

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
        """Whether so many requests wait, or did a moment ago, that recording and sending should give way."""
        return self._clock() - self._crowded_at < _REMEMBERED and self._judged()

    def _judged(self) -> bool:
        """Whether the processor is what they wait for."""
        (at, used), now = self._looked, self._clock()
        if now - at >= _JUDGED_OVER:
            self._is_busy = now - at >= _FORGOTTEN or self._used() - used >= _IDLE * (now - at)
            self._looked = now, self._used()
        return self._is_busy

    async def rest(self, worked: float, unless: Callable[[], bool]) -> None:
        """Returns when the crowd is gone, or after twenty times the seconds that were worked (two at most).

        At once where there is none, or when `unless` says so; after as long as was worked when its work is old.
        """
        share = _REST if self.behind < _PATIENCE else _REST_LATE
        await self._while_crowded(min(_LONGEST_REST, worked * share), unless)

    async def calm(self) -> None:
        """Returns when the crowd is gone, at latest after two seconds; many may wait for it at once."""
        if not self.is_crowd or self.behind >= _PATIENCE:
            return
        if self._calming is None or self._calming.done():
            self._calming = asyncio.create_task(self._while_crowded(_LONGEST_REST, bool))
        await asyncio.shield(self._calming)

    async def _while_crowded(self, longest: float, unless: Callable[[], bool]) -> None:
        until = self._clock() + longest
        while (  # noqa: ASYNC110 - a crowd leaves without an event
            self.is_crowd and not unless() and self._clock() < until
        ):
            await asyncio.sleep(_LOOK_SECONDS)
