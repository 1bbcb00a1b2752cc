"""The sixteen worked cases, with the days counted and skipped. `skipped` lists leave out plain weekends."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from tickets.calendar import WIB, Calendar, Due
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.deadlines import (
    Case,
    Deadlines,
    Extension,
    Granted,
    Period,
    Refused,
    deadlines,
    may_extend,
    rejection_from,
    report_due,
)
from tickets.policy import Policy
from tickets.policy_load import load_policy

CONFIG = Path(__file__).parents[2] / "config"
YEARS = load_calendar_years(CONFIG / "calendars")
KLIKACC = load_policy(CONFIG / "policies" / "klikacc.yaml")
AKSELERAN = load_policy(CONFIG / "policies" / "akseleran.yaml")
KLIKUMKM = load_policy(CONFIG / "policies" / "klikumkm.yaml")
NORMAL = calendar_for(KLIKACC.calendar, YEARS)
STRICT = Calendar("id_national", YEARS, joint_leave="working")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


def due(clock: object) -> Due:
    assert isinstance(clock, Due)
    return clock


def dates(year: int, text: str) -> list[date]:
    """The dates of "3: 3-6 9; 4: 1" in a year."""
    found = []
    for month in text.split(";"):
        number, days = month.split(":")
        for span in days.split():
            first, _, last = span.partition("-")
            found += [date(year, int(number), day) for day in range(int(first), int(last or first) + 1)]
    return found


def named(clock: Due) -> list[date]:
    return [skip.date for skip in clock.skipped if skip.reason.kind != "weekend"]


def run(policy: Policy, case: Case, calendar: Calendar = NORMAL) -> Deadlines:
    return deadlines(policy, calendar, case)


@pytest.mark.parametrize(
    ("channel", "received", "day", "counted"),
    [
        pytest.param("whatsapp", "2026-01-05T10:00", "2026-01-08", "1: 6-8", id="case 1"),
        pytest.param("whatsapp", "2026-01-09T16:59", "2026-01-14", "1: 12-14", id="case 2"),
        pytest.param("email", "2026-01-10T10:00", "2026-01-14", "1: 12-14", id="case 3"),
        pytest.param("email", "2026-01-15T23:30", "2026-01-21", "1: 19-21", id="case 4"),
        pytest.param("phone", "2026-01-10T10:00", "2026-01-15", "1: 13-15", id="case 5"),
    ],
)
def test_k7_first_answer_within_3_working_days(channel: str, received: str, day: str, counted: str) -> None:
    form = KLIKACC.form_of(channel)
    clock = due(run(KLIKACC, Case(channel=channel, form=form, received_at=at(received))).first_response)
    assert clock.due == date.fromisoformat(day)
    assert list(clock.counted) == dates(2026, counted)


def test_r5_case_5_a_saturday_call_counts_from_monday() -> None:
    found = run(KLIKACC, Case(channel="phone", form="oral", received_at=at("2026-01-10T10:00")))
    assert found.received == date(2026, 1, 12)


WRITTEN = Case(channel="email", received_at=at("2026-03-02T10:00"))


def test_k10_case_6_written_20_working_days() -> None:
    clock = due(run(KLIKACC, WRITTEN).resolve.clock)
    assert clock.due == date(2026, 4, 7)
    assert list(clock.counted) == dates(2026, "3: 3-6 9-13 16 17 25-27 30 31; 4: 1 2 6 7")
    assert named(clock) == dates(2026, "3: 18-20 23 24; 4: 3")
    assert {skip.date for skip in clock.skipped} >= set(dates(2026, "3: 18-24"))


def test_r4_case_6_strict() -> None:
    clock = due(run(KLIKACC, WRITTEN, STRICT).resolve.clock)
    assert clock.due == date(2026, 3, 31)
    assert named(clock) == dates(2026, "3: 19")


def wanted(notified: str) -> Extension:
    return Extension(ground="special_examination", notified_at=at(notified))


def test_k11_r7_case_7_extension_counts_from_the_old_due_date() -> None:
    granted = may_extend(KLIKACC, NORMAL, WRITTEN, wanted("2026-04-07T23:59"))
    assert isinstance(granted, Granted)
    assert granted.due.due == date(2026, 5, 6)
    assert list(granted.due.counted) == dates(2026, "4: 8-10 13-17 20-24 27-30; 5: 4-6")
    assert named(granted.due) == dates(2026, "5: 1")
    extended = Case(channel="email", received_at=WRITTEN.received_at, extensions=(granted.extension,))
    resolve = run(KLIKACC, extended).resolve
    assert resolve.due == date(2026, 5, 6)
    assert len(due(resolve.clock).counted) == 40
    assert resolve.extensions == (granted.due,)


def test_r7_case_7_a_late_notice_and_a_second_extension_are_refused() -> None:
    late = may_extend(KLIKACC, NORMAL, WRITTEN, wanted("2026-04-08T00:00"))
    assert isinstance(late, Refused)
    assert late.rule == "R7"
    assert "2026-04-07" in late.message
    granted = may_extend(KLIKACC, NORMAL, WRITTEN, wanted("2026-04-07T10:00"))
    assert isinstance(granted, Granted)
    extended = Case(channel="email", received_at=WRITTEN.received_at, extensions=(granted.extension,))
    second = may_extend(KLIKACC, NORMAL, extended, wanted("2026-05-06T10:00"))
    assert isinstance(second, Refused)
    assert second.rule == "tracks.written.extend.times"


SINGLE = Case(
    channel="email",
    received_at=at("2025-03-27T09:00"),
    documents_complete_at=at("2025-03-27T09:00"),
    has_documents=True,
)


def test_a10_case_8_single_unit_over_eid() -> None:
    clock = due(run(AKSELERAN, SINGLE).resolve.clock)
    assert clock.due == date(2025, 4, 9)
    assert list(clock.counted) == dates(2025, "4: 8 9")
    assert named(clock) == dates(2025, "3: 28 31; 4: 1-4 7")
    assert [skip.reason.kind for skip in clock.skipped if skip.date == date(2025, 3, 28)] == ["joint_leave"]


def test_a10_r4_case_8_strict() -> None:
    clock = due(run(AKSELERAN, SINGLE, STRICT).resolve.clock)
    assert clock.due == date(2025, 4, 2)
    assert list(clock.counted) == [date(2025, 3, 28), date(2025, 4, 2)]


REQUESTED = Case(
    channel="web_form",
    received_at=at("2026-06-08T10:00"),
    documents_requested_at=at("2026-06-08T11:00"),
    documents_complete_at=at("2026-06-15T14:00"),
    has_documents=True,
    tier="cross_unit",
)


def test_a8_a10_case_9_clocks_start_when_the_documents_are_complete() -> None:
    found = run(AKSELERAN, REQUESTED)
    clock = due(found.resolve.clock)
    assert found.resolve.track == "cross_unit"
    assert clock.due == date(2026, 6, 22)
    assert list(clock.counted) == dates(2026, "6: 17-19 22")
    assert named(clock) == dates(2026, "6: 16")
    assert due(found.first_response).due == date(2026, 6, 18)


def test_a10_case_10_a_raised_tier_recounts_from_the_same_start() -> None:
    single = Case(**{name: getattr(REQUESTED, name) for name in REQUESTED.__slots__} | {"tier": "single_unit"})
    assert run(AKSELERAN, single).resolve.due == date(2026, 6, 18)
    assert run(AKSELERAN, REQUESTED).resolve.due == date(2026, 6, 22)


def test_a21_case_11_documents_never_come() -> None:
    case = Case(channel="web_form", received_at=at("2026-06-08T10:00"), documents_requested_at=at("2026-06-08T11:00"))
    found = run(AKSELERAN, case)
    assert found.documents is not None
    assert found.documents.window.due == date(2026, 6, 23)
    assert found.documents.extended is not None
    assert found.documents.extended.due == date(2026, 7, 7)
    assert found.documents.reject_from == date(2026, 7, 8)
    assert rejection_from(AKSELERAN, found, "incomplete_documents") == date(2026, 7, 8)


def test_k9_case_12_an_oral_case_turns_written() -> None:
    case = Case(
        channel="phone",
        form="written",
        received_at=at("2026-05-11T10:00"),
        first_response_at=at("2026-05-11T10:10"),
        written_since=at("2026-05-25T10:00"),
        has_documents=True,
    )
    found = run(KLIKACC, case)
    clock = due(found.resolve.clock)
    assert found.resolve.track == "written"
    assert clock.due == date(2026, 6, 26)
    assert list(clock.counted) == dates(2026, "5: 26 29; 6: 2-5 8-12 15 17-19 22-26")
    assert named(clock) == dates(2026, "5: 27 28; 6: 1 16")
    assert due(found.first_response).due == date(2026, 5, 18)


def test_u5_case_13_a_question() -> None:
    case = Case(channel="email", kind="information", received_at=at("2025-08-14T10:00"))
    found = run(KLIKUMKM, case)
    clock = due(found.resolve.clock)
    assert clock.due == date(2025, 8, 19)
    assert list(clock.counted) == dates(2025, "8: 15 19")
    assert named(clock) == dates(2025, "8: 18")
    assert found.resolve.earliest == date(2025, 8, 15)
    assert found.first_response is None
    assert run(KLIKUMKM, case, STRICT).resolve.due == date(2025, 8, 18)


@pytest.mark.parametrize(
    ("period", "day"),
    [("2025-Q4", "2026-01-12"), ("2026-Q1", "2026-04-10"), ("2026-Q2", "2026-07-10"), ("2025-Q1", "2025-04-10")],
)
def test_k20_case_14_quarterly_report(period: str, day: str) -> None:
    found = report_due(KLIKACC.reports[1], Period.parse(period), NORMAL)
    assert due(found).due == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("period", "day"),
    [("2025-12", "2026-01-15"), ("2026-02", "2026-03-13"), ("2026-03", "2026-04-15"), ("2026-05", "2026-06-15")],
)
def test_k18_case_15_monthly_report(period: str, day: str) -> None:
    found = due(report_due(KLIKACC.reports[0], Period.parse(period), NORMAL))
    assert found.due == date.fromisoformat(day)
    assert len(found.counted) == 10


@pytest.mark.parametrize(
    ("effect", "day"), [("none", "2026-10-05"), ("pause", "2026-10-14"), ("start_on_complete", "2026-10-19")]
)
def test_r9_case_16_what_a_request_for_documents_does(effect: str, day: str) -> None:
    documents = KLIKACC.documents.model_copy(update={"clock": effect})
    policy = KLIKACC.model_copy(update={"documents": documents})
    case = Case(
        channel="email",
        received_at=at("2026-09-07T10:00"),
        documents_requested_at=at("2026-09-10T10:00"),
        documents_complete_at=at("2026-09-21T10:00"),
    )
    clock = due(run(policy, case).resolve.clock)
    assert clock.due == date.fromisoformat(day)
    assert len(clock.counted) == 20
    if effect == "pause":
        assert list(clock.counted[:3]) == dates(2026, "9: 8-10")
        paused = [skip.date for skip in clock.skipped if skip.reason.kind == "paused"]
        assert paused == dates(2026, "9: 11 14-18 21")
