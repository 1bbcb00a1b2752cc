"""The journal's write-ahead log is taken over beside the commits, stays short, and is never what anything waits for."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from gateway.journal.sqlite import SqliteJournal
from normalizer.message import Raw

MEGABYTE = 1024 * 1024
RAW = Raw(channel_id="wa", received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC), body=bytes(MEGABYTE // 2))


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def keep(journal: SqliteJournal, megabytes: int) -> Sequence[str]:
    """Keeps deliveries of half a megabyte, four at a time."""
    ids: list[str] = []
    for _ in range(megabytes // 2):
        for kept in await asyncio.gather(*(journal.keep([RAW]) for _ in range(4))):
            ids += kept
    return ids


def in_log(folder: Path) -> float:
    """Megabytes of the log's file."""
    return (folder / "journal.db-wal").stat().st_size / MEGABYTE


async def until_in_database(folder: Path, megabytes: float) -> None:
    async with asyncio.timeout(20):
        while (folder / "journal.db").stat().st_size < megabytes * MEGABYTE:
            await asyncio.sleep(0.01)


async def test_the_log_stays_short_however_much_is_kept(journal: SqliteJournal, tmp_path: Path) -> None:
    """What a crowd brings goes to the database while it comes; the log is written from its beginning again."""
    ids = await keep(journal, 160)
    assert in_log(tmp_path) < 80
    await until_in_database(tmp_path, 120)
    assert len(set(ids)) == 320
    assert (await journal.depth())["waiting"] == 320


async def test_a_reader_that_never_ends_costs_space_and_nothing_else(journal: SqliteJournal, tmp_path: Path) -> None:
    """The log cannot be written from its beginning while somebody reads the old state; afterwards it can."""
    await keep(journal, 2)
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as slow:
        slow.execute("begin")
        before = slow.execute("select count(*) from inbox").fetchone()[0]
        await keep(journal, 60)
        assert in_log(tmp_path) > 60
        assert slow.execute("select count(*) from inbox").fetchone()[0] == before
        slow.execute("commit")
    async with asyncio.timeout(20):
        long = 0.0
        while in_log(tmp_path) > long:
            long = in_log(tmp_path)
            await keep(journal, 16)
            await asyncio.sleep(0.1)


async def test_what_a_crash_left_in_the_log_is_there_and_is_taken_over_at_the_first_commit(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    """P1: the copy of the files is what a killed process leaves."""
    await keep(journal, 10)
    after = tmp_path / "after"
    after.mkdir()
    for name in ("journal.db", "journal.db-wal"):
        shutil.copy(tmp_path / name, after / name)
    with (after / "journal.db-wal").open("ab") as log:
        log.write(bytes(8 * MEGABYTE))  # what was written and not committed
    again = await SqliteJournal.open(after / "journal.db")
    try:
        assert (await again.depth())["waiting"] == 20
        await again.keep([RAW])
        await until_in_database(after, 10)
    finally:
        await again.aclose()
