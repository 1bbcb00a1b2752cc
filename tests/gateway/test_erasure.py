"""Messages that their senders delete: kept as evidence (T22), or our copy goes where the policy says so."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from desk_at_work import DeskAtWork
from gateway.config_load import load
from gateway.files import Files
from gateway.installation import Installation
from gateway.retention import Done, Removal, Retention
from harness import start_aduan, until, write_config
from normalizer.message import Deletion, Edit
from records_values import CLOSED, CONTENT, RECEIVED, Closed, deletion, found_in, put_file
from simulator.instagram import Instagram
from store_values import Build
from tickets import lifecycle_events as events
from tickets.forwarders.values import Settled as SettledForward
from tickets.life import Hold
from tickets.lifecycle_events import Event
from tickets.matching import Match
from tickets.model import Records, Settled
from tickets.store import Store, TicketView, schema_forwards

T = TypeVar("T")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
#: What only the first message of the complaint says.
FIRST = ("Dana saya hilang sejak kemarin", "kutipan yang diubah", "bukti transfer siti.jpg", "ISI BERKAS RAHASIA")
SECOND = "penagih menghubungi atasan saya"


def erasing(data: dict[str, Any]) -> None:
    """The configuration, with policies that erase what customers deleted."""
    for organisation in data["organisations"].values():
        organisation["policy"] = organisation["policy"].replace("policies/", "erasing/")


def configured(folder: Path, mode: str) -> Path:
    """A configuration whose policies say what becomes of deleted messages."""
    path = write_config(folder, erasing)
    (folder / "erasing").mkdir()
    for policy in (folder / "policies").glob("*.yaml"):
        text = policy.read_text(encoding="utf-8")
        (folder / "erasing" / policy.name).write_text(
            text.replace("deleted_messages: keep", f"deleted_messages: {mode}"), encoding="utf-8"
        )
    return path


class Place:
    """One data folder with its store and files, looked after by a job of this thread alone."""

    def __init__(self, folder: Path, loaded: Installation) -> None:
        self.data = folder / "data"
        self.installation = dataclasses.replace(loaded, data_dir=self.data)
        self.data.mkdir(exist_ok=True)
        self.store = Store.open(f"sqlite:///{self.data / 'tickets.db'}", clock=lambda: NOW)
        self.files = Files(self.data / "attachments", max_bytes=1 << 20)

    async def look(self, now: datetime = NOW) -> Done:
        async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
            return work()

        removal = Removal(self.data, store=self.store, run=run, now=lambda: now)
        job = Retention(self.installation, store=self.store, removal=removal, run=run, now=lambda: now)
        return await job.look()

    def view(self, number: str) -> TicketView:
        view = self.store.ticket(number)
        assert view is not None
        return view

    def secrets(self, *secrets: str) -> set[str]:
        """Those of the secrets that some file of the data folder still holds."""
        self.store.compact()
        return {secret for _, secret in found_in(self.data, secrets)}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Installation]:
    """The configurations of both kinds: reading one takes longer than what is tested with it."""
    return {mode: load(configured(tmp_path_factory.mktemp(mode), mode)) for mode in ("keep", "erase_text")}


@pytest.fixture
def place(tmp_path: Path, loaded: Mapping[str, Installation]) -> Iterator[Place]:
    made = Place(tmp_path, loaded["erase_text"])
    yield made
    made.store.close()


async def test_t22_by_default_a_deleted_message_is_kept(tmp_path: Path, loaded: Mapping[str, Installation]) -> None:
    """T22: evidence stays, marked as withdrawn."""
    place, case = Place(tmp_path, loaded["keep"]), Closed(Build())
    put_file(place.data / "attachments")
    case.add(place.store)
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(case))
    assert await place.look() == Done()
    assert place.secrets(*FIRST) == set(FIRST)
    assert place.view(case.number).messages[0].withdrawn_at is not None
    place.store.close()


@pytest.mark.parametrize("order", list(itertools.permutations(["message", "deletion", "job"])), ids="-".join)
async def test_t22_erase_text_takes_what_it_said_in_every_order(place: Place, order: Sequence[str]) -> None:
    """The deletion may overtake its message: then it waits, and the text goes all the same."""
    case = Closed(Build())
    put_file(place.data / "attachments")
    for step in order:
        if step == "message":
            case.add(place.store)
        elif step == "deletion":
            with place.store.begin() as tx:
                tx.delete("klikacc", deletion(case))
        else:
            await place.look()
    await place.look()
    assert place.secrets(*FIRST) == set()
    view = place.view(case.number)
    deleted, other = view.messages
    assert (deleted.text, deleted.withdrawn_at) == ("", RECEIVED + timedelta(minutes=9))
    assert [version.text for version in deleted.versions] == ["", ""]
    assert deleted.row.message.sender.name == "Siti Rahmawati"
    assert other.text == SECOND
    assert view.complaint.narrative == SECOND
    assert view.complaint.ticket_number == case.number
    types = [event.type for event in view.audit]
    assert types.count("message.erased") == types.count("message.withdrawn") == 1
    # The delivery that brought it and its edit is gone, that of the other message is there.
    assert [place.store.raw(id_) is not None for id_ in case.raw_ids] == [False, True]
    assert place.store.verify_audit().intact


async def test_the_job_looks_by_night_and_after_deletions_at_any_hour(place: Place) -> None:
    """Noon: only what customers deleted goes, with its files. After two at night (WIB): what is due as well."""
    case = Closed(Build())
    path = put_file(place.data / "attachments")
    case.add(place.store)
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(case))
    clock = [NOW.replace(hour=18, minute=30)]  # half past one at night in Jakarta

    async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
        return work()

    removal = Removal(place.data, store=place.store, run=run, now=lambda: clock[0])
    job = Retention(
        place.installation, store=place.store, removal=removal, run=run, now=lambda: clock[0], every_seconds=0.01
    )
    task = asyncio.create_task(job.run())
    try:
        await until(lambda: not path.exists())
        assert place.view(case.number).messages[0].text == ""
        clock[0] += timedelta(days=5 * 366)
        await asyncio.sleep(0.1)
        assert place.store.records.erasures() == []
        clock[0] += timedelta(hours=1)
        await until(lambda: not list(found_in(place.data)))
        assert [each.ticket_number for each in place.store.records.erasures()] == [case.number]
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_every_message_can_go(place: Place) -> None:
    case = Closed(Build())
    put_file(place.data / "attachments")
    case.add(place.store)
    with place.store.begin() as tx:
        for which in (1, 0):
            tx.delete("klikacc", deletion(case, which))
    assert (await place.look()).messages == 2
    assert place.secrets(*FIRST, SECOND) == set()
    assert place.view(case.number).complaint.narrative == ""
    assert await place.look(NOW + timedelta(days=2)) == Done()


async def test_a_message_that_came_with_a_merge_takes_its_own_words_alone(place: Place, desk: DeskAtWork) -> None:
    """Its text stands in the complaint that it opened, which goes on under another number; that one keeps its story."""
    one = desk.whatsapp("klikacc", "6281200000001", "Saldo saya terpotong dua kali")
    two = desk.email("klikacc", "siti@example.com", "Dana rahasia saya hilang sejak kemarin")
    three = desk.whatsapp("klikacc", "6281200000001", "Mohon segera dijawab")
    assert three == one
    desk.done(two, events.Merged(into=one))
    mail = next(each.row.message for each in desk.view(one).messages if each.row.message.channel == "email")
    with desk.store.begin() as tx:
        deleted = Deletion(key="gone", message_key=mail.key, deleted_at=desk.now)
        assert tx.delete("klikacc", deleted) == "applied"
    before = desk.view(one).complaint

    async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
        return work()

    data = desk.installation.data_dir
    removal = Removal(data, store=desk.store, run=run, now=lambda: desk.now)
    installation = dataclasses.replace(place.installation, data_dir=data)
    job = Retention(installation, store=desk.store, removal=removal, run=run, now=lambda: desk.now)
    assert (await job.look()).messages == 1
    assert desk.view(one).complaint == before
    assert before.narrative.startswith("Saldo saya terpotong dua kali")
    assert list(found_in(data, ["Dana rahasia"])) == []


async def test_a_deletion_reaches_what_other_parts_keep_of_the_message(place: Place) -> None:
    """Its words in the queue of another ticket store, handed over or not, its edits there, and in a proposal."""
    build = Build()
    one, two = Closed(build), Closed(build, 2, key="siti2")
    with place.store.begin() as tx:
        tx.forwards.configure({"klikacc": ["new", "slow"]})
    one.add(place.store)
    two.add(place.store)
    said = one.messages()[0].text
    ids = {"complaint_id": two.complaint_id, "other_id": one.complaint_id}
    shared = Match(**ids, shared=("phone",), likeness=0.9, words=("hilang", "sejakkemarin"))
    with place.store.begin() as tx:
        tx.forwards.changed("klikacc", one.complaint_id, "message.added", RECEIVED, said)
        tx.proposals.propose("P1", "same", "klikacc", shared)
        for item in tx.forwards.claim("new", NOW, 9):
            tx.forwards.settle(SettledForward(row=replace(item.row, state="done", done_at=NOW), task_id="T9"))
    assert {each.text for each in forwarded(place.store)} >= {said, "kutipan yang diubah"}
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(one))
    assert (await place.look()).messages == 1
    assert said not in {each.text for each in forwarded(place.store) if each.complaint_id == one.complaint_id}
    assert place.secrets("sejakkemarin") == set()
    assert [each.reasons.words for each in place.store.proposals.listed()] == [()]


def forwarded(store: Store) -> Sequence[Any]:
    """Complaint and text of every hand-over that is kept."""
    with store.begin() as tx:
        rows = tx._work.connection.execute(select(schema_forwards.forwards))
        return [row for row in rows if row.text]


async def test_an_edit_that_comes_after_the_deletion_brings_nothing_back(place: Place) -> None:
    case = Closed(Build())
    case.add(place.store)
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(case))
    await place.look()
    with place.store.begin() as tx:
        late = Edit(key="late", message_key=case.messages()[0].key, edited_at=RECEIVED, text="kutipan yang diubah")
        assert tx.edit("klikacc", late) == "applied"
    assert place.secrets("kutipan yang diubah") == set()


async def test_a_legal_hold_wins_and_when_it_ends_the_text_goes(place: Place) -> None:
    case = Closed(Build())
    put_file(place.data / "attachments")
    case.add(place.store)
    hold = Hold(reason="sengketa", since=CLOSED, by="dewi")
    with place.store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(case.ticket(), life=replace(case.ticket().life, hold=hold))]))
        tx.delete("klikacc", deletion(case))
    assert await place.look() == Done()
    assert place.secrets(*FIRST) == set(FIRST)
    with place.store.begin() as tx:
        tx.add(Records(updated_tickets=[case.ticket()]))
    assert (await place.look()).messages == 1
    assert place.secrets(*FIRST) == set()


async def test_a_file_that_another_complaint_has_stays(place: Place) -> None:
    build = Build()
    one, two = Closed(build), Closed(build, 2, key="two")
    path = put_file(place.data / "attachments")
    one.add(place.store)
    two.add(place.store)
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(one))
    assert await place.look() == Done(messages=1, compacted=True)
    assert path.read_bytes() == CONTENT
    assert place.store.records.doomed() == {}
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(two))
    assert (await place.look()).files == 1
    assert not path.exists()


async def test_a_file_that_somebody_brings_at_this_moment_stays(place: Place) -> None:
    """Its bytes are stored before their complaint is recorded: between the two nothing refers to them."""
    case = Closed(Build())
    path = put_file(place.data / "attachments")
    case.add(place.store)
    with place.store.begin() as tx:
        tx.delete("klikacc", deletion(case))
    place.files.put(CONTENT)
    assert (await place.look()).files == 0
    assert path.read_bytes() == CONTENT
    # A day later nobody has recorded it.
    assert (await place.look(datetime.now(UTC) + timedelta(days=2))).files == 1
    assert not path.exists()


def test_d6_a_whole_life_in_words_leaves_no_word(desk: DeskAtWork) -> None:
    """D6: what staff and customer wrote in every event, and in two merged complaints, is gone; the log is whole."""
    phone, words = "6281298765432", "menyebut Siti Rahmawati"
    one = desk.whatsapp("akseleran", phone, "Dana saya belum cair, saya Siti Rahmawati", external_id="wamid.SITI1")
    two = desk.email("akseleran", "siti.rahmawati@example.com", "Dana saya belum cair juga menurut Siti Rahmawati")
    steps: list[Event] = [
        events.RepresentativeNamed(full_name="Bapak Wirawan"),
        events.PowerOfAttorney(status="verified"),
        events.FirstResponse(text=f"Kami memeriksa, {words}."),
        events.DocumentsRequested(documents=("problem",), text=f"Mohon dikirim, {words}."),
        events.DocumentsReceived(documents=("problem",), complete=True),
        events.Escalated(level=2, units=("operation_manager",), reason=words),
        events.TierChanged(tier="directors", reason=words),
        events.PersonalDataAsked(kind="access"),
        events.PersonalDataAnswered(kind="access", note=words),
        events.HoldSet(reason=f"perkara {words}"),
        events.Responded(kind="explanation", finding="no_fault", text=f"Penjelasan panjang yang {words}."),
        events.ObjectionRaised(new_documents=True, note=words),
        events.ObjectionRejected(reasons=f"Dokumen baru tidak mengubah jawaban kami dan {words} sekali lagi."),
        events.ReferredOut(forum="laps_sjk", note=words),
        events.ForumDecided(decision=f"putusan yang {words}"),
    ]
    desk.done(two, events.Merged(into=one))
    for step in steps:
        desk.pass_time(hours=1)
        desk.done(one, step)
    secrets = ("Siti Rahmawati", "Bapak Wirawan", phone, "siti.rahmawati@example.com", "belum cair", "wamid.SITI1")
    assert {secret for _, secret in found_in(desk.installation.data_dir, secrets)} == set(secrets)
    with desk.store.begin() as tx:
        assert tx.records.obstacle(one) == "hold"
    desk.done(one, events.HoldLifted())
    with desk.store.begin() as tx:
        assert tx.records.obstacle(two) == "message_owed"
        given_up = [replace(item.row, state="suppressed") for item in tx.claim_outbox(desk.now, 100)]
        tx.settle_outbox([Settled(row=row, receipt_state="suppressed") for row in given_up])
    with desk.store.begin() as tx:
        assert tx.records.obstacle(two) is None
        gone = tx.records.erase(two, "request", "siti")
    assert (gone.ticket_number, gone.merged) == (one, (two,))
    assert desk.store.compact()
    assert list(found_in(desk.installation.data_dir, secrets)) == []
    assert desk.store.verify_audit().intact
    assert "ticket.forum_decided" in [event.type for event in desk.view(one).audit]


async def test_a_deletion_at_instagram_leaves_nothing_of_what_it_said(tmp_path: Path) -> None:
    """The providers' terms: text, edits and files are gone from store, journal and files; its neighbours stay."""
    configured(tmp_path, "erase_text")
    async with start_aduan(tmp_path, erasing) as aduan:
        account = aduan.provider("akseleran", Instagram)
        await account.inject_text("sari.w", "Selamat siang, mohon bantuan soal dana saya yang belum cair.")
        await until(aduan.ticket_numbers)
        mid = await account.inject_text("sari.w", "Nomor rekening rahasia saya 5544332211.")
        await account.inject_edit("sari.w", mid, "Nomor rekening rahasia saya 9988776655.")
        (number,) = aduan.ticket_numbers()

        def versions() -> int:
            view = aduan.running.store.ticket(number)
            return 0 if view is None or len(view.messages) < 2 else len(view.messages[1].versions)

        await until(lambda: versions() == 2)
        await account.inject_deleted("sari.w", mid)

        def is_withdrawn() -> bool:
            view = aduan.running.store.ticket(number)
            return view is not None and view.messages[1].withdrawn_at is not None

        await until(is_withdrawn)
        secrets = ("5544332211", "9988776655", "rekening rahasia")
        data = aduan.installation.data_dir
        assert {secret for _, secret in found_in(data, secrets)} == set(secrets)

        async def run(work):  # type: ignore[no-untyped-def]  # the generic protocol of the gateway's own runner
            return work()

        store = aduan.running.store
        removal = Removal(data, store=store, run=run, now=lambda: datetime.now(UTC))
        job = Retention(aduan.installation, store=store, removal=removal, run=run, now=lambda: datetime.now(UTC))
        assert await job.deletions() == 1
        view = aduan.running.store.ticket(number)
        assert view is not None
        assert [message.text for message in view.messages] == [
            "Selamat siang, mohon bantuan soal dana saya yang belum cair.",
            "",
        ]

        # The gateway may be reading: then the next try does it.
        for _ in range(100):
            if await removal.compact():
                break
            await asyncio.sleep(0.05)
        assert list(found_in(data, secrets)) == []
