"""The worked dates of the published rules, read from a ticket that goes through its life: what was promised, not what
could be computed. Cases 14 and 15 are dates of reports."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ticket_life import Told, changed, day, explanation, rules
from tickets.calendar import WIB, Calendar
from tickets.life import ClockName
from tickets.lifecycle_clocks import passed, running
from tickets.lifecycle_events import (
    ClockPassed,
    DocumentsReceived,
    DocumentsRequested,
    DocumentsWindowExtended,
    Escalated,
    ExtensionGranted,
    FirstResponse,
    Rejected,
    TierChanged,
)
from tickets.lifecycle_values import Rules

FIRST = FirstResponse(text="Kami sedang memeriksa pengaduan Anda.")
REASONS = "Dokumen yang kami minta tidak kami terima sampai batas waktu."


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


def promised(told: Told, clock: ClockName) -> date:
    """The promised date; what lists and receipts show says the same."""
    found = told.ticket.life.promised[clock]
    assert found.calendar_version == told.rules.calendar.version
    if clock in {"first_response", "resolve"}:
        shown = told.ticket.first_response_due if clock == "first_response" else told.ticket.resolve_due
        assert found.due == shown == date.fromisoformat(told.ticket.deadlines[clock]["due"])
    return found.due


def strict(policy: str) -> Rules:
    """The same rules where joint leave counts as a working day (R4)."""
    normal = rules(policy)
    years = normal.calendar.years
    return Rules(policy=normal.policy, calendar=Calendar("id_national", years, joint_leave="working"))


@pytest.mark.parametrize(
    ("channel", "received", "answer_by"),
    [
        pytest.param("whatsapp", "2026-01-05T10:00", date(2026, 1, 8), id="case 1"),
        pytest.param("whatsapp", "2026-01-09T16:59", date(2026, 1, 14), id="case 2"),
        pytest.param("email", "2026-01-10T10:00", date(2026, 1, 14), id="case 3"),
        pytest.param("email", "2026-01-15T23:30", date(2026, 1, 21), id="case 4"),
        pytest.param("phone", "2026-01-10T10:00", date(2026, 1, 15), id="case 5"),
    ],
)
def test_k7_cases_1_to_5_the_first_answer_is_promised_in_3_working_days(
    channel: str, received: str, answer_by: date
) -> None:
    told = Told("klikacc", at(received), channel=channel)
    assert promised(told, "first_response") == answer_by
    told.do(FIRST)
    assert promised(told, "first_response") == answer_by
    assert "first_response" not in running(told.standing)


@pytest.mark.parametrize(
    ("given", "solve_by"),
    [(rules("klikacc"), date(2026, 4, 7)), (strict("klikacc"), date(2026, 3, 31))],
    ids=["joint leave is free", "joint leave counts"],
)
def test_k10_r4_case_6_written_20_working_days(given: Rules, solve_by: date) -> None:
    told = Told(given, at("2026-03-02T10:00"))
    assert promised(told, "resolve") == solve_by
    told.do(FIRST)
    assert promised(told, "resolve") == solve_by


EXTENDED = ExtensionGranted(ground="special_examination", cause="Kami perlu memeriksa rekaman transaksi.")


def test_k11_r7_case_7_an_extension_counts_from_the_promised_date_and_is_granted_once() -> None:
    late = Told("klikacc", at("2026-03-02T10:00"))
    late.do(FIRST)
    assert late.refused(EXTENDED, at("2026-04-08T00:00")).rule == "tracks.written.extend.notify"
    told = Told("klikacc", at("2026-03-02T10:00"))
    told.do(FIRST)
    told.do(EXTENDED, at("2026-04-07T23:00"))
    assert promised(told, "resolve") == date(2026, 5, 6)
    (extended,) = told.ticket.life.extensions
    assert (extended.old_due, extended.new_due) == (date(2026, 4, 7), date(2026, 5, 6))
    assert told.refused(EXTENDED, at("2026-05-06T10:00")).rule == "tracks.written.extend.times"
    assert promised(told, "resolve") == date(2026, 5, 6)


@pytest.mark.parametrize(
    ("given", "solve_by"),
    [(rules("akseleran"), date(2025, 4, 9)), (strict("akseleran"), date(2025, 4, 2))],
    ids=["joint leave is free", "joint leave counts"],
)
def test_a10_r4_case_8_complete_before_eid(given: Rules, solve_by: date) -> None:
    arrived = at("2025-03-27T09:00")
    told = Told(given, arrived, documents_complete_at=arrived)
    assert promised(told, "resolve") == solve_by
    told.do(FIRST, at("2025-03-27T15:00"))
    assert promised(told, "resolve") == solve_by


ASKED = DocumentsRequested(documents=("screenshot_or_recording",), text="Mohon kirim tangkapan layar.")
CAME = DocumentsReceived(documents=("screenshot_or_recording",), complete=True)


def asked() -> Told:
    """Received on 8 June 2026, documents asked for an hour later (cases 9 to 11)."""
    told = Told("akseleran", day("06-08"), channel="web_form")
    assert told.ticket.life.promised == {}
    told.do(ASKED, day("06-08", 11))
    return told


def test_a8_a10_case_9_the_clocks_start_when_the_documents_are_complete() -> None:
    told = asked()
    assert told.ticket.life.promised.keys() == {"documents"}
    told.do(TierChanged(tier="cross_unit", reason="perlu data dari bagian lain"), day("06-10"))
    told.do(CAME, day("06-15", 14))
    assert promised(told, "resolve") == date(2026, 6, 22)
    assert promised(told, "first_response") == date(2026, 6, 18)
    assert running(told.standing) == {"first_response", "resolve"}


def test_a10_case_10_a_raised_tier_recounts_from_the_same_start() -> None:
    told = asked()
    told.do(CAME, day("06-15", 14))
    assert promised(told, "resolve") == date(2026, 6, 18)
    told.do(FIRST, day("06-16"))
    told.do(Escalated(level=2, units=("operation_manager",)), day("06-18"))
    assert told.ticket.tier == "cross_unit"
    assert promised(told, "resolve") == date(2026, 6, 22)


def test_a21_g7_case_11_documents_never_come() -> None:
    told = asked()
    assert promised(told, "documents") == date(2026, 6, 23)
    told.do(DocumentsWindowExtended(), day("06-24"))
    assert promised(told, "documents") == date(2026, 7, 7)
    rejected = Rejected(ground="incomplete_documents", reasons=REASONS)
    told.refused(rejected, day("07-07"))
    told.do(rejected, day("07-08"))
    assert told.ticket.state == "rejected"
    assert running(told.standing) == frozenset()


def test_a21_g7_a_reminder_after_a_standstill_gives_the_whole_time_too() -> None:
    """A21, G7: the system stood still for six weeks: the reminder may not name a day that is over, nor cut the time."""
    told = asked()
    told.do(DocumentsWindowExtended(), day("08-03"))
    whole = told.rules.calendar.due(date(2026, 8, 2), 10).due
    assert promised(told, "documents") == whole == date(2026, 8, 14)
    rejected = Rejected(ground="incomplete_documents", reasons=REASONS)
    assert told.refused(rejected, day("08-14")).values["earliest"] == "2026-08-15"
    assert passed(told.rules, told.standing, day("08-14", 23)) == ()
    told.do(ClockPassed(clock="documents", mark="breached", percent=100), day("08-15"))
    assert passed(told.rules, told.standing, day("08-31")) == ()
    assert told.ticket.look_on is None


def test_k8_k9_case_12_an_oral_complaint_turns_written() -> None:
    told = Told("klikacc", at("2026-05-11T10:00"), channel="phone")
    assert "resolve" not in told.ticket.life.promised
    told.do(FIRST, at("2026-05-11T10:10"))
    oral = promised(told, "resolve")
    assert oral == rules("klikacc").calendar.due(date(2026, 5, 11), 5).due
    told.do(
        DocumentsRequested(documents=("supporting_documents",), text="Mohon kirim dokumen."),
        at("2026-05-21T10:00"),
    )
    told.do(DocumentsReceived(documents=("supporting_documents",), complete=True), at("2026-05-25T10:00"))
    assert told.complaint.form == "written"
    assert promised(told, "resolve") == date(2026, 6, 26)
    assert promised(told, "first_response") == date(2026, 5, 18)


def test_u5_r6_case_13_a_question_and_a_calendar_that_was_amended() -> None:
    """18 August 2025 was added on 7 August 2025: a promise from before stays what it was."""
    received = at("2025-08-14T10:00")
    now = rules("klikumkm")
    told = Told(now, received, kind="information")
    assert promised(told, "resolve") == date(2025, 8, 19)
    assert told.ticket.resolve_earliest == date(2025, 8, 15)
    earlier = Told(strict("klikumkm"), received, kind="information")
    assert promised(earlier, "resolve") == date(2025, 8, 18)
    earlier.rules = now
    earlier.do(FIRST, at("2025-08-15T09:00"))
    assert earlier.ticket.life.promised["resolve"].due == earlier.ticket.resolve_due == date(2025, 8, 18)
    assert earlier.ticket.life.promised["resolve"].calendar_version == strict("klikumkm").calendar.version


@pytest.mark.parametrize(
    ("effect", "solve_by"),
    [("none", date(2026, 10, 5)), ("pause", date(2026, 10, 14)), ("start_on_complete", date(2026, 10, 19))],
)
def test_r9_case_16_what_a_request_for_documents_does(effect: str, solve_by: date) -> None:
    told = Told(changed("klikacc", documents__clock=effect), at("2026-09-07T10:00"))
    assert promised(told, "resolve") == date(2026, 10, 5)
    told.do(DocumentsRequested(documents=("supporting_documents",), text="Mohon kirim."), at("2026-09-10T10:00"))
    assert ("resolve" in running(told.standing)) is (effect == "none")
    assert (told.ticket.resolve_due is not None) is (effect == "none")
    told.do(DocumentsReceived(documents=("supporting_documents",), complete=True), at("2026-09-21T10:00"))
    assert promised(told, "resolve") == solve_by


@pytest.mark.parametrize(
    ("effect", "solve_by"),
    [("none", date(2026, 10, 5)), ("pause", date(2026, 10, 20)), ("start_on_complete", date(2026, 10, 19))],
)
def test_r9_a_second_request_pauses_again_and_restarts_nothing(effect: str, solve_by: date) -> None:
    told = Told(changed("klikacc", documents__clock=effect), at("2026-09-07T10:00"))
    ask = DocumentsRequested(documents=("supporting_documents",), text="Mohon kirim.")
    come = DocumentsReceived(documents=("supporting_documents",), complete=True)
    for event, when in ((ask, "2026-09-10"), (come, "2026-09-21"), (ask, "2026-09-24"), (come, "2026-09-30")):
        told.do(event, at(f"{when}T10:00"))
    assert promised(told, "resolve") == solve_by


def test_a8_the_answer_stops_the_clocks_and_starts_the_customers_time() -> None:
    told = Told("akseleran", day("06-08"), documents_complete_at=day("06-08"))
    assert running(told.standing) == {"first_response", "resolve"}
    told.do(FIRST, day("06-09"))
    assert running(told.standing) == {"resolve"}
    told.do(explanation(), day("06-10"))
    assert running(told.standing) == {"objection_window", "silent_close"}
    assert promised(told, "silent_close") == promised(told, "objection_window") == date(2026, 6, 25)
    assert promised(told, "resolve") == date(2026, 6, 10)
