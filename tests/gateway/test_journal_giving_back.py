"""Deliveries that come back: in order, once, and never lost when the journal itself has trouble."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.journal.sqlite import SqliteJournal
from normalizer.message import Raw

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def raw(body: bytes) -> Raw:
    return Raw(channel_id="wa", received_at=AT, body=body)


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def test_put_back_before_the_first_take_comes_once(tmp_path: Path) -> None:
    """P7: after a restart a delivery that is put back is found by its number and by its place: it counts once."""
    before = await SqliteJournal.open(tmp_path / "journal.db")
    ids = await before.keep([raw(b"a"), raw(b"b"), raw(b"c")])
    await before.take(3)
    await before.park(ids[1], "poison")
    await before.aclose()
    after = await SqliteJournal.open(tmp_path / "journal.db")
    assert await after.unpark([ids[1], ids[1]]) == 1
    assert await after.unpark([ids[1]]) == 0
    assert sorted(k.id for k in await after.take(10)) == sorted(ids)
    assert await after.take(10) == []
    assert await after.depth() == {"waiting": 3, "parked": 0}
    await after.aclose()


async def test_one_that_is_put_back_does_not_hide_those_before_it(tmp_path: Path) -> None:
    before = await SqliteJournal.open(tmp_path / "journal.db")
    ids = await before.keep([raw(b"a"), raw(b"b"), raw(b"c")])
    await before.park(ids[2], "poison")
    await before.aclose()
    after = await SqliteJournal.open(tmp_path / "journal.db")
    await after.unpark([ids[2]])
    taken = [k.id for _ in range(5) for k in await after.take(1)]
    assert sorted(taken) == sorted(ids)
    await after.aclose()


async def test_one_that_is_put_back_while_it_is_taken_comes_once(tmp_path: Path) -> None:
    """P7: a take that is under way may see what a person puts back; recorded twice it would be counted off twice."""
    before = await SqliteJournal.open(tmp_path / "journal.db")
    (id_,) = await before.keep([raw(b"a")])
    await before.park(id_, "poison")
    await before.aclose()
    after = await SqliteJournal.open(tmp_path / "journal.db")
    go_on = threading.Event()
    after._reader.submit(go_on.wait)
    taking = asyncio.create_task(after.take(10))
    await asyncio.sleep(0)
    assert await after.unpark([id_]) == 1
    go_on.set()
    assert [k.id for k in await taking] == [id_]
    assert await after.take(10) == []
    await after.ack([id_])
    await after.keep([raw(b"b")])
    assert await after.depth() == {"waiting": 1, "parked": 0}
    await after.aclose()


async def test_given_back_ones_beyond_the_limit_wait_their_turn(journal: SqliteJournal) -> None:
    ids = await journal.keep([raw(b"%d" % n) for n in range(5)])
    await journal.take(5)
    await journal.again(ids, counted=False)
    assert [k.id for k in await journal.take(2)] == list(ids[:2])
    assert [(k.id, k.attempts) for k in await journal.take(9)] == [(id_, 0) for id_ in ids[2:]]


async def test_a_try_that_cannot_be_counted_still_comes_back(tmp_path: Path, journal: SqliteJournal) -> None:
    """A locked journal must not swallow what is given back until the next restart."""
    (id_,) = await journal.keep([raw(b"a")])
    await journal.take(1)
    journal._db.execute("pragma busy_timeout=50")
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("begin immediate")
    with pytest.raises(sqlite3.OperationalError):
        await journal.again([id_])
    locker.execute("rollback")
    locker.close()
    assert [k.id for k in await journal.take(1)] == [id_]


async def test_large_deliveries_come_a_few_at_a_time(journal: SqliteJournal) -> None:
    """P17: a backlog of 25 MB mails must not be in memory at once; each still comes, in order."""
    ids = await journal.keep([raw(bytes(12 * 1024 * 1024)) for _ in range(5)])
    first = [k.id for k in await journal.take(100)]
    assert len(first) == 3
    assert first + [k.id for k in await journal.take(100)] == list(ids)
    await journal.again(ids, counted=False)
    again = [k.id for k in await journal.take(100)]
    assert len(again) == 3
    assert again + [k.id for k in await journal.take(100)] == list(ids)


async def test_one_delivery_can_be_read_again_until_it_is_done_with(journal: SqliteJournal) -> None:
    kept_id, parked_id = await journal.keep([raw(b"a"), raw(b"b")])
    found = await journal.read(kept_id)
    assert found is not None
    assert (found.id, found.raw.body) == (kept_id, b"a")
    await journal.park(parked_id, "x")
    assert await journal.read(parked_id) is None
