"""One event of a ticket becomes rows in one transaction: state, dates, messages, tasks, the audit log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from desk_at_work import DeskAtWork
from gateway.batch import ACTOR as INTAKE
from gateway.handling import Handling
from gateway.handling_events import OF_THE_SYSTEM
from gateway.handling_notices import notices_of
from gateway.handling_refusals import CODES, sentence
from gateway.handling_values import Done, Refused
from gateway.replay import ACTOR as REPLAY
from tickets import lifecycle_events as events
from tickets.calendar import wib_date
from tickets.lifecycle_events import CLOCK_ACTOR
from tickets.lifecycle_values import Refusal
from tickets.store import Store
from tickets.store.work import SYSTEM

ANSWER = "Kami sudah memeriksa transaksi Anda; tidak ada kesalahan pada pihak kami."


def test_k7_an_event_is_written_whole(desk: DeskAtWork, number: str) -> None:
    """K7: the first answer goes out, the ticket goes on, the log says who did it; all in one transaction."""
    desk.pass_time(hours=2)
    done = desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."))
    view = desk.view(number)
    assert (view.ticket.state, view.ticket.life.revision) == ("in_progress", 1)
    assert view.complaint.first_response_at == desk.now
    (row,) = done.notices
    assert row.template.startswith("notice_first_response")
    assert [each.key for each in view.outbox if each.template != "receipt"] == [row.key]
    assert (row.state, row.due_at, row.routes[0].channel) == ("due", desk.now, "whatsapp")
    event = view.audit[-1]
    assert (event.type, event.actor, event.at) == ("ticket.first_response", "siti", desk.now)
    assert "memeriksa" not in str(event.data)
    assert desk.store.verify_audit().intact


def test_a_dry_run_says_everything_and_changes_nothing(desk: DeskAtWork, number: str) -> None:
    before = desk.view(number)
    done = desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."), dry_run=True)
    assert (done.after.ticket.state, len(done.notices)) == ("in_progress", 1)
    assert desk.view(number) == before
    assert desk.store.verify_audit().intact


def test_the_same_key_does_nothing_twice(desk: DeskAtWork, number: str) -> None:
    first = events.FirstResponse(text="Kami sedang memeriksa.")
    desk.done(number, first, key="k1")
    # The audit log keeps for ever what it has; a program's key may be anybody's address.
    assert "k1" not in [event.data.get("key") for event in desk.view(number).audit]
    after = desk.view(number)
    again = desk.done(number, first, key="k1")
    assert again.repeated
    assert (again.after.ticket, again.notices) == (after.ticket, ())
    assert desk.view(number) == after
    assert desk.refused(number, events.Implemented(), key="k1") == "key_used"


def test_who_saw_an_older_ticket_is_told_to_look_again(desk: DeskAtWork, number: str) -> None:
    desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."), revision=0)
    found = desk.do(number, events.Responded(kind="explanation", finding="no_fault", text=ANSWER), revision=0)
    assert isinstance(found, Refused)
    assert (found.why, found.refusal.code) == ("changed", "changed_since")
    assert "1" in sentence(found.refusal, "en")
    desk.done(number, events.Responded(kind="explanation", finding="no_fault", text=ANSWER), revision=1)


def test_an_entry_may_be_late_but_never_early(desk: DeskAtWork, number: str) -> None:
    """An agent who telephoned at ten may note it at three; nobody may note what has not happened."""
    called = desk.now + timedelta(hours=1)
    desk.pass_time(hours=6)
    first = events.FirstResponse(text="Sudah kami jelaskan lewat telepon.")
    assert desk.refused(number, first, at=desk.now + timedelta(seconds=1)) == "in_the_future"
    done = desk.done(number, first, at=called)
    view = desk.view(number)
    assert view.complaint.first_response_at == called
    assert (view.audit[-1].at, view.audit[-1].data["happened_at"]) == (desk.now, called.isoformat())
    assert done.notices[0].due_at == desk.now, "what is owed goes out now"
    with pytest.raises(ValueError, match="offset"):
        desk.do(number, events.Implemented(), at=called.replace(tzinfo=None))


def test_k11_a_late_notice_of_an_extension_cannot_be_dated_back(desk: DeskAtWork, number: str) -> None:
    """K11, R7: the notice goes out now, so its date is now, whatever the entry says."""
    desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."))
    due = desk.view(number).ticket.resolve_due
    assert due == date(2026, 2, 3)
    punctual = desk.now + timedelta(days=28, hours=1)
    longer = events.ExtensionGranted(
        ground="special_examination", cause="Kami menunggu hasil pemeriksaan bank mitra.", days=20
    )
    desk.pass_time(days=30)
    assert desk.refused(number, longer, at=punctual) == desk.refused(number, longer)
    desk.now = punctual
    done = desk.done(number, longer)
    assert done.after.ticket.resolve_due == date(2026, 3, 5)
    assert done.after.ticket.life.promised["resolve"].due == date(2026, 3, 5)


def test_g10_an_answer_that_is_entered_late_leaves_the_customer_the_whole_window(desk: DeskAtWork, number: str) -> None:
    """K15, G10: last week's answer goes out today, so its window begins today; the company was in time all the same."""
    desk.pass_time(days=1)
    spoken = desk.now
    desk.pass_time(days=20)
    late = desk.done(number, events.Responded(kind="explanation", finding="no_fault", text=ANSWER), at=spoken)
    ticket = late.after.ticket
    calendar = desk.installation.organisations["klikacc"].calendar
    whole = calendar.due(wib_date(desk.now), 10).due
    assert ticket.life.promised["objection_window"].due == ticket.life.promised["silent_close"].due == whole
    assert ticket.look_on == whole + timedelta(days=1)
    assert ticket.deadlines["silent_close"]["due"] == whole.isoformat()
    assert late.notices[0].data["due"] == whole.isoformat()
    assert (late.after.complaint.responded_at, late.after.complaint.outcome.timely) == (spoken, True)
    assert desk.refused(number, events.SilenceExpired(), actor=CLOCK_ACTOR) == "silence_not_over"
    desk.pass_time(days=9)
    desk.done(number, events.ObjectionRaised())


