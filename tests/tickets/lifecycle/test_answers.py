"""The answer, and what the customer makes of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from ticket_life import MONDAY, Told, day, explanation, offer
from tickets import lifecycle_events as e
from tickets.lifecycle_clocks import running

OBJECTED = e.ObjectionRaised(new_documents=True)
PAID: dict[str, Any] = {
    "remedies": ("apology", "repair", "compensation"),
    "compensation_idr": 500_000,
}
AKSELERAN_CONDITIONS = ("financial_claim", "proven", "material_direct_loss", "obligations_met")


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_k15_a15_no_fault_is_answered_with_an_explanation(policy: str) -> None:
    told = Told(policy).begun()
    change = told.do(explanation(), day("06-09"))
    outcome = told.complaint.outcome
    assert told.is_("responded")
    assert told.complaint.responded_at == day("06-09")
    assert (outcome.finding, outcome.resolution_type, outcome.relief) == ("no_fault", "explanation", "none")
    notice = change.notices[0]
    assert (notice.kind, notice.text) == ("answer", "Transaksi Anda sesuai perjanjian.")
    assert "text" not in change.data


@pytest.mark.parametrize(
    ("policy", "silent_close_days", "closes"),
    [
        ("klikacc", 15, date(2026, 7, 1)),
        ("klikacc", None, date(2026, 6, 24)),
        ("klikumkm", 10, date(2026, 6, 24)),
        ("klikumkm", None, None),
    ],
)
def test_g10_an_answer_names_the_day_on_which_silence_closes(
    policy: str, silent_close_days: int | None, closes: date | None
) -> None:
    """G10: the day to object and the day of silence are two; without either key nothing is closed by itself."""
    told = Told(policy).begun()
    told.rules = replace(
        told.rules, policy=told.rules.policy.model_copy(update={"silent_close_days": silent_close_days})
    )
    (notice,) = told.do(explanation(), day("06-09")).notices
    assert notice.closes == closes
    assert notice.due == (date(2026, 6, 24) if policy == "klikacc" else closes)


def test_k15_a16_a_fault_is_answered_with_an_offer_that_repairs_and_apologises() -> None:
    for policy in ("klikacc", "akseleran"):
        told = Told(policy).begun()
        assert told.refused(offer(remedies=("repair",))).values["missing"] == "apology"
        change = told.do(offer())
        assert (told.complaint.outcome.finding, told.complaint.outcome.relief) == ("fault", "non_monetary")
        assert change.notices[0].remedies == ("apology", "repair")
        assert told.ticket.life.answers[0].kind == "offer"


def test_a16_a_partial_fault_needs_an_offer_too() -> None:
    told = Told("akseleran").begun()
    found = told.refused(e.Responded(kind="explanation", finding="partial", text="Sebagian benar."))
    assert (found.code, found.sources) == ("fault_needs_offer", ("A16",))
    told.do(offer(finding="partial"))
    assert told.complaint.outcome.finding == "partial"


def test_k15_klikacc_adds_compensation_for_a_proven_material_loss() -> None:
    told = Told("klikacc").begun()
    told.do(e.Classified(loss_type="actual"))
    assert told.refused(offer(**PAID, conditions=("material_loss",))).values["missing"] == "proven"
    change = told.do(offer(**PAID, conditions=("proven", "material_loss")))
    outcome = told.complaint.outcome
    assert (outcome.relief, outcome.compensation_idr) == ("monetary", 500_000)
    assert change.notices[0].compensation_idr == 500_000


@pytest.mark.parametrize("missing", AKSELERAN_CONDITIONS)
def test_a17_each_of_the_four_conditions_is_needed(missing: str) -> None:
    told = Told("akseleran").begun()
    told.do(e.Classified(loss_type="actual", loss_amount_idr=500_000, loss_claimed=True))
    rest = tuple(name for name in AKSELERAN_CONDITIONS if name != missing)
    found = told.refused(offer(**PAID, conditions=rest))
    assert (found.code, found.values["missing"], found.sources) == ("compensation_conditions", missing, ("A17",))
    told.do(offer(**PAID, conditions=AKSELERAN_CONDITIONS))


def test_a17_compensation_is_at_most_the_loss() -> None:
    told = Told("akseleran").begun()
    told.do(e.Classified(loss_type="actual", loss_amount_idr=499_999, loss_claimed=True))
    found = told.refused(offer(**PAID, conditions=AKSELERAN_CONDITIONS))
    assert (found.code, found.values) == ("compensation_above_loss", {"amount": "500000", "most": "499999"})


@pytest.mark.parametrize(("when", "in_time"), [("07-07", True), ("07-08", False)])
def test_k10_timely_means_answered_on_or_before_the_promised_date(when: str, in_time: bool) -> None:
    told = Told("klikacc").begun()
    told.do(explanation(), day(when, 23))
    assert told.complaint.outcome.timely is in_time


def test_an_answer_without_a_promised_date_is_neither_in_time_nor_late() -> None:
    told = Told("akseleran").begun()
    told.do(explanation())
    assert told.complaint.outcome.timely is None


def test_k7_whoever_was_not_answered_before_is_answered_now() -> None:
    told = Told("akseleran")
    told.do(e.DocumentsRequested(documents=("problem",)))
    told.do(e.DocumentsReceived(complete=True))
    told.do(explanation())
    assert told.complaint.first_response_at == told.complaint.responded_at == told.now


def test_k17_a20_u9_the_answer_names_courts_and_laps() -> None:
    for policy in ("klikacc", "akseleran", "klikumkm"):
        told = Told(policy).begun()
        assert told.do(explanation()).notices[0].forums == ("court", "laps_sjk")
        assert told.complaint.outcome.external_informed_at == told.now


def test_an_accepted_explanation_closes_the_complaint_and_the_cause_stays_to_be_recorded() -> None:
    told = Told("klikacc").answered()
    change = told.do(e.Accepted(oral=True, note="Lewat telepon, 9 Juni."))
    assert (told.ticket.state, told.ticket.closed_at) == ("resolved", told.now)
    assert (told.complaint.resolved_at, told.complaint.closed_at) == (told.now, told.now)
    assert told.complaint.outcome.acceptance == "accepted"
    assert [notice.kind for notice in change.notices] == ["closing"]
    assert [todo.kind for todo in change.todos] == ["root_cause"]
    assert change.data == {"by": "complainant", "oral": True}
    assert told.do(e.Classified(root_cause=110)).settles == ("root_cause",)


def test_a_question_needs_no_cause() -> None:
    assert Told("klikumkm", kind="information").answered().do(e.Accepted()).todos == ()


def test_a16_an_accepted_offer_is_carried_out_before_the_complaint_closes() -> None:
    told = Told("akseleran").offered()
    change = told.do(e.Accepted())
    assert told.is_("responded")
    assert told.complaint.outcome.acceptance == "accepted"
    assert [todo.kind for todo in change.todos] == ["implement_offer"]
    assert change.notices == ()
    change = told.do(e.Implemented(note="Saldo dikembalikan."))
    assert told.is_("resolved")
    assert told.complaint.outcome.resolution_type == "offer_implemented"
    assert [notice.kind for notice in change.notices] == ["closing"]
    assert "implement_offer" in change.settles


def test_a16_an_offer_that_was_carried_out_before_closes_at_once() -> None:
    told = Told("akseleran").offered()
    told.do(e.Implemented())
    told.do(e.Accepted())
    assert told.is_("resolved")


def test_k15_klikacc_closes_an_accepted_offer_and_the_work_stays_open() -> None:
    told = Told("klikacc").offered()
    change = told.do(e.Accepted())
    assert told.is_("resolved")
    assert {todo.kind for todo in change.todos} == {"root_cause", "implement_offer"}
    assert "implement_offer" not in change.settles
    change = told.do(e.Implemented())
    assert (told.ticket.state, change.settles) == ("resolved", ("implement_offer",))


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_g10_silence_closes_as_resolved_when_the_window_has_passed(policy: str) -> None:
    told = Told(policy).begun()
    told.do(explanation(), day("06-09"))
    found = told.refused(e.SilenceExpired(), day("06-24", 23))
    assert (found.code, found.values["due"]) == ("silence_not_over", "2026-06-24")
    told.do(e.SilenceExpired(), day("06-25", 0))
    assert (told.ticket.state, told.complaint.outcome.acceptance) == ("resolved", "silent")


def test_a16_silence_on_an_offer_waits_for_the_offer_to_be_carried_out() -> None:
    told = Told("akseleran").offered()
    change = told.do(e.SilenceExpired(), day("07-01"))
    assert (told.ticket.state, [todo.kind for todo in change.todos]) == ("responded", ["implement_offer"])
    assert told.refused(e.SilenceExpired(), day("07-02")).code == "already_accepted"
    told.do(e.Implemented(), day("07-03"))
    assert (told.ticket.state, told.complaint.outcome.acceptance) == ("resolved", "silent")


def test_k16_klikacc_takes_an_objection_without_new_documents_and_confirms_once() -> None:
    told = Told("klikacc").answered()
    told.do(e.ObjectionRaised(), day("06-10"))
    assert (told.ticket.state, told.complaint.outcome.acceptance) == ("objection_review", "objected")
    # 20 working days after 10 June.
    assert told.ticket.life.promised["objection_answer"].due == date(2026, 7, 9)
    change = told.do(e.ObjectionAnswered(result="confirmed", text="Kami tetap pada jawaban kami."), day("06-11"))
    assert told.is_("responded")
    outcome = told.complaint.outcome
    assert outcome.acceptance is None
    assert outcome.objection is not None
    assert (outcome.objection.answer, outcome.objection.effect) == ("confirmed", False)
    assert [(notice.kind, notice.forums) for notice in change.notices] == [("objection_answer", ("court", "laps_sjk"))]
    last = told.ticket.life.answers[-1]
    assert (last.kind, last.finding, last.after_objection) == ("explanation", "no_fault", True)
    found = told.refused(e.ObjectionRaised())
    assert (found.code, found.sources) == ("objection_used_up", ("K16",))
    told.do(e.ReferredOut(forum="laps_sjk"))
    assert told.complaint.outcome.acceptance == "refused"


def test_a18_akseleran_needs_new_documents_and_answers_within_ten_days() -> None:
    told = Told("akseleran").answered()
    assert told.refused(e.ObjectionRaised()).sources == ("A18",)
    told.do(OBJECTED, day("06-10"))
    assert told.ticket.life.promised["objection_answer"].due == date(2026, 6, 25)
    new = e.ObjectionAnswered(
        result="new_offer", text="Kami menawarkan.", finding="fault", remedies=("apology", "repair")
    )
    told.do(new, day("06-11"))
    assert (told.complaint.outcome.finding, told.complaint.outcome.resolution_type) == ("fault", "offer")
    told.do(e.Accepted(), day("06-12"))
    assert told.is_("responded")
    told.do(e.Implemented(), day("06-13"))
    assert told.is_("resolved")


def test_a18_a_new_offer_must_fit_its_finding() -> None:
    told = Told("akseleran").answered()
    told.do(OBJECTED)
    new = e.ObjectionAnswered(result="new_offer", text="Kami menawarkan.", remedies=("apology", "repair"))
    assert told.refused(new).code == "no_fault_needs_explanation"


def test_k16_g10_an_objection_comes_within_the_window() -> None:
    told = Told("klikacc").begun()
    told.do(explanation(), day("06-09"))
    found = told.refused(e.ObjectionRaised(), day("06-25"))
    assert (found.code, found.values["due"], found.sources) == ("objection_too_late", "2026-06-24", ("K16",))
    told.do(e.ObjectionRaised(), day("06-24", 23))


def test_u9_klikumkm_has_no_objection_but_courts_and_laps() -> None:
    told = Told("klikumkm").answered()
    assert told.refused(e.ObjectionRaised()).code == "objection_not_offered"
    told.do(e.ReferredOut(forum="court"))
    assert told.is_("referred")


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_k7_a8_u5_a_final_answer_may_come_at_once(policy: str) -> None:
    """K7, K15, A8, A15, U5: the final answer is the first one as well; the customer gets one message, not two."""
    told = Told(policy, documents_complete_at=MONDAY)
    change = told.do(explanation())
    assert told.is_("responded")
    assert told.complaint.first_response_at == told.complaint.responded_at == told.now
    assert told.complaint.outcome.timely is True
    assert change.data["first_answer"] is True
    assert [notice.kind for notice in change.notices] == ["answer"]
    assert not {"first_response", "resolve"} & running(told.standing)
    told.do(e.Accepted())
    assert told.is_("resolved")


def test_a7_also_an_answer_at_once_needs_the_category() -> None:
    assert Told("akseleran", category=None).refused(explanation()).code == "category_needed"


@pytest.mark.parametrize(("on", "timely"), [("06-11", True), ("06-19", True), ("06-22", False)])
def test_k8_an_answer_at_once_to_a_call_is_timely_as_long_as_both_promises_could_be_kept(on: str, timely: bool) -> None:
    """K7, K8: three working days to the first answer (11 June), five from there (19 June, the 16th is a holiday)."""
    told = Told("klikacc", channel="phone")
    told.do(explanation(), day(on))
    assert told.complaint.outcome.timely is timely
    late = [each.clock for each in told.ticket.life.announced]
    assert late == ([] if on == "06-11" else ["first_response"])


def test_a16_a18_a_new_offer_must_be_carried_out_also_when_the_first_one_was() -> None:
    """A16, A18: what was repaired after the first answer is not what the second one offers."""
    told = Told("akseleran").offered()
    told.do(e.Implemented())
    told.do(OBJECTED)
    told.do(e.ObjectionAnswered(result="new_offer", text="Kami perbaiki lagi.", remedies=("apology", "repair")))
    waits = told.do(e.Accepted())
    assert told.is_("responded")
    assert [todo.kind for todo in waits.todos] == ["implement_offer"]
    told.do(e.Implemented())
    assert told.is_("resolved")


def test_a16_a18_an_offer_that_is_confirmed_and_was_carried_out_needs_nothing_more() -> None:
    told = Told("akseleran").offered()
    told.do(e.Implemented())
    told.do(OBJECTED)
    told.do(e.ObjectionAnswered(result="confirmed", text="Kami tetap pada tawaran kami."))
    told.do(e.Accepted())
    assert told.is_("resolved")
