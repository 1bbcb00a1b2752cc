"""The table of the machine, and that `apply` answers anything at any time with a change or a refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ticket_life import AGENT, CONFIG, MONDAY, Told, explanation, offer, rules
from tickets import lifecycle_events as e
from tickets.lifecycle import POSSIBLE, apply
from tickets.lifecycle_events import BY_THE_CLOCK, CLOCK_ACTOR, Event
from tickets.lifecycle_table import GRID, STATES, why_not
from tickets.lifecycle_values import Change, Refusal, Standing
from tickets.model import OPEN
from tickets.refusal_texts import sentence

POLICIES = ("klikacc", "akseleran", "klikumkm")


def test_the_table_has_a_row_for_every_event_and_a_column_for_every_state() -> None:
    assert set(POSSIBLE) == {str(kind.__struct_config__.tag) for kind in get_args(Event)}
    assert len(STATES) == 12


def test_every_gap_of_the_table_says_why() -> None:
    for event, states in POSSIBLE.items():
        for state in STATES:
            assert (why_not(event, state) is None) == (state in states), (event, state)


@pytest.mark.parametrize(
    ("event", "states"),
    [
        # the published procedures, row by row
        ("documents_requested", {"received", "in_progress", "escalated"}),
        ("documents_window_extended", {"awaiting_documents"}),
        ("escalated", {"in_progress", "escalated"}),
        # at once, as the first answer too
        ("responded", {"received", "in_progress", "escalated"}),
        ("accepted", {"responded"}),
        ("silence_expired", {"responded"}),
        ("objection_raised", {"responded"}),
        ("objection_answered", {"objection_review"}),
        ("objection_rejected", {"objection_review"}),
        ("dismissed", {"received"}),
        # unanswered only behind the promised date
        ("referred", set(OPEN) - {"referred"} | {"rejected"}),
        ("forum_decided", {"referred"}),
        ("withdrawn", set(OPEN)),
        ("merged", set(OPEN)),
        ("reopened", {"resolved", "rejected"}),
    ],
)
def test_each_event_is_possible_where_the_published_procedure_has_it(event: str, states: set[str]) -> None:
    assert POSSIBLE[event] == states


text = st.sampled_from(["", " ", "Baik, kami jelaskan.", "Dokumen transaksi tidak kami terima sampai batas waktu."])
words = st.sampled_from(["supporting_documents", "problem", "power_of_attorney", "phone", "nothing"])
remedies = st.lists(st.sampled_from(["apology", "repair", "compensation"]), unique=True, max_size=3).map(tuple)
conditions = st.lists(
    st.sampled_from(["proven", "material_loss", "financial_claim", "material_direct_loss", "obligations_met"]),
    max_size=5,
).map(tuple)
amount = st.none() | st.integers(-1, 10**12)
who = st.sampled_from(["complainant", "representative"])
data_kind = st.sampled_from(["access", "correction", "suspension", "erasure", "consent_withdrawal"])
documents = st.lists(words, max_size=3).map(tuple)
finding = st.sampled_from(["no_fault", "fault", "partial"])
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))]))


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        e.Classified,
        category=st.sampled_from([None, "login", "weather"]),
        kind=st.sampled_from([None, "information", "complaint"]),
        severity=st.sampled_from([None, "minor", "major"]),
        root_cause=st.sampled_from([None, 110]),
        loss_type=st.sampled_from([None, "none", "actual"]),
        loss_amount_idr=st.none() | st.integers(0, 10**12),
        loss_claimed=st.sampled_from([None, True]),
    ),
    st.builds(e.FirstResponse, text=text),
    st.builds(e.DocumentsRequested, documents=documents, text=text),
    st.builds(e.DocumentsReceived, documents=documents, complete=st.booleans()),
    st.builds(e.DocumentsPresumed),
    st.builds(e.DocumentsWindowExtended),
    st.builds(e.RepresentativeNamed, full_name=text),
    st.builds(e.PowerOfAttorney, status=st.sampled_from(["received", "verified"])),
    st.builds(e.Escalated, level=st.integers(-1, 6), units=documents, reason=text),
    st.builds(
        e.TierChanged,
        tier=st.sampled_from(["single_unit", "cross_unit", "directors", "external_party", "court_or_adr"]),
        reason=text,
    ),
    st.builds(
        e.ExtensionGranted,
        ground=st.sampled_from(["", "external_party", "hari raya"]),
        cause=text,
        days=st.none() | st.integers(-3, 400),
        until=st.none() | st.dates(),
        stage_update=text,
    ),
    st.builds(
        e.Responded,
        kind=st.sampled_from(["explanation", "offer"]),
        finding=finding,
        text=text,
        remedies=remedies,
        compensation_idr=amount,
        conditions=conditions,
    ),
    st.builds(e.Implemented),
    st.builds(e.Accepted, by=who, oral=st.booleans(), note=text),
    st.builds(e.SilenceExpired),
    st.builds(e.ObjectionRaised, new_documents=st.booleans(), by=who),
    st.builds(
        e.ObjectionAnswered,
        result=st.sampled_from(["confirmed", "new_offer"]),
        text=text,
        finding=st.none() | finding,
        remedies=remedies,
        compensation_idr=amount,
        conditions=conditions,
    ),
    st.builds(e.ObjectionRejected, reasons=text),
    st.builds(
        e.Rejected,
        ground=st.sampled_from(["incomplete_documents", "already_settled", "unrelated"]),
        reasons=text,
    ),
    st.builds(e.Dismissed, reason=st.sampled_from(["spam", "misdirected"]), direct_to=text),
    st.builds(
        e.ReferredOut,
        forum=st.sampled_from(["court", "laps_sjk", "ojk"]),
        by=st.sampled_from(["complainant", "organisation"]),
    ),
    st.builds(e.ForumDecided, decision=text),
    st.builds(e.Withdrawn, by=who),
    st.builds(e.Merged, into=st.sampled_from(["", "KLA-20260608-000009-9", "KLA-20260608-000001-1"])),
    st.builds(e.Reopened),
    st.builds(e.HoldSet, reason=text),
    st.builds(e.HoldLifted),
    st.builds(e.PersonalDataAsked, kind=data_kind, received_at=st.none() | moments | st.just(datetime(2026, 6, 9, 1))),  # noqa: DTZ001  # the case
    st.builds(e.PersonalDataAnswered, kind=data_kind),
    st.builds(
        e.ClockPassed,
        clock=st.sampled_from(["first_response", "resolve", "documents", "silent_close", "personal_data"]),
        mark=st.sampled_from(["due_soon", "breached"]),
        percent=st.sampled_from([0, 50, 100, 70]),
    ),
)


def answered(found: object) -> None:
    assert isinstance(found, Change | Refusal)
    if isinstance(found, Refusal):
        assert sentence(found, "id")
        assert sentence(found, "en")


@pytest.mark.parametrize("policy", POLICIES)
@given(event=EVENTS, state=st.sampled_from(STATES), at=moments, clock=st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_event_in_any_state_at_any_time_is_answered(
    policy: str, event: Event, state: Any, at: datetime, clock: bool
) -> None:
    told = Told(policy)
    standing = Standing(complaint=told.complaint, ticket=replace(told.ticket, state=state))
    answered(apply(rules(policy), standing, event, at=at, actor=CLOCK_ACTOR if clock else AGENT))


@pytest.mark.parametrize("policy", POLICIES)
@given(steps=st.lists(st.tuples(EVENTS, st.integers(0, 60 * 24 * 20)), max_size=14))
@settings(max_examples=120, deadline=None)
def test_any_sequence_is_answered_and_counts_its_events(policy: str, steps: list[tuple[Event, int]]) -> None:
    """G1: revision grows by one with each change, time never runs backwards, a refusal changes nothing."""
    told = Told(policy)
    told.begun().do(explanation() if policy == "klikumkm" else offer())
    for event, minutes in steps:
        before, at = told.standing, told.now + timedelta(minutes=minutes)
        found = told.try_(event, at)
        answered(found)
        if isinstance(found, Refusal):
            continue
        told.do(event, at)
        life = told.ticket.life
        assert life.revision == before.ticket.life.revision + 1
        assert life.last_at == (before.ticket.life.last_at if isinstance(event, e.ClockPassed) else at)
        assert (told.ticket.closed_at is None) == (told.ticket.state in OPEN)
        assert (told.complaint.closed_at is None) == (told.ticket.state in OPEN)
        assert found.type == f"ticket.{event.__struct_config__.tag}"


@pytest.mark.parametrize("kind", BY_THE_CLOCK)
def test_what_the_clock_says_nobody_else_may_say(kind: Any) -> None:
    event = kind() if kind is not e.ClockPassed else e.ClockPassed(clock="resolve", mark="breached", percent=100)
    for state in STATES:
        told = Told()
        standing = Standing(complaint=told.complaint, ticket=replace(told.ticket, state=state))
        found = apply(told.rules, standing, event, at=MONDAY + timedelta(days=400), actor="rina")
        assert isinstance(found, Refusal)
        assert found.code == "only_the_clock"


def test_r6_an_event_keeps_the_dates_that_it_does_not_move() -> None:
    told = Told()
    promised = dict(told.ticket.life.promised)
    told.do(e.HoldSet(reason="perkara"))
    assert told.ticket.life.promised == promised
    assert promised["resolve"].due == date(2026, 7, 7)


def test_a_clock_that_passes_is_no_news_to_the_customer() -> None:
    told = Told()
    before = told.ticket.updated_at
    told.do(e.ClockPassed(clock="first_response", mark="breached", percent=100), MONDAY + timedelta(days=5))
    assert told.ticket.updated_at == before
    told.do(e.HoldSet(reason="perkara"))
    assert told.ticket.updated_at > before


def test_the_page_for_developers_shows_the_table_as_it_is() -> None:
    page = (CONFIG.parent / "docs" / "develop" / "lifecycle.md").read_text()
    assert GRID.strip("\n") in page
