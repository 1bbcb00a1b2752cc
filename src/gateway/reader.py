"""Reads deliveries of hostile formats beside the worker: one may take seconds, and nobody else waits for it.

Channels take turns, so that a flood of slow mail in one mailbox does not hold up the others. Only ids are kept in
memory; bytes are fetched from the journal when it is their turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import structlog

from connectors.errors import Unavailable
from gateway.installation import Channel
from gateway.isolate import Isolated
from gateway.journal import Journal, Kept
from gateway.record import Arrival

log = structlog.get_logger("aduan.reader")

_AWAY_SECONDS = 1.0
#: What was read and waits to be recorded: no more of it than this.
_MOST_READ = 100
_MOST_BYTES = 64 * 1024 * 1024
#: What was read is handed on when this much is there, when nothing is left to read, or after this long: a transaction
#: for every mail alone would cost more than reading it.
_TOGETHER = 50
_AT_LATEST_SECONDS = 0.05


class Reader:
    """The loop around `Isolated`."""

    def __init__(
        self, *, journal: Journal, isolated: Isolated, channels: Mapping[str, Channel], ready: Callable[[], None]
    ) -> None:
        self._journal = journal
        self._isolated = isolated
        self._channels = channels
        #: Told when something was read.
        self._ready = ready
        self._waiting: dict[str, deque[str]] = {}
        self._read: list[Arrival] = []
        self._bytes = 0
        self._changed = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._stopping = False

    def put(self, kept: Kept) -> None:
        """Queues a delivery that was taken from the journal."""
        self._waiting.setdefault(kept.raw.channel_id, deque()).append(kept.id)
        self._changed.set()

    def collect(self, limit: int) -> list[Arrival]:
        """Up to `limit` deliveries that were read, in the order of reading."""
        found, self._read = self._read[:limit], self._read[limit:]
        self._bytes = sum(len(arrival.kept.raw.body) for arrival in self._read)
        self._changed.set()
        return found

    def stop(self) -> None:
        """Lets `run` end soon; what was not collected stays in the journal."""
        self._stopping = True
        if self._soon is not None:
            self._soon.cancel()
        self._isolated.interrupt()
        self._changed.set()

    async def run(self) -> None:
        """Reads until `stop`. Never ends because of a delivery."""
        while not self._stopping:
            self._changed.clear()
            if not self._waiting or len(self._read) >= _MOST_READ or self._bytes >= _MOST_BYTES:
                await self._changed.wait()
                continue
            channel_id, ids = next(iter(self._waiting.items()))
            try:
                await self._read_one(ids[0], is_last=len(self._waiting) == 1 and len(ids) == 1)
            except Exception as error:  # the journal or the reader is away: the delivery is tried again
                log.warning("reader_away", channel=channel_id, error=type(error).__name__)
                await asyncio.sleep(0.0 if self._stopping else _AWAY_SECONDS)
                continue
            del self._waiting[channel_id]
            ids.popleft()
            if ids:
                self._waiting[channel_id] = ids  # behind the others

    async def _read_one(self, id_: str, *, is_last: bool) -> None:
        kept = await self._journal.read(id_)
        if kept is None:
            return
        try:
            (events,) = await asyncio.to_thread(self._isolated.parse, [kept.raw])
        except Unavailable:
            if self._stopping:
                return
            raise
        if self._stopping:
            return  # the child was ended by us: its answer means nothing
        channel = self._channels[kept.raw.channel_id]
        self._read.append(Arrival(kept=kept, channel=channel, events=events))
        self._bytes += len(kept.raw.body)
        if is_last or len(self._read) >= _TOGETHER or self._bytes >= _MOST_BYTES:
            self._hand_on()
        elif self._soon is None:
            # The next one may take seconds to read.
            self._soon = asyncio.get_running_loop().call_later(_AT_LATEST_SECONDS, self._hand_on)

    def _hand_on(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._ready()
