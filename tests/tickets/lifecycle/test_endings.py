"""Rejection, referral, withdrawal, merge and reopening."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, get_args

import msgspec
import pytest

from normalizer.complaint import Complaint, RejectionGround
from ticket_life import MONDAY, REASONS, Told, day, explanation
from tickets import lifecycle_events as e
from tickets.calendar import WIB
from tickets.lifecycle_endings import REASONS_LENGTH

OBJECTED = e.ObjectionRaised(new_documents=True)
GROUNDS = tuple(ground for ground in get_args(RejectionGround) if ground != "incomplete_documents")


@pytest.mark.parametrize("ground", GROUNDS)
def test_a21_a22_rejected_in_writing_with_reasons_and_forums(ground: Any) -> None:
    told = Told("akseleran").begun()
    change = told.do(e.Rejected(ground=ground, reasons=REASONS))
    outcome = told.complaint.outcome
    assert (told.ticket.state, told.ticket.closed_at, told.complaint.closed_at) == ("rejected", told.now, told.now)
    assert outcome.rejection is not None
    assert (outcome.rejection.ground, outcome.rejection.reasons) == (ground, REASONS)
    assert outcome.rejection.sent_in_writing_at == told.now
    notice = change.notices[0]
    assert (notice.kind, notice.text, notice.ground, notice.letter) == ("rejection", REASONS, ground, True)
    assert notice.forums == ("court", "laps_sjk")
    assert change.data == {"ground": ground}


def test_a22_reasons_of_thirty_letters_are_the_least() -> None:
    told = Told("akseleran").begun()
    found = told.refused(e.Rejected(ground="unrelated", reasons="x" * 29 + "   "))
    assert (found.code, found.values["least"], found.sources) == ("reasons_too_short", "30", ("A22",))
    told.do(e.Rejected(ground="unrelated", reasons="x" * 30))
    schema = msgspec.json.schema(Complaint)["$defs"]["Rejection"]["properties"]["reasons"]
    assert schema["minLength"] == REASONS_LENGTH
    msgspec.json.decode(msgspec.json.encode(told.complaint), type=Complaint)


@pytest.mark.parametrize("padding", ["\u200b" * 40, " " * 40, "\n\t" * 40, "\u2060\ufeff" * 40])
def test_a22_reasons_are_what_a_person_can_read(padding: str) -> None:
    told = Told("akseleran").begun()
    found = told.refused(e.Rejected(ground="unrelated", reasons=f"Tidak{padding}benar."))
    assert found.code == "reasons_too_short"
    assert Told("klikacc").refused(e.FirstResponse(text=padding)).code == "text_empty"


def test_a21_no_machine_rejects() -> None:
    found = Told("akseleran").begun().refused(e.Rejected(ground="unrelated", reasons=REASONS), actor="clock")
    assert found.code == "needs_a_person"


@pytest.mark.parametrize("policy", ["klikacc", "klikumkm"])
@pytest.mark.parametrize("ground", get_args(RejectionGround))
def test_k15_u9_two_companies_published_no_ground_so_they_cannot_reject(policy: str, ground: Any) -> None:
    found = Told(policy).begun().refused(e.Rejected(ground=ground, reasons=REASONS))
    assert (found.code, found.rule, found.sources) == ("rejection_not_published", "rejection", ())


def test_a18_new_documents_without_effect_are_rejected_with_reasons_and_forums() -> None:
    told = Told("akseleran").answered()
    told.do(OBJECTED)
    assert told.refused(e.ObjectionRejected(reasons="Tidak.")).code == "reasons_too_short"
    change = told.do(e.ObjectionRejected(reasons=REASONS))
    outcome = told.complaint.outcome
    assert told.ticket.state == "rejected"
    assert outcome.rejection is not None
    assert outcome.objection is not None
    assert outcome.rejection.ground == "objection_without_effect"
    assert (outcome.objection.effect, outcome.acceptance) == (False, "objected")
    assert told.ticket.life.objections[0].answered_at == told.now
    assert (change.notices[0].letter, change.notices[0].forums) == (True, ("court", "laps_sjk"))


def test_a21_a_ground_that_turns_up_during_the_review_answers_the_objection_too() -> None:
    told = Told("akseleran").answered()
    told.do(OBJECTED)
    told.do(e.Rejected(ground="in_or_decided_by_court", reasons=REASONS))
    assert (told.ticket.life.objections[0].answered_at, told.ticket.life.objections[0].effect) == (told.now, False)
    assert told.complaint.outcome.objection is not None
    assert told.complaint.outcome.objection.answer == "rejected"


def test_k16_klikacc_answers_an_objection_and_cannot_reject_it() -> None:
    told = Told("klikacc").answered()
    told.do(OBJECTED)
    found = told.refused(e.ObjectionRejected(reasons=REASONS))
    assert (found.code, found.sources) == ("objection_must_be_answered", ("K16",))


@pytest.mark.parametrize(("policy", "source"), [("klikacc", ("K14",)), ("akseleran", ("A14",)), ("klikumkm", ())])
def test_k14_a14_the_company_settles_it_itself_first(policy: str, source: tuple[str, ...]) -> None:
    told = Told(policy, documents_complete_at=MONDAY)
    due = told.ticket.resolve_due
    assert due is not None
    for referred in (e.ReferredOut(forum="court"), e.ReferredOut(forum="laps_sjk")):
        found = told.refused(referred)
        assert (found.code, found.sources, found.values["due"]) == ("internal_first_until", source, due.isoformat())
    told.begun()
    assert told.refused(e.ReferredOut(forum="court")).code == "internal_first_until"
    assert told.refused(e.ReferredOut(forum="court"), end_of(due)).code == "internal_first_until"


def end_of(due: date) -> datetime:
    """The last minute of a WIB day."""
    return datetime.combine(due, time(23, 59), WIB)


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
@pytest.mark.parametrize("begun", [False, True])
def test_k14_a14_whoever_got_no_answer_in_time_may_go_outside(policy: str, begun: bool) -> None:
    """K14, A14, section 2.3: LAPS SJK takes a dispute also when no answer came in time; only the complainant may go."""
    told = Told(policy, documents_complete_at=MONDAY)
    if begun:
        told.begun()
    due = told.ticket.resolve_due
    assert due is not None
    next_day = end_of(due) + timedelta(minutes=1)
    company = told.refused(e.ReferredOut(forum="court", by="organisation"), next_day)
    assert company.code == ("internal_first" if policy == "akseleran" else "only_the_complainant_refers")
    change = told.do(e.ReferredOut(forum="laps_sjk"), next_day)
    assert (told.ticket.state, told.complaint.outcome.timely, told.ticket.look_on) == ("referred", False, None)
    assert told.complaint.outcome.external_informed_at == next_day
    assert [notice.kind for notice in change.notices] == ["referral"]
    breaches = {each.clock for each in told.ticket.life.announced if each.mark == "breached"}
    assert "resolve" in breaches, "the broken promise stays on record"
    told.do(e.ForumDecided(decision="Dana dikembalikan."))
    assert (told.ticket.state, told.complaint.outcome.timely) == ("resolved", False)


def test_k14_a_wish_of_the_last_day_that_is_entered_late_came_before_the_breach() -> None:
    """K14: the clock spoke on the next morning; what is entered behind it with the date of the day before was early."""
    told = Told("klikacc").begun()
    due = told.ticket.resolve_due
    assert due is not None
    told.do(
        e.ClockPassed(clock="resolve", mark="breached", percent=100),
        end_of(due) + timedelta(hours=8),
        actor=e.CLOCK_ACTOR,
    )
    assert told.refused(e.ReferredOut(forum="court"), end_of(due)).code == "internal_first_until"
    told.do(e.ReferredOut(forum="court"), end_of(due) + timedelta(hours=9))


def test_k8_a_caller_who_never_got_an_answer_may_go_outside() -> None:
    """K7, K8, K14: the five days of a call begin with the first answer; without one its own date decides."""
    told = Told("klikacc", channel="phone")
    assert told.ticket.resolve_due is None
    due = told.ticket.first_response_due
    assert due == date(2026, 6, 11)
    assert told.refused(e.ReferredOut(forum="court"), end_of(due)).values["due"] == "2026-06-11"
    told.do(e.ReferredOut(forum="court"), day("06-12"))
    assert told.ticket.state == "referred"


def test_u6_a_wider_tier_given_when_the_time_was_over_takes_no_right_away() -> None:
    told = Told("klikumkm").begun()
    told.do(e.TierChanged(tier="cross_unit"), day("06-17"))
    assert told.ticket.resolve_due is not None
    assert told.ticket.resolve_due > date(2026, 6, 17)
    told.do(e.ReferredOut(forum="laps_sjk"), day("06-18"))
    assert told.ticket.state == "referred"


def test_k9_a_call_that_turned_written_is_settled_inside_for_its_new_time() -> None:
    told = Told("klikacc", channel="phone").begun()
    told.do(e.DocumentsRequested(documents=("supporting_documents",)), day("06-17"))
    told.do(e.DocumentsReceived(complete=True), day("06-18"))
    assert told.refused(e.ReferredOut(forum="court")).code == "internal_first_until"
    assert told.ticket.resolve_due is not None
    told.do(e.ReferredOut(forum="court"), end_of(told.ticket.resolve_due) + timedelta(minutes=1))


def test_a14_while_documents_keep_the_clock_nothing_is_late() -> None:
    told = Told("akseleran").begun()
    told.do(e.DocumentsRequested(documents=("problem",)))
    assert told.refused(e.ReferredOut(forum="court"), day("06-29")).code == "internal_first"


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_k12_k17_a20_u9_a_forum_takes_over_and_every_clock_follows_it(policy: str) -> None:
    told = Told(policy).answered()
    change = told.do(e.ReferredOut(forum="laps_sjk"))
    assert (told.ticket.state, told.ticket.tier, told.ticket.closed_at) == ("referred", "court_or_adr", None)
    assert told.ticket.look_on is None
    outcome = told.complaint.outcome
    assert (outcome.external_forum, outcome.acceptance) == ("laps_sjk", "refused")
    assert [(notice.kind, notice.forums) for notice in change.notices] == [("referral", ("laps_sjk",))]
    assert told.refused(e.Responded(kind="explanation", finding="no_fault", text="Ya.")).code == "at_forum"
    told.do(e.ForumDecided(decision="Damai: bunga dihapus."))
    assert (told.ticket.state, told.complaint.outcome.resolution_type) == ("resolved", "forum")
    last = told.ticket.life.referrals[-1]
    assert (last.decision, last.decided_at) == ("Damai: bunga dihapus.", told.now)


@pytest.mark.parametrize("policy", ["klikacc", "akseleran", "klikumkm"])
def test_k17_a20_u9_the_policy_knows_how_to_reach_laps_sjk_and_who_says_so(policy: str) -> None:
    address = Told(policy).rules.policy.external.addresses["laps_sjk"]
    assert (address.email, address.phone) == ("info@lapssjk.id", "+62212527700")
    assert "pmn.or.id" in address.source


def test_k17_the_representative_is_told_of_the_forums_too() -> None:
    told = Told("klikacc")
    told.do(e.RepresentativeNamed(full_name="Sari"))
    told.do(e.PowerOfAttorney(status="verified"))
    told.begun().do(explanation())
    assert told.do(e.ReferredOut(forum="court")).notices[0].representative is True


def test_a19_either_side_may_go_outside_but_only_when_the_objection_was_answered() -> None:
    company = e.ReferredOut(forum="court", by="organisation")
    told = Told("akseleran").answered()
    told.do(OBJECTED)
    assert told.refused(company).code == "internal_first"
    told.do(e.ObjectionAnswered(result="confirmed", text="Kami tetap pada jawaban."))
    told.do(company)
    assert told.ticket.life.referrals[0].by == "organisation"


@pytest.mark.parametrize("policy", ["klikacc", "klikumkm"])
def test_k17_u9_only_the_customer_goes_outside_where_nothing_else_was_published(policy: str) -> None:
    found = Told(policy).answered().refused(e.ReferredOut(forum="court", by="organisation"))
    assert found.code == "only_the_complainant_refers"


def test_a20_a_rejected_complaint_may_still_go_to_a_forum() -> None:
    told = Told("akseleran").begun()
    told.do(e.Rejected(ground="unrelated", reasons=REASONS))
    told.do(e.ReferredOut(forum="laps_sjk"))
    assert (told.ticket.state, told.ticket.closed_at, told.complaint.closed_at) == ("referred", None, None)


@pytest.mark.parametrize(
    "steps", [(), (e.FirstResponse(text="Halo."),), (e.FirstResponse(text="Halo."), explanation())]
)
def test_the_customer_takes_the_complaint_back_at_any_time(steps: tuple[e.Event, ...]) -> None:
    told = Told("klikacc")
    for step in steps:
        told.do(step)
    change = told.do(e.Withdrawn(note="Sudah beres."))
    assert (told.ticket.state, told.complaint.outcome.resolution_type) == ("withdrawn", "withdrawn")
    assert [notice.kind for notice in change.notices] == ["withdrawal"]
    assert told.refused(e.Withdrawn(by="representative")).code == "closed"


def test_nobody_else_takes_it_back() -> None:
    told = Told("klikacc")
    assert told.refused(e.Withdrawn(), actor="aduan").code == "needs_a_person"
    assert told.refused(e.Withdrawn(by="representative")).code == "no_representative"
    with pytest.raises(ValueError, match="organisation"):
        e.read_event(b'{"event":"withdrawn","by":"organisation"}')


def test_a11_the_same_complaint_by_two_channels_is_merged_and_every_number_stays_valid() -> None:
    told = Told("akseleran", aliases=("AKS-20260601-000009-1",)).begun()
    change = told.do(e.Merged(into=" aks-20260608-000007-5 "))
    assert (told.ticket.state, told.complaint.duplicate_of) == ("merged", "AKS-20260608-000007-5")
    assert change.data == {
        "into": "AKS-20260608-000007-5",
        "aliases": [told.ticket.ticket_number, "AKS-20260601-000009-1"],
        "received_at": "2026-06-08T10:00:00+07:00",
    }
    assert [(notice.kind, notice.number) for notice in change.notices] == [("merged", "AKS-20260608-000007-5")]
    assert told.refused(e.Withdrawn()).values == {"number": "AKS-20260608-000007-5"}


def test_reopened_within_thirty_days_by_a_person_with_a_new_time_to_answer() -> None:
    told = Told("klikacc", day("06-08")).answered()
    told.do(e.Accepted(), day("06-10"))
    assert told.refused(e.Reopened(), day("07-11")).values == {"due": "2026-07-10", "days": "30"}
    assert told.refused(e.Reopened(), actor="clock").code == "needs_a_person"
    change = told.do(e.Reopened(reason="Saldo terpotong lagi."), day("07-10"))
    assert (told.ticket.state, told.ticket.closed_at, told.complaint.resolved_at) == ("in_progress", None, None)
    assert [notice.kind for notice in change.notices] == ["reopened"]
    assert told.ticket.life.promised["resolve"].due == date(2026, 8, 7)
    told.do(explanation(), day("07-13"))
    told.do(e.ObjectionRaised(), day("07-14"))
    assert told.ticket.state == "objection_review"


def test_reopened_after_a_rejection_it_is_no_longer_rejected() -> None:
    told = Told("akseleran").begun()
    told.do(e.Rejected(ground="unrelated", reasons=REASONS))
    told.do(e.Reopened())
    assert (told.complaint.outcome.rejection, told.complaint.outcome.resolution_type) == (None, None)


def test_reopened_after_a_forum_those_take_part_who_did_before() -> None:
    told = Told("akseleran", tier="directors").answered()
    told.do(e.ReferredOut(forum="court"))
    told.do(e.ForumDecided(decision="Damai."))
    told.do(e.Reopened())
    assert (told.ticket.tier, told.complaint.assessment.tier) == ("directors", "directors")


def test_an_objection_to_the_first_answer_says_nothing_about_the_reopened_round() -> None:
    told = Told("klikacc").answered()
    told.do(e.ObjectionRaised())
    told.do(e.ObjectionAnswered(result="confirmed", text="Kami tetap pada jawaban."))
    told.do(e.Accepted())
    told.do(e.Reopened(), MONDAY + timedelta(days=2))
    told.do(explanation())
    told.do(e.ObjectionRaised())
    assert len(told.ticket.life.objections) == 2
