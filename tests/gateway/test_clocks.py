"""What is remembered of a promise is what would be computed anew."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clocks import Promise, promise
from gateway.installation import Organisation
from normalizer.complaint import Assessment, Complaint, Form, Kind, Severity, Tier, Urgency
from normalizer.message import Channel
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.policy_load import load_policy

CONFIG = Path(__file__).resolve().parents[2] / "config"
IDS = ("complaint_id", "ticket_number", "policy_id", "policy_version", "calendar_version")
POLICIES = ("akseleran", "klikacc", "klikumkm", "klikumkm-demo")


@pytest.fixture(scope="module")
def organisations() -> dict[str, Organisation]:
    years = load_calendar_years(CONFIG / "calendars")
    policies = {name: load_policy(CONFIG / "policies" / f"{name}.yaml") for name in POLICIES}
    return {
        name: Organisation(name, name, policy, calendar_for(policy.calendar, years))
        for name, policy in policies.items()
    }


# Around the ends of days, of office hours and of the years with a calendar, in every zone.
MOMENTS = st.builds(
    lambda day, minutes, zone: (datetime.combine(day, time(), UTC) + timedelta(minutes=minutes)).astimezone(zone),
    st.sampled_from([date(2026, 1, 1), date(2026, 3, 18), date(2026, 12, 30), date(2027, 12, 31), date(2028, 1, 1)])
    | st.dates(date(2026, 1, 1), date(2026, 2, 1)),
    st.sampled_from([0, 59, 60, 61, 119, 120, 599, 600, 601, 659, 660, 1019, 1020, 1021]) | st.integers(0, 1439),
    st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-11))]),
)
COMPLAINTS = st.builds(
    Complaint,
    channel=st.sampled_from(get_args(Channel)),
    form=st.sampled_from(get_args(Form)),
    kind=st.sampled_from(get_args(Kind)),
    received_at=MOMENTS,
    documents_complete_at=st.none() | MOMENTS,
    assessment=st.builds(
        Assessment,
        tier=st.sampled_from(get_args(Tier)),
        severity=st.sampled_from(get_args(Severity)),
        urgency=st.sampled_from(get_args(Urgency)),
        has_documents=st.booleans(),
    ),
    **{name: st.just("") for name in (*IDS, "tenant", "channel_account", "channel_id")},
    ingested_at=st.just(datetime(2026, 1, 5, tzinfo=UTC)),
    effective_received_date=st.just(date(2026, 1, 5)),
)


@given(st.sampled_from(POLICIES), COMPLAINTS, st.lists(MOMENTS, max_size=3))
def test_what_is_remembered_is_what_would_be_computed(
    organisations: dict[str, Organisation],
    name: str,
    complaint: Complaint,
    others: list[datetime],
) -> None:
    remembers = organisations[name]
    for received_at in (complaint.received_at, *others):
        case = msgspec.structs.replace(complaint, received_at=received_at)
        forgets = Organisation(name, name, remembers.policy, remembers.calendar)
        assert promise(remembers, case) == promise(forgets, case)


@given(st.lists(COMPLAINTS, min_size=1, max_size=20))
def test_only_the_last_cases_are_remembered(
    organisations: dict[str, Organisation], complaints: list[Complaint]
) -> None:
    known = organisations["akseleran"]
    full: dict[tuple[object, ...], Promise] = {(number,): promise(known, complaints[0]) for number in range(999)}
    remembers = Organisation("a", "a", known.policy, known.calendar, full)
    for complaint in complaints:
        assert promise(remembers, complaint) == promise(known, complaint)
        assert len(remembers.promised) <= 1_000