def test_g7_documents_that_are_asked_for_late_may_come_for_the_whole_window(desk: DeskAtWork, number: str) -> None:
    called = desk.now
    desk.pass_time(days=21)
    asked = events.DocumentsRequested(documents=("supporting_documents",))
    ticket = desk.done(number, asked, at=called).after.ticket
    calendar = desk.installation.organisations["klikacc"].calendar
    whole = calendar.due(wib_date(desk.now), 10).due
    assert ticket.life.promised["documents"].due == whole
    assert ticket.look_on is not None
    assert ticket.look_on <= whole
    assert desk.refused(number, events.DocumentsWindowExtended(), actor=CLOCK_ACTOR) == "window_still_open"


def test_who_wrote_in_time_may_have_the_ticket_reopened_by_a_slow_desk(desk: DeskAtWork, number: str) -> None:
    """Section 7: the customer wrote within 30 days; that a person decides on day 33 takes nothing from them."""
    desk.done(number, events.Responded(kind="explanation", finding="no_fault", text=ANSWER))
    desk.done(number, events.Accepted())
    desk.pass_time(days=29)
    wrote = desk.now
    desk.pass_time(days=4)
    assert desk.refused(number, events.Reopened()) == "reopen_too_late"
    assert desk.done(number, events.Reopened(), at=wrote).after.ticket.state == "in_progress"


