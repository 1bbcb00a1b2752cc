"""How crowded the intake is: what lets recording give way to acknowledging.

A provider that is not answered in time sends again, and then drops us; a receipt may leave a second later. So while
many requests wait for the disk, recording takes a small part of the time instead of most of it, and catches up
afterwards. What is recorded is also sent and settled, which costs twice as much again: hence the long rest.
"""

from __future__ import annotations

#: Requests waiting for their acknowledgement at the same moment from which on it counts as a crowd.
_CROWD = 16
#: The worker rests this many times as long as it worked.
_REST = 20.0
#: Seconds; a receipt is never held back longer than this by one rest.
_LONGEST_REST = 2.0


class Pressure:
    """Counts requests whose bytes are on their way to the disk; lives on the event loop."""

    def __init__(self) -> None:
        self.waiting = 0

    @property
    def is_crowd(self) -> bool:
        """Whether so many requests wait that recording should give way."""
        return self.waiting >= _CROWD

    def rest_after(self, worked: float) -> float:
        """Seconds that the worker should rest at most after it has worked for `worked` seconds."""
        return min(_LONGEST_REST, worked * _REST)
