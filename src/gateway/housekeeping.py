"""What happens by the clock and not by a message: clocks that start because nobody asked, and retention.

G7: where clocks wait for complete documents and nobody asked for any in time, it counts as complete at receipt.
D6: deliveries as they came are kept for the days that the policies say, then deleted; what they became stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway.clocks import dates_of, promise, started
from gateway.installation import Installation
from gateway.worker import RunInThread
from tickets.model import AuditEvent, Records, Ticket
from tickets.store import Store

log = structlog.get_logger("aduan.housekeeping")

_EVERY_SECONDS = 1800.0
_AT_ONCE = 200


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
        while True:
            try:
                await self.look()
            except Exception as error:  # tried again in half an hour; nothing else waits for it
                log.exception("housekeeping_failed", error=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> tuple[int, int]:
        """Numbers of clocks that were started and of deliveries that were deleted."""
        count = 0
        for slug, organisation in self._installation.organisations.items():
            if organisation.policy.documents.complete_if_not_requested_by is not None:
                waiting = await asyncio.to_thread(self._waiting, slug)
                for first in range(0, len(waiting), _AT_ONCE):
                    part = waiting[first : first + _AT_ONCE]
                    count += await self._run(partial(self._start_clocks, slug, part))
        return count, await self._run(self._purge)

    def _waiting(self, slug: str) -> list[str]:
        """Numbers of tickets whose clocks could start now."""
        organisation = self._installation.organisations[slug]
        now = self._now()
        return [
            view.ticket.ticket_number
            for view in self._store.views(organisation=slug, state="received")
            if started(view.ticket, promise(organisation, view.complaint, now), now) is not None
        ]

    def _start_clocks(self, slug: str, numbers: Sequence[str]) -> int:
        """How many started; looked at again inside the transaction, because a message may have come meanwhile."""
        organisation = self._installation.organisations[slug]
        now = self._now()
        with self._store.begin() as tx:
            found = [thread for number in numbers if (thread := tx.find(number)) is not None]
            moved = [
                ticket
                for thread in found
                if (ticket := started(thread.ticket, promise(organisation, thread.complaint, now), now)) is not None
            ]
            tx.add(Records(updated_tickets=moved, audit=[_noted(ticket, now) for ticket in moved]))
        return len(moved)

    def _purge(self) -> int:
        """Deletes deliveries that no policy keeps any longer; none while a policy keeps them until a person decides."""
        days = [organisation.policy.raw_payload_days for organisation in self._installation.organisations.values()]
        longest = max((each for each in days if each is not None), default=None)
        if longest is None or None in days:
            return 0
        return self._store.purge_raws(self._now() - timedelta(days=longest))


def _noted(ticket: Ticket, now: datetime) -> AuditEvent:
    return AuditEvent(
        at=now, actor="housekeeping", type="clocks.started", complaint_id=ticket.complaint_id, data=dates_of(ticket)
    )
