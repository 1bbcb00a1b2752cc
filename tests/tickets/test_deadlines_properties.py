"""What must hold for every complaint, whatever its dates (R1, R2, R7, R9, G7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from normalizer.complaint import Form, Kind, Severity, Tier
from tickets.calendar import Calendar, Due
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.deadlines import Case, deadlines, explain, explain_text
from tickets.policy import Policy
from tickets.policy_load import load_policy

CONFIG = Path(__file__).parents[2] / "config"
POLICIES = tuple(load_policy(CONFIG / "policies" / f"{name}.yaml") for name in ("klikacc", "akseleran", "klikumkm"))
YEARS = load_calendar_years(CONFIG / "calendars")
CALENDAR = calendar_for(POLICIES[0].calendar, YEARS)
STRICT = Calendar("id_national", YEARS, joint_leave="working")

# A loaded machine is no reason to fail: these tests are about dates, not about speed.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

moments = st.datetimes(datetime(2025, 1, 2), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis wants naive bounds and adds the zone itself
later = st.timedeltas(timedelta(0), timedelta(days=40))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    received = draw(moments)

    def after() -> datetime | None:
        return draw(st.none() | later.map(lambda wait: received + wait))

    return Case(
        channel=draw(st.sampled_from(["phone", "email", "whatsapp", "web_form", "x_dm"])),
        received_at=received,
        form=draw(st.sampled_from(get_args(Form))),
        kind=draw(st.sampled_from(get_args(Kind))),
        tier=draw(st.sampled_from(get_args(Tier))),
        severity=draw(st.sampled_from(get_args(Severity))),
        has_documents=draw(st.booleans()),
        documents_requested_at=after(),
        documents_complete_at=after(),
        first_response_at=after(),
        responded_at=after(),
    )


policies = st.sampled_from(POLICIES)
effects = st.sampled_from(["none", "pause", "start_on_complete"])


def with_effect(policy: Policy, effect: str) -> Policy:
    return policy.model_copy(update={"documents": policy.documents.model_copy(update={"clock": effect})})


@UNTIMED
@given(policies, effects, cases())
def test_every_clock_ends_on_a_working_day_it_counted(policy: Policy, effect: str, case: Case) -> None:
    for _, clock in deadlines(with_effect(policy, effect), CALENDAR, case).clocks:
        assert clock.counted[-1] == clock.due
        assert len(clock.counted) == clock.days
        assert list(clock.counted) == sorted(set(clock.counted))
        assert not {skip.date for skip in clock.skipped} & set(clock.counted)
        assert all(CALENDAR.is_working_day(day) for day in clock.counted)


@UNTIMED
@given(policies, cases())
def test_r4_strict_never_promises_later(policy: Policy, case: Case) -> None:
    normal, strict = (deadlines(policy, calendar, case).first_response for calendar in (CALENDAR, STRICT))
    if isinstance(normal, Due) and isinstance(strict, Due) and policy.id != "akseleran":
        assert strict.due <= normal.due


@UNTIMED
@given(cases())
def test_r9_ignoring_is_never_later_than_pausing_and_pausing_never_later_than_restarting(case: Case) -> None:
    written = replace(case, form="written", has_documents=True, tier="single_unit")
    found = [
        deadlines(with_effect(POLICIES[0], effect), CALENDAR, written).resolve.due
        for effect in ("none", "pause", "start_on_complete")
    ]
    dates = [day for day in found if day is not None]
    complete, requested = written.documents_complete_at, written.documents_requested_at
    if complete is None or requested is None or requested <= complete:
        assert dates == sorted(dates)


@UNTIMED
@given(policies, cases(), st.sampled_from([-12, -5, 0, 8, 9, 14]))
def test_r1_p15_the_zone_in_which_a_time_is_written_changes_nothing(policy: Policy, case: Case, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    moved = replace(case, received_at=case.received_at.astimezone(zone))
    assert deadlines(policy, CALENDAR, moved) == deadlines(policy, CALENDAR, case)


@UNTIMED
@given(policies, cases(), st.none() | later)
def test_every_result_can_be_explained(policy: Policy, case: Case, wait: timedelta | None) -> None:
    found = deadlines(policy, CALENDAR, case, None if wait is None else case.received_at + wait)
    data, text = explain(found), explain_text(found)
    for name, clock in found.clocks:
        shown = data[name]["extended"] or data[name] if name == "documents" else data[name]
        assert shown["due"] == clock.due.isoformat()
        assert clock.due.isoformat() in text


@UNTIMED
@given(cases(), later)
def test_g7_knowing_later_never_takes_a_promise_back(case: Case, wait: timedelta) -> None:
    akseleran = POLICIES[1]
    early = deadlines(akseleran, CALENDAR, case, case.received_at)
    late = deadlines(akseleran, CALENDAR, case, case.received_at + wait)
    if isinstance(early.first_response, Due):
        assert late.first_response == early.first_response
