"""What a customer who waits for the answer is told: the ticket number, the official hours, the day that counts.

A call is answered within 15 seconds or cut (sheet A4). So this waits for the record only so long; then the caller hears
that the number follows, which is true: the message is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.contract import Filed, Hours
from gateway.installation import Installation
from gateway.worker import Worker
from tickets.calendar import WIB, CalendarMissing, OfficeHours, wib_date

#: What is left of a provider's 15 s is for the network and for its own work.
WAIT_SECONDS = 8.0


class Filings:
    """Answers for one installation whose worker runs."""

    def __init__(self, installation: Installation, worker: Worker, now: Callable[[], datetime]) -> None:
        self._installation = installation
        self._worker = worker
        self._now = now

    async def filed(self, channel_id: str, ids: Sequence[str]) -> Filed:
        """What became of the deliveries `ids` of a channel, and its hours; without numbers when it takes too long."""
        numbers: list[str] = []
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                for id_ in ids:
                    outcome = await self._worker.outcome(id_)
                    numbers += [each.ticket_number for each in outcome.messages]
        except TimeoutError:
            pass
        return Filed(ticket_numbers=tuple(dict.fromkeys(numbers)), hours=self._hours(channel_id))

    def _hours(self, channel_id: str) -> Hours | None:
        channel = self._installation.channels[channel_id]
        organisation = self._installation.organisations[channel.organisation]
        hours: OfficeHours | None = next(filter(None, map(organisation.policy.hours_of, channel.spec.channels)), None)
        if hours is None:
            return None
        now = self._now()
        today = wib_date(now)
        try:
            counts_from = organisation.calendar.effective_received_date(now, hours, "oral")
        except CalendarMissing:
            counts_from = today  # as `gateway.clocks.day_zero`: the complaint is taken, a task says what is missing
        is_open = counts_from == today and hours.open <= now.astimezone(WIB).time() < hours.close
        return Hours(open=hours.open, close=hours.close, is_open=is_open, counts_from=counts_from)