def test_unknown_numbers_and_mistyped_ones(desk: DeskAtWork, number: str) -> None:
    found = desk.do("KLA-20260105-000999-9", events.Implemented())
    assert isinstance(found, Refused)
    assert (found.why, found.refusal.code) == ("unknown", "unknown_ticket")
    typed = number.lower().replace("-", " ")
    assert desk.done(typed, events.FirstResponse(text="Kami sedang memeriksa.")).after.ticket.ticket_number == number


def test_tasks_follow_from_events_and_are_settled_by_events(desk: DeskAtWork) -> None:
    """A16: an offer must be carried out before the ticket closes; the task says so and ends with it."""
    number = desk.email("akseleran", "budi@example.com", "Pengembalian pokok pinjaman saya terlambat dua minggu")
    if desk.view(number).complaint.category is None:
        desk.done(number, events.Classified(category="late_repayment"))
    desk.done(number, events.FirstResponse(text="Kami sedang memeriksa."))
    offer = events.Responded(kind="offer", finding="fault", text=ANSWER, remedies=("repair", "apology"))
    desk.done(number, offer)
    desk.email(
        "akseleran", "budi@example.com", "Saya setuju", answers=desk.view(number).messages[0].row.message.external_id
    )
    done = desk.done(number, events.Accepted(oral=True, note="lewat telepon"))
    assert [task.kind for task in done.tasks] == ["implement_offer"]
    assert [task.kind for task in done.settled] == ["customer_replied"]
    assert desk.view(number).ticket.state == "responded"
    assert "implement_offer" in desk.open_tasks(number)
    settled = {task.kind for task in desk.done(number, events.Implemented()).settled}
    assert "implement_offer" in settled
    assert "implement_offer" not in desk.open_tasks(number)
    assert desk.view(number).ticket.state == "resolved"


def test_who_stands_for_the_system_is_no_person() -> None:
    assert frozenset({SYSTEM, INTAKE, REPLAY, CLOCK_ACTOR}) == OF_THE_SYSTEM


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_refusal_of_handling_has_its_sentence(code: str) -> None:
    values: dict[str, Any] = dict.fromkeys(
        ("number", "revision", "seen", "event", "at", "into", "state", "parent"), "X"
    )
    for language in ("id", "en"):
        text = sentence(Refusal(code=code, rule="r", values=values), language)
        assert "{" not in text
        assert text.endswith(".")


def test_an_erased_ticket_does_not_go_on(desk: DeskAtWork, number: str) -> None:
    """UU 27/2022: whose data are gone cannot be written to, nor their complaint reopened."""
    desk.done(number, events.Dismissed(reason="test"))
    with desk.store.begin() as tx:
        tx.records.erase(number, "retention", "siti")
    assert desk.refused(number, events.Reopened()) == "erased"
    assert desk.refused(number, events.HoldSet(reason="sengketa")) == "erased"


def test_two_processes_on_one_store_lose_and_double_nothing(desk: DeskAtWork, number: str) -> None:
    """P1, T21: server and command line each have a writer of their own; one waits for the other, none overwrites."""
    second = Store.open(f"sqlite:///{desk.installation.data_dir / 'tickets.db'}", clock=lambda: desk.now)
    try:
        owe = notices_of(desk.installation, desk.new_id)
        other = Handling(desk.installation, store=second, new_id=desk.new_id, now=lambda: desk.now, owe=owe)
        words = ("low", "medium", "high")

        def work(handling: Handling, actor: str) -> int:
            events_of = (events.Classified(urgency=words[count % 3]) for count in range(15))  # type: ignore[arg-type]  # one of its words
            return sum(isinstance(handling.once(number, each, actor=actor), Done) for each in events_of)

        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(work, (desk.handling, other), ("siti", "budi")))
    finally:
        second.close()
    assert done == [15, 15]
    view = desk.view(number)
    assert view.ticket.life.revision == 30
    actors = sorted(event.actor for event in view.audit if event.type == "ticket.classified")
    assert actors == ["budi"] * 15 + ["siti"] * 15
    assert desk.store.verify_audit().intact
