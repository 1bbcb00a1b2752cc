"""Every refusal of the ticket machine: a real call that gives it, and its sentence in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ticket_life import MONDAY, REASONS, Told, changed, day, explanation, offer
from tickets import lifecycle_events as e
from tickets.lifecycle_events import CLOCK_ACTOR
from tickets.lifecycle_values import Refusal
from tickets.refusal_texts import sentence, source_line, texts

NAMED = e.RepresentativeNamed(full_name="Sari")
ASKED = e.DocumentsRequested(documents=("supporting_documents",))
PROBLEM = e.DocumentsRequested(documents=("problem",))
LATER = MONDAY + timedelta(days=40)
OBJECTED = e.ObjectionRaised(new_documents=True)


def oral(policy: str = "klikacc") -> Told:
    return Told(policy, channel="phone")


def klikacc() -> Told:
    return Told("klikacc").begun()


def akseleran(**kwargs: Any) -> Told:
    return Told("akseleran", **kwargs).begun()


def klikumkm() -> Told:
    return Told("klikumkm").begun()


def after(told: Told, *events: e.Event) -> Told:
    for event in events:
        told.do(event)
    return told


def extension(**kwargs: Any) -> e.ExtensionGranted:
    return e.ExtensionGranted(**{"ground": "external_party", "cause": "Menunggu bank.", **kwargs})


def paid(amount: int | None = 100, *, remedies: tuple[Any, ...] = ("apology", "repair", "compensation")) -> e.Responded:
    conditions = ("financial_claim", "proven", "material_direct_loss", "obligations_met", "material_loss")
    return offer(remedies=remedies, compensation_idr=amount, conditions=conditions)


def lost(told: Told, **loss: Any) -> Told:
    return after(told, e.Classified(**{f"loss_{name}": value for name, value in loss.items()}))


def without_window() -> Told:
    return after(Told(changed("klikacc", documents__window={"days": 10})).begun(), ASKED)


OTHER = "KLA-20260608-000002-9"


#: Code -> a ticket's life up to the step that is refused with it.
REFUSED: dict[str, Callable[[], Refusal]] = {
    # time and actor
    "time_without_offset": lambda: klikacc().refused(e.HoldLifted(), datetime(2026, 6, 9, 10)),  # noqa: DTZ001  # the case
    "before_receipt": lambda: Told().refused(e.HoldSet(reason="x"), MONDAY - timedelta(seconds=1)),
    "before_last_event": lambda: klikacc().refused(e.HoldSet(reason="x"), MONDAY),
    "calendar_missing": lambda: klikumkm().refused(extension(until=date(2031, 1, 2), stage_update="Tahap dua.")),
    "only_the_clock": lambda: Told().answered().refused(e.SilenceExpired(), actor="rina"),
    "needs_a_person": lambda: Told().refused(e.Dismissed(reason="spam"), actor=CLOCK_ACTOR),
    # state of the ticket
    "closed": lambda: after(klikacc(), e.Withdrawn()).refused(explanation()),
    "merged_away": lambda: after(klikacc(), e.Merged(into="KLA-20260608-000002-9")).refused(explanation()),
    "at_forum": lambda: after(Told().answered(), e.ReferredOut(forum="court")).refused(e.Accepted()),
    "still_open": lambda: klikacc().refused(e.Reopened()),
    "cannot_be_reopened": lambda: after(klikacc(), e.Withdrawn()).refused(e.Reopened()),
    "not_begun": lambda: Told().refused(e.Escalated(level=2)),
    "documents_awaited": lambda: after(klikacc(), ASKED).refused(explanation()),
    "already_answered": lambda: Told().answered().refused(explanation()),
    "objection_open": lambda: after(Told().answered(), OBJECTED).refused(e.Accepted()),
    "not_answered": lambda: klikacc().refused(e.Accepted()),
    "clock_stopped": lambda: Told().answered().refused(extension()),
    # classification and first answer
    "nothing_to_classify": lambda: Told().refused(e.Classified()),
    "category_needed": lambda: Told("akseleran", category=None).refused(e.FirstResponse(text="Halo.")),
    "category_not_listed": lambda: Told("akseleran").refused(e.Classified(category="weather")),
    "role_not_listed": lambda: Told().refused(e.Classified(role="lender")),
    "loss_without_type": lambda: Told().refused(e.Classified(loss_amount_idr=100)),
    "first_response_sent": lambda: klikacc().refused(e.FirstResponse(text="Halo.")),
    "text_empty": lambda: Told().refused(e.FirstResponse(text=" \n")),
    "direction_needed": lambda: Told().refused(e.Dismissed(reason="misdirected")),
    "dismissed_only_at_first": lambda: klikacc().refused(e.Dismissed(reason="spam")),
    # representative
    "no_representative": lambda: Told().answered().refused(e.Accepted(by="representative")),
    "representative_not_allowed": lambda: Told(changed("klikacc", complainants__representative__allowed=False)).refused(
        NAMED
    ),
    "representative_without_name": lambda: Told().refused(e.RepresentativeNamed(full_name=" ")),
    "representative_already_named": lambda: after(Told(), NAMED).refused(NAMED),
    "power_of_attorney_already_verified": lambda: after(Told(), NAMED, e.PowerOfAttorney(status="verified")).refused(
        e.PowerOfAttorney(status="received")
    ),
    "power_of_attorney_not_verified": lambda: after(klikacc(), NAMED, ASKED).refused(
        e.DocumentsReceived(complete=True)
    ),
    # documents
    "documents_none": lambda: klikumkm().refused(e.DocumentsRequested(documents=("problem",))),
    "documents_unnamed": lambda: klikacc().refused(e.DocumentsRequested(documents=())),
    "document_not_listed": lambda: klikacc().refused(e.DocumentsRequested(documents=("birth_certificate",))),
    "oral_not_answered": lambda: oral().refused(ASKED),
    "oral_not_expired": lambda: oral().begun().refused(ASKED),
    "documents_not_awaited": lambda: klikacc().refused(e.DocumentsReceived(complete=True)),
    "documents_none_came": lambda: after(klikacc(), ASKED).refused(e.DocumentsReceived()),
    "window_not_extended": lambda: without_window().refused(e.DocumentsWindowExtended(), LATER),
    "window_already_extended": lambda: _reminded().refused(e.DocumentsWindowExtended(), LATER + timedelta(days=1)),
    "window_still_open": lambda: after(klikacc(), ASKED).refused(e.DocumentsWindowExtended()),
    "presumption_not_offered": lambda: Told().refused(e.DocumentsPresumed()),
    "documents_may_be_asked": lambda: Told("akseleran").refused(e.DocumentsPresumed()),
    # ladder and extension
    "level_unknown": lambda: klikacc().refused(e.Escalated(level=9)),
    "level_not_higher": lambda: after(klikacc(), e.Escalated(level=2)).refused(e.Escalated(level=2)),
    "level_skipped": lambda: klikacc().refused(e.Escalated(level=3)),
    "unit_not_of_level": lambda: klikacc().refused(e.Escalated(level=2, units=("directors",))),
    "tier_unchanged": lambda: klikacc().refused(e.TierChanged(tier="single_unit")),
    "tier_by_referral": lambda: klikacc().refused(e.TierChanged(tier="court_or_adr")),
    "tier_falls": lambda: akseleran(tier="directors").refused(e.TierChanged(tier="single_unit")),
    "extension_not_offered": lambda: akseleran().refused(extension()),
    "clock_not_running": lambda: klikacc().refused(
        e.ClockPassed(clock="documents", mark="breached", percent=100), actor=CLOCK_ACTOR
    ),
    "extension_without_cause": lambda: klikacc().refused(extension(cause=" ")),
    "extension_used_up": lambda: after(klikacc(), extension()).refused(extension()),
    "extension_ground_not_listed": lambda: klikacc().refused(extension(ground="holiday")),
    "extension_without_ground": lambda: klikumkm().refused(extension(ground=" ", days=3, stage_update="Tahap dua.")),
    "stage_update_needed": lambda: klikumkm().refused(extension(days=3)),
    "extension_too_late": lambda: klikacc().refused(extension(), LATER),
    "extension_date": lambda: klikacc().refused(extension(until=date(2026, 6, 13))),
    "extension_length_needed": lambda: klikumkm().refused(extension(stage_update="Tahap dua.")),
    "extension_too_long": lambda: klikacc().refused(extension(days=21)),
    # answer, offer, compensation
    "fault_needs_offer": lambda: klikacc().refused(e.Responded(kind="explanation", finding="fault", text="Ya.")),
    "no_fault_needs_explanation": lambda: klikacc().refused(offer(finding="no_fault")),
    "explanation_with_remedies": lambda: klikacc().refused(
        e.Responded(kind="explanation", finding="no_fault", text="Ya.", remedies=("apology",))
    ),
    "remedies_missing": lambda: klikacc().refused(offer(remedies=("apology",))),
    "offer_without_remedy": lambda: klikumkm().refused(offer(remedies=())),
    "compensation_not_published": lambda: klikumkm().refused(paid()),
    "compensation_without_amount": lambda: klikacc().refused(paid(None)),
    "compensation_conditions": lambda: klikacc().refused(
        offer(remedies=("apology", "repair", "compensation"), compensation_idr=1, conditions=("proven",))
    ),
    "claim_not_financial": lambda: akseleran().refused(paid()),
    "loss_not_recorded": lambda: klikacc().refused(paid()),
    "loss_amount_needed": lambda: lost(akseleran(), claimed=True, type="actual").refused(paid()),
    "compensation_above_loss": lambda: lost(akseleran(), claimed=True, type="actual", amount_idr=99).refused(paid()),
    "no_offer": lambda: Told().answered().refused(e.Implemented()),
    "already_implemented": lambda: after(Told().offered(), e.Implemented()).refused(e.Implemented()),
    # what the customer makes of it
    "already_accepted": lambda: after(Told("akseleran").offered(), e.Accepted()).refused(e.Accepted()),
    "oral_without_note": lambda: Told().answered().refused(e.Accepted(oral=True)),
    "silence_not_counted": lambda: (
        Told(changed("klikumkm", silent_close_days=None)).answered().refused(e.SilenceExpired(), LATER)
    ),
    "silence_not_over": lambda: Told().answered().refused(e.SilenceExpired()),
    "objection_not_offered": lambda: Told("klikumkm").answered().refused(OBJECTED),
    "objection_used_up": lambda: _answered_again().refused(OBJECTED),
    "objection_too_late": lambda: Told().answered().refused(OBJECTED, LATER),
    "new_documents_needed": lambda: Told("akseleran").answered().refused(e.ObjectionRaised()),
    "no_objection": lambda: klikacc().refused(e.ObjectionAnswered(result="confirmed", text="Tetap.")),
    "confirmation_with_offer": lambda: after(Told().answered(), OBJECTED).refused(
        e.ObjectionAnswered(result="confirmed", text="Tetap.", remedies=("apology",))
    ),
    # rejection
    "rejection_not_published": lambda: klikacc().refused(e.Rejected(ground="unrelated", reasons=REASONS)),
    "ground_not_listed": lambda: Told(changed("akseleran", rejection__grounds=["incomplete_documents"])).refused(
        e.Rejected(ground="unrelated", reasons=REASONS)
    ),
    "documents_not_asked": lambda: akseleran().refused(e.Rejected(ground="incomplete_documents", reasons=REASONS)),
    "documents_are_complete": lambda: after(akseleran(), PROBLEM, e.DocumentsReceived(complete=True)).refused(
        e.Rejected(ground="incomplete_documents", reasons=REASONS)
    ),
    "documents_window_open": lambda: after(akseleran(), PROBLEM).refused(
        e.Rejected(ground="incomplete_documents", reasons=REASONS)
    ),
    "reasons_too_short": lambda: akseleran().refused(e.Rejected(ground="unrelated", reasons="Bukan kami.")),
    "objection_must_be_answered": lambda: after(Told().answered(), OBJECTED).refused(
        e.ObjectionRejected(reasons=REASONS)
    ),
    # outside and back
    "internal_first": lambda: oral("akseleran").refused(e.ReferredOut(forum="court", by="organisation")),
    "internal_first_until": lambda: klikacc().refused(e.ReferredOut(forum="court")),
    "forum_not_listed": lambda: Told().answered().refused(e.ReferredOut(forum="ojk")),
    "only_the_complainant_refers": lambda: Told().answered().refused(e.ReferredOut(forum="court", by="organisation")),
    "not_referred": lambda: klikacc().refused(e.ForumDecided(decision="Damai.")),
    "decision_needed": lambda: after(Told().answered(), e.ReferredOut(forum="court")).refused(
        e.ForumDecided(decision=" ")
    ),
    "merge_without_number": lambda: klikacc().refused(e.Merged(into=" ")),
    "merge_into_itself": lambda: klikacc().refused(e.Merged(into="kla-20260608-000001-1")),
    "reopening_not_offered": lambda: after(Told(changed("klikacc", reopen_days=None)).answered(), e.Accepted()).refused(
        e.Reopened()
    ),
    "reopen_too_late": lambda: after(Told().answered(), e.Accepted()).refused(e.Reopened(), LATER),
    # beside the matter
    "group_without_parent": lambda: Told().refused(e.Grouped(parent="kla-20260608-000001-1")),
    "grouped_already": lambda: after(Told(), e.Grouped(parent=OTHER)).refused(e.Grouped(parent=OTHER)),
    "not_grouped": lambda: Told().refused(e.Ungrouped()),
    "representative_unreachable": lambda: Told().refused(e.RepresentativeNamed(full_name="Ani", phone="12")),
    "hold_stands": lambda: after(Told(), e.HoldSet(reason="perkara")).refused(e.HoldSet(reason="perkara")),
    "hold_without_reason": lambda: Told().refused(e.HoldSet(reason=" ")),
    "no_hold": lambda: Told().refused(e.HoldLifted()),
    "personal_data_hours_missing": lambda: Told(changed("klikacc", personal_data_hours=None)).refused(
        e.PersonalDataAsked(kind="access")
    ),
    "personal_data_later": lambda: Told().refused(e.PersonalDataAsked(kind="access", received_at=LATER)),
    "personal_data_already_asked": lambda: after(Told(), e.PersonalDataAsked(kind="access")).refused(
        e.PersonalDataAsked(kind="access")
    ),
    "personal_data_not_asked": lambda: Told().refused(e.PersonalDataAnswered(kind="erasure")),
    "clock_announced": lambda: _announced(),
    "clock_not_passed": lambda: Told().refused(e.ClockPassed(clock="resolve", mark="breached", percent=100)),
}


def _reminded() -> Told:
    told = after(klikacc(), ASKED)
    told.do(e.DocumentsWindowExtended(), LATER)
    return told


def _answered_again() -> Told:
    return after(Told().answered(), OBJECTED, e.ObjectionAnswered(result="confirmed", text="Kami tetap pada jawaban."))


def _announced() -> Refusal:
    told, late = Told(), e.ClockPassed(clock="first_response", mark="breached", percent=100)
    told.do(late, day("06-12"))
    return told.refused(late, day("06-12", 11))


@pytest.mark.parametrize("code", REFUSED)
def test_each_refusal_is_given_by_a_real_call_and_says_what_to_do(code: str) -> None:
    found = REFUSED[code]()
    assert found.code == code
    assert found.rule
    for language in ("id", "en"):
        said = sentence(found, language)
        assert "{" not in said
        assert "…" not in said
        assert len(said) > 30


def test_no_code_without_a_text_and_no_text_without_a_code() -> None:
    assert len(REFUSED) >= 45
    for language in ("id", "en"):
        assert set(texts(language).codes) == set(REFUSED)


def test_both_languages_name_the_same_values_and_words() -> None:
    indonesian, english = texts("id"), texts("en")
    for code, said in indonesian.codes.items():
        assert set(re.findall(r"\{(\w+)\}", said)) == set(re.findall(r"\{(\w+)\}", english.codes[code])), code
    assert {group: set(words) for group, words in indonesian.words.items()} == {
        group: set(words) for group, words in english.words.items()
    }
    tags = {str(kind.__struct_config__.tag) for kind in e.Happening.__subclasses__()}
    assert set(english.words["event"]) == tags


@pytest.mark.parametrize(
    ("code", "rule", "sources"),
    [
        ("extension_used_up", "tracks.written.extend.times", ("K11",)),
        ("extension_too_late", "tracks.written.extend.notify", ("K11",)),
        ("oral_not_expired", "tracks.oral.on_expiry", ("K9",)),
        ("stage_update_needed", "tracks.problem.extend.notify", ("U8",)),
        ("new_documents_needed", "objection.new_documents", ("A18",)),
        ("objection_must_be_answered", "objection.if_no_effect", ("K16",)),
        ("documents_window_open", "documents.on_timeout", ("A21",)),
        ("reasons_too_short", "rejection.reasons", ("A22",)),
        ("compensation_above_loss", "resolution.compensation.max", ("A17",)),
        ("remedies_missing", "resolution.fault", ("K15",)),
        ("internal_first", "resolution.internal_first", ("A14",)),
        ("internal_first_until", "resolution.internal_first", ("K14",)),
        ("level_skipped", "escalation", ("K13",)),
        ("category_needed", "categories", ("A7",)),
        # Nothing was published about it: the text is silent.
        ("rejection_not_published", "rejection", ()),
        ("objection_not_offered", "objection", ()),
    ],
)
def test_a_refusal_names_the_rule_and_the_published_sentence(code: str, rule: str, sources: tuple[str, ...]) -> None:
    """K9, K11, K13-K16, A7, A14, A17, A18, A21, A22, U8: whoever is refused can look up why."""
    found = REFUSED[code]()
    assert (found.rule, found.sources) == (rule, sources)


def test_k11_the_sentence_shows_dates_and_the_source_as_people_write_them() -> None:
    found = REFUSED["extension_too_late"]()
    assert "7 Juli 2026" in sentence(found, "id")
    assert "7 July 2026" in sentence(found, "en")
    assert source_line(found, "id") == "Aturan: tracks.written.extend.notify; sumber: K11."
    assert source_line(REFUSED["no_hold"](), "en") == "Rule: retention_years."


def test_a17_amounts_are_written_with_their_thousands() -> None:
    refusal = Refusal(code="compensation_above_loss", rule="x", values={"amount": "1500000", "most": "900000"})
    assert "Rp1.500.000" in sentence(refusal, "id")
    assert "Rp1,500,000" in sentence(refusal, "en")


def test_a_time_is_shown_in_wib() -> None:
    told = Told()
    told.do(e.HoldSet(reason="perkara"), datetime(2026, 6, 9, 20, 30, tzinfo=UTC))
    found = told.refused(e.HoldLifted(), MONDAY)
    assert "10 Juni 2026 03.30 WIB" in sentence(found, "id")
