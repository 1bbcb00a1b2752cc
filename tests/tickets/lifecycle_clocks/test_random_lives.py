"""Random lives of tickets: whatever happens, what `ticket_invariants` says must hold.

Each example is a string of bytes that is read as a life: which event, how many hours later, by whom. Most events are
taken from those that the state allows, so that lives get long; the rest may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk_at_work import DeskAtWork
from gateway.clock_job import ClockJob
from normalizer.complaint import Loss
from ticket_invariants import check, tag
from ticket_life import MONDAY, REASONS, Told, rules
from tickets.lifecycle import POSSIBLE
from tickets.lifecycle_clocks import passed
from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    CLOCK_ACTOR,
    Accepted,
    Classified,
    ClockPassed,
    Dismissed,
    DocumentsPresumed,
    DocumentsReceived,
    DocumentsRequested,
    DocumentsWindowExtended,
    Escalated,
    Event,
    ExtensionGranted,
    FirstResponse,
    ForumDecided,
    HoldLifted,
    HoldSet,
    Implemented,
    Merged,
    ObjectionAnswered,
    ObjectionRaised,
    ObjectionRejected,
    PersonalDataAnswered,
    PersonalDataAsked,
    PowerOfAttorney,
    ReferredOut,
    Rejected,
    Reopened,
    RepresentativeNamed,
    Responded,
    SilenceExpired,
    TierChanged,
    Withdrawn,
)
from tickets.lifecycle_values import Refusal, Standing
from tickets.model import AuditEvent
from tickets.policy import Policy
from tickets.store import Store

POLICIES = ("klikacc", "akseleran", "klikumkm")
#: Lives of each policy.
LIVES = 2_000
STEPS = 14
TEXT = "Kami sudah memeriksa pengaduan Anda dengan teliti."

#: Taken seldom: they end a life, or do not lead it on.
RARE = (
    Merged, Withdrawn, Dismissed, Classified, HoldSet, HoldLifted, RepresentativeNamed, PowerOfAttorney,
    PersonalDataAsked, PersonalDataAnswered,
)  # fmt: skip


def events_of(policy: Policy) -> list[Event]:
    """Events that fit this policy and events that do not: what is allowed is the machine's to say."""
    documents = policy.documents.list or ("supporting_documents",)
    grounds = ("special_examination", "external_party", "because")
    answers: list[Event] = [
        Responded(kind="explanation", finding="no_fault", text=TEXT),
        Responded(kind="explanation", finding="fault", text=TEXT),
        Responded(kind="offer", finding="fault", text=TEXT, remedies=("apology", "repair")),
        Responded(
            kind="offer",
            finding="fault",
            text=TEXT,
            remedies=("apology", "repair", "compensation"),
            compensation_idr=400_000,
            conditions=policy.resolution.compensation.conditions if policy.resolution.compensation else (),
        ),
        Responded(
            kind="offer",
            finding="fault",
            text=TEXT,
            remedies=("apology", "repair", "compensation"),
            compensation_idr=900_000,
            conditions=("proven",),
        ),
        Responded(kind="offer", finding="no_fault", text=" "),
    ]
    return [
        FirstResponse(text=TEXT), FirstResponse(text=TEXT), Classified(category=(policy.categories or (None,))[0]),
        Classified(severity="major"), Classified(urgency="high", root_cause=130),
        Classified(kind="information"), Classified(loss_type="actual", loss_amount_idr=500_000, loss_claimed=True),
        DocumentsRequested(documents=(documents[-1],), text=TEXT), DocumentsRequested(documents=("pantun",)),
        DocumentsReceived(documents=(documents[-1],)), DocumentsReceived(documents=(documents[-1],), complete=True),
        DocumentsReceived(complete=True), DocumentsWindowExtended(), DocumentsPresumed(),
        RepresentativeNamed(full_name="Siti Aminah"), PowerOfAttorney(status="received"),
        PowerOfAttorney(status="verified"),
        *(Escalated(level=level, units=(rule.units[0],)) for level, rule in enumerate(policy.escalation[1:], 2)),
        Escalated(level=3, reason="mendesak"), TierChanged(tier="cross_unit", reason="perlu bagian lain"),
        TierChanged(tier="single_unit", reason="ternyata satu bagian"),
        *(ExtensionGranted(ground=ground, cause=TEXT) for ground in grounds),
        ExtensionGranted(ground="x", cause=TEXT, until=MONDAY.date() + timedelta(days=46), stage_update="diperiksa"),
        *answers, *answers[:3], Implemented(), Accepted(), Accepted(by="representative"), Accepted(oral=True),
        SilenceExpired(), ObjectionRaised(), ObjectionRaised(new_documents=True),
        ObjectionRaised(new_documents=True, by="representative"), ObjectionAnswered(result="confirmed", text=TEXT),
        ObjectionAnswered(result="new_offer", text=TEXT, finding="fault", remedies=("apology", "repair")),
        ObjectionRejected(reasons=REASONS), ObjectionRejected(reasons="tidak"),
        Rejected(ground="incomplete_documents", reasons=REASONS), Rejected(ground="unrelated", reasons=REASONS),
        Rejected(ground="no_material_loss", reasons="pendek"), Dismissed(reason="spam"),
        Dismissed(reason="misdirected", direct_to="Bank lain"), ReferredOut(forum="laps_sjk"),
        ReferredOut(forum="court", by="organisation"), ReferredOut(forum="ojk"), ForumDecided(decision="dikabulkan"),
        Withdrawn(), Withdrawn(by="representative"), Merged(into="KLA-20260608-000002-9"), Merged(into=" "),
        Reopened(reason="muncul lagi"), HoldSet(reason="perkara"), HoldLifted(), PersonalDataAsked(kind="access"),
        PersonalDataAsked(kind="erasure"), PersonalDataAnswered(kind="access"), PersonalDataAnswered(kind="erasure"),
        ClockPassed(clock="resolve", mark="breached", percent=100),
        ClockPassed(clock="first_response", mark="due_soon", percent=50),
    ]  # fmt: skip


