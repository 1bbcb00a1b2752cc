"""Documents: asked for, partly given, complete, never come; an oral complaint that turns written; representatives."""

from __future__ import annotations

from datetime import date

import pytest

from ticket_life import REASONS, Told, changed, day, explanation
from tickets import lifecycle_events as e

SUPPORTING = e.DocumentsRequested(documents=("supporting_documents",), text="Mohon kirim bukti transfer.")
COMPLETE = e.DocumentsReceived(complete=True)


def test_a12_documents_are_asked_for_with_their_list_and_a_date() -> None:
    told = Told("akseleran")
    change = told.do(e.DocumentsRequested(documents=("id_address", "problem"), text="Mohon lengkapi."))
    assert told.is_("awaiting_documents")
    assert told.complaint.missing_documents == ("id_address", "problem")
    assert told.complaint.documents_complete_at is None
    notice = change.notices[0]
    assert (notice.kind, notice.documents) == ("documents_requested", ("id_address", "problem"))
    assert notice.due == date(2026, 6, 23)


def test_a12_only_documents_of_the_list_are_asked_for() -> None:
    found = Told("akseleran").refused(e.DocumentsRequested(documents=("problem", "payslip")))
    assert (found.code, found.sources, found.values["given"]) == ("document_not_listed", ("A12",), "payslip")


def test_a12_what_came_stays_when_the_rest_is_missing() -> None:
    told = Told("akseleran")
    told.do(e.DocumentsRequested(documents=("id_address", "problem")))
    change = told.do(e.DocumentsReceived(documents=("problem",)))
    assert told.is_("awaiting_documents")
    assert told.ticket.life.documents_came == ("problem",)
    assert told.complaint.missing_documents == ("id_address",)
    assert change.todos == ()
    change = told.do(e.DocumentsReceived(documents=("id_address",)))
    assert [todo.kind for todo in change.todos] == ["documents_check"]
    assert told.is_("awaiting_documents")
    change = told.do(COMPLETE)
    assert told.is_("in_progress")
    assert told.complaint.documents_complete_at == told.now
    assert change.complaint.missing_documents == ()
    assert "documents_check" in change.settles


def test_a8_a10_case_9_the_clocks_start_when_the_documents_are_complete() -> None:
    told = Told("akseleran", day("06-08"), tier="cross_unit")
    told.do(e.DocumentsRequested(documents=("problem",)))
    assert "resolve" not in told.ticket.life.promised
    told.do(COMPLETE, day("06-15", 14))
    promised = told.ticket.life.promised
    assert (promised["first_response"].due, promised["resolve"].due) == (date(2026, 6, 18), date(2026, 6, 22))


def test_r9_klikacc_counts_on_while_documents_are_awaited() -> None:
    told = Told("klikacc").begun()
    before = told.ticket.life.promised["resolve"]
    told.do(SUPPORTING)
    told.do(COMPLETE, day("06-20"))
    assert told.ticket.life.promised["resolve"] == before


def test_k9_an_oral_complaint_turns_written_only_when_its_own_time_has_passed() -> None:
    told = Told("klikacc", day("05-11"), channel="phone")
    told.do(e.FirstResponse(text="Kami periksa."), day("05-12"))
    due = told.ticket.life.promised["resolve"].due
    # 13, 18, 19, 20, 21 May: the 14th is a holiday and the 15th joint leave.
    assert due == date(2026, 5, 21)
    found = told.refused(SUPPORTING, day("05-21"))
    assert (found.code, found.sources, found.values["due"]) == ("oral_not_expired", ("K9",), "2026-05-21")
    told.do(SUPPORTING, day("05-22"))
    assert (told.ticket.state, told.complaint.form) == ("awaiting_documents", "oral")


def test_k9_k10_case_12_the_documents_make_it_written_and_a_new_clock_starts() -> None:
    told = Told("klikacc", day("05-11"), channel="phone")
    number = told.ticket.ticket_number
    told.do(e.FirstResponse(text="Kami periksa."), day("05-12"))
    told.do(SUPPORTING, day("05-22"))
    change = told.do(COMPLETE, day("05-25"))
    assert (told.complaint.form, told.ticket.life.written_since) == ("written", day("05-25"))
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 26)
    assert told.ticket.ticket_number == number
    assert change.data["form"] == "written"


def test_a9_an_oral_minor_complaint_turns_written_too_and_a_major_one_is_written_business_at_once() -> None:
    minor = Told("akseleran", day("06-08"), channel="phone")
    minor.do(e.FirstResponse(text="Kami periksa."), day("06-08", 11))
    found = minor.refused(e.DocumentsRequested(documents=("problem",)), day("06-09"))
    assert (found.code, found.sources) == ("oral_not_expired", ("A9",))
    minor.do(e.DocumentsRequested(documents=("problem",)), day("06-17"))
    minor.do(COMPLETE, day("06-18"))
    assert minor.complaint.form == "written"
    assert minor.ticket.life.promised["resolve"].due == date(2026, 6, 22)
    major = Told("akseleran", day("06-08"), channel="phone", severity="major")
    major.do(e.DocumentsRequested(documents=("problem",)))
    assert major.ticket.state == "awaiting_documents"


