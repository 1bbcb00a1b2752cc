"""Asks providers that keep a history what their webhooks may have missed, and keeps what they list (P6).

Twilio drops a webhook after 15 seconds: its list of messages is the only second copy. What was recorded before changes
nothing, because listed and pushed messages have the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog

from connectors.contract import Connector, Reconcile
from connectors.errors import AuthFailed, ConnectorError
from gateway.health import Health
from gateway.journal import Journal, JournalFull
from gateway.metrics import Metrics
from gateway.record import Outcome

log = structlog.get_logger("aduan.reconcile")

#: How far the first look of a new installation goes back: a gap before it belongs to another system.
_FIRST_LOOK = timedelta(hours=24)
#: Looks overlap, because a provider may list a message later than it was sent.
_OVERLAP = timedelta(minutes=5)
_CURSOR = "reconcile:"


class Reconciler:
    """One channel with a history."""

    def __init__(
        self,
        channel_id: str,
        connector: Connector,
        *,
        journal: Journal,
        metrics: Metrics,
        health: Health,
        wake: Callable[[], None],
        outcome: Callable[[str], Awaitable[Outcome]],
        now: Callable[[], datetime],
        every_seconds: float,
    ) -> None:
        assert isinstance(connector, Reconcile)
        self._channel_id = channel_id
        self._connector: Reconcile = connector
        self._journal = journal
        self._metrics = metrics
        self._health = health
        self._wake = wake
        self._outcome = outcome
        self._now = now
        self._every = every_seconds

    async def run(self) -> None:
        """Looks at the start and then again and again, until it is cancelled."""
        while True:
            try:
                await self.look()
            except AuthFailed:
                self._health.broken(
                    self._channel_id, "reconcile", "credentials are refused: renew them; sending will halt too"
                )
            except (ConnectorError, JournalFull) as error:
                self._health.troubled(self._channel_id, "reconcile", type(error).__name__)
            except Exception as error:  # a bug in a connector must not end the looking for ever
                log.exception("reconcile_failed", channel=self._channel_id, error=type(error).__name__)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Number of messages that the provider listed since the last complete look."""
        began = self._now()
        stored = await self._journal.cursor(_CURSOR + self._channel_id)
        since = datetime.fromisoformat(stored) - _OVERLAP if stored else began - _FIRST_LOOK
        count = 0
        async with aclosing(self._connector.since(since)) as batches:
            async for batch in batches:
                if batch.keep:
                    ids = await self._journal.keep(batch.keep)
                    self._wake()
                    count += len(batch.keep)
                    await self._count_missed(ids)
        # Only now is the whole span known: a look that was cut begins where the last complete one began.
        await self._journal.keep((), (_CURSOR + self._channel_id, began.isoformat()))
        self._health.good(self._channel_id, "reconcile")
        self._metrics.listed.labels(self._channel_id).inc(count)
        return count

    async def _count_missed(self, ids: Sequence[str]) -> None:
        """Counts what only the list brought, once it is recorded; the next page is asked for after that."""
        outcomes = await asyncio.gather(*(self._outcome(id_) for id_ in ids))
        missed = sum(message.what != "duplicate" for outcome in outcomes for message in outcome.messages)
        if missed:
            log.warning("webhook_had_missed", channel=self._channel_id, messages=missed)
            self._metrics.missed.labels(self._channel_id).inc(missed)