EVENTS = {name: events_of(rules(name).policy) for name in POLICIES}
HOURS = (0, 1, 2, 5, 17, 24, 30, 48, 72, 96, 168, 240, 336, 480, 1000)


def born(policy: str, kind: int) -> Told:
    """Spoken, written, with or without its documents, about a loss or not, in or out of office hours."""
    given = rules(policy)
    channel = ("phone" if kind & 1 else "email") if policy != "klikumkm" else "email"
    at = MONDAY + timedelta(hours=(0, 9, 110, 13)[kind >> 1 & 3])
    fields: dict[str, Any] = {"loss": Loss(type="actual", amount_idr=500_000, claimed=True)} if kind & 8 else {}
    if kind & 16:
        fields["documents_complete_at"] = at
    if kind & 96 == 96:
        fields["category"] = None
    return Told(given, at, channel=channel, **fields)


def life_of(policy: str, read: bytes) -> Iterator[tuple[Told, Event, datetime, str]]:
    """A life step by step; the reader does each event before it asks for the next."""
    told = born(policy, read[0])
    for index in range(1, len(read) - 2, 3):
        which, later, who = read[index : index + 3]
        at = told.now + timedelta(hours=HOURS[later % len(HOURS)], minutes=later)
        if who % 32 == 17:
            at = told.now - timedelta(hours=HOURS[later % len(HOURS)])
        possible: list[Event] = list(EVENTS[policy])
        if who % 8:
            possible = [each for each in possible if told.ticket.state in POSSIBLE[tag(each)]]
            due = passed(told.rules, told.standing, at)
            possible = [*due, *due, *due, *possible]
        if who % 8 > 1:
            possible = [each for each in possible if not isinstance(each, RARE)] or possible
        event = possible[which % len(possible)] if possible else HoldSet(reason="perkara")
        by_clock = isinstance(event, BY_THE_CLOCK)
        yield told, event, at, CLOCK_ACTOR if by_clock and who % 32 != 9 else "rina"


@pytest.mark.parametrize("policy", POLICIES)
def test_whatever_happens_no_rule_is_broken(policy: str, tmp_path: Path) -> None:
    """K9-K17, A9-A22, U5-U9: 2,000 random lives under each published policy, all of them in one log that verifies."""
    log: list[AuditEvent] = []

    @settings(max_examples=LIVES, deadline=None)
    @given(st.binary(min_size=1 + 3 * STEPS, max_size=1 + 3 * STEPS))
    def lives(read: bytes) -> None:
        for told, event, at, actor in life_of(policy, read):
            before = told.standing
            found = told.try_(event, at, actor)
            if isinstance(found, Refusal):
                assert found.code
                assert found.rule
                continue
            told.standing, told.now = Standing(complaint=found.complaint, ticket=found.ticket), at
            check(told.rules, before, event, found, at, actor)
            id_ = found.complaint.complaint_id
            log.append(AuditEvent(at=at, actor=actor, type=found.type, complaint_id=id_, data=found.data))

    lives()
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    for start in range(0, len(log), 500):
        with store.begin() as tx:
            tx.note(log[start : start + 500])
    report = store.verify_audit()
    store.close()
    assert (report.intact, report.events) == (True, len(log))
    assert len(log) > LIVES


@pytest.mark.parametrize("seed", range(3))
async def test_random_lives_in_a_real_store_leave_a_log_that_verifies(tmp_path: Path, seed: int) -> None:
    """Events, refusals and looks of the clock over many tickets at once: revisions count what was recorded."""
    desk = DeskAtWork(tmp_path)
    random = Random(seed)

    async def run(work: Any) -> Any:
        return work()

    job = ClockJob(
        desk.installation, store=desk.store, handling=desk.handling, run=run, now=lambda: desk.now, owed=lambda: None
    )
    numbers = {
        desk.whatsapp(slug, f"62812000{index:05}", "Saldo saya terpotong dua kali."): slug
        for index, slug in enumerate(POLICIES * 4)
    }
    for _ in range(25):
        desk.pass_time(hours=random.choice(HOURS))
        for number, slug in numbers.items():
            event = random.choice(EVENTS[slug])
            if not isinstance(event, (*BY_THE_CLOCK, Merged)):
                desk.do(number, event)
        await job.look()
    for number in numbers:
        view = desk.view(number)
        done = [each for each in view.audit if each.type.startswith("ticket.")]
        assert len(done) == view.ticket.life.revision
        assert [each.type for each in done].count("ticket.clock_passed") <= len(view.ticket.life.announced)
    report = desk.store.verify_audit()
    assert report.intact
    desk.close()
