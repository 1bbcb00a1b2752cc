"""The first answer, what the complaint is, and what is no complaint to this company."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest

from ticket_life import Told, day
from tickets import lifecycle_events as e


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_k7_a8_the_first_answer_begins_the_handling_and_goes_to_the_customer(policy: str) -> None:
    told = Told(policy)
    change = told.do(e.FirstResponse(text="Kami sedang memeriksa."), day("06-09"))
    assert told.ticket.state == "in_progress"
    assert told.complaint.first_response_at == day("06-09")
    assert [(notice.kind, notice.text) for notice in change.notices] == [("first_response", "Kami sedang memeriksa.")]
    assert "text" not in change.data


def test_k7_a_receipt_is_no_first_answer() -> None:
    told = Told("klikacc")
    assert told.ticket.state == "received"
    assert told.complaint.first_response_at is None
    assert told.ticket.life.promised["first_response"].due == date(2026, 6, 11)


def test_k8_the_clock_of_an_oral_complaint_starts_when_it_was_answered() -> None:
    told = Told("klikacc", channel="phone")
    assert "resolve" not in told.ticket.life.promised
    change = told.do(e.FirstResponse(text="Kami sedang memeriksa."), day("06-09"))
    # 10, 11, 12, 15 June; the 16th is a holiday.
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 17)
    assert change.notices[0].due == date(2026, 6, 17)


def test_a8_without_complete_documents_the_first_answer_has_no_date_yet_and_may_come_all_the_same() -> None:
    told = Told("akseleran")
    assert told.ticket.life.promised == {}
    told.begun().do(e.DocumentsReceived(documents=("problem",), complete=True), day("06-09"))
    assert told.ticket.state == "in_progress"
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 11)


def test_a7_a_category_of_the_list_is_needed_before_the_handling_begins() -> None:
    told = Told("akseleran", category=None)
    for event in (e.FirstResponse(text="Halo."), e.DocumentsRequested(documents=("problem",))):
        found = told.refused(event)
        assert (found.code, found.sources) == ("category_needed", ("A7",))
    change = told.do(e.Classified(category="late_repayment", issue="fraud"))
    assert change.data == {"fields": ["category", "issue"], "category": "late_repayment", "issue": "fraud"}
    told.begun()
    assert (told.ticket.state, told.complaint.category) == ("in_progress", "late_repayment")


@pytest.mark.parametrize("policy", ["klikacc", "klikumkm"])
def test_a_company_without_a_list_needs_no_category(policy: str) -> None:
    assert Told(policy, category=None).begun().ticket.state == "in_progress"


def test_a3_only_roles_that_the_company_names_are_recorded() -> None:
    told = Told("akseleran")
    told.do(e.Classified(role="external_reporter", verified=True))
    assert (told.complaint.complainant.role, told.complaint.complainant.verified) == ("external_reporter", True)
    assert told.refused(e.Classified(role="user")).sources == ("A3",)


def test_u5_u6_another_kind_is_another_track() -> None:
    told = Told("klikumkm", kind="information")
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 10)
    told.do(e.Classified(kind="complaint"))
    assert told.ticket.life.promised["resolve"].due == date(2026, 6, 15)


def test_classifying_sets_what_is_given_and_leaves_the_rest() -> None:
    told = Told("klikacc", urgency="high")
    told.do(
        e.Classified(
            product="pinjaman", severity="major", loss_type="actual", loss_amount_idr=5, loss_claimed=True,
            already_at="laps", dispute_indication=True, root_cause=130,
        )
    )  # fmt: skip
    complaint = told.complaint
    assert (complaint.product, complaint.already_at, complaint.dispute_indication) == ("pinjaman", "laps", True)
    assert (complaint.assessment.severity, complaint.assessment.urgency) == ("major", "high")
    assert (complaint.loss.type, complaint.loss.amount_idr, complaint.loss.claimed) == ("actual", 5, True)
    assert complaint.outcome.root_cause == 130


def test_classifying_puts_no_words_of_a_person_into_the_audit_log() -> None:
    change = Told("klikacc").do(e.Classified(product="Pinjaman Pak Budi", sub_issue="telepon ke kantor"))
    assert change.data == {"fields": ["product", "sub_issue"]}


@pytest.mark.parametrize("reason", ["spam", "test", "noise"])
def test_u3_what_is_no_complaint_is_dismissed_by_a_person_in_silence(reason: Literal["spam", "test", "noise"]) -> None:
    told = Told("klikumkm")
    change = told.do(e.Dismissed(reason=reason))
    assert (told.ticket.state, told.ticket.closed_at, told.ticket.life.reason) == ("dismissed", told.now, reason)
    assert change.notices == ()


def test_u3_a_topic_is_no_reason_and_a_misdirected_complaint_is_told_where_to_go() -> None:
    told = Told("klikumkm")
    with pytest.raises(ValueError, match="topic"):
        e.read_event(b'{"event":"dismissed","reason":"topic"}')
    change = told.do(e.Dismissed(reason="misdirected", direct_to="Hubungi bank penerbit kartu Anda."))
    assert [(notice.kind, notice.text) for notice in change.notices] == [
        ("misdirected", "Hubungi bank penerbit kartu Anda.")
    ]


@pytest.mark.parametrize("actor", ["clock", "aduan"])
def test_u3_no_machine_dismisses(actor: str) -> None:
    assert Told("klikumkm").refused(e.Dismissed(reason="noise"), actor=actor).code == "needs_a_person"
