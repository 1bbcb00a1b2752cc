"""Who shares a commit of the embedded journal: as many as the loop can bring, and nobody waits for a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.journal.sqlite import SqliteJournal
from normalizer.message import Raw

RAW = Raw(channel_id="wa", received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC), body=b"x")


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


@pytest.fixture
def commits(journal: SqliteJournal) -> Iterator[list[str]]:
    """Every COMMIT that the database itself reports."""
    seen: list[str] = []
    journal._db.set_trace_callback(lambda sql: seen.append(sql) if sql.lower() == "commit" else None)
    yield seen
    journal._db.set_trace_callback(None)


async def keep_after(journal: SqliteJournal, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    await journal.keep([RAW])


async def test_whoever_the_next_turns_of_the_loop_bring_shares_the_commit(
    journal: SqliteJournal, commits: list[str]
) -> None:
    await asyncio.gather(*(keep_after(journal, turns) for turns in range(10)))
    assert len(commits) == 1


async def test_a_stream_without_end_does_not_hold_up_a_commit(journal: SqliteJournal, commits: list[str]) -> None:
    crowd = [asyncio.create_task(keep_after(journal, turns)) for turns in range(200)]
    await crowd[0]
    assert not crowd[-1].done()
    await asyncio.gather(*crowd)
    assert 2 <= len(commits) < len(crowd)


async def test_who_comes_alone_is_committed_alone(journal: SqliteJournal, commits: list[str]) -> None:
    await journal.keep([RAW])
    await journal.keep([RAW])
    assert len(commits) == 2
