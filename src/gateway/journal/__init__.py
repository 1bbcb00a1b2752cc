"""The durable inbox: what a provider handed over is here, fsynced, before the provider is answered.

Short-lived: a row leaves when the store has it. One contract, two builds (embedded SQLite here; Redis Streams later).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from normalizer.message import Raw


class Kept(Struct, frozen=True, kw_only=True):
    """A raw delivery in the journal. `id` survives crashes: it becomes the raw event's id in the store."""

    id: str
    raw: Raw
    attempts: int = 0


class Parked(Struct, frozen=True, kw_only=True):
    """A delivery that could not be recorded after several tries, with its bytes."""

    id: str
    raw: Raw
    reason: str
    parked_at: datetime


class JournalFull(Exception):
    """The journal cannot take more now (disk, or too many waiting): answer 503 so that the provider keeps it."""


class Journal(Protocol):
    """What intake, pump and worker need."""

    async def keep(self, raws: Sequence[Raw], cursor: tuple[str, str] | None = None) -> Sequence[str]:
        """Ids of `raws` once they (and the cursor of a channel) are durable. Raises JournalFull."""

    async def take(self, limit: int) -> Sequence[Kept]:
        """Deliveries that nobody holds, oldest first: up to `limit`, fewer when they are large; never none of some.

        They stay until `ack` or `park`.
        """

    async def ack(self, ids: Sequence[str]) -> None:
        """Forgets deliveries that the store has."""

    async def read(self, id: str) -> Kept | None:
        """A delivery that was taken, once more; None when it is acknowledged or parked."""

    async def again(self, ids: Sequence[str], *, counted: bool = True) -> None:
        """Gives deliveries back after a failed try; counts the try when the delivery is to blame for it."""

    async def park(self, id: str, reason: str) -> None:
        """Sets one delivery aside for a person."""

    async def parked(self) -> Sequence[Parked]:
        """Deliveries set aside, oldest first."""

    async def unpark(self, ids: Sequence[str]) -> int:
        """Number of parked deliveries put back into the queue."""

    async def cursor(self, channel_id: str) -> str | None:
        """Where a pulled channel stands."""

    async def depth(self) -> Mapping[str, int]:
        """Counts of waiting and parked deliveries."""

    async def aclose(self) -> None:
        """Commits what waits, then closes."""
