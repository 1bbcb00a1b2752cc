"""One contract for every journal: what was kept is durable, stays until acknowledged, and comes back in order."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.journal import Journal, JournalFull
from gateway.journal.sqlite import SqliteJournal
from normalizer.message import Raw

AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def raw(text: str, channel_id: str = "wa") -> Raw:
    return Raw(channel_id=channel_id, received_at=AT, body=text.encode(), headers={"a": "b"}, target="/in/wa")


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def test_kept_raws_come_back_whole_and_in_order(journal: Journal) -> None:
    ids = await journal.keep([raw("one"), raw("two")])
    more = await journal.keep([raw("three")])
    kept = await journal.take(10)
    assert [k.id for k in kept] == [*ids, *more]
    assert [k.raw for k in kept] == [raw("one"), raw("two"), raw("three")]


async def test_taken_raws_are_not_taken_twice_until_given_back(journal: Journal) -> None:
    await journal.keep([raw("one"), raw("two")])
    first, second = await journal.take(10)
    assert await journal.take(10) == []
    await journal.again([first.id])
    (again,) = await journal.take(10)
    assert (again.id, again.attempts) == (first.id, 1)
    await journal.ack([first.id, second.id])


async def test_everything_not_acknowledged_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    before = await SqliteJournal.open(path)
    ids = await before.keep([raw(str(n)) for n in range(5)], cursor=("mail", "7:42"))
    await before.take(3)
    await before.ack(ids[:2])
    await before.aclose()
    after = await SqliteJournal.open(path)
    assert [k.id for k in await after.take(10)] == list(ids[2:])
    assert await after.cursor("mail") == "7:42"
    assert await after.keep([raw("new")]) != [ids[-1]]
    await after.aclose()


async def test_ids_never_come_again_even_when_the_inbox_was_empty(tmp_path: Path) -> None:
    seen: set[str] = set()
    for _ in range(3):
        journal = await SqliteJournal.open(tmp_path / "journal.db")
        ids = await journal.keep([raw("x")])
        assert not seen & set(ids)
        seen |= set(ids)
        await journal.take(1)
        await journal.ack(ids)
        await journal.aclose()


async def test_many_callers_share_commits_and_each_gets_its_own_ids(journal: Journal) -> None:
    answers = await asyncio.gather(*(journal.keep([raw(f"{n}.a"), raw(f"{n}.b")]) for n in range(300)))
    by_id = {k.id: k.raw.body for k in await journal.take(1000)}
    assert [[by_id[i] for i in ids] for ids in answers] == [[b"%d.a" % n, b"%d.b" % n] for n in range(300)]


async def test_parked_raws_wait_for_a_person_and_can_be_put_back(journal: Journal) -> None:
    (id_,) = await journal.keep([raw("poison")])
    await journal.take(1)
    await journal.park(id_, "KeyError")
    assert await journal.take(10) == []
    (parked,) = await journal.parked()
    assert (parked.id, parked.reason, parked.raw) == (id_, "KeyError", raw("poison"))
    assert (await journal.depth())["parked"] == 1
    assert await journal.unpark([id_]) == 1
    assert [k.id for k in await journal.take(10)] == [id_]


async def test_a_full_journal_refuses_and_recovers(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "journal.db", max_waiting=2)
    ids = await journal.keep([raw("one"), raw("two")])
    with pytest.raises(JournalFull):
        await journal.keep([raw("three")])
    await journal.take(2)
    await journal.ack(ids)
    while (await journal.depth())["waiting"]:
        await asyncio.sleep(0.01)
    assert await journal.keep([raw("three")])
    await journal.aclose()


async def test_a_disk_that_refuses_is_journal_full_and_nothing_is_half_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await SqliteJournal.open(path)
    await journal.keep([raw("one")])
    locker = sqlite3.connect(path, isolation_level=None)
    journal._db.execute("pragma busy_timeout=50")
    locker.execute("begin exclusive")
    with pytest.raises(JournalFull):
        await journal.keep([raw("two")])
    locker.execute("rollback")
    locker.close()
    await journal.keep([raw("three")])
    assert [k.raw.body for k in await journal.take(10)] == [b"one", b"three"]
    await journal.aclose()
