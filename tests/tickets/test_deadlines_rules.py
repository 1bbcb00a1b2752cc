"""What starts, stops, moves and refuses each clock, institution by institution (K, A, U, G, R and D numbers)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from tickets.calendar import WIB, Due
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.deadlines import (
    Case,
    Pending,
    Refused,
    deadlines,
    due_soon_dates,
    rejection_from,
    track_for,
)
from tickets.policy import Policy
from tickets.policy_load import load_policy

CONFIG = Path(__file__).parents[2] / "config"
KLIKACC = load_policy(CONFIG / "policies" / "klikacc.yaml")
AKSELERAN = load_policy(CONFIG / "policies" / "akseleran.yaml")
KLIKUMKM = load_policy(CONFIG / "policies" / "klikumkm.yaml")
DEMO = load_policy(CONFIG / "policies" / "klikumkm-demo.yaml")
CALENDAR = calendar_for(KLIKACC.calendar, load_calendar_years(CONFIG / "calendars"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


CALL = Case(channel="phone", form="oral", received_at=at("2026-02-02T10:00"))
MAIL = Case(channel="email", received_at=at("2026-02-02T10:00"))


@pytest.mark.parametrize(
    ("policy", "case", "track"),
    [
        (KLIKACC, CALL, "oral"),
        (KLIKACC, replace(CALL, form=None), "oral"),  # the channel decides
        (KLIKACC, replace(CALL, form="written"), "written"),
        (KLIKUMKM, replace(CALL, form=None), "problem"),
        (KLIKACC, replace(MAIL, form="oral"), "oral"),
        (KLIKACC, replace(CALL, has_documents=True), "written"),  # G9
        (KLIKACC, MAIL, "written"),
        (KLIKACC, replace(MAIL, tier="court_or_adr"), "court_or_adr"),  # K12
        (AKSELERAN, CALL, "oral_minor"),
        (AKSELERAN, replace(CALL, severity="major"), "single"),  # A9: minor only
        (AKSELERAN, replace(CALL, tier="directors"), "oral_minor"),  # the first match wins
        (AKSELERAN, MAIL, "single"),
        (AKSELERAN, replace(MAIL, tier="cross_unit"), "cross_unit"),
        (AKSELERAN, replace(MAIL, tier="directors"), "directors"),
        (AKSELERAN, replace(MAIL, tier="external_party"), "external"),
        (AKSELERAN, replace(MAIL, tier="court_or_adr"), "court_or_adr"),
        (KLIKUMKM, replace(MAIL, kind="information"), "information"),
        (KLIKUMKM, replace(MAIL, kind="criticism", tier="directors"), "information"),
        (KLIKUMKM, MAIL, "problem"),
        (KLIKUMKM, replace(MAIL, tier="cross_unit"), "cross_unit"),
        (KLIKUMKM, replace(MAIL, tier="directors"), "cross_unit"),
        (KLIKUMKM, replace(MAIL, urgency="emergency"), "problem"),  # G3: the seed keys no track by urgency
    ],
)
def test_the_first_track_that_matches_wins(policy: Policy, case: Case, track: str) -> None:
    assert track_for(policy, case).id == track


@pytest.mark.parametrize(
    ("tier", "day"),
    [("single_unit", "2026-02-04"), ("cross_unit", "2026-02-06"), ("directors", "2026-02-18")],
)
def test_a10_each_tier_has_its_days(tier: str, day: str) -> None:
    case = replace(MAIL, tier=tier, documents_complete_at=MAIL.received_at)  # type: ignore[arg-type]  # words of the table
    assert deadlines(AKSELERAN, CALENDAR, case).resolve.due == date.fromisoformat(day)


def test_a10_an_external_party_gives_20_working_days() -> None:
    case = replace(MAIL, tier="external_party", documents_complete_at=MAIL.received_at)
    clock = deadlines(AKSELERAN, CALENDAR, case).resolve.clock
    assert isinstance(clock, Due)
    assert clock.days == 20
    assert clock.due == date(2026, 3, 4)


def test_g3_a_policy_may_key_a_track_by_urgency() -> None:
    first = KLIKUMKM.tracks[1].model_copy(update={"when": KLIKUMKM.tracks[1].when.model_copy(update={"kind": None})})
    urgent = first.model_copy(update={"when": first.when.model_copy(update={"urgency": ("emergency",)})})
    policy = KLIKUMKM.model_copy(update={"tracks": (urgent, KLIKUMKM.tracks[-1])})
    assert track_for(policy, replace(MAIL, urgency="emergency")) == urgent
    assert track_for(policy, MAIL).id == "problem"


def test_a_policy_without_last_resort_says_so() -> None:
    policy = KLIKUMKM.model_copy(update={"tracks": KLIKUMKM.tracks[:2]})
    with pytest.raises(LookupError, match="its last track must be"):
        track_for(policy, MAIL)


def test_k8_the_oral_clock_starts_with_the_first_answer() -> None:
    waiting = deadlines(KLIKACC, CALENDAR, CALL).resolve
    assert waiting.clock == Pending("first_response", 5)
    assert waiting.due is None
    answered = deadlines(KLIKACC, CALENDAR, replace(CALL, first_response_at=at("2026-02-03T09:00"))).resolve
    assert answered.due == date(2026, 2, 10)


def test_k12_a_court_sets_its_own_time() -> None:
    clock = deadlines(KLIKACC, CALENDAR, replace(MAIL, tier="court_or_adr")).resolve.clock
    assert clock == Pending("forum")
    assert "court" in clock.reason


def test_r5_hours_count_for_calls_and_for_klikumkm_only_once_they_are_known() -> None:
    late = replace(CALL, received_at=at("2026-02-02T20:00"))
    assert deadlines(KLIKACC, CALENDAR, late).received == date(2026, 2, 3)
    assert deadlines(KLIKUMKM, CALENDAR, late).received == date(2026, 2, 2)
    assert deadlines(DEMO, CALENDAR, late).received == date(2026, 2, 3)
    hours = DEMO.channels["phone"].hours
    filled = KLIKUMKM.model_copy(update={"operating_hours": hours})
    assert deadlines(filled, CALENDAR, late).received == date(2026, 2, 3)


def test_g6_a_call_is_oral_and_everything_unlisted_else_is_written() -> None:
    assert KLIKUMKM.form_of("phone") == "oral"
    assert KLIKUMKM.form_of("x_mention") == "written"
    assert AKSELERAN.form_of("x_mention") == "written"
    assert AKSELERAN.form_of("phone") == "oral"


def test_a6_the_office_of_akseleran_closes_an_hour_later() -> None:
    case = replace(CALL, received_at=at("2026-02-02T17:30"))
    assert deadlines(AKSELERAN, CALENDAR, case).received == date(2026, 2, 2)
    assert deadlines(KLIKACC, CALENDAR, case).received == date(2026, 2, 3)


# G7: documents complete, asked for in time, asked for too late, or never asked for. The limit is Wed 4 February.


def test_a8_no_date_while_it_is_unknown_whether_the_documents_are_complete() -> None:
    found = deadlines(AKSELERAN, CALENDAR, MAIL)
    assert found.documents_complete is None
    assert found.first_response == Pending("documents_complete", 2)
    assert found.resolve.clock == Pending("documents_complete", 2)
    assert found.documents_request_by is not None
    assert found.documents_request_by.due == date(2026, 2, 4)


@pytest.mark.parametrize(("as_of", "deemed"), [("2026-02-04T23:59:59", False), ("2026-02-05T00:00", True)])
def test_g7_nothing_asked_in_time_means_complete_at_receipt(as_of: str, deemed: bool) -> None:
    found = deadlines(AKSELERAN, CALENDAR, MAIL, at(as_of))
    assert found.documents_complete == (date(2026, 2, 2) if deemed else None)
    assert isinstance(found.first_response, Due) is deemed
    assert found.resolve.due == (date(2026, 2, 4) if deemed else None)


def test_g7_a_request_after_the_limit_does_not_stop_the_clock() -> None:
    late = replace(MAIL, documents_requested_at=at("2026-02-05T08:00"), documents_complete_at=at("2026-02-20T08:00"))
    assert deadlines(AKSELERAN, CALENDAR, late).resolve.due == date(2026, 2, 4)


def test_g7_documents_that_come_unasked_after_the_limit_change_nothing() -> None:
    late = replace(MAIL, documents_complete_at=at("2026-02-20T08:00"))
    assert deadlines(AKSELERAN, CALENDAR, late).resolve.due == date(2026, 2, 4)
    early = replace(MAIL, documents_complete_at=at("2026-02-04T08:00"))
    assert deadlines(AKSELERAN, CALENDAR, early).resolve.due == date(2026, 2, 6)


def test_g7_a_request_in_time_keeps_the_clock_waiting() -> None:
    asked = replace(MAIL, documents_requested_at=at("2026-02-04T17:00"))
    found = deadlines(AKSELERAN, CALENDAR, asked, at("2026-06-01T10:00"))
    assert found.first_response == Pending("documents_complete", 2)


def test_r5_a_complete_saturday_call_counts_from_monday() -> None:
    call = at("2026-02-07T10:00")
    case = replace(CALL, received_at=call, documents_complete_at=call)
    found = deadlines(AKSELERAN, CALENDAR, case)
    assert found.documents_complete == date(2026, 2, 9)
    assert isinstance(found.first_response, Due)
    assert found.first_response.due == date(2026, 2, 11)


def test_a9_an_oral_case_that_turns_written_starts_a_new_clock_with_its_documents() -> None:
    case = replace(
        CALL,
        form="written",
        has_documents=True,
        first_response_at=at("2026-02-03T10:00"),
        documents_requested_at=at("2026-02-11T10:00"),
        written_since=at("2026-02-13T10:00"),
    )
    assert deadlines(AKSELERAN, CALENDAR, case).resolve.clock == Pending("documents_complete", 2)
    complete = replace(case, documents_complete_at=at("2026-02-13T10:00"))
    found = deadlines(AKSELERAN, CALENDAR, complete)
    assert found.resolve.due == date(2026, 2, 19)
    assert isinstance(found.first_response, Due)
    assert found.first_response.due == date(2026, 2, 4)


# R9


def variant(effect: str) -> Policy:
    return KLIKACC.model_copy(update={"documents": KLIKACC.documents.model_copy(update={"clock": effect})})


ASKED = replace(MAIL, documents_requested_at=at("2026-02-05T10:00"))


def test_r9_while_documents_are_awaited() -> None:
    assert deadlines(variant("none"), CALENDAR, ASKED).resolve.due == date(2026, 3, 4)
    assert deadlines(variant("pause"), CALENDAR, ASKED).resolve.clock == Pending("documents_paused", 17)
    assert deadlines(variant("start_on_complete"), CALENDAR, ASKED).resolve.clock == Pending("documents_complete", 20)


def test_r9_a_second_request_pauses_again_but_never_restarts_a_clock_that_ran() -> None:
    again = replace(ASKED, documents_complete_at=at("2026-02-04T10:00"))
    assert deadlines(variant("pause"), CALENDAR, again).resolve.clock == Pending("documents_paused", 17)
    assert deadlines(variant("start_on_complete"), CALENDAR, again).resolve.due == date(2026, 3, 6)


def test_r9_a_request_after_the_end_pauses_nothing() -> None:
    late = replace(MAIL, documents_requested_at=at("2026-03-10T10:00"))
    assert deadlines(variant("pause"), CALENDAR, late).resolve.due == date(2026, 3, 4)


# Objections, silence, rejection


@pytest.mark.parametrize(("policy", "answer"), [(KLIKACC, "2026-03-17"), (AKSELERAN, "2026-03-03")])
def test_k16_a18_g10_the_objection_and_its_answer(policy: Policy, answer: str) -> None:
    case = replace(MAIL, responded_at=at("2026-02-04T10:00"), objection_received_at=at("2026-02-13T10:00"))
    found = deadlines(policy, CALENDAR, case)
    assert found.objection_window is not None
    assert found.objection_window.due == date(2026, 2, 20)
    assert found.silent_close == found.objection_window
    assert found.objection_answer is not None
    assert found.objection_answer.due == date.fromisoformat(answer)


def test_d4_klikumkm_promises_no_objection_but_closes_on_silence() -> None:
    case = replace(MAIL, responded_at=at("2026-02-04T10:00"), objection_received_at=at("2026-02-13T10:00"))
    found = deadlines(KLIKUMKM, CALENDAR, case)
    assert found.objection_window is None
    assert found.objection_answer is None
    assert found.silent_close is not None
    assert found.silent_close.due == date(2026, 2, 20)
    assert deadlines(KLIKUMKM, CALENDAR, MAIL).silent_close is None


def test_a21_the_other_grounds_need_no_window() -> None:
    found = deadlines(AKSELERAN, CALENDAR, MAIL)
    assert rejection_from(AKSELERAN, found, "unrelated") == date(2026, 2, 2)


@pytest.mark.parametrize(
    ("policy", "case", "ground", "rule"),
    [
        (KLIKACC, MAIL, "unrelated", "rejection"),
        (KLIKUMKM, MAIL, "unrelated", "rejection"),
        (AKSELERAN, MAIL, "rude_customer", "rejection.grounds"),
        (AKSELERAN, MAIL, "incomplete_documents", "documents.window"),
        (
            AKSELERAN,
            replace(ASKED, documents_complete_at=at("2026-02-06T10:00")),
            "incomplete_documents",
            "documents.on_timeout",
        ),
    ],
)
def test_a21_a_rejection_without_right_is_refused_with_its_rule(
    policy: Policy, case: Case, ground: str, rule: str
) -> None:
    refused = rejection_from(policy, deadlines(policy, CALENDAR, case), ground)
    assert isinstance(refused, Refused)
    assert refused.rule == rule
    assert str(refused).endswith(f"({rule})")


def test_the_clock_of_the_documents_ends_when_they_are_complete() -> None:
    waiting = deadlines(AKSELERAN, CALENDAR, ASKED)
    assert dict(waiting.clocks)["documents"].due == date(2026, 3, 9)
    done = deadlines(AKSELERAN, CALENDAR, replace(ASKED, documents_complete_at=at("2026-02-06T10:00")))
    assert "documents" not in dict(done.clocks)


def test_an_announcement_falls_on_the_day_that_uses_up_its_share() -> None:
    due = CALENDAR.due(date(2026, 2, 2), 5)
    assert due_soon_dates(due, KLIKACC.due_soon_percent) == (
        (50, date(2026, 2, 5)),
        (80, date(2026, 2, 6)),
        (100, date(2026, 2, 9)),
    )
    assert due_soon_dates(CALENDAR.due(date(2026, 2, 2), 0), (50,)) == ((50, date(2026, 2, 2)),)


def test_r6_the_result_names_the_policy_and_the_calendar_it_came_from() -> None:
    found = deadlines(KLIKACC, CALENDAR, MAIL)
    assert (found.policy_id, found.policy_version) == ("klikacc", KLIKACC.version)
    assert found.calendar_version == CALENDAR.version
