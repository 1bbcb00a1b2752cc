"""Deliveries that share a row: each is taken, acknowledged, tried again and parked as if it had one of its own."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.journal.sqlite import SqliteJournal
from normalizer.message import Raw


def raw(body: bytes) -> Raw:
    return Raw(channel_id="wa", received_at=datetime(2026, 1, 5, 3, 0, tzinfo=UTC), body=body)


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path / "journal.db")
    yield opened
    await opened.aclose()


async def keep(journal: SqliteJournal, count: int, size: int = 1) -> Sequence[str]:
    """Ids of deliveries that came at the same moment, whose bodies tell their places."""
    kept = await asyncio.gather(*(journal.keep([raw(b"%d" % n * size)]) for n in range(count)))
    return [id_ for ids in kept for id_ in ids]


def rows(folder: Path) -> tuple[int, int]:
    """How many rows there are: of one delivery, of several."""
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        alone, batches = (db.execute(f"select count(*) from {name}").fetchone()[0] for name in ("inbox", "batches"))
        return alone, batches


async def until_rows(folder: Path, alone: int, batches: int) -> None:
    async with asyncio.timeout(5):
        while rows(folder) != (alone, batches):
            await asyncio.sleep(0.01)


async def test_a_crowd_shares_one_row_and_comes_in_order_in_any_portions(
    journal: SqliteJournal, tmp_path: Path
) -> None:
    ids = [*await keep(journal, 60), *await journal.keep([raw(b"alone")]), *await keep(journal, 20)]
    assert rows(tmp_path) == (1, 2)
    taken = [kept for limit in (7, 1, 50, 2, 1, 100) for kept in await journal.take(limit)]
    assert [kept.id for kept in taken] == ids
    assert taken[60].raw.body == b"alone"
    assert taken[80].raw.body == b"19"
    assert await journal.take(100) == []
    await journal.ack(ids)
    await until_rows(tmp_path, 0, 0)
    assert await journal.depth() == {"waiting": 0, "parked": 0}


async def test_few_and_large_ones_stand_alone(journal: SqliteJournal, tmp_path: Path) -> None:
    """P17: a row of many mails would have to be in memory as a whole."""
    await keep(journal, 7)
    assert rows(tmp_path) == (7, 0)
    await keep(journal, 10, size=600_000)
    assert rows(tmp_path) == (17, 0)
    assert len({kept.id for _ in range(3) for kept in await journal.take(100)}) == 17


async def test_what_fails_or_is_parked_leaves_the_common_row(journal: SqliteJournal, tmp_path: Path) -> None:
    """P7: one poisonous delivery holds none of its neighbours, and its bytes stay."""
    ids = await keep(journal, 10)
    await journal.take(10)
    await journal.again([ids[3]])
    await journal.again([ids[4]], counted=False)
    await journal.park(ids[5], "KeyError")
    assert [(kept.id, kept.attempts, kept.raw.body) for kept in await journal.take(10)] == [
        (ids[3], 1, b"3"), (ids[4], 0, b"4"),
    ]  # fmt: skip
    assert [(parked.id, parked.raw.body) for parked in await journal.parked()] == [(ids[5], b"5")]
    assert await journal.read(ids[5]) is None
    await journal.ack([id_ for id_ in ids if id_ != ids[5]])
    await until_rows(tmp_path, 1, 0)
    assert await journal.depth() == {"waiting": 0, "parked": 1}
    assert await journal.unpark([ids[5]]) == 1
    assert [(kept.id, kept.attempts) for kept in await journal.take(10)] == [(ids[5], 0)]
    await journal.ack([ids[5]])
    await until_rows(tmp_path, 0, 0)


async def test_after_a_restart_everything_not_acknowledged_comes_once(tmp_path: Path) -> None:
    """Where some of a row are acknowledged at a crash they come again, and the store knows them by their ids."""
    before = await SqliteJournal.open(tmp_path / "journal.db")
    first, second = await keep(before, 12), await keep(before, 12)
    await before.take(24)
    await before.ack(first)
    await before.again([second[2]])
    await before.park(second[3], "KeyError")
    await before.aclose()
    after = await SqliteJournal.open(tmp_path / "journal.db")
    assert (await after.depth()) == {"waiting": 11, "parked": 1}
    taken = {kept.id: kept.attempts for kept in await after.take(100)}
    assert taken == {id_: int(id_ == second[2]) for id_ in second if id_ != second[3]}
    (new,) = await after.keep([raw(b"new")])
    assert new not in {*first, *second}
    await after.ack(list(taken))
    await until_rows(tmp_path, 2, 0)
    await after.aclose()


async def test_nothing_is_taken_before_its_commit_has_come_back(journal: SqliteJournal) -> None:
    """The reader sees a commit before the loop hears of it; what is taken then could not be acknowledged."""
    seen: Counter[str] = Counter()

    async def take() -> None:
        while sum(seen.values()) < 2000:
            kept = await journal.take(17)
            seen.update(one.id for one in kept)
            await journal.ack([one.id for one in kept])

    taking = asyncio.create_task(take())
    for _ in range(20):
        await keep(journal, 100)
    await asyncio.wait_for(taking, 20)
    assert len(seen) == 2000
    assert (await journal.depth())["waiting"] == 0


@pytest.mark.parametrize("seed", range(60))
async def test_any_life_of_deliveries(tmp_path: Path, seed: int) -> None:
    """P1, P7: in any order of events each delivery is there until it is done with, once at a time, with its bytes.

    What was acknowledged may come again after a restart, as long as it never had a row of its own.
    """
    chance = random.Random(seed)
    journal = await SqliteJournal.open(tmp_path / "journal.db")
    bodies: dict[str, bytes] = {}
    waiting: dict[str, None] = {}
    held: list[str] = []
    parked: list[str] = []
    tries: Counter[str] = Counter()
    acked: set[str] = set()
    own: set[str] = set()
    for step in range(60):
        match chance.choice(
            ("keep", "keep", "take", "take", "ack", "ack", "again", "give back", "park", "unpark", "restart")
        ):
            case "keep":
                new = [b"%d/%d" % (step, n) for n in range(chance.choice((1, 3, 8, 30)))]
                kept = await asyncio.gather(*(journal.keep([raw(body)]) for body in new))
                bodies |= {ids[0]: body for ids, body in zip(kept, new, strict=True)}
                waiting |= {ids[0]: None for ids in kept}
            case "take":
                for one in await journal.take(chance.randint(1, 40)):
                    if one.id in waiting:
                        del waiting[one.id]
                        assert one.attempts == tries[one.id]
                    else:
                        assert one.id in acked
                        assert one.id not in own
                    assert one.raw.body == bodies[one.id]
                    held.append(one.id)
            case "ack":
                done = chance.sample(held, len(held) // 2)
                await journal.ack(done)
                held = [id_ for id_ in held if id_ not in done]
                acked.update(done)
            case "again" | "give back" as what if held:
                id_ = held.pop(chance.randrange(len(held)))
                await journal.again([id_], counted=what == "again")
                tries[id_] += what == "again"
                own |= {id_} if what == "again" else set()
                waiting[id_] = None
            case "park" if held:
                id_ = held.pop(chance.randrange(len(held)))
                await journal.park(id_, "KeyError")
                parked.append(id_)
                own.add(id_)
            case "unpark" if parked:
                id_ = parked.pop(chance.randrange(len(parked)))
                assert await journal.unpark([id_]) == 1
                tries[id_] = 0
                waiting[id_] = None
            case "restart":
                await journal.aclose()
                journal = await SqliteJournal.open(tmp_path / "journal.db")
                waiting |= dict.fromkeys(held)
                held = []
        assert {one.id for one in await journal.parked()} == set(parked)
    while taken := await journal.take(1000):
        for one in taken:
            waiting.pop(one.id, None)
            held.append(one.id)
    assert waiting == {}
    await journal.ack(held)
    await until_rows(tmp_path, len(parked), 0)
    assert await journal.depth() == {"waiting": 0, "parked": len(parked)}
    await journal.aclose()
