"""Extensions (K11, U8, R7), report dates (K18, K20, A23) and the explanation of `aduan due`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from tickets.calendar import WIB
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.deadlines import (
    Case,
    Extension,
    Granted,
    Period,
    Refused,
    deadlines,
    explain,
    explain_text,
    extend,
    may_extend,
    report_due,
)
from tickets.policy import Policy
from tickets.policy_load import load_policy

CONFIG = Path(__file__).parents[2] / "config"
KLIKACC = load_policy(CONFIG / "policies" / "klikacc.yaml")
AKSELERAN = load_policy(CONFIG / "policies" / "akseleran.yaml")
KLIKUMKM = load_policy(CONFIG / "policies" / "klikumkm.yaml")
CALENDAR = calendar_for(KLIKACC.calendar, load_calendar_years(CONFIG / "calendars"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


MAIL = Case(channel="email", received_at=at("2026-02-02T10:00"))
NOTICE = Extension(ground="special_examination", notified_at=at("2026-02-05T10:00"))
TYPED = replace(NOTICE, ground="menunggu bank", until=date(2026, 2, 20))


def test_k11_an_extension_may_be_shorter() -> None:
    granted = may_extend(KLIKACC, CALENDAR, MAIL, replace(NOTICE, days=3))
    assert isinstance(granted, Granted)
    assert granted.due.due == date(2026, 3, 9)
    assert granted.extension.days == 3


def test_k11_an_extension_to_a_date_counts_its_working_days() -> None:
    granted = may_extend(KLIKACC, CALENDAR, MAIL, replace(NOTICE, until=date(2026, 3, 9)))
    assert isinstance(granted, Granted)
    assert granted.due.days == 3
    too_far = may_extend(KLIKACC, CALENDAR, MAIL, replace(NOTICE, until=date(2026, 4, 20)))
    assert isinstance(too_far, Refused)


def test_u8_klikumkm_extends_to_a_typed_date_with_a_stage_update_and_more_than_once() -> None:
    granted = may_extend(KLIKUMKM, CALENDAR, MAIL, TYPED, stage_update="Sedang diperiksa unit keuangan")
    assert isinstance(granted, Granted)
    assert granted.due.due == date(2026, 2, 20)
    assert [skip.date for skip in granted.due.skipped if skip.reason.kind != "weekend"] == [
        date(2026, 2, 16),
        date(2026, 2, 17),
    ]
    case = replace(MAIL, extensions=(granted.extension,))
    assert deadlines(KLIKUMKM, CALENDAR, case).resolve.due == date(2026, 2, 20)
    again = replace(TYPED, until=date(2026, 2, 27), notified_at=at("2026-02-20T10:00"))
    assert isinstance(may_extend(KLIKUMKM, CALENDAR, case, again, stage_update="Menunggu bank"), Granted)


@pytest.mark.parametrize(
    ("policy", "case", "wanted", "stage", "rule"),
    [
        (AKSELERAN, replace(MAIL, documents_complete_at=MAIL.received_at), NOTICE, "", "tracks.single.extend"),
        (KLIKACC, replace(MAIL, tier="court_or_adr"), NOTICE, "", "tracks.court_or_adr.extend"),
        (KLIKACC, MAIL, replace(NOTICE, ground="holiday"), "", "tracks.written.extend.grounds"),
        (KLIKACC, MAIL, replace(NOTICE, days=21), "", "tracks.written.extend.days"),
        (KLIKACC, MAIL, replace(NOTICE, days=0), "", "tracks.written.extend.days"),
        (KLIKUMKM, MAIL, TYPED, " ", "tracks.problem.extend.notify"),
        (KLIKUMKM, MAIL, replace(TYPED, ground=" "), "tahap 2", "tracks.problem.extend.grounds"),
        (KLIKUMKM, MAIL, replace(TYPED, until=None), "tahap 2", "tracks.problem.extend.days"),
        (KLIKUMKM, MAIL, replace(TYPED, until=date(2026, 2, 16)), "tahap 2", "tracks.problem.extend.days"),
        (KLIKUMKM, MAIL, replace(TYPED, until=date(2026, 2, 6)), "tahap 2", "tracks.problem.extend.days"),
        (KLIKUMKM, MAIL, replace(TYPED, until=None, days=0), "tahap 2", "tracks.problem.extend.days"),
        (KLIKUMKM, MAIL, replace(TYPED, notified_at=at("2026-02-10T10:00")), "tahap 2", "R7"),
    ],
)
def test_r7_a_refusal_names_its_rule(policy: Policy, case: Case, wanted: Extension, stage: str, rule: str) -> None:
    refused = may_extend(policy, CALENDAR, case, wanted, stage_update=stage)
    assert isinstance(refused, Refused)
    assert refused.rule == rule
    assert refused.message


def test_r7_a_clock_that_does_not_run_cannot_be_extended() -> None:
    track = KLIKACC.tracks[1].model_copy(update={"extend": KLIKACC.tracks[2].extend})
    policy = KLIKACC.model_copy(update={"tracks": (KLIKACC.tracks[0], track, KLIKACC.tracks[2])})
    call = Case(channel="phone", form="oral", received_at=at("2026-02-02T10:00"))
    refused = may_extend(policy, CALENDAR, call, NOTICE)
    assert isinstance(refused, Refused)
    assert "starts when the complaint is answered" in refused.message


def test_an_extension_without_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="number of working days or a new date"):
        extend(CALENDAR, date(2026, 2, 9), NOTICE)


def test_a23_a_report_without_published_period_has_no_due_date() -> None:
    assert report_due(AKSELERAN.reports[0], Period.parse("2026-Q1"), CALENDAR) is None


def test_k18_k20_a_report_belongs_to_its_kind_of_period() -> None:
    with pytest.raises(ValueError, match="made for each month"):
        report_due(KLIKACC.reports[0], Period.parse("2026-Q1"), CALENDAR)
    with pytest.raises(ValueError, match="made for each quarter"):
        report_due(KLIKACC.reports[1], Period.parse("2026-01"), CALENDAR)


def test_k20_without_the_shift_a_saturday_stays_a_saturday() -> None:
    rule = KLIKACC.reports[1]
    assert rule.due is not None
    fixed = rule.model_copy(update={"due": rule.due.model_copy(update={"shift": None})})
    found = report_due(fixed, Period.parse("2025-Q4"), CALENDAR)
    assert found is not None
    assert found.due == date(2026, 1, 10)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2025-Q4", date(2025, 10, 1), date(2025, 12, 31)),
    ],
)
def test_a_period_has_a_first_and_a_last_day(text: str, first: date, last: date) -> None:
    period = Period.parse(text)
    assert (period.first, period.last) == (first, last)
    assert str(period) == text


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-Q5", "2026-2", "Q1-2026", "2026-02-01", ""])
def test_other_words_are_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="2026-Q1"):
        Period.parse(text)


def test_the_explanation_has_the_published_shape() -> None:
    case = Case(channel="whatsapp", received_at=at("2026-01-05T10:00"))
    found = explain(deadlines(KLIKACC, CALENDAR, case))
    assert json.loads(json.dumps(found)) == found
    assert found["first_response"] == {
        "due": "2026-01-08",
        "counted": ["2026-01-06", "2026-01-07", "2026-01-08"],
        "skipped": [],
    }
    assert found["resolve"]["track"] == "written"
    assert found["resolve"]["earliest"] is None
    assert found["resolve"]["due"] == "2026-02-03"
    assert {"date": "2026-01-16", "reason": "Isra Mikraj Nabi Muhammad"} in found["resolve"]["skipped"]
    assert {"date": "2026-01-10", "reason": "weekend"} in found["resolve"]["skipped"]
    assert found["received"] == "2026-01-05"
    assert found["warnings"] == []


def test_g1_the_explanation_gives_the_earliest_promise_too() -> None:
    found = explain(deadlines(KLIKUMKM, CALENDAR, MAIL))
    assert found["first_response"] is None
    assert (found["resolve"]["earliest"], found["resolve"]["due"]) == ("2026-02-03", "2026-02-09")


def test_a8_the_explanation_of_a_clock_that_waits() -> None:
    found = explain(deadlines(AKSELERAN, CALENDAR, MAIL))
    assert found["first_response"] == {
        "due": None,
        "pending": "starts when the documents are complete",
        "waits_for": "documents_complete",
        "days": 2,
    }
    assert found["documents_request_by"] == "2026-02-04"
    assert found["resolve"]["earliest"] is None
    assert found["resolve"]["due"] is None


def test_the_explanation_of_windows_extensions_and_estimates() -> None:
    case = Case(
        channel="email",
        received_at=at("2027-02-01T10:00"),
        documents_requested_at=at("2027-02-02T10:00"),
        responded_at=at("2027-02-03T10:00"),
        objection_received_at=at("2027-02-04T10:00"),
        extensions=(Extension(ground="external_party", notified_at=at("2027-02-05T10:00"), days=5),),
    )
    found = deadlines(KLIKACC, CALENDAR, case)
    data = explain(found)
    assert data["documents"]["due"] == "2027-02-17"
    assert data["documents"]["extended"]["due"] == "2027-03-03"
    assert data["documents"]["reject_from"] is None
    assert data["resolve"]["extensions"] == [{"from": "2027-03-02", "days": 5, "due": "2027-03-17"}]
    assert data["resolve"]["counted"][-1] == data["resolve"]["due"] == "2027-03-17"
    assert set(data) >= {"objection_window", "objection_answer", "silent_close"}
    assert any("2027-03-10" in warning and "estimated" in warning for warning in data["warnings"])
    text = explain_text(found)
    assert "Penyelesaian / resolution: Rabu 2027-03-17" in text
    assert "! resolve: 2027-03-10 (Hari Raya Idul Fitri) masih perkiraan" in text


def test_the_text_says_what_is_counted_skipped_waiting_and_not_promised() -> None:
    text = explain_text(deadlines(KLIKACC, CALENDAR, Case(channel="email", received_at=at("2026-01-15T23:30"))))
    assert "Diterima / received: Kamis 2026-01-15" in text
    assert "Jawaban pertama / first response: Rabu 2026-01-21" in text
    assert "dihitung / counted (3): 19-01, 20-01, 21-01" in text
    assert "dilewati / skipped: 16-01 Isra Mikraj Nabi Muhammad, 17-01 weekend, 18-01 weekend" in text
    waiting = explain_text(deadlines(AKSELERAN, CALENDAR, MAIL))
    assert "Jawaban pertama / first response: belum berjalan / starts when the documents are complete" in waiting
    silent = explain_text(deadlines(KLIKUMKM, CALENDAR, MAIL))
    assert "tidak dijanjikan / not promised" in silent
    assert "paling cepat / earliest: 2026-02-03" in silent
