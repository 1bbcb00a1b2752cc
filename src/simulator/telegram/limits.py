"""Telegram's sending limits: one message a second in a chat with short bursts, 30 a second over all."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.limits import Buckets


@dataclass(slots=True)
class Limits:
    """`chat_burst` messages may come at once in one chat."""

    per_second: float = 30.0
    chat_per_second: float = 1.0
    chat_burst: float = 3.0
    _bot: Buckets[None] = field(default_factory=Buckets, init=False)
    _chats: Buckets[int] = field(default_factory=Buckets, init=False)

    def retry_after(self, chat_id: int, now: float) -> int | None:
        """Seconds to wait, None after counting a message that fits."""
        fits = self._bot.fits(None, now, per_second=self.per_second, burst=self.per_second)
        if not fits or not self._chats.fits(chat_id, now, per_second=self.chat_per_second, burst=self.chat_burst):
            return 1
        self._bot.fill(None, now, per_second=self.per_second)
        self._chats.fill(chat_id, now, per_second=self.chat_per_second)
        return None
