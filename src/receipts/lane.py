"""One channel's way out: how fast it may send, and when it must pause or halt. It never holds up another channel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta

from aiolimiter import AsyncLimiter
from msgspec import Struct

from connectors.contract import Connector
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Throttled, Unavailable
from connectors.facts import Facts
from receipts.outcome import Patience
from tickets.model import OutboxItem

#: Seconds of sending that a limited channel may have claimed ahead.
_AHEAD = 2.0
#: Failures in a row after which a channel rests and then tries with one message at a time.
_PATIENT_FAILURES = 8
_LONGEST_REST = 60.0


class Channel(Struct, frozen=True, kw_only=True):
    """One configured channel that can send, with what the operator chose for it."""

    connector: Connector
    facts: Facts
    #: None: what the facts say.
    sends_per_second: float | None = None
    #: Seconds to wait for evidence after an ambiguous send; None: what the facts say.
    ambiguous_wait_seconds: float | None = None
    concurrent_sends: int = 32

    @property
    def evidence_wait(self) -> timedelta:
        """How long after an ambiguous send it may be tried again."""
        chosen = self.ambiguous_wait_seconds
        return timedelta(seconds=self.facts.ambiguous_wait_seconds.value if chosen is None else chosen)


class Lane:
    """The state of one channel's sending; lives on one event loop."""

    def __init__(self, channel: Channel, *, most: int, clock: Callable[[], float]) -> None:
        self.channel = channel
        #: Claimed and not begun; a few senders take from it: a task for each row would cost more than its wait.
        self.waiting: deque[OutboxItem] = deque()
        self.senders = 0
        #: Claimed and not finished.
        self.outstanding = 0
        #: Why sending is halted until somebody resumes it (the class name of the error); None while it runs.
        self.halted: str | None = None
        self._clock = clock
        rate = channel.sends_per_second or channel.facts.sends_per_second.value
        self._rate = rate
        self._limiter = AsyncLimiter(max(1.0, rate), max(1.0, 1.0 / rate)) if rate else None
        self._most = most if rate is None else max(1, min(most, round(rate * _AHEAD)))
        self._paused_until = 0.0
        self._throttled: tuple[str, float] = ("", 0.0)
        self._failures = 0

    @property
    def closed(self) -> bool:
        """Whether no further row should be claimed for it now."""
        return self.halted is not None or self.pause > 0 or self.outstanding >= self.room

    @property
    def room(self) -> int:
        """How many rows it may hold before no more are claimed for it."""
        return 1 if self._failures >= _PATIENT_FAILURES else self._most

    @property
    def full(self) -> bool:
        """Whether a row that was claimed all the same must be given back: one claim may overshoot a fast channel."""
        overshoot = 2 if self._rate is None else 1
        return self.halted is not None or self.pause > 0 or self.outstanding >= overshoot * self.room

    @property
    def pause(self) -> float:
        """Seconds until it may send again; 0 when it may now."""
        return max(0.0, self._paused_until - self._clock())

    def turn(self, excess: int) -> timedelta:
        """When a row that finds no room should come back: `excess` rows stand before it outside."""
        wait = self.pause + (excess + self.room) / (self._rate or 1000.0)
        return timedelta(seconds=max(wait, 0.05))

    async def pace(self) -> None:
        """Returns when the provider's rate allows the next send."""
        if self._limiter is not None:
            await self._limiter.acquire()

    def learn(self, error: BaseException | None, recipient: str, patience: Patience, jitter: float) -> bool:
        """Draws the channel's conclusion from one attempt; True when sending halts because of it."""
        if isinstance(error, AuthFailed | Misconfigured):
            first, self.halted = self.halted is None, type(error).__name__
            return first
        if isinstance(error, Throttled):
            self._throttle(recipient, error.after)
        elif isinstance(error, Unavailable | Ambiguous):
            self._failures += 1
            if self._failures >= _PATIENT_FAILURES:
                rest = patience.wait(self._failures - _PATIENT_FAILURES + 1, jitter).total_seconds()
                self._paused_until = max(self._paused_until, self._clock() + min(rest, _LONGEST_REST))
        else:
            self._failures = 0
        return False

    def resume(self) -> None:
        """Lets a halted or resting channel send again."""
        self.halted = None
        self._failures = 0
        self._paused_until = 0.0

    def _throttle(self, recipient: str, after: float) -> None:
        # Providers limit pairs as well as accounts: only a second recipient shows that the whole account must wait.
        until = self._clock() + max(0.0, after)
        earlier, limit = self._throttled
        if limit > self._clock() and earlier != recipient:
            self._paused_until = max(self._paused_until, until, limit)
        self._throttled = (recipient, until)
