"""What the job of the clocks does to the tickets of a real store: dates, windows, documents, standstill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from desk_at_work import DeskAtWork
from gateway.clock_job import ClockJob
from tickets.calendar import WIB, wib_date
from tickets.life import Life
from tickets.lifecycle_events import (
    Accepted,
    DocumentsRequested,
    ExtensionGranted,
    FirstResponse,
    Merged,
    PersonalDataAsked,
    Responded,
)
from tickets.model import Records, TaskRow, Ticket

T = TypeVar("T")
FIRST = FirstResponse(text="Kami sedang memeriksa pengaduan Anda.")
EXPLAINED = Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai perjanjian.")
PERSON = "6281234567890"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskAtWork]:
    found = DeskAtWork(tmp_path)
    yield found
    found.close()


class Job:
    """The job of a desk, at the desk's time; the store is written by this thread alone."""

    def __init__(self, desk: DeskAtWork) -> None:
        self.owed = 0

        async def run(work: Callable[[], T]) -> T:
            return work()

        self.job = ClockJob(
            desk.installation,
            store=desk.store,
            handling=desk.handling,
            run=run,
            now=lambda: desk.now,
            owed=self._count,
        )

    def _count(self) -> None:
        self.owed += 1


def events(desk: DeskAtWork, number: str) -> list[str]:
    return [event.type for event in desk.view(number).audit if event.actor == "clock"]


def rewrite(desk: DeskAtWork, number: str, **fields: object) -> None:
    """Puts a ticket into the store as another version would have left it."""
    ticket: Ticket = replace(desk.view(number).ticket, **fields)
    with desk.store.begin() as tx:
        tx.add(Records(updated_tickets=[ticket]))


async def test_g7_nobody_asked_for_documents_in_time(desk: DeskAtWork) -> None:
    """Two working days later the complaint counts as complete at receipt, and its dates are those of receipt."""
    number = desk.whatsapp("akseleran", PERSON, "Dana saya belum cair.")
    assert desk.view(number).ticket.look_on == date(2026, 1, 8)
    desk.pass_time(days=2)
    assert await Job(desk).job.look() == 0
    desk.pass_time(days=1)
    assert await Job(desk).job.look() == 3  # the presumption, and the breach of both clocks
    view = desk.view(number)
    expected = desk.installation.organisations["akseleran"].calendar.due(view.complaint.effective_received_date, 2).due
    assert view.ticket.first_response_due == view.ticket.resolve_due == expected
    assert view.complaint.documents_complete_at == view.complaint.received_at
    assert events(desk, number)[0] == "ticket.documents_presumed"
    assert await Job(desk).job.look() == 0