def test_g7_a21_case_11_a_window_a_reminder_and_only_then_a_person_may_reject() -> None:
    told = Told("akseleran", day("06-08"))
    told.do(e.DocumentsRequested(documents=("problem",)), day("06-08", 11))
    missing = e.Rejected(ground="incomplete_documents", reasons=REASONS)
    assert told.refused(e.DocumentsWindowExtended(), day("06-23")).values["due"] == "2026-06-23"
    change = told.do(e.DocumentsWindowExtended(), day("06-24"))
    assert [(notice.kind, notice.documents, notice.due) for notice in change.notices] == [
        ("documents_reminder", ("problem",), date(2026, 7, 7))
    ]
    assert told.is_("awaiting_documents")
    assert told.refused(e.DocumentsWindowExtended(), day("07-09")).code == "window_already_extended"
    found = told.refused(missing, day("07-07"))
    assert (found.code, found.values["earliest"], found.sources) == ("documents_window_open", "2026-07-08", ("A21",))
    change = told.do(e.ClockPassed(clock="documents", mark="breached", percent=100), day("07-08", 0))
    assert told.is_("in_progress")
    assert [todo.kind for todo in change.todos] == ["documents_missing"]
    told.do(missing, day("07-08"))
    assert told.is_("rejected")


def test_a21_documents_that_come_after_the_window_are_taken_all_the_same() -> None:
    told = Told("akseleran", day("06-08"))
    told.do(e.DocumentsRequested(documents=("problem",)), day("06-08", 11))
    told.do(e.DocumentsWindowExtended(), day("06-24"))
    told.do(e.ClockPassed(clock="documents", mark="breached", percent=100), day("07-08", 0))
    change = told.do(COMPLETE, day("07-08", 9))
    assert "documents_missing" in change.settles
    assert told.refused(e.Rejected(ground="incomplete_documents", reasons=REASONS), day("07-09")).code == (
        "documents_are_complete"
    )


def test_k9_klikacc_reminds_but_has_no_ground_to_reject() -> None:
    told = Told("klikacc").begun()
    told.do(SUPPORTING)
    told.do(e.DocumentsWindowExtended(), day("06-24"))
    told.do(e.ClockPassed(clock="documents", mark="breached", percent=100), day("07-08", 0))
    found = told.refused(e.Rejected(ground="incomplete_documents", reasons=REASONS), day("07-08"))
    assert found.code == "rejection_not_published"
    told.do(explanation(), day("07-08"))
    assert told.is_("responded")


def test_g7_documents_that_nobody_asked_for_count_as_complete_since_receipt() -> None:
    told = Told("akseleran", day("06-08"), missing_documents=("problem",))
    assert told.refused(e.DocumentsPresumed(), day("06-10")).values["due"] == "2026-06-10"
    told.do(e.DocumentsPresumed(), day("06-11", 0))
    assert told.complaint.documents_complete_at == day("06-08")
    assert told.complaint.missing_documents == ()
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 10)
    assert told.refused(e.DocumentsPresumed(), day("06-12")).code == "documents_not_awaited"


def test_a_second_request_is_a_new_round_with_its_own_window() -> None:
    told = Told("akseleran", day("06-08"))
    told.do(e.DocumentsRequested(documents=("problem",)), day("06-08", 11))
    told.do(COMPLETE, day("06-09"))
    told.do(e.DocumentsRequested(documents=("screenshot_or_recording",)), day("06-10"))
    life = told.ticket.life
    assert life.documents_first_requested_at == day("06-08", 11)
    assert (life.documents_asked, life.documents_came) == (("screenshot_or_recording",), ())
    assert life.promised["documents"].due == date(2026, 6, 25)


@pytest.mark.parametrize(("policy", "source"), [("klikacc", "K15"), ("akseleran", "A12")])
def test_k15_a12_a_representative_is_heard_only_with_a_checked_power_of_attorney(policy: str, source: str) -> None:
    told = Told(policy)
    change = told.do(e.RepresentativeNamed(full_name="Sari", kind="person"))
    assert [todo.kind for todo in change.todos] == ["power_of_attorney"]
    assert change.data == {"kind": "person"}
    told.begun().do(explanation())
    accepted = e.Accepted(by="representative")
    found = told.refused(accepted)
    assert (found.code, found.sources) == ("power_of_attorney_not_verified", (source,))
    told.do(e.PowerOfAttorney(status="received"))
    assert told.refused(accepted).code == "power_of_attorney_not_verified"
    change = told.do(e.PowerOfAttorney(status="verified"))
    assert change.settles == ("power_of_attorney",)
    assert told.do(accepted).notices[0].representative is True


def test_k15_the_answer_goes_to_the_representative_only_when_they_may_hear_it() -> None:
    told = Told("klikacc").begun()
    told.do(e.RepresentativeNamed(full_name="Sari"))
    assert told.do(explanation()).notices[0].representative is False
    told = Told("klikacc").begun()
    told.do(e.RepresentativeNamed(full_name="Sari"))
    told.do(e.PowerOfAttorney(status="verified"))
    assert told.do(explanation()).notices[0].representative is True


def test_a12_documents_are_complete_only_with_the_representatives_power_of_attorney() -> None:
    told = Told("akseleran")
    told.do(e.RepresentativeNamed(full_name="Sari"))
    told.do(e.DocumentsRequested(documents=("power_of_attorney", "problem")))
    assert told.refused(COMPLETE).code == "power_of_attorney_not_verified"
    told.do(e.PowerOfAttorney(status="verified"))
    assert told.ticket.life.documents_came == ("power_of_attorney",)
    assert told.complaint.missing_documents == ("problem",)
    told.do(COMPLETE)
    assert told.is_("in_progress")


def test_a_policy_may_leave_the_power_of_attorney_out_and_silence_leaves_nothing_out() -> None:
    optional = Told(changed("klikacc", complainants__representative__power_of_attorney="optional")).begun()
    assert optional.do(e.RepresentativeNamed(full_name="Sari")).todos == ()
    assert optional.do(explanation()).notices[0].representative is True
    silent = Told("klikumkm").begun()
    silent.do(e.RepresentativeNamed(full_name="Sari"))
    assert silent.do(explanation()).notices[0].representative is False
