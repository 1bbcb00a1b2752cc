"""Random lives of tickets: what must hold whatever happens, written down a second time beside the code that does it.

Each example is a string of bytes that is read as a life: which event, how many hours later, by whom. Most events are
taken from those that the state allows, so that lives get long; the rest may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from desk_at_work import DeskAtWork
from gateway.clock_job import ClockJob
from normalizer.complaint import Loss
from ticket_life import MONDAY, REASONS, Told, rules
from tickets.calendar import WIB, wib_date
from tickets.lifecycle import POSSIBLE
from tickets.lifecycle_clocks import passed, running
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
from tickets.lifecycle_values import Change, Refusal, Rules, Standing
from tickets.policy import Policy

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

#: State -> the states that the published machine lets it become, by any event (section 7).
WORKING = {"received", "in_progress", "awaiting_documents", "escalated"}
ALWAYS = {"withdrawn", "merged"}
NEXT: dict[str, set[str]] = {
    "received": {"in_progress", "awaiting_documents", "rejected", "dismissed", *ALWAYS},
    "in_progress": {"awaiting_documents", "escalated", "responded", "rejected", *ALWAYS},
    "awaiting_documents": {"in_progress", "rejected", *ALWAYS},
    "escalated": {"awaiting_documents", "responded", "rejected", "in_progress", *ALWAYS},
    "responded": {"resolved", "objection_review", "referred", *ALWAYS},
    "objection_review": {"responded", "rejected", "referred", *ALWAYS},
    "referred": {"resolved", *ALWAYS},
    "resolved": {"in_progress"},
    "rejected": {"in_progress", "referred"},
    "withdrawn": set(),
    "merged": set(),
    "dismissed": set(),
}
CLOSED = {"resolved", "rejected", "withdrawn", "merged", "dismissed"}


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


def tag(event: Event) -> str:
    return str(event.__struct_config__.tag)


@pytest.mark.parametrize("policy", POLICIES)
def test_whatever_happens_no_rule_is_broken(policy: str) -> None:
    """K9-K17, A9-A22, U5-U9: 2,000 random lives under each published policy."""

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

    lives()


def check(given: Rules, before: Standing, event: Event, change: Change, at: datetime, actor: str) -> None:
    """Everything that must hold of one change."""
    after = Standing(complaint=change.complaint, ticket=change.ticket)
    check_machine(given.policy, before, event, change, actor)
    check_clocks(given, before, after, event, at)
    check_answers(given.policy, before, after, event, at)
    check_endings(given, before, after, event, at)
    check_documents(given, before, after, event)


def check_machine(policy: Policy, before: Standing, event: Event, change: Change, actor: str) -> None:
    old, new = before.ticket, change.ticket
    assert new.state == old.state or new.state in NEXT[old.state], (old.state, tag(event), new.state)
    if policy.rejection is None:
        assert new.state != "rejected"
    if policy.objection is None:
        assert new.state != "objection_review"
    assert new.life.revision == old.life.revision + 1
    assert change.type == f"ticket.{tag(event)}"
    assert isinstance(event, BY_THE_CLOCK) == (actor == CLOCK_ACTOR)
    assert (change.complaint.closed_at is not None) == (new.closed_at is not None) == (new.state in CLOSED)
    assert new.life.announced[: len(old.life.announced)] == old.life.announced
    for name in ("answers", "objections", "extensions", "referrals"):
        assert len(getattr(new.life, name)) in {len(getattr(old.life, name)), len(getattr(old.life, name)) + 1}
    kept = replace(change.complaint, complaint_id=before.complaint.complaint_id)
    assert kept.received_at == before.complaint.received_at
    assert kept.narrative == before.complaint.narrative
    assert (new.ticket_number, new.complaint_id, new.opened_at) == (old.ticket_number, old.complaint_id, old.opened_at)


def check_clocks(given: Rules, before: Standing, after: Standing, event: Event, at: datetime) -> None:
    """Clocks never run backwards: not the ticket's time, not a promise, and none in a closed ticket but R8."""
    old, new = before.ticket, after.ticket
    last = old.life.last_at
    assert last is None or at >= last
    assert at >= before.complaint.received_at
    assert new.life.last_at == at or isinstance(event, ClockPassed)
    assert new.updated_at >= old.updated_at
    changed_track = isinstance(event, Classified | TierChanged | Escalated | ReferredOut | Reopened)
    turned_written = (before.complaint.form, after.complaint.form) == ("oral", "written")
    for clock in ("first_response", "resolve"):
        was, now = old.life.promised.get(clock), new.life.promised.get(clock)
        if was is None or now is None or was == now:
            continue
        assert clock in running(after) or isinstance(event, ExtensionGranted)
        assert now.due >= was.due or changed_track or turned_written, (tag(event), was, now)
    runs = running(after)
    if new.state in CLOSED or new.state == "referred":
        assert runs <= {"personal_data"}
    if after.complaint.first_response_at is not None:
        assert "first_response" not in runs
    if new.state in {"responded", "objection_review"}:
        assert not runs & {"first_response", "resolve", "documents"}
    assert ("objection_answer" in runs) == (new.state == "objection_review")
    assert new.first_response_due == (promised.due if (promised := new.life.promised.get("first_response")) else None)
    assert new.resolve_due == (promised.due if (promised := new.life.promised.get("resolve")) else None)
    said = [(each.clock, each.mark, each.percent, each.due) for each in new.life.announced]
    assert len(said) == len(set(said))
    for each in new.life.announced[len(old.life.announced) :]:
        ends = datetime.combine(each.due, time.max, WIB)
        if each.mark == "breached" and each.clock != "personal_data":
            assert at > ends
    if new.look_on is not None:
        start = datetime.combine(new.look_on, time.min, WIB)
        assert passed(given, after, start - timedelta(seconds=1)) == ()


