"""Telegram's sending limits: one message a second in a chat with short bursts, 30 a second over all."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_CHATS = 100_000


@dataclass(slots=True)
class Limits:
    """Token buckets; `chat_burst` messages may come at once in one chat."""

    per_second: float = 30.0
    chat_per_second: float = 1.0
    chat_burst: float = 3.0
    _bot: tuple[float, float] = field(default=(0.0, 0.0), init=False)  # (level, when)
    _chats: OrderedDict[int, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def retry_after(self, chat_id: int, now: float) -> int | None:
        """Seconds to wait, None after counting a message that fits."""
        level, when = self._bot
        level = max(0.0, level - (now - when) * self.per_second)
        chat, then = self._chats.get(chat_id, (0.0, now))
        chat = max(0.0, chat - (now - then) * self.chat_per_second)
        if level + 1 > self.per_second or chat + 1 > self.chat_burst:
            return 1
        self._bot = (level + 1, now)
        self._chats[chat_id] = (chat + 1, now)
        self._chats.move_to_end(chat_id)
        if len(self._chats) > MOST_CHATS:
            self._chats.popitem(last=False)
        return None
