"""Legal holds, requests about personal data in real hours, and clocks that passed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ticket_life import MONDAY, Told, day, explanation
from tickets import lifecycle_events as e


def test_a_hold_says_why_since_when_and_by_whom_and_the_audit_log_does_not() -> None:
    told = Told("klikacc")
    change = told.do(e.HoldSet(reason="Perkara 12/Pdt.G/2026"))
    hold = told.ticket.life.hold
    assert hold is not None
    assert (hold.reason, hold.since, hold.by) == ("Perkara 12/Pdt.G/2026", told.now, "rina")
    assert change.data == {}
    told.do(e.HoldLifted())
    assert told.ticket.life.hold is None


def test_r8_a_request_about_personal_data_runs_for_72_real_hours_in_every_state() -> None:
    told = Told("klikacc").answered()
    told.do(e.Accepted())
    friday = day("06-12", 17)
    change = told.do(e.PersonalDataAsked(kind="access"), friday)
    assert told.ticket.life.personal_data[0].due_at == friday + timedelta(hours=72)
    assert [todo.kind for todo in change.todos] == ["personal_data"]
    breached = e.ClockPassed(clock="personal_data", mark="breached", percent=100)
    assert told.refused(breached, friday + timedelta(hours=72)).code == "clock_not_passed"
    told.do(breached, friday + timedelta(hours=72, seconds=1))
    assert told.ticket.state == "resolved"
    change = told.do(e.PersonalDataAnswered(kind="access"))
    assert change.settles == ("personal_data", "clock_breached")
    assert told.ticket.life.personal_data[0].answered_at == told.now


def test_r8_it_counts_from_when_it_came() -> None:
    told = Told("klikacc")
    told.do(e.PersonalDataAsked(kind="erasure", received_at=MONDAY), MONDAY + timedelta(hours=30))
    assert told.ticket.life.personal_data[0].due_at == MONDAY + timedelta(hours=72)
    naive = e.PersonalDataAsked(kind="access", received_at=datetime(2026, 6, 8, 9))  # noqa: DTZ001  # the case
    assert told.refused(naive).code == "time_without_offset"


def test_r8_one_answer_leaves_the_other_request_open() -> None:
    told = Told("klikacc")
    told.do(e.PersonalDataAsked(kind="access"))
    told.do(e.PersonalDataAsked(kind="correction"))
    assert told.do(e.PersonalDataAnswered(kind="access")).settles == ()
    assert told.do(e.PersonalDataAnswered(kind="correction")).settles == ("personal_data",)


@pytest.mark.parametrize(("percent", "on"), [(50, "06-10"), (80, "06-11"), (100, "06-11")])
def test_k7_shares_of_a_clock_are_announced_on_their_day(percent: int, on: str) -> None:
    told = Told("klikacc")
    passed = e.ClockPassed(clock="first_response", mark="due_soon", percent=percent)
    before = day(on, 23) - timedelta(days=1)
    assert told.refused(passed, before).code == "clock_not_passed"
    change = told.do(passed, day(on, 0))
    assert [todo.kind for todo in change.todos] == ["clock_due_soon"]
    assert change.data == {"clock": "first_response", "mark": "due_soon", "percent": percent, "due": "2026-06-11"}
    assert told.refused(passed, day("06-12")).code == "clock_announced"


def test_k10_a_breach_stays_on_record_when_the_answer_comes_later() -> None:
    told = Told("klikacc").begun()
    breached = e.ClockPassed(clock="resolve", mark="breached", percent=100)
    assert told.refused(breached, day("07-07", 23)).code == "clock_not_passed"
    assert [todo.kind for todo in told.do(breached, day("07-08", 0)).todos] == ["clock_breached"]
    told.do(explanation(), day("07-09"))
    told.do(e.Accepted())
    assert [(mark.clock, mark.mark) for mark in told.ticket.life.announced] == [("resolve", "breached")]
    assert told.complaint.outcome.timely is False


def test_what_the_desk_wrote_beside_its_steps_stays_with_the_ticket_and_out_of_the_audit_log() -> None:
    told = Told("akseleran").begun()
    assert "Hanya direksi" not in str(told.do(e.Escalated(level=3, reason="Hanya direksi yang berwenang.")).data)
    told.do(explanation())
    told.do(e.Accepted(oral=True, note="Lewat telepon."))
    told.do(e.Reopened())
    assert [(each.event, each.by, each.text) for each in told.ticket.life.remarks] == [
        ("escalated", "rina", "Hanya direksi yang berwenang."),
        ("accepted", "rina", "Lewat telepon."),
    ]


def test_one_cause_with_many_customers_leaves_each_its_own_dates() -> None:
    told = Told("klikacc")
    before = told.ticket.life.promised
    change = told.do(e.Grouped(parent="kla-20260608-000002-9"))
    assert told.ticket.life.parent == "KLA-20260608-000002-9"
    assert change.data == {"parent": "KLA-20260608-000002-9"}
    assert not change.notices
    assert told.ticket.life.promised == before
    told.do(e.Ungrouped())
    assert told.ticket.life.parent is None


def test_k15_an_address_of_the_representative_may_follow_later() -> None:
    told = Told("klikacc")
    told.do(e.RepresentativeNamed(full_name="Ani Lestari", phone="0812 3456 7890"))
    told.do(e.PowerOfAttorney(status="verified"))
    told.do(e.RepresentativeNamed(full_name="Ani Lestari", email="ani@kantor.example"))
    named = told.complaint.representative
    assert named is not None
    assert (named.phone, named.email, named.poa_status) == ("+6281234567890", "ani@kantor.example", "verified")
    told.do(e.RepresentativeNamed(full_name="Budi Santoso"))
    other = told.complaint.representative
    assert other is not None
    assert (other.phone, other.email, other.poa_status) == (None, None, "missing")
