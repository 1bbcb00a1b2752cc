"""The place in a bot's queue of updates, and what is kept of an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from connectors.errors import Unavailable
from connectors.json_items import UNREADABLE
from connectors.telegram.payload import Position
from normalizer.message import Raw

#: After a week without updates Telegram counts on from a random number (Bot API, Update: update_id): an old position
#: then says nothing, and everything that it might confirm is gone after 24 hours.
POSITION_LIVES = timedelta(days=6)
_CURSOR = re.compile(r"([0-9]{1,20}):([0-9]{1,18})@([0-9]{1,11})")


class Place(NamedTuple):
    """The last update that was kept and when it came (UTC)."""

    bot: str
    last: int
    came_at: datetime


def read(text: str | None, bot: str) -> Place | None:
    """The place that a cursor names; None where the channel had another bot: its numbers say nothing here."""
    found = _CURSOR.fullmatch(text or "")
    if found is None or found[1] != bot:
        return None
    return Place(bot, int(found[2]), datetime.fromtimestamp(int(found[3]), UTC))


def cursor(place: Place) -> str:
    """The place as a text that `read` reads."""
    return f"{place.bot}:{place.last}@{int(place.came_at.timestamp())}"


def offset(place: Place | None, now: datetime) -> int | None:
    """The first update to ask for, which confirms all before it; None: whatever Telegram still holds."""
    return place.last + 1 if place is not None and now - place.came_at < POSITION_LIVES else None


def kept(updates: Sequence[msgspec.Raw], bot: str, channel_id: str, at: datetime) -> tuple[Place, tuple[Raw, ...]]:
    """The place after these updates, and they as they came. Raises Unavailable when none has an id."""
    keep, ids = [], []
    for update in updates:
        body = bytes(update)
        try:
            ids.append(msgspec.json.decode(body, type=Position).update_id)
            ref = str(ids[-1])
        except UNREADABLE:
            # Kept as it is, for quarantine; its neighbours' ids carry the queue past it.
            ref = "unknown"
        keep.append(Raw(channel_id=channel_id, received_at=at, body=body, ref=ref))
    if not ids:
        raise Unavailable("Telegram's updates have no ids")
    return Place(bot, max(ids), at), tuple(keep)