async def test_r6_every_date_that_an_event_moves_stands_in_the_log(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.done(number, FIRST)
    desk.done(number, ExtensionGranted(ground="external_party", cause="Menunggu jawaban bank."))
    desk.done(number, EXPLAINED)
    told = [event.data.get("promised") for event in desk.view(number).audit if event.type.startswith("ticket.")]
    due = desk.view(number).ticket.resolve_due
    assert due is not None
    assert told[:2] == [None, {"resolve": due.isoformat()}]
    assert set(told[2] or {}) == {"objection_window", "silent_close"}


async def test_dates_that_come_near_and_pass_are_tasks_that_close_with_their_clock(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.pass_time(days=2)
    await Job(desk).job.look()
    assert "clock_due_soon" in desk.open_tasks(number)
    desk.pass_time(days=2)
    await Job(desk).job.look()
    assert "clock_breached" in desk.open_tasks(number)
    desk.done(number, FIRST)
    await Job(desk).job.look()
    assert not {"clock_breached", "clock_due_soon"} & set(desk.open_tasks(number))
    announced = [each for each in desk.view(number).ticket.life.announced if each.mark == "breached"]
    assert [each.clock for each in announced] == ["first_response"]


async def test_a_task_stays_while_another_clock_calls_for_it(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.pass_time(days=40)
    await Job(desk).job.look()
    desk.done(number, FIRST)
    await Job(desk).job.look()
    assert "clock_breached" in desk.open_tasks(number)
    desk.done(number, EXPLAINED)
    await Job(desk).job.look()
    assert "clock_breached" not in desk.open_tasks(number)


async def test_a_task_that_outlived_its_clock_is_closed_by_the_next_look(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    view = desk.view(number)
    left = TaskRow(
        id=desk.new_id(), organisation="klikacc", complaint_id=view.complaint.complaint_id, kind="clock_due_soon",
        reason="from before", opened_at=view.ticket.updated_at,
    )  # fmt: skip
    with desk.store.begin() as tx:
        tx.add(Records(tasks=[left]))
    assert "clock_due_soon" in desk.open_tasks(number)
    await Job(desk).job.look()
    assert "clock_due_soon" not in desk.open_tasks(number)


async def test_g10_d4_silence_closes_and_the_customer_is_told(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.done(number, FIRST)
    desk.done(number, EXPLAINED)
    desk.send()
    due = desk.view(number).ticket.life.promised["silent_close"].due
    desk.now = datetime.combine(due, datetime.min.time(), WIB).astimezone(UTC) + timedelta(hours=23)
    job = Job(desk)
    assert await job.job.look() == 0
    desk.pass_time(hours=2)
    assert await job.job.look() == 1
    assert desk.view(number).ticket.state == "resolved"
    assert job.owed == 1
    assert await job.job.look() == 0


async def test_g10_g7_after_a_standstill_the_clock_listens_before_it_speaks_of_silence(desk: DeskAtWork) -> None:
    """G10, G7: what was written while the system stood still comes in after the start, and the clock looks at once."""
    silent = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.done(silent, EXPLAINED)
    awaited = desk.whatsapp("klikacc", "628111111111", "Tagihan saya salah.")
    desk.done(awaited, DocumentsRequested(documents=("supporting_documents",)))
    late = desk.whatsapp("klikacc", "628222222222", "Dana saya belum cair.")
    desk.pass_time(days=40)
    job = Job(desk)
    await job.job.look(listening=True)
    assert desk.view(silent).ticket.state == "responded"
    assert desk.view(awaited).ticket.life.window_extended_at is None
    assert "clock_breached" in desk.open_tasks(late), "what the company owes is said at once"
    desk.whatsapp("klikacc", PERSON, "Saya keberatan.")
    await job.job.look()
    assert desk.view(silent).ticket.state == "responded"
    assert desk.view(awaited).ticket.life.window_extended_at is not None


async def test_who_has_written_is_not_silent_and_the_clock_asks_again_the_next_day(desk: DeskAtWork) -> None:
    """The desk must say first what the customer meant; until then nothing closes."""
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    desk.done(number, FIRST)
    desk.done(number, EXPLAINED)
    desk.pass_time(days=1)
    desk.whatsapp("klikacc", PERSON, "Saya tidak mengerti jawabannya.")
    desk.pass_time(days=30)
    assert await Job(desk).job.look() == 0
    view = desk.view(number)
    assert view.ticket.state == "responded"
    assert view.ticket.look_on == wib_date(desk.now) + timedelta(days=1)
    desk.done(number, Accepted())
    assert desk.view(number).ticket.look_on is None


async def test_r8_personal_data_is_looked_at_at_its_hour(desk: DeskAtWork) -> None:
    """Three times 24 real hours from Monday 10.00 WIB end on Thursday at 10.00, not with Thursday."""
    number = desk.whatsapp("klikumkm", PERSON, "Data apa yang Anda simpan tentang saya?")
    desk.done(number, PersonalDataAsked(kind="access"))
    desk.pass_time(hours=71, minutes=50)
    await Job(desk).job.look()
    marks = [each.mark for each in desk.view(number).ticket.life.announced if each.clock == "personal_data"]
    assert marks == ["due_soon", "due_soon"]
    desk.pass_time(minutes=30)
    await Job(desk).job.look()
    marks = [each.mark for each in desk.view(number).ticket.life.announced if each.clock == "personal_data"]
    assert marks[-1] == "breached"


async def test_r8_a_request_about_personal_data_goes_on_with_the_ticket_that_goes_on(desk: DeskAtWork) -> None:
    first, second = (desk.whatsapp("klikumkm", f"62812345000{index}", "Data saya.") for index in (1, 2))
    desk.done(second, PersonalDataAsked(kind="access"))
    desk.done(second, Merged(into=first))
    desk.pass_time(hours=73)
    await Job(desk).job.look()
    assert ("personal_data", "breached") in [(each.clock, each.mark) for each in desk.view(first).ticket.life.announced]


async def test_after_a_standstill_every_ticket_gets_what_passed_and_the_log_is_whole(desk: DeskAtWork) -> None:
    numbers = [desk.whatsapp("klikacc", f"62812345{index:05}", "Saldo terpotong.") for index in range(45)]
    desk.pass_time(days=60)
    assert await Job(desk).job.look() == 45 * 2
    assert all(len(desk.view(number).ticket.life.announced) == 2 for number in numbers)
    assert desk.store.verify_audit().intact
    assert await Job(desk).job.look() == 0


async def test_one_ticket_that_cannot_be_read_keeps_no_other_waiting(desk: DeskAtWork) -> None:
    broken, sound = (desk.whatsapp("klikacc", f"62812345000{index}", "Saldo terpotong.") for index in (1, 2))
    engine = create_engine(f"sqlite:///{desk.installation.data_dir / 'tickets.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE tickets SET ticket = :x WHERE ticket_number = :n"), {"x": b"{", "n": broken})
    engine.dispose()
    desk.now += timedelta(days=10)
    assert await Job(desk).job.look() == 1
    announced = desk.view(sound).ticket.life.announced
    assert [(each.clock, each.mark) for each in announced] == [("first_response", "breached")]


async def test_tickets_from_before_are_taken_over_and_no_date_moves(desk: DeskAtWork) -> None:
    """R6: what an earlier version promised stands, also where today's rules would give another date."""
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    promised = desk.view(number).ticket.resolve_due
    assert promised is not None
    rewrite(desk, number, life=Life(), look_on=None, resolve_due=promised - timedelta(days=4))
    job = Job(desk).job
    assert await job.adopt() == 1
    ticket = desk.view(number).ticket
    assert ticket.life.promised["resolve"].due == ticket.resolve_due == promised - timedelta(days=4)
    assert ticket.look_on == date(2026, 1, 7)
    assert await job.adopt() == 0


async def test_what_waited_for_a_calendar_gets_its_dates_when_the_file_is_there(desk: DeskAtWork) -> None:
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    told = desk.view(number).ticket
    rewrite(
        desk, number, life=Life(), first_response_due=None, resolve_due=None,
        deadlines={"problem": "no holidays are known for 2026"}, look_on=wib_date(desk.now),
    )  # fmt: skip
    task = TaskRow(
        id="t1", organisation="klikacc", complaint_id=told.complaint_id, kind="calendar_missing", reason="no holidays",
        opened_at=desk.now,
    )  # fmt: skip
    with desk.store.begin() as tx:
        tx.add(Records(tasks=[task]))
    await Job(desk).job.look()
    assert "calendar_missing" not in desk.open_tasks(number), "the file is there: nothing is left to do"
    ticket = desk.view(number).ticket
    assert ticket.life.promised == told.life.promised
    assert (ticket.first_response_due, ticket.resolve_due) == (told.first_response_due, told.resolve_due)
    assert ticket.look_on == told.look_on
    assert events(desk, number) == ["clocks.started"]


async def test_a12_what_was_asked_for_in_writing_only_a_person_calls_complete(desk: DeskAtWork) -> None:
    number = desk.whatsapp("akseleran", PERSON, "Dana saya belum cair.")
    desk.done(number, DocumentsRequested(documents=("screenshot_or_recording",), text="Mohon kirim."))
    desk.pass_time(days=1)
    given = {"full_name": "Budi Santoso", "id_address": "Jl. Mawar 1, Bandung", "phone": "+6281234567890"}
    more = {"transaction_type": "penarikan", "transaction_date": "2026-01-02", "category": "withdrawal"}
    desk.whatsapp("akseleran", PERSON, "Nama dan alamat saya.", fields=given | more)
    view = desk.view(number)
    assert view.complaint.documents_complete_at is None
    assert view.ticket.life.promised.keys() == {"documents"}


async def test_k2_k7_a_complaint_that_reaches_into_an_unknown_year_is_promised_what_can_be_counted(
    desk: DeskAtWork,
) -> None:
    """K2, K7, R6: the receipt names the first answer, a task asks for the calendar, and the clock speaks in time."""
    last = max(year.year for year in desk.installation.organisations["klikacc"].calendar.years)
    desk.now = datetime(last, 12, 13, 3, 0, tzinfo=UTC)
    number = desk.whatsapp("klikacc", PERSON, "Saldo saya terpotong dua kali.")
    ticket = desk.view(number).ticket
    assert ticket.first_response_due is not None
    assert ticket.resolve_due is None
    assert "calendar_missing" in desk.open_tasks(number)
    assert ticket.look_on == wib_date(desk.now) + timedelta(days=1)
    job = Job(desk)
    desk.pass_time(days=8)
    await job.job.look()
    ticket = desk.view(number).ticket
    assert ("first_response", "breached") in [(each.clock, each.mark) for each in ticket.life.announced]
    assert ticket.look_on == wib_date(desk.now) + timedelta(days=1)
