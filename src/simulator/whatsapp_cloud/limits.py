"""Meta's own sending limits: per number, and per pair of number and user."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_PAIRS = 100_000


@dataclass(slots=True)
class Limits:
    """Token buckets: 80 messages a second for a number, 1 in 6 s for a pair with a burst of 45."""

    per_second: float = 80.0
    pair_seconds: float = 6.0
    pair_burst: float = 45.0
    _number: tuple[float, float] = field(default=(0.0, 0.0), init=False)  # (level, when)
    _pairs: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def exceeded(self, user: str, now: float) -> int | None:
        """The error code of the limit that this message breaks, None after counting a message that fits."""
        level, when = self._number
        level = max(0.0, level - (now - when) * self.per_second)
        if level + 1 > self.per_second:
            return 130429
        pair, then = self._pairs.get(user, (0.0, now))
        pair = max(0.0, pair - (now - then) / self.pair_seconds)
        if pair + 1 > self.pair_burst:
            return 131056
        self._number = (level + 1, now)
        self._pairs[user] = (pair + 1, now)
        self._pairs.move_to_end(user)
        if len(self._pairs) > MOST_PAIRS:
            self._pairs.popitem(last=False)
        return None
