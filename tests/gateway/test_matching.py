"""The job that proposes what may be one complaint or one cause, over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from gateway.config import MassEvent
from gateway.config import Matching as Settings
from gateway.config_load import load
from gateway.installation import Installation
from gateway.matching import CROWD, SAME, Matching
from harness import until, write_config
from normalizer.complaint import Complainant
from store_values import NOW, Build
from tickets.model import Records
from tickets.store import Store

T = TypeVar("T")
STORY = "Saldo saya terpotong dua kali saat pencairan tanggal lima Januari"
AGAIN = "Pencairan tanggal lima: saldo terpotong dua kali, lapor lewat formulir"
PHONE = "+6281234567890"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return load(write_config(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}", clock=lambda: NOW)
    yield opened
    opened.close()


async def run(work: Callable[[], T]) -> T:
    """What the gateway does in the thread that writes: here it is this one."""
    return work()


def job(
    store: Store, installation: Installation, now: datetime = NOW, customers: int = 3, busy: bool = False
) -> Matching:
    def in_this_thread(work: Callable[[], T], /) -> Awaitable[T]:
        return run(work)

    return Matching(
        Settings(mass_event=MassEvent(customers=customers)),
        store=store,
        lexicon=installation.lexicon,
        key=b"k" * 32,
        run=in_this_thread,
        busy=lambda: busy,
        now=lambda: now,
    )


def write(store: Store, build: Build, text: str, **given: Any) -> str:
    """The id of one new complaint of its own sender."""
    key = build.id("wa:1:m")
    values = {"narrative": text, "sender_key": key, "complainant": Complainant(phone=PHONE, verified=True)} | given
    records = build.records(store, key, ref=key, **values)
    with store.begin() as tx:
        tx.add(records)
    return records.complaints[0].complaint_id


def tasks(store: Store, kind: str) -> list[str | None]:
    return [task.complaint_id for task in store.open_tasks(kind=kind)]


async def test_a11_a_complaint_that_came_twice_is_proposed_once(store: Store, installation: Installation) -> None:
    build, matching = Build(), job(store, installation)
    first = write(store, build, STORY)
    second = write(store, build, AGAIN, channel="web_form", complainant=Complainant(phone=PHONE))
    write(store, build, "Aplikasi tidak bisa dibuka", channel="web_form", complainant=Complainant(phone=PHONE))
    assert await matching.look() == 3
    assert await matching.look() == 0
    found = store.proposals.listed()
    assert [(each.kind, each.complaint_id, each.other_id) for each in found] == [("same", second, first)]
    assert found[0].reasons.shared == ("phone",)
    assert tasks(store, SAME) == [second]
    assert {store.ticket_of_complaint(id_).ticket.state for id_ in (first, second)} == {"received"}  # type: ignore[union-attr]  # both are there


async def test_what_a_person_refused_is_not_proposed_again(store: Store, installation: Installation) -> None:
    build = Build()
    write(store, build, STORY)
    write(store, build, AGAIN)
    await job(store, installation).look()
    (proposal,) = store.proposals.listed()
    with store.begin() as tx:
        tx.proposals.decide(proposal.id, "refused", "rina")
        tx.proposals.advance("matching", "")
    assert await job(store, installation).look() == 2
    assert store.proposals.listed() == []
    assert [each.state for each in store.proposals.listed(state=None)] == ["refused"]
    assert store.verify_audit().intact


async def test_another_company_learns_nothing(store: Store, installation: Installation) -> None:
    build, other = Build(), Build()
    other.organisation = "akseleran"
    write(store, build, STORY)
    records = other.complaint_records("AKS-20260105-000001-4", "wa:2:m1", narrative=STORY)
    with store.begin() as tx:
        tx.add(records)
    await job(store, installation).look()
    assert store.proposals.listed() == []


async def test_many_customers_with_one_story_are_one_task(store: Store, installation: Installation) -> None:
    build, matching = Build(), job(store, installation)
    ids = [write(store, build, STORY, complainant=Complainant()) for _ in range(5)]
    await matching.look()
    ids.append(write(store, build, STORY, complainant=Complainant()))
    await matching.look()
    found = store.proposals.listed(kind="crowd")
    assert {each.other_id for each in found} == {ids[0]}
    assert sorted(each.complaint_id for each in found) == ids[1:]
    assert tasks(store, CROWD) == [ids[0]]


async def test_a_restart_goes_on_with_the_same_crowd(store: Store, installation: Installation) -> None:
    build = Build()
    ids = [write(store, build, STORY, complainant=Complainant()) for _ in range(4)]
    await job(store, installation).look()
    ids.append(write(store, build, STORY, complainant=Complainant()))
    await job(store, installation, NOW + timedelta(minutes=1)).look()
    assert sorted(each.complaint_id for each in store.proposals.listed(kind="crowd")) == ids[1:]
    assert tasks(store, CROWD) == [ids[0]]


@pytest.mark.parametrize("text", ["Aplikasi error terus", "aplikasi tidak bisa dibuka", "Dana saya belum cair!!"])
async def test_short_texts_of_many_are_a_crowd_too(store: Store, installation: Installation, text: str) -> None:
    build = Build()
    first, *_ = [write(store, build, text, complainant=Complainant()) for _ in range(3)]
    write(store, build, "Mengapa data saya salah di SLIK?", complainant=Complainant())
    await job(store, installation).look()
    assert tasks(store, CROWD) == [first]
    assert len(store.proposals.listed(kind="crowd")) == 2


async def test_a_crowd_too_small_is_none(store: Store, installation: Installation) -> None:
    build = Build()
    for _ in range(4):
        write(store, build, STORY, complainant=Complainant())
    await job(store, installation, customers=5).look()
    assert store.proposals.listed() == []
    assert tasks(store, CROWD) == []


async def test_everything_about_an_erased_complaint_goes(store: Store, installation: Installation) -> None:
    build = Build()
    first, second = write(store, build, STORY), write(store, build, AGAIN)
    await job(store, installation, customers=9).look()
    assert len(store.proposals.listed()) == 1
    with store.begin() as tx:
        tx.proposals.forget([second])
    assert store.proposals.listed() == []
    again = write(store, build, AGAIN)
    await job(store, installation, customers=9).look()
    assert [(each.complaint_id, each.other_id) for each in store.proposals.listed()] == [(again, first)]


async def test_an_erased_complaint_comes_back_in_no_proposal(store: Store, installation: Installation) -> None:
    """The job remembers the texts of the last hours: those of an erased complaint are compared with nothing more."""
    build, matching = Build(), job(store, installation)
    ids = [write(store, build, STORY, complainant=Complainant()) for _ in range(4)]
    await matching.look()
    view = store.ticket_of_complaint(ids[0])
    assert view is not None
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(view.ticket, state="dismissed", closed_at=NOW)]))
        tx.records.erase(view.ticket.ticket_number, "retention", "siti")
    ids.append(write(store, build, STORY, complainant=Complainant()))
    await matching.look()
    assert ids[0] not in {id_ for each in store.proposals.listed() for id_ in (each.complaint_id, each.other_id)}
    assert sorted(each.complaint_id for each in store.proposals.listed(kind="crowd")) == ids[2:]


async def test_while_messages_wait_it_waits_too(
    store: Store, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build()
    write(store, build, STORY)
    write(store, build, AGAIN)
    waiting = job(store, installation, busy=True)
    task = asyncio.create_task(waiting.run())
    try:
        await asyncio.sleep(0.1)
        assert store.proposals.listed() == []
        monkeypatch.setattr("gateway.matching._LATEST_SECONDS", 0.0)
        task.cancel()
        task = asyncio.create_task(waiting.run())
        await until(lambda: store.proposals.listed())
    finally:
        task.cancel()
