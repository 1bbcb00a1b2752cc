"""How providers count what is sent: leaky buckets, one for each sender, chat or pair."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST_BUCKETS = 100_000


class Buckets(Generic[K]):
    """Levels in messages; times are seconds, and a bucket that was longest not filled is forgotten first."""

    def __init__(self) -> None:
        self._levels: OrderedDict[K, tuple[float, float]] = OrderedDict()  # (level, when)

    def fits(self, key: K, now: float, *, per_second: float, burst: float) -> bool:
        """True if one more message keeps to the limit."""
        return self._level(key, now, per_second) + 1 <= burst

    def fill(self, key: K, now: float, *, per_second: float) -> None:
        """Counts one message."""
        self._levels[key] = (self._level(key, now, per_second) + 1, now)
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_BUCKETS:
            self._levels.popitem(last=False)

    def _level(self, key: K, now: float, per_second: float) -> float:
        level, when = self._levels.get(key, (0.0, now))
        return max(0.0, level - (now - when) * per_second)
