"""X's limits: calls in a quarter of an hour and in a day, told in the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

QUARTER = 900.0
DAY = 86_400.0


class Window(NamedTuple):
    """So many calls in so many seconds; `header` begins the headers that tell of it."""

    header: str
    most: int
    seconds: float


#: X Developer Platform, Rate limits, per user (2026-08-22).
WINDOWS: Mapping[str, tuple[Window, ...]] = {
    "messages": (Window("x-rate-limit", 15, QUARTER), Window("x-user-limit-24hour", 1_440, DAY)),
    "dm_events": (Window("x-rate-limit", 15, QUARTER),),
    "mentions": (Window("x-rate-limit", 300, QUARTER),),
    "tweets": (Window("x-rate-limit", 100, QUARTER),),
    "replay": (Window("x-rate-limit", 100, QUARTER),),
}


class Limits:
    """The calls of one account."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, str], tuple[float, int]] = {}

    def count(self, called: str, now: float) -> tuple[bool, dict[str, str]]:
        """Counts a call; whether it is still allowed, and the headers that tell of it."""
        allowed = True
        headers: dict[str, str] = {}
        for window in WINDOWS.get(called, ()):
            begin, used = self._began.get((called, window.header), (now, 0))
            if now - begin >= window.seconds:
                begin, used = now, 0
            used += 1
            self._began[called, window.header] = (begin, used)
            allowed = allowed and used <= window.most
            headers |= {
                f"{window.header}-limit": str(window.most),
                f"{window.header}-remaining": str(max(0, window.most - used)),
                f"{window.header}-reset": str(int(begin + window.seconds) + 1),
            }
        return allowed, headers
