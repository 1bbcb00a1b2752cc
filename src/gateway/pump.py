"""Keeps pulled channels running: stores each batch with its cursor in one transaction, then asks for the next.

The cursor replaces acknowledgements: a crash repeats, it never skips.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing

import structlog

from connectors.contract import Connector, Pull
from connectors.errors import AuthFailed, ConnectorError, Throttled
from gateway.health import Health
from gateway.journal import Journal, JournalFull
from gateway.metrics import Metrics

log = structlog.get_logger("aduan.pump")

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_AUTH_WAIT = 60.0


class Pump:
    """One pulled channel."""

    def __init__(
        self,
        channel_id: str,
        connector: Connector,
        *,
        journal: Journal,
        metrics: Metrics,
        health: Health,
        wake: Callable[[], None],
    ) -> None:
        assert isinstance(connector, Pull)
        self._channel_id = channel_id
        self._connector: Pull = connector
        self._journal = journal
        self._metrics = metrics
        self._health = health
        self._wake = wake

    async def run(self) -> None:
        """Pulls until it is cancelled. An outage is told once, and once more when it is over."""
        wait = _FIRST_WAIT
        while True:
            try:
                await self._pull_once()
                wait = _FIRST_WAIT
            except Throttled as error:
                wait = error.after
            except AuthFailed:
                self._health.broken(self._channel_id, "credentials are refused: renew them, then restart or wait")
                wait = _AUTH_WAIT
            except (ConnectorError, JournalFull) as error:
                self._health.troubled(self._channel_id, type(error).__name__)
                wait = min(_LONGEST_WAIT, wait * 2)
            except Exception as error:  # a bug in a connector must not silence the channel for ever
                log.exception("pull_failed", channel=self._channel_id, error=type(error).__name__)
                self._health.broken(self._channel_id, f"stopped by {type(error).__name__}; it is tried again")
                wait = min(_LONGEST_WAIT, wait * 2)
            await asyncio.sleep(wait * (0.8 + 0.4 * random.random()))  # noqa: S311 - jitter protects nothing

    async def _pull_once(self) -> None:
        cursor = await self._journal.cursor(self._channel_id)
        async with aclosing(self._connector.pull(cursor)) as batches:
            async for batch in batches:
                await self._journal.keep(batch.keep, (self._channel_id, batch.cursor))
                self._health.good(self._channel_id)
                if batch.keep:
                    self._metrics.kept.labels(self._channel_id).inc(len(batch.keep))
                    self._wake()
