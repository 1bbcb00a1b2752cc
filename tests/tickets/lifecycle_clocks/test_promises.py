"""What moves a promised date, what does not, and what the clock says when (R6, R7, R8, G7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ticket_life import MONDAY, REASONS, Told, changed, day, explanation, offer, rules
from tickets.calendar import WIB, Calendar, CalendarYear, Holiday, wib_date
from tickets.lifecycle_clocks import case_of, look_on, opened, passed, preview, recount, running
from tickets.lifecycle_clocks_look import BREACHED, DUE_SOON, called_for
from tickets.lifecycle_events import (
    Accepted,
    Classified,
    ClockPassed,
    DocumentsPresumed,
    DocumentsReceived,
    DocumentsRequested,
    DocumentsWindowExtended,
    Event,
    ExtensionGranted,
    FirstResponse,
    ObjectionAnswered,
    ObjectionRaised,
    PersonalDataAnswered,
    PersonalDataAsked,
    ReferredOut,
    Rejected,
    Reopened,
    SilenceExpired,
    TierChanged,
)
from tickets.lifecycle_values import Rules, Standing

FIRST = FirstResponse(text="Kami sedang memeriksa.")
EXTENDED = ExtensionGranted(ground="special_examination", cause="Kami perlu memeriksa rekaman transaksi.")
ASK = DocumentsRequested(documents=("screenshot_or_recording",), text="Mohon kirim.")
COME = DocumentsReceived(documents=("screenshot_or_recording",), complete=True)


def amended(given: Rules, *days: date) -> Rules:
    """The same rules after a decree that adds free days, in a new version of the calendar file."""
    years = [
        CalendarYear(
            year.calendar, year.year, f"{year.version}-amended", year.source, year.read_on,
            (*year.days, *(Holiday(each, "cuti tambahan", "holiday") for each in days if each.year == year.year)),
        )
        for year in given.calendar.years
    ]  # fmt: skip
    return Rules(policy=given.policy, calendar=Calendar("id_national", tuple(years)))


DECREE = (date(2026, 6, 12), date(2026, 6, 22), date(2026, 7, 9))


def marks(told: Told) -> list[tuple[str, str, int]]:
    return [(each.clock, each.mark, each.percent) for each in told.ticket.life.announced]


def test_r6_a_changed_calendar_moves_nothing_without_an_event_that_does() -> None:
    told = Told("klikacc")
    before = told.ticket.life.promised
    told.rules = amended(told.rules, *DECREE)
    for event in (Classified(severity="major"), FIRST, TierChanged(tier="cross_unit", reason="perlu data lain")):
        told.do(event)
        assert told.ticket.life.promised == before
    told.do(explanation())
    later = told.ticket.life.promised["silent_close"]
    assert later.calendar_version == told.rules.calendar.version
    assert later.due == date(2026, 6, 25)  # eleven days on: the decree took the twelfth and the twenty-second


def test_r6_the_preview_says_what_another_calendar_would_give_and_changes_nothing() -> None:
    told = Told("klikacc")
    assert preview(told.rules, told.standing) == ()
    decree = amended(told.rules, date(2026, 6, 10))
    moved = {each.clock: each for each in preview(decree, told.standing)}
    assert moved["first_response"].promised == date(2026, 6, 11)
    assert moved["first_response"].otherwise == date(2026, 6, 12)
    assert moved["resolve"].calendar_version == told.rules.calendar.version
    told.do(FIRST)
    assert {each.clock for each in preview(decree, told.standing)} == {"resolve"}


def test_k11_r7_an_extension_counts_from_the_promise_also_under_another_calendar() -> None:
    told = Told("klikacc").begun()
    assert told.ticket.resolve_due == date(2026, 7, 7)
    told.rules = amended(told.rules, *DECREE)
    told.do(EXTENDED, day("07-07"))
    expected = told.rules.calendar.due(date(2026, 7, 7), 20).due
    assert told.ticket.resolve_due == told.ticket.life.promised["resolve"].due == expected
    assert told.ticket.life.extensions[0].old_due == date(2026, 7, 7)
    assert told.ticket.deadlines["resolve"]["due"] == expected.isoformat()


def test_u7_u8_a_new_date_that_was_promised_stands_when_the_tier_rises_and_gives_no_more() -> None:
    told = Told("klikumkm").begun()
    assert told.ticket.resolve_due == date(2026, 6, 15)
    extended = ExtensionGranted(
        ground="unit lain", cause="Menunggu jawaban unit lain.", until=date(2026, 7, 20), stage_update="sedang dicek"
    )
    told.do(extended, day("06-15"))
    assert told.ticket.resolve_due == date(2026, 7, 20)
    told.do(TierChanged(tier="cross_unit", reason="perlu unit lain"))
    assert told.ticket.resolve_due == date(2026, 7, 20)


def test_a10_a_raised_tier_gives_the_later_date_of_its_own_track() -> None:
    told = Told("klikumkm").begun()
    told.do(TierChanged(tier="cross_unit", reason="perlu unit lain"))
    assert told.ticket.resolve_due == rules("klikumkm").calendar.due(date(2026, 6, 8), 20).due


def test_g7_nobody_asked_in_time_and_the_clocks_start_at_receipt() -> None:
    told = Told("akseleran")
    assert told.ticket.look_on == date(2026, 6, 11)
    assert passed(told.rules, told.standing, day("06-10", 23)) == ()
    assert passed(told.rules, told.standing, day("06-11", 0)) == (DocumentsPresumed(),)
    told.do(DocumentsPresumed(), day("06-11"))
    assert told.ticket.first_response_due == told.ticket.resolve_due == date(2026, 6, 10)
    events = passed(told.rules, told.standing, day("06-11", 11))
    assert ClockPassed(clock="first_response", mark="breached", percent=100) in events


def test_g7_a_request_in_time_ends_the_presumption() -> None:
    told = Told("akseleran")
    told.do(ASK, day("06-10", 23))
    assert DocumentsPresumed() not in passed(told.rules, told.standing, day("07-30"))


def test_g7_documents_that_come_late_and_unasked_count_as_there_at_receipt() -> None:
    told = Told("akseleran")
    told.do(DocumentsReceived(documents=("screenshot_or_recording",), complete=True), day("06-15"))
    assert told.ticket.first_response_due == date(2026, 6, 10)


def test_a8_a_second_request_restarts_no_clock_that_ran() -> None:
    told = Told("akseleran")
    for event, when in ((ASK, "06-09"), (COME, "06-15")):
        told.do(event, day(when))
    assert told.ticket.resolve_due == date(2026, 6, 18)
    told.do(ASK, day("06-17"))
    assert told.ticket.life.promised["documents"].due == rules("akseleran").calendar.due(date(2026, 6, 17), 10).due
    assert told.ticket.resolve_due == date(2026, 6, 18)
    told.do(COME, day("06-24"))
    assert told.ticket.resolve_due == date(2026, 6, 18)
    assert ClockPassed(clock="resolve", mark="breached", percent=100) in passed(told.rules, told.standing, day("06-24"))


def test_a_breach_is_recorded_with_the_event_that_came_too_late() -> None:
    """Also when nobody looked between the promised day and the answer: it stays for good."""
    told = Told("klikacc")
    told.do(FIRST, day("06-12"))
    assert marks(told) == [("first_response", "breached", 100)]
    told.do(explanation(), day("06-15"))
    assert marks(told) == [("first_response", "breached", 100)]
    in_time = Told("klikacc")
    in_time.do(FIRST, day("06-11", 23))
    assert marks(in_time) == []


def test_what_happened_before_the_clock_was_looked_at_can_still_be_entered() -> None:
    """An answer of yesterday is entered in the morning; in the night the clock had said that the date comes near."""
    told = Told("klikacc")
    told.do(ClockPassed(clock="first_response", mark="due_soon", percent=50), day("06-10", 0))
    told.do(FIRST, day("06-09", 16))
    assert told.complaint.first_response_at == day("06-09", 16)
    assert told.refused(explanation(), day("06-09", 15)).code == "before_last_event"


def test_due_soon_is_said_at_its_shares_and_the_breach_once() -> None:
    """Section 7: 50, 80 and 100 per cent of the promised days, then the breach."""
    told = Told("klikacc").begun()
    said: list[tuple[str, Event]] = []
    moment = MONDAY + timedelta(days=1)
    while told.ticket.look_on is not None:
        assert wib_date(moment) <= told.ticket.look_on
        for event in passed(told.rules, told.standing, moment):
            said.append((f"{moment:%m-%d}", event))
            told.do(event, moment)
        moment += timedelta(days=1)

    def resolve(mark: str, percent: int) -> ClockPassed:
        return ClockPassed(clock="resolve", mark=mark, percent=percent)  # type: ignore[arg-type]  # one of the two words

    assert said == [
        ("06-23", resolve("due_soon", 50)),
        ("07-01", resolve("due_soon", 80)),
        ("07-07", resolve("due_soon", 100)),
        ("07-08", resolve("breached", 100)),
    ]


def test_after_a_standstill_only_what_is_still_true_is_said() -> None:
    told = Told("klikacc")
    late = day("06-26")
    while events := passed(told.rules, told.standing, late):
        told.do(events[0], late)
    assert marks(told) == [("first_response", "breached", 100), ("resolve", "due_soon", 50)]
    assert told.ticket.look_on == date(2026, 7, 1)


def test_the_desk_is_called_while_the_clock_runs_and_not_longer() -> None:
    told = Told("klikacc")
    assert called_for(told.standing) == frozenset()
    told.do(ClockPassed(clock="first_response", mark="due_soon", percent=50), day("06-10"))
    assert called_for(told.standing) == {DUE_SOON}
    told.do(ClockPassed(clock="first_response", mark="breached", percent=100), day("06-12"))
    assert called_for(told.standing) == {BREACHED}
    told.do(FIRST, day("06-12", 11))
    assert called_for(told.standing) == frozenset()


def test_k11_after_an_extension_its_own_shares_are_announced() -> None:
    told = Told("klikacc").begun()
    told.do(ClockPassed(clock="resolve", mark="due_soon", percent=100), day("07-07"))
    told.do(EXTENDED, day("07-07", 11))
    assert called_for(told.standing) == frozenset()
    assert told.ticket.life.promised["resolve"].due == date(2026, 8, 4)
    coming = passed(told.rules, told.standing, day("08-04"))
    assert [event.percent for event in coming if isinstance(event, ClockPassed)] == [50, 80, 100]


def test_a_breach_of_a_clock_that_goes_on_is_left_to_the_clock_which_calls_the_desk() -> None:
    told = Told("klikacc")
    told.do(FIRST, day("07-10"))
    assert marks(told) == [("first_response", "breached", 100)]
    assert passed(told.rules, told.standing, day("07-10", 11)) == (
        ClockPassed(clock="resolve", mark="breached", percent=100),
    )


def test_g10_d4_silence_ends_with_the_customers_window() -> None:
    told = Told("akseleran", documents_complete_at=MONDAY).answered()
    due = told.ticket.life.promised["silent_close"].due
    assert told.ticket.look_on == due + timedelta(days=1)
    end = datetime.combine(due, datetime.max.time(), WIB)
    assert passed(told.rules, told.standing, end) == ()
    assert passed(told.rules, told.standing, end + timedelta(minutes=1)) == (SilenceExpired(),)
    told.do(SilenceExpired(), end + timedelta(minutes=1))
    assert told.ticket.state == "resolved"
    assert told.ticket.look_on is None


def test_a16_who_has_accepted_is_not_silent() -> None:
    told = Told("akseleran", documents_complete_at=MONDAY).offered()
    told.do(Accepted())
    assert told.ticket.state == "responded"
    assert running(told.standing) == frozenset()


@pytest.mark.parametrize(("policy", "days"), [("klikacc", 20), ("akseleran", 10)])
def test_k16_a18_the_objections_answer_and_the_second_window(policy: str, days: int) -> None:
    told = Told(policy, documents_complete_at=MONDAY).answered()
    told.do(ObjectionRaised(new_documents=True), day("06-10"))
    assert running(told.standing) == {"objection_answer"}
    assert told.ticket.life.promised["objection_answer"].due == told.rules.calendar.due(date(2026, 6, 10), days).due
    told.do(ObjectionAnswered(result="confirmed", text="Jawaban kami tetap."), day("06-12"))
    assert "objection_answer" not in running(told.standing)
    assert told.ticket.life.promised["silent_close"].due == told.rules.calendar.due(date(2026, 6, 12), 10).due


def test_k12_all_clocks_rest_while_a_forum_has_the_complaint_but_not_those_of_the_law() -> None:
    told = Told("klikacc").answered()
    told.do(PersonalDataAsked(kind="access"))
    told.do(ReferredOut(forum="laps_sjk"))
    assert running(told.standing) == {"personal_data"}


def test_r8_personal_data_runs_in_real_hours_also_over_a_weekend_and_in_a_closed_ticket() -> None:
    friday = datetime(2026, 6, 12, 15, 30, tzinfo=WIB)
    told = Told("klikacc").answered()
    told.do(Accepted())
    assert told.ticket.look_on is None
    told.do(PersonalDataAsked(kind="access"), friday)
    assert running(told.standing) == {"personal_data"}
    assert told.ticket.life.promised["personal_data"].due == date(2026, 6, 15)
    assert told.ticket.look_on == date(2026, 6, 14)
    half = friday + timedelta(hours=36)
    breach = ClockPassed(clock="personal_data", mark="breached", percent=100)
    assert passed(told.rules, told.standing, half - timedelta(minutes=1)) == ()
    assert len(passed(told.rules, told.standing, half + timedelta(minutes=1))) == 1
    monday = friday + timedelta(hours=72)
    assert breach not in passed(told.rules, told.standing, monday)
    assert breach in passed(told.rules, told.standing, monday + timedelta(seconds=1))
    told.do(PersonalDataAnswered(kind="access"), monday + timedelta(hours=1))
    assert ("personal_data", "breached", 100) in marks(told)
    assert running(told.standing) == frozenset()


def test_a_reopened_complaint_is_promised_anew_from_the_day_it_goes_on() -> None:
    told = Told("klikacc").answered()
    told.do(Accepted(), day("06-10"))
    told.do(Reopened(reason="masalah yang sama muncul lagi"), day("06-15"))
    assert "resolve" in running(told.standing)
    assert told.ticket.resolve_due == told.rules.calendar.due(date(2026, 6, 15), 20).due


def test_a_year_without_a_calendar_moves_nothing_and_is_tried_again_the_next_day() -> None:
    """An event is done although no file covers the year; the date appears when the file does."""
    told = Told("klikacc", datetime(2026, 12, 14, 10, tzinfo=WIB))
    whole = told.rules
    short = Rules(policy=whole.policy, calendar=Calendar("id_national", whole.calendar.years[:2]))
    promised = told.ticket.life.promised
    asked = Standing(complaint=told.complaint, ticket=told.ticket)
    ticket = recount(short, asked, asked, datetime(2026, 12, 15, 3, tzinfo=UTC))
    assert ticket.life.promised == promised
    assert "2027" in ticket.deadlines["problem"]
    assert ticket.look_on == date(2026, 12, 16)
    again = opened(whole, Standing(complaint=told.complaint, ticket=ticket))
    assert "problem" not in again.deadlines
    assert again.life.promised == promised


def test_a_ticket_from_before_is_taken_over_with_the_dates_that_stand() -> None:
    told = Told("klikacc")
    old = replace(told.ticket, life=type(told.ticket.life)(), look_on=None, resolve_due=date(2026, 7, 3))
    found = opened(told.rules, Standing(complaint=told.complaint, ticket=old))
    assert found.life.promised["resolve"].due == found.resolve_due == date(2026, 7, 3)
    assert len(found.life.promised["resolve"].soon) == 3
    assert found.look_on is not None


STEPS = st.lists(
    st.tuples(
        st.sampled_from([
            FIRST, ASK, COME, EXTENDED, explanation(), offer(), Classified(severity="major"), SilenceExpired(),
            TierChanged(tier="cross_unit", reason="x"), TierChanged(tier="directors", reason="x"),
            ObjectionRaised(new_documents=True), PersonalDataAsked(kind="access"), DocumentsPresumed(),
        ]),
        st.integers(0, 30 * 24),
    ),
    max_size=8,
)  # fmt: skip


@given(
    st.sampled_from(["klikacc", "akseleran", "klikumkm"]),
    st.sampled_from(["none", "pause", "start_on_complete"]),
    STEPS,
)
def test_r6_the_same_events_give_the_same_dates_and_a_look_is_never_in_vain(
    policy: str, effect: str, steps: list[tuple[Event, int]]
) -> None:
    """A date moves earlier only with another track; on the day of the next look, and not before, the clock speaks."""
    told, again = (Told(changed(policy, documents__clock=effect)) for _ in range(2))
    for event, hours in steps:
        moment = told.now + timedelta(hours=hours)
        before = told.standing
        tried = told.try_(event, moment)
        if not hasattr(tried, "ticket"):
            continue
        told.do(event, moment)
        again.do(event, moment)
        old, new = before.ticket.life.promised, told.ticket.life.promised
        one, other = case_of(before), case_of(told.standing)
        if (one.tier, one.severity, one.kind, one.form) == (other.tier, other.severity, other.kind, other.form):
            for clock in ("first_response", "resolve"):
                if clock in old and clock in new:
                    assert new[clock].due >= old[clock].due, (event, clock)
        look = told.ticket.look_on
        assert look == look_on(told.rules, told.standing)
        if look is not None:
            start = datetime.combine(look, datetime.min.time(), WIB)
            assert passed(told.rules, told.standing, start - timedelta(seconds=1)) == ()
            assert passed(told.rules, told.standing, start + timedelta(days=1)) != ()
    assert told.standing == again.standing


def test_r8_every_request_about_personal_data_is_announced_also_behind_one_that_is_late() -> None:
    """R8: a request that nobody answered hides no later one: each has its own 72 hours, and its own breach."""
    told = Told("klikacc").answered()
    told.do(Accepted())
    told.do(PersonalDataAsked(kind="access"), day("06-12"))
    breach = ClockPassed(clock="personal_data", mark="breached", percent=100)
    told.do(breach, day("06-15", 11))
    told.do(PersonalDataAsked(kind="erasure"), day("06-17"))
    assert told.ticket.look_on == date(2026, 6, 18)
    assert breach not in passed(told.rules, told.standing, day("06-20", 10))
    assert passed(told.rules, told.standing, day("06-20", 11)) == (breach,)
    told.do(breach, day("06-20", 11))
    dues = [each.due for each in told.ticket.life.announced if each.mark == "breached"]
    assert dues == [date(2026, 6, 15), date(2026, 6, 20)]
    assert told.refused(breach, day("06-21")).code == "clock_announced"
    assert look_on(told.rules, told.standing) is None


def test_a21_who_is_reopened_without_the_documents_is_not_forgotten() -> None:
    """A21, section 7: rejected while documents were awaited, reopened later: a task, and no reminder day after day."""
    told = Told("akseleran").begun()
    told.do(ASK)
    told.do(Rejected(ground="unrelated", reasons=REASONS), day("06-10"))
    change = told.do(Reopened(reason="ternyata layanan kami"), day("06-11"))
    assert [todo.kind for todo in change.todos] == ["documents_missing"]
    assert told.is_("in_progress")
    for when in (day("06-24"), day("07-08")):
        for event in passed(told.rules, told.standing, when):
            told.do(event, when)
    assert told.ticket.look_on is None
    assert ("documents", "breached", 100) in marks(told)
    told.do(COME, day("07-09"))
    assert "resolve" in running(told.standing)


def test_r6_a_promise_that_was_broken_is_not_taken_back_by_asking_for_documents() -> None:
    """R6, R9: by the calendar of today there would be time left to pause; what was promised has passed all the same."""
    told = Told(changed("klikacc", documents__clock="pause")).begun()
    due = told.ticket.resolve_due
    assert due == date(2026, 7, 7)
    told.rules = amended(told.rules, date(2026, 7, 6), date(2026, 7, 7))
    told.do(DocumentsRequested(documents=("supporting_documents",)), day("07-08"))
    assert told.ticket.resolve_due == due
    told.do(ClockPassed(clock="resolve", mark="breached", percent=100))
    assert ("resolve", "breached", 100) in marks(told)


def test_a_date_that_could_not_be_counted_is_no_task_once_it_can() -> None:
    told = Told("klikacc")
    waits = replace(told.ticket, deadlines={"problem": "no holidays are known for 2026"})
    told.standing = Standing(complaint=told.complaint, ticket=waits)
    assert "calendar_missing" in told.do(FIRST).settles
    assert "calendar_missing" not in told.do(explanation()).settles


def test_k7_what_ends_before_the_year_without_a_calendar_is_promised_all_the_same() -> None:
    """K7, R6: on 14 December the first answer is due on the 17th, whatever is known of January; the rest follows."""
    whole = rules("klikacc")
    short = Rules(policy=whole.policy, calendar=Calendar("id_national", whole.calendar.years[:2]))
    told = Told(short, datetime(2026, 12, 14, 10, tzinfo=WIB))
    assert told.ticket.life.promised.keys() == {"first_response"}
    assert (told.ticket.first_response_due, told.ticket.resolve_due) == (date(2026, 12, 17), None)
    assert told.ticket.deadlines["calendar_version"] == short.calendar.version
    assert "resolve" not in told.ticket.deadlines
    assert "2027" in told.ticket.deadlines["problem"]
    told.do(ClockPassed(clock="first_response", mark="breached", percent=100), datetime(2026, 12, 18, 9, tzinfo=WIB))
    told.do(FIRST)
    assert told.ticket.life.promised.keys() == {"first_response"}
    told.rules = whole
    change = told.do(Classified(urgency="high"))
    assert told.ticket.resolve_due == Told("klikacc", datetime(2026, 12, 14, 10, tzinfo=WIB)).ticket.resolve_due
    assert "problem" not in told.ticket.deadlines
    assert "calendar_missing" in change.settles


def test_g10_an_answer_at_the_end_of_the_last_year_keeps_what_stood_and_waits_for_its_window() -> None:
    whole = rules("klikacc")
    short = Rules(policy=whole.policy, calendar=Calendar("id_national", whole.calendar.years[:2]))
    told = Told(short, datetime(2026, 11, 24, 10, tzinfo=WIB)).begun()
    due = told.ticket.resolve_due
    assert due is not None
    told.do(explanation(), datetime(2026, 12, 21, 10, tzinfo=WIB))
    assert told.ticket.resolve_due == due
    assert not {"objection_window", "silent_close"} & told.ticket.life.promised.keys()
    assert passed(short, told.standing, datetime(2026, 12, 31, 23, tzinfo=WIB)) == ()
    filled = opened(whole, told.standing)
    assert filled.life.promised["silent_close"].due == whole.calendar.due(date(2026, 12, 21), 10).due


def test_r6_more_time_after_a_standstill_is_no_matter_of_the_calendar() -> None:
    told = Told("klikacc").begun()
    told.do(DocumentsRequested(documents=("supporting_documents",)))
    told.do(DocumentsWindowExtended(), day("07-06"))
    assert told.ticket.life.promised["documents"].due == told.rules.calendar.due(date(2026, 7, 5), 10).due
    assert preview(told.rules, told.standing) == ()
