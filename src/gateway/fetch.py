"""Fetches attachments after the complaint is recorded: a job of its own, retried, that never holds a receipt back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from connectors.contract import Connector, Media
from connectors.errors import AuthFailed, ConnectorError, Misconfigured, Throttled
from gateway.files import Files, TooLarge
from gateway.worker import RunInThread
from tickets.model import AttachmentRow
from tickets.store import Store

T = TypeVar("T")

log = structlog.get_logger("aduan.fetch")

_AT_ONCE = 4
_LONGEST_WAIT = timedelta(hours=1)
_IDLE_SECONDS = 30.0
_AWAY_SECONDS = 1.0


class Fetcher:
    """The loop that brings pending attachments into the file store."""

    def __init__(
        self,
        *,
        store: Store,
        files: Files,
        connectors: Mapping[str, Connector],
        run: RunInThread,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._files = files
        self._connectors = connectors
        self._run = run
        self._now = now
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that a complaint with attachments was recorded."""
        self._woken.set()

    async def run(self) -> None:
        """Works until it is cancelled; what is under way then is fetched again after the restart."""
        again: list[datetime] = []
        while True:
            self._woken.clear()
            due = await self._insist(self._claim)
            if not due:
                again = [at for at in again if at > self._now()]
                wait = min([(at - self._now()).total_seconds() for at in again], default=_IDLE_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(_IDLE_SECONDS, max(0.05, wait))):
                        await self._woken.wait()
                continue
            done = await asyncio.gather(*(self._fetch(row) for row in due))
            await self._insist(partial(self._settle, done))
            again += [row.due_at for row in done if row.due_at is not None]

    async def _insist(self, work: Callable[[], T]) -> T:
        """The result of `work`, tried again while the store is away: a file must not wait for a restart."""
        while True:
            try:
                return await self._run(work)
            except Exception as error:
                log.warning("store_away", error=type(error).__name__)
                await asyncio.sleep(_AWAY_SECONDS)

    def _claim(self) -> list[AttachmentRow]:
        with self._store.begin() as tx:
            return list(tx.claim_attachments(self._now(), _AT_ONCE))

    def _settle(self, rows: list[AttachmentRow]) -> None:
        with self._store.begin() as tx:
            tx.settle_attachments(rows)

    async def _fetch(self, row: AttachmentRow) -> AttachmentRow:
        """The row after one try: stored, refused, expired, or due again later."""
        connector = self._connectors.get(row.channel_id)
        if connector is None or not isinstance(connector, Media):
            return self._ended(row, "expired", "the channel cannot fetch files")
        try:
            async with aclosing(connector.open(row.attachment)) as chunks:
                file = await self._files.put_stream(chunks)
        except TooLarge as error:
            return self._ended(row, "refused", str(error))
        except Throttled as error:
            return self._later(row, timedelta(seconds=error.after))
        except ConnectorError as error:
            # Credentials are being renewed while the provider still has the file.
            if not error.retry and not isinstance(error, AuthFailed | Misconfigured):
                return self._ended(row, "expired", type(error).__name__)
            return self._later(row, self._wait(row))
        except Exception as error:  # a bug in a connector: the complaint stands, the file is tried again
            log.exception("fetch_failed", channel=row.channel_id, error=type(error).__name__)
            return self._later(row, self._wait(row))
        return msgspec.structs.replace(
            row,
            status="stored",
            sha256=file.sha256,
            mime_sniffed=file.mime_sniffed,
            size=file.size,
            reason=None,
            due_at=None,
        )

    def _wait(self, row: AttachmentRow) -> timedelta:
        return min(_LONGEST_WAIT, timedelta(seconds=2.0 ** min(row.attempts, 12)))

    def _later(self, row: AttachmentRow, wait: timedelta) -> AttachmentRow:
        """Due again, until the provider would have thrown the file away."""
        facts = self._connectors[row.channel_id].facts
        # Tries double from one second to an hour: this many fit into the time the provider keeps the file.
        tries = 12 + int(facts.redelivery_hours.value)
        if row.attempts >= tries:
            return self._ended(row, "expired", "the provider did not give it in time")
        return msgspec.structs.replace(row, status="pending", due_at=self._now() + wait)

    def _ended(self, row: AttachmentRow, status: str, reason: str) -> AttachmentRow:
        log.warning("file_not_stored", channel=row.channel_id, state=status, reason=reason)
        return msgspec.structs.replace(row, status=status, reason=reason, due_at=None)
