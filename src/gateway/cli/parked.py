"""Deliveries in the journal that could not be recorded, read and removed from outside the server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from gateway.journal import Parked
from gateway.journal.sqlite import SqliteJournal


def parked_in(data_dir: Path) -> list[Parked]:
    """Deliveries that were set aside, oldest first."""
    return asyncio.run(_parked(data_dir / "journal.db")) if (data_dir / "journal.db").is_file() else []


def forget(data_dir: Path, ids: Sequence[str]) -> None:
    """Removes deliveries that the store has now."""
    if ids:
        asyncio.run(_forget(data_dir / "journal.db", ids))


async def _parked(file: Path) -> list[Parked]:
    journal = await SqliteJournal.open(file)
    try:
        return list(await journal.parked())
    finally:
        await journal.aclose()


async def _forget(file: Path, ids: Sequence[str]) -> None:
    journal = await SqliteJournal.open(file)
    try:
        await journal.ack(ids)
    finally:
        await journal.aclose()
