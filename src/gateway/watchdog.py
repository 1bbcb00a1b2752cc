"""Looks after every channel: are its credentials good, is its webhook still ours, and is its silence still credible?

A provider that has dropped a subscription does not say so (sheets A0.7, A9): without this, nobody hears of it before
the customers do. What it finds stands in /readyz and in the metric `aduan_channel_up`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

import structlog

from connectors.contract import Connector, Pull
from connectors.errors import AuthFailed, ConnectorError, Misconfigured, Refused, Unreachable
from gateway.health import Health
from gateway.installation import Installation
from gateway.silence import HISTORY, IMPROBABLE, Hour, hour_of, probability
from tickets.calendar import WIB, CalendarMissing
from tickets.store import Store

log = structlog.get_logger("aduan.watchdog")

#: What only a person can mend.
_BROKEN = (AuthFailed, Misconfigured, Refused, Unreachable)
_CHECK_SECONDS = 60.0
_ONE_HOUR = timedelta(hours=1)
#: While something is wrong, it is looked at more often: its recovery should be seen soon.
_AGAIN_SECONDS = 30.0


class Watchdog:
    """All channels of one installation."""

    def __init__(
        self,
        installation: Installation,
        connectors: Mapping[str, Connector],
        *,
        store: Store,
        health: Health,
        now: Callable[[], datetime],
        every_seconds: float,
    ) -> None:
        self._installation = installation
        self._connectors = connectors
        self._store = store
        self._health = health
        self._now = now
        self._every = every_seconds
        self._past: dict[str, list[datetime]] = {}
        self._read_at: datetime | None = None

    async def run(self) -> None:
        """Looks at every channel again and again, until it is cancelled."""
        while True:
            well = False
            try:
                well = await self.look()
            except Exception as error:  # the store may be away: the next look tries again
                log.exception("watchdog_failed", error=type(error).__name__)
            await asyncio.sleep(self._every if well else min(self._every, _AGAIN_SECONDS))

    async def look(self) -> bool:
        """Asks every channel once, one after the other, and sets its state; True when all of them are well."""
        now = self._now()
        if self._read_at is None or now - self._read_at >= _ONE_HOUR:
            # Four weeks of deliveries are many rows; what came since stands in `Health`.
            heard = await asyncio.to_thread(self._store.hours_heard, now - HISTORY)
            self._past, self._read_at = {}, now
            for channel_id, hour in heard:
                self._past.setdefault(channel_id, []).append(hour)
        for channel_id, connector in self._connectors.items():
            await self._look_at(channel_id, connector)
        return all(self._health.state(channel_id) == "good" for channel_id in self._connectors)

    async def _look_at(self, channel_id: str, connector: Connector) -> None:
        # A pulled channel is judged by its pulling, which says more than a check.
        if not isinstance(connector, Pull):
            trouble = await _trouble(connector)
            if isinstance(trouble, _BROKEN):
                self._health.broken(channel_id, "check", f"{trouble}: mend it at the provider or in the settings")
            elif trouble is not None:
                self._health.troubled(channel_id, "check", type(trouble).__name__)
            else:
                self._health.good(channel_id, "check")
        since = self._improbable(channel_id)
        if since is not None:
            said = since.astimezone(WIB).strftime("%Y-%m-%d %H:%M WIB")
            reason = f"nothing came since {said}, which is improbable here: does the provider still have our webhook?"
            self._health.broken(channel_id, "silence", reason)
        elif self._past.get(channel_id):
            self._health.good(channel_id, "silence")

    def _improbable(self, channel_id: str) -> datetime | None:
        """Since when the channel is silent, where its past makes that improbable."""
        past = self._past.get(channel_id)
        if not past:
            return None
        now = self._now()
        # The store knows whole hours; what came in the last of them may have come at its end.
        last = max(self._health.heard_at(channel_id) or max(past), max(past))
        heard: set[Hour] = {hour_of(each) for each in past}
        calendar = self._installation.organisations[self._installation.channels[channel_id].organisation].calendar

        def is_working_day(day: date) -> bool:
            try:
                return calendar.is_working_day(day)
            except CalendarMissing:
                return day.weekday() not in calendar.weekend

        if probability(heard, last, now, is_working_day, min(past)) < IMPROBABLE:
            return last
        return None


async def _trouble(connector: Connector) -> ConnectorError | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await connector.check()
    except TimeoutError:
        return ConnectorError("the provider gave no answer")
    except ConnectorError as error:
        return error
    return None
