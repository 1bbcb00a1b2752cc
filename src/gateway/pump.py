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
from gateway.tasks import cancel

log = structlog.get_logger("aduan.pump")

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_AUTH_WAIT = 60.0
_CONFIRM_WAIT = 30.0


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
        self._pulled: Pull = connector
        self._connector = connector
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
                self._health.broken(
                    self._channel_id, "pull", "credentials are refused: renew them, then restart or wait"
                )
                wait = _AUTH_WAIT
            except (ConnectorError, JournalFull) as error:
                self._health.troubled(self._channel_id, "pull", type(error).__name__)
                wait = min(_LONGEST_WAIT, wait * 2)
            except Exception as error:  # a bug in a connector must not silence the channel for ever
                log.exception("pull_failed", channel=self._channel_id, error=type(error).__name__)
                self._health.broken(self._channel_id, "pull", f"stopped by {type(error).__name__}; it is tried again")
                wait = min(_LONGEST_WAIT, wait * 2)
            await asyncio.sleep(wait * (0.8 + 0.4 * random.random()))  # noqa: S311 - jitter protects nothing

    async def _pull_once(self) -> None:
        cursor = await self._journal.cursor(self._channel_id)
        confirming = asyncio.create_task(self._confirm())
        try:
            await self._keep_all(cursor)
        finally:
            await cancel(confirming)

    async def _confirm(self) -> None:
        """Asks a quiet channel how it is: without a batch, one that works again would be called broken for ever."""
        wait = _FIRST_WAIT
        while True:
            await asyncio.sleep(wait)
            wait = _CONFIRM_WAIT
            if self._health.state(self._channel_id) == "good":
                continue
            try:
                await self._connector.check()
            except Exception as error:  # the pull itself says what is wrong
                log.debug("not_confirmed", channel=self._channel_id, error=type(error).__name__)
            else:
                self._health.good(self._channel_id, "pull")

    async def _keep_all(self, cursor: str | None) -> None:
        async with aclosing(self._pulled.pull(cursor)) as batches:
            async for batch in batches:
                await self._journal.keep(batch.keep, (self._channel_id, batch.cursor))
                self._health.good(self._channel_id, "pull")
                if batch.keep:
                    self._health.heard(self._channel_id)
                    self._metrics.kept.labels(self._channel_id).inc(len(batch.keep))
                    self._wake()
