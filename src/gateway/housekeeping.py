"""Retention (D6): deliveries as they came are kept for the days that the policies say, then deleted.

What they became stays. What the clocks bring stands in `gateway.clock_job`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.installation import Installation
from gateway.tasks import repeat
from gateway.worker import RunInThread
from tickets.store import Store

_EVERY_SECONDS = 1800.0


class Housekeeping:
    """Looks every half hour; every step may be repeated."""

    def __init__(
        self, installation: Installation, *, store: Store, run: RunInThread, now: Callable[[], datetime]
    ) -> None:
        self._installation = installation
        self._store = store
        self._run = run
        self._now = now

    async def run(self) -> None:
        """Works until it is cancelled."""
        await repeat(self.look, _EVERY_SECONDS, "housekeeping")

    async def look(self) -> int:
        """The number of deliveries that were deleted."""
        return await self._run(self._purge)

    def _purge(self) -> int:
        """Deletes deliveries that no policy keeps any longer; none while a policy keeps them until a person decides."""
        days = [organisation.policy.raw_payload_days for organisation in self._installation.organisations.values()]
        longest = max((each for each in days if each is not None), default=None)
        if longest is None or None in days:
            return 0
        return self._store.purge_raws(self._now() - timedelta(days=longest))
