"""Meta's own sending limits: per number, and per pair of number and user."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.limits import Buckets


@dataclass(slots=True)
class Limits:
    """80 messages a second for a number, 1 in 6 s for a pair with a burst of 45."""

    per_second: float = 80.0
    pair_seconds: float = 6.0
    pair_burst: float = 45.0
    _number: Buckets[None] = field(default_factory=Buckets, init=False)
    _pairs: Buckets[str] = field(default_factory=Buckets, init=False)

    def exceeded(self, user: str, now: float) -> int | None:
        """The error code of the limit that this message breaks, None after counting a message that fits."""
        if not self._number.fits(None, now, per_second=self.per_second, burst=self.per_second):
            return 130429
        if not self._pairs.fits(user, now, per_second=1 / self.pair_seconds, burst=self.pair_burst):
            return 131056
        self._number.fill(None, now, per_second=self.per_second)
        self._pairs.fill(user, now, per_second=1 / self.pair_seconds)
        return None