def check_answers(policy: Policy, before: Standing, after: Standing, event: Event, at: datetime) -> None:
    """K15, A15-A17: a fault needs an offer with what was promised; compensation only as far as it was proven."""
    if len(after.ticket.life.answers) > len(before.ticket.life.answers):
        answer = after.ticket.life.answers[-1]
        promise = policy.resolution
        if isinstance(event, Responded):
            assert before.ticket.state in {"in_progress", "escalated"}
            assert (answer.kind == "offer") == (answer.finding != "no_fault")
        if answer.kind == "offer" and promise.fault:
            assert set(answer.remedies) & set(promise.fault)
        if answer.compensation_idr:
            assert promise.compensation is not None
            assert "compensation" in answer.remedies
            if promise.compensation.max == "loss_amount":
                assert answer.compensation_idr <= (before.complaint.loss.amount_idr or 0)
        assert after.complaint.outcome.finding == answer.finding
        assert after.complaint.first_response_at is not None
    if after.ticket.state == "resolved" != before.ticket.state and before.ticket.state == "responded":
        last = after.ticket.life.answers[-1]
        if policy.resolution.offer_must_be_implemented and last.kind == "offer":
            assert after.ticket.life.implemented_at is not None
        assert after.complaint.outcome.acceptance in {"accepted", "silent"}
    if isinstance(event, SilenceExpired):
        answered = wib_date(after.ticket.life.answers[-1].at)
        assert wib_date(at) > answered + timedelta(days=policy.silent_close_days or 0)
    if isinstance(event, ObjectionRaised):
        assert policy.objection is not None
        since = after.ticket.life.reopened_at
        here = [each for each in after.ticket.life.objections if since is None or each.received_at >= since]
        assert len(here) == 1
        assert event.new_documents or not policy.objection.new_documents


def check_endings(given: Rules, before: Standing, after: Standing, event: Event, at: datetime) -> None:
    """K11, K14, K17, A14, A19-A22, U8, U9: more time, rejection and referral only as it was published."""
    policy = given.policy
    if isinstance(event, ExtensionGranted):
        extended = after.ticket.life.extensions[-1]
        assert wib_date(at) <= extended.old_due < extended.new_due
        assert extended.old_due == before.ticket.resolve_due
        assert after.ticket.resolve_due == extended.new_due
        rule = next(track.extend for track in policy.tracks if track.extend is not None)
        since = after.ticket.life.reopened_at
        here = [each for each in after.ticket.life.extensions if since is None or each.notified_at >= since]
        assert rule.times is None or len(here) <= rule.times
        assert rule.grounds is None or event.ground in rule.grounds
        assert rule.days is None or given.calendar.until(extended.old_due, extended.new_due).days <= rule.days
    if after.ticket.state == "rejected" != before.ticket.state:
        assert policy.rejection is not None
        rejection = after.complaint.outcome.rejection
        assert rejection is not None
        assert len(rejection.reasons) >= 30
        assert rejection.ground == "objection_without_effect" or rejection.ground in policy.rejection.grounds
        assert after.complaint.outcome.external_informed_at is not None
        if rejection.ground == "incomplete_documents":
            asked = before.ticket.life.documents_requested_at
            window = policy.documents.window
            assert asked is not None
            assert window is not None
            assert wib_date(at) > given.calendar.due(wib_date(asked), window.days + (window.extend or 0)).due
    if isinstance(event, ReferredOut):
        assert before.ticket.state in {"responded", "objection_review", "rejected"}
        assert event.forum in policy.external.forums
        assert event.by == "complainant" or policy.external.either_side
    if isinstance(event, Reopened):
        assert before.ticket.closed_at is not None
        assert policy.reopen_days is not None
        assert wib_date(at) <= wib_date(before.ticket.closed_at) + timedelta(days=policy.reopen_days)
    if isinstance(event, Dismissed):
        assert before.ticket.state == "received"
    if isinstance(event, Merged):
        assert change_leads_on(after)


def change_leads_on(after: Standing) -> bool:
    return bool(after.complaint.duplicate_of)


def check_documents(given: Rules, before: Standing, after: Standing, event: Event) -> None:
    """K9, A9, A12, G7: only listed documents are asked for, of a spoken complaint only when its own time is over."""
    policy = given.policy
    if isinstance(event, DocumentsRequested):
        assert set(event.documents) <= set(policy.documents.list)
        assert after.ticket.state == "awaiting_documents"
        assert after.ticket.life.documents_first_requested_at is not None
    completed = after.complaint.documents_complete_at != before.complaint.documents_complete_at
    person = before.complaint.representative
    checked = policy.complainants.representative.power_of_attorney == "required"
    if completed and isinstance(event, DocumentsReceived) and person is not None and checked:
        assert person.poa_status == "verified"
    if isinstance(event, DocumentsPresumed):
        assert after.complaint.documents_complete_at == after.complaint.received_at
        assert before.ticket.life.documents_first_requested_at is None
    if isinstance(event, DocumentsWindowExtended):
        assert before.ticket.state == "awaiting_documents"
    if before.complaint.form == "oral" and after.complaint.form == "written":
        assert isinstance(event, DocumentsReceived)
        assert after.ticket.life.written_since is not None


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
