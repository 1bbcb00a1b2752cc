"""What must hold of every change of a ticket, written down a second time beside the code that makes it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from tickets.calendar import WIB, wib_date
from tickets.lifecycle_clocks import passed, running
from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    CLOCK_ACTOR,
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
    Merged,
    ObjectionRaised,
    ReferredOut,
    Reopened,
    Responded,
    SilenceExpired,
    TierChanged,
)
from tickets.lifecycle_values import Change, Rules, Standing
from tickets.policy import Policy

#: State -> the states that the published machine lets it become, by any event (section 7).
ALWAYS = {"withdrawn", "merged"}
NEXT: dict[str, set[str]] = {
    # "responded" at once holds the first answer as well; "referred" only when no answer came in time.
    "received": {"in_progress", "awaiting_documents", "responded", "rejected", "dismissed", "referred", *ALWAYS},
    "in_progress": {"awaiting_documents", "escalated", "responded", "rejected", "referred", *ALWAYS},
    "awaiting_documents": {"in_progress", "rejected", "referred", *ALWAYS},
    "escalated": {"awaiting_documents", "responded", "rejected", "referred", *ALWAYS},
    "responded": {"resolved", "objection_review", "referred", *ALWAYS},
    "objection_review": {"responded", "rejected", "referred", *ALWAYS},
    "referred": {"resolved", *ALWAYS},
    "resolved": {"in_progress"},
    "rejected": {"in_progress", "referred"},
    "withdrawn": set(),
    "merged": set(),
    "dismissed": set(),
}
#: The clocks of an answer that the company owes.
OWED = {"first_response", "resolve"}
CLOSED = {"resolved", "rejected", "withdrawn", "merged", "dismissed"}


def check(given: Rules, before: Standing, event: Event, change: Change, at: datetime, actor: str) -> None:
    """Everything that must hold of one change."""
    after = Standing(complaint=change.complaint, ticket=change.ticket)
    check_machine(given.policy, before, event, change, actor)
    check_clocks(given, before, after, event, at)
    check_answers(given, before, after, event, at)
    check_endings(given, before, after, event, at)
    check_documents(given, before, after, event, at)


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
    assert change.complaint.received_at == before.complaint.received_at
    assert change.complaint.narrative == before.complaint.narrative
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


def check_answers(given: Rules, before: Standing, after: Standing, event: Event, at: datetime) -> None:
    """K15, A15-A17: a fault needs an offer with what was promised; compensation only as far as it was proven."""
    policy = given.policy
    if len(after.ticket.life.answers) > len(before.ticket.life.answers):
        answer = after.ticket.life.answers[-1]
        promise = policy.resolution
        if isinstance(event, Responded):
            assert before.ticket.state in {"received", "in_progress", "escalated"}
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
        answered = wib_date(before.ticket.life.answers[-1].at)
        assert wib_date(at) <= given.calendar.due(answered, policy.objection.window.days).due


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
        if before.ticket.state not in {"responded", "objection_review", "rejected"}:
            # K14, A14: unanswered, and a date that was promised has passed.
            life = before.ticket.life
            said = {each.due for each in life.announced if (each.clock, each.mark) == ("resolve", "breached")}
            dates = said | {promised.due for name, promised in life.promised.items() if name in OWED}
            assert any(day < wib_date(at) for day in dates)
            assert event.by == "complainant"
        assert event.forum in policy.external.forums
        assert event.by == "complainant" or policy.external.either_side
    if isinstance(event, Reopened):
        assert before.ticket.closed_at is not None
        assert policy.reopen_days is not None
        assert wib_date(at) <= wib_date(before.ticket.closed_at) + timedelta(days=policy.reopen_days)
    if isinstance(event, Dismissed):
        assert before.ticket.state == "received"
    if isinstance(event, Merged):
        assert after.complaint.duplicate_of


def check_documents(given: Rules, before: Standing, after: Standing, event: Event, at: datetime) -> None:
    """K9, A9, A12, G7: only listed documents are asked for, of a spoken complaint only when its own time is over."""
    policy = given.policy
    if isinstance(event, DocumentsRequested):
        assert set(event.documents) <= set(policy.documents.list)
        assert after.ticket.state == "awaiting_documents"
        assert after.ticket.life.documents_first_requested_at is not None
        oral = [track for track in policy.tracks if track.on_expiry == "may_request_written_documents"]
        minor = before.complaint.assessment.severity == "minor" or (oral[:1] and oral[0].when.severity is None)
        spoken = before.complaint.form == "oral" and not before.complaint.assessment.has_documents
        # Those that were lawfully asked for may be asked for again, also when the complaint was closed meanwhile.
        again = before.ticket.life.documents_requested_at and before.complaint.documents_complete_at is None
        if oral and minor and spoken and not again:
            assert before.complaint.first_response_at is not None
            assert before.ticket.resolve_due is not None
            assert wib_date(at) > before.ticket.resolve_due
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


def tag(event: Event) -> str:
    """The name by which the audit log knows an event."""
    return str(event.__struct_config__.tag)
