"""The nightly job: what is due is erased, what is held is not, and what stays is what reports count (D6)."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.files import Files
from gateway.installation import Installation
from gateway.retention import Done, Due, Removal, Retention, compact_journal
from records_values import CLOSED, CONTENT, SECRETS, Closed, found_in, put_file
from store_values import Build
from tickets.life import Hold
from tickets.model import Records
from tickets.store import Store

#: Five years after the complaint of these tests was closed.
DUE = datetime(2031, 2, 20, 4, tzinfo=UTC)


class Place:
    """A data folder whose nightly job looks at a moment of the test's choice."""

    def __init__(self, folder: Path, loaded: Installation) -> None:
        self.data = folder / "data"
        self.installation = dataclasses.replace(loaded, data_dir=self.data)
        self.data.mkdir(exist_ok=True)
        self.now = DUE
        self.store = Store.open(f"sqlite:///{self.data / 'tickets.db'}", clock=lambda: self.now)

        async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
            return work()

        removal = Removal(self.data, store=self.store, run=run, now=lambda: self.now)
        self.job = Retention(self.installation, store=self.store, removal=removal, run=run, now=lambda: self.now)


@pytest.fixture
def place(tmp_path: Path, known: Installation) -> Iterator[Place]:
    made = Place(tmp_path, known)
    yield made
    made.store.close()


@pytest.fixture
def case(place: Place) -> Closed:
    closed = Closed(Build())
    closed.add(place.store)
    put_file(place.data / "attachments")
    return closed


async def test_d6_five_years_after_closing_the_person_is_gone_from_every_file(place: Place, case: Closed) -> None:
    """D6: not a day earlier; then from the database, its log and the attachments."""
    place.now = DUE - timedelta(days=1)
    assert list(place.job.due()) == []
    assert await place.job.look() == Done()
    assert {secret for _, secret in found_in(place.data)} == set(SECRETS)
    place.now = DUE
    (due,) = place.job.due()
    assert due == Due(
        ticket_number=case.number,
        organisation="klikacc",
        state="rejected",
        closed_on=CLOSED.date(),
        erase_on=DUE.date(),
    )
    assert await place.job.look() == Done(complaints=1, files=1, compacted=True)
    assert list(found_in(place.data)) == []
    assert list(place.job.due()) == []
    assert await place.job.look() == Done()
    assert place.store.verify_audit().intact
    # The copy in another ticket store is somebody's task; the job cannot take it away there.
    (task,) = place.store.open_tasks(kind="erase_elsewhere")
    assert task.reason == "erase it there too: rt RT-12"


async def test_an_erasure_that_was_cut_off_is_finished_by_the_next_look(place: Place, case: Closed) -> None:
    """A command, or the job itself, died between the erasure and the rewriting: the next night makes up for it."""
    with place.store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    place.now += timedelta(days=1, hours=2)
    assert await place.job.look() == Done(files=1, compacted=True)
    assert list(found_in(place.data)) == []
    assert await place.job.look() == Done()


async def test_d6_what_is_under_a_hold_is_shown_and_kept(place: Place, case: Closed) -> None:
    """D6: a legal hold wins over retention, and what it kept is erased when it ends."""
    hold = Hold(reason="sengketa", since=CLOSED, by="dewi")
    with place.store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(case.ticket(), life=replace(case.ticket().life, hold=hold))]))
    assert [each.obstacle for each in place.job.due()] == ["hold"]
    assert await place.job.look() == Done()
    with place.store.begin() as tx:
        tx.add(Records(updated_tickets=[case.ticket()]))
    assert (await place.job.look()).complaints == 1


async def test_an_open_complaint_is_never_due(place: Place) -> None:
    closed = Closed(Build())
    closed.add(place.store, state="in_progress", closed_at=None)
    assert list(place.job.due()) == []


async def test_a_merged_complaint_waits_for_the_one_that_goes_on(place: Place, case: Closed) -> None:
    other = Closed(case.build, 2, key="two")
    other.add(place.store, state="merged", closed_at=CLOSED - timedelta(days=30))
    with place.store.begin() as tx:
        tx.casework.move(other.complaint_id, case.complaint_id)
        tx.add(Records(updated=[replace(case.complaint(), aliases=(other.number,))]))
    place.now = DUE - timedelta(days=2)
    assert list(place.job.due()) == []
    place.now = DUE
    assert [each.ticket_number for each in place.job.due()] == [case.number]
    await place.job.look()
    assert list(found_in(place.data)) == []


async def test_a_policy_without_years_keeps_everything(place: Place, case: Closed) -> None:
    klikacc = place.installation.organisations["klikacc"]
    silent = dataclasses.replace(klikacc, policy=klikacc.policy.model_copy(update={"retention_years": None}))
    organisations = {**place.installation.organisations, "klikacc": silent}
    job = Retention(
        dataclasses.replace(place.installation, organisations=organisations),
        store=place.store,
        removal=place.job.removal,
        run=place.job._run,
        now=lambda: place.now,
    )
    assert list(job.due()) == []


async def test_a_disk_without_room_is_not_filled(place: Place, case: Closed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The databases are rewritten another night; the data in them is gone already."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage())
    done = await place.job.look()
    assert (done.complaints, done.compacted) == (1, False)


class _Usage:
    """A full disk."""

    free = 0


def test_a_journal_is_rewritten_and_one_that_is_not_there_is_none_to_do(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert compact_journal(path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma secure_delete=off")
    db.execute("create table inbox (seq integer primary key autoincrement, raw blob)")
    db.executemany("insert into inbox (raw) values (?)", [(CONTENT,)] * 20)
    db.execute("delete from inbox")
    assert list(found_in(tmp_path, ["ISI BERKAS RAHASIA"]))
    assert compact_journal(path)
    assert list(found_in(tmp_path, ["ISI BERKAS RAHASIA"])) == []
    # While somebody writes, nothing is forced.
    db.execute("begin immediate")
    assert not compact_journal(path, busy_seconds=0.01)
    db.execute("rollback")
    db.close()


def test_a_file_that_is_removed_is_overwritten_first(tmp_path: Path) -> None:
    files = Files(tmp_path, max_bytes=1 << 20)
    path = put_file(tmp_path)
    other = tmp_path / "the same bytes on the disk"
    os.link(path, other)
    assert files.remove(path.name, untouched_since=DUE)
    assert not path.exists()
    assert set(other.read_bytes()) == {0}
    assert files.remove(path.name, untouched_since=DUE)
    assert files.sweep() == 0
