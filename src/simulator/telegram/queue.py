"""The queue of a bot's updates at Telegram: kept for 24 hours, pushed chat by chat or handed out when asked for."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.delivery import Attempt, Tasks

Json = dict[str, Any]
LIFE_SECONDS = 86_400.0  # of an update, from the date of its message
MOST_RETRY_AFTER = 3_600.0
GONE_CLOSES_AFTER = 23 * 3_600.0  # a webhook that answers 410 for so long is closed
MOST_WAITING = 100_000


@dataclass(slots=True)
class Queued:
    """One update that the bot has not yet accepted."""

    update_id: int
    chat_id: int
    update: Json
    expires: float
    attempted: asyncio.Event = field(default_factory=asyncio.Event)


class UpdateQueue:
    """Updates in the order of their ids; `push` posts one and `clock` gives seconds since the epoch."""

    def __init__(
        self,
        push: Callable[[Json], Awaitable[Attempt]],
        *,
        tasks: Tasks,
        clock: Callable[[], float],
        time_scale: float,
        closed: Callable[[], None],
    ) -> None:
        self._push = push
        self._tasks = tasks
        self._clock = clock
        self._closed = closed
        self.time_scale = time_scale
        self.pushing = False
        self.dropped = 0  # updates that Telegram gave up after 24 hours
        self._waiting: OrderedDict[int, Queued] = OrderedDict()
        self._chats: dict[int, deque[Queued]] = {}
        self._busy: set[int] = set()
        self._gone_since: float | None = None
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        self._forget()
        return len(self._waiting)

    async def put(self, update: Json, chat_id: int, at: float) -> None:
        """Adds an update; returns after the first attempt where it can be pushed at once."""
        entry = Queued(int(update["update_id"]), chat_id, update, at + LIFE_SECONDS)
        if entry.update_id in self._waiting and not self.pushing:
            return
        self._waiting[entry.update_id] = entry
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
            self.dropped += 1
        self._changed.set()
        if self.pushing:
            chat = self._chats.setdefault(chat_id, deque())
            chat.append(entry)
            self._carry(chat_id)
            if chat and chat[0] is entry:
                await entry.attempted.wait()

    def start(self) -> None:
        """Begins to push: everything that waits goes out, each chat in its order."""
        self.pushing = True
        self._gone_since = None
        self._chats = {}
        for entry in self._ordered():
            self._chats.setdefault(entry.chat_id, deque()).append(entry)
        for chat_id in self._chats:
            self._carry(chat_id)

    def stop(self) -> None:
        """Ends pushing; what was not accepted waits on."""
        self.pushing = False
        for chat in self._chats.values():
            for entry in chat:
                entry.attempted.set()
        self._chats = {}

    def clear(self) -> None:
        """Forgets everything (drop_pending_updates)."""
        self._waiting.clear()
        self._chats = {}

    def confirm(self, offset: int) -> None:
        """Deletes every update before `offset`; a negative one leaves that many at the end."""
        ids = sorted(self._waiting)
        before = offset if offset >= 0 else (ids[offset] if len(ids) >= -offset else 0)
        for update_id in ids:
            if update_id < before:
                del self._waiting[update_id]

    def first(self, limit: int) -> list[Json]:
        """The oldest updates; they stay until they are confirmed."""
        return [entry.update for entry in self._ordered()[:limit]]

    async def wait(self, seconds: float) -> None:
        """Returns when an update waits, at the latest after so many seconds."""
        if len(self) == 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                return

    def wake(self) -> None:
        """Ends every `wait` under way."""
        self._changed.set()

    def _ordered(self) -> list[Queued]:
        self._forget()
        return [self._waiting[update_id] for update_id in sorted(self._waiting)]

    def _forget(self) -> None:
        now = self._clock()
        for update_id in [each.update_id for each in self._waiting.values() if each.expires <= now]:
            self._waiting.pop(update_id).attempted.set()
            self.dropped += 1

    def _carry(self, chat_id: int) -> None:
        if chat_id not in self._busy:
            self._busy.add(chat_id)
            self._tasks.spawn(self._deliver(chat_id))

    async def _deliver(self, chat_id: int) -> None:
        """One chat's updates, one after the other: the next goes out when the first was accepted."""
        try:
            while self.pushing and (chat := self._chats.get(chat_id)):
                entry = chat[0]
                if await self._accepted(entry) and chat and chat[0] is entry:
                    chat.popleft()
                    self._waiting.pop(entry.update_id, None)
        finally:
            self._busy.discard(chat_id)
        if self.pushing and self._chats.get(chat_id):
            self._carry(chat_id)

    async def _accepted(self, entry: Queued) -> bool:
        """Tries until it is accepted or given up; False when pushing ended meanwhile."""
        wait = 0.0
        while self.pushing:
            if entry.expires <= self._clock():
                self.dropped += 1
                entry.attempted.set()
                return True
            found = await self._push(entry.update)
            entry.attempted.set()
            if found.status is not None and 200 <= found.status < 300:
                self._gone_since = None
                return True
            if not self._still_there(found):
                return False
            asked = found.headers.get("Retry-After", "")
            pause = min(float(asked), MOST_RETRY_AFTER) if asked.isdigit() else wait
            wait = min(max(2.0, wait * 2), random.uniform(60.0, 120.0))
            await asyncio.sleep(pause * self.time_scale)
        return False

    def _still_there(self, found: Attempt) -> bool:
        """Closes the webhook that answered 410 for too long."""
        if found.status != 410:
            self._gone_since = None
            return True
        now = self._clock()
        self._gone_since = now if self._gone_since is None else self._gone_since
        if now - self._gone_since >= GONE_CLOSES_AFTER:
            self._closed()
            return False
        return True
