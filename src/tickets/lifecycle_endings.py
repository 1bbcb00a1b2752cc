"""How a complaint ends otherwise, or goes on: rejection, referral, withdrawal, merge, reopening (A18-A22, K17)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from msgspec.structs import replace

from normalizer.complaint import Rejection, RejectionGround
from tickets.calendar import ONE_DAY, wib_date
from tickets.deadlines import Refused, deadlines, rejection_from
from tickets.life import Referred
from tickets.lifecycle_clocks import case_of
from tickets.lifecycle_clocks_case import WORKING
from tickets.lifecycle_closing import cause_missing, resolve, timely, told_of_forums, with_forums
from tickets.lifecycle_documents import MISSING, outstanding, window_end
from tickets.lifecycle_events import (
    ForumDecided,
    Merged,
    ObjectionRejected,
    ReferredOut,
    Rejected,
    Reopened,
    Withdrawn,
)
from tickets.lifecycle_opening import needs_a_person
from tickets.lifecycle_parties import acts, authorised
from tickets.lifecycle_step import OPEN_WORK, Fields, Step, blank, legible, listed
from tickets.lifecycle_values import Change, Notice, Refusal, Todo

#: The complaint schema's own minimum for the reasons of a rejection (A22: clear and detailed).
REASONS_LENGTH = 30
_STILL_MISSING = Todo(
    kind=MISSING, reason="documents are still recorded as missing: record those that came, or ask for them again"
)
_Ground = RejectionGround | Literal["objection_without_effect"]


def reject(step: Step, event: Rejected) -> Change | Refusal:
    """Rejected by a person on a published ground, in writing and with reasons (A21, A22)."""
    refusal = needs_a_person(step, event) or _no_ground(step, event)
    if refusal is not None:
        return refusal
    return _reject(step, event, event.ground, event.reasons, {"ground": event.ground})


def _no_ground(step: Step, event: Rejected) -> Refusal | None:
    known = step.policy.rejection
    if known is None:
        return step.refuse("rejection_not_published", "rejection")
    earliest = rejection_from(
        step.policy, deadlines(step.policy, step.rules.calendar, case_of(step.standing), step.at), event.ground
    )
    if not isinstance(earliest, Refused):
        timeout = step.policy.documents.on_timeout
        if timeout is not None and event.ground == timeout.may_reject:
            return _window_open(step, earliest)
        return None
    if earliest.rule == "documents.window":
        return step.refuse("documents_not_asked", "documents.on_timeout")
    if earliest.rule == "documents.on_timeout":
        return step.refuse("documents_are_complete", earliest.rule)
    return step.refuse("ground_not_listed", earliest.rule, given=event.ground, listed=listed(known.grounds))


def _window_open(step: Step, earliest: date) -> Refusal | None:
    """A missing document is a ground only when the window and its extension have passed (A21)."""
    end = window_end(step)
    if end is not None:
        earliest = max(earliest, end + ONE_DAY)
    if step.day >= earliest:
        return None
    return step.refuse("documents_window_open", "documents.on_timeout", earliest=earliest.isoformat())


def reject_objection(step: Step, event: ObjectionRejected) -> Change | Refusal:
    """The review says that the new documents change nothing (A18): rejected, with reasons and forums."""
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    rule = step.policy.objection
    if rule is None or rule.if_no_effect != "may_reject":
        return step.refuse("objection_must_be_answered", "objection.if_no_effect")
    if not step.objections:
        return step.refuse("no_objection", "objection")
    return _reject(step, event, "objection_without_effect", event.reasons, {})


def _reject(
    step: Step, event: Rejected | ObjectionRejected, ground: _Ground, reasons: str, data: dict[str, object]
) -> Change | Refusal:
    if len(legible(reasons)) < REASONS_LENGTH:
        return step.refuse("reasons_too_short", "rejection.reasons", least=str(REASONS_LENGTH))
    complaint, outcome = step.complaint, step.complaint.outcome
    ended, life = _review_ended(step)
    return step.change(
        event,
        complaint={
            "first_response_at": complaint.first_response_at or step.at,
            "responded_at": complaint.responded_at or step.at,
            "closed_at": step.at,
        },
        outcome={
            "resolution_type": "rejected",
            "rejection": Rejection(ground=ground, reasons=reasons, sent_in_writing_at=step.at),
            "timely": timely(step) if outcome.timely is None else outcome.timely,
            **told_of_forums(step),
            **ended,
        },
        ticket={"state": "rejected", "closed_at": step.at},
        life=life,
        data=data,
        notices=(with_forums(step, "rejection", text=reasons, ground=ground, letter=True),),
        todos=cause_missing(step),
        settles=OPEN_WORK,
    )


def _review_ended(step: Step) -> tuple[Fields, Fields]:
    """What outcome and life say of the objection under review: whoever is rejected meanwhile has the answer to it."""
    said = step.complaint.outcome.objection
    if step.ticket.state != "objection_review" or said is None or not step.objections:
        return {}, {}
    last = replace(step.objections[-1], answered_at=step.at, effect=False)
    return (
        {"objection": replace(said, answer="rejected", effect=False)},
        {"objections": (*step.life.objections[:-1], last)},
    )


def refer(step: Step, event: ReferredOut) -> Change | Refusal:
    """A court or a dispute resolution body takes over; all clocks follow that forum (K12, K17, A19, A20, U9)."""
    external = step.policy.external
    if event.forum not in external.forums:
        return step.refuse("forum_not_listed", "external.forums", given=event.forum, listed=listed(external.forums))
    if event.by == "organisation":
        if not external.either_side:
            return step.refuse("only_the_complainant_refers", "external.either_side")
        if step.ticket.state == "objection_review":
            return step.refuse("internal_first", "resolution.internal_first")
    refusal = _settled_inside_first(step, event)
    if refusal is not None:
        return refusal
    complaint, outcome = step.complaint, step.complaint.outcome
    unanswered = step.ticket.state in WORKING
    referral = Referred(forum=event.forum, by=event.by, at=step.at, tier_before=step.ticket.tier)
    answered = step.ticket.state == "responded" and outcome.acceptance is None
    return step.change(
        event,
        complaint={"closed_at": None, "assessment": replace(complaint.assessment, tier="court_or_adr")},
        outcome={
            "external_forum": event.forum,
            "acceptance": "refused" if answered else outcome.acceptance,
            "timely": False if unanswered and outcome.timely is None else outcome.timely,
            **told_of_forums(step),
        },
        ticket={"state": "referred", "tier": "court_or_adr", "closed_at": None},
        life={"referrals": (*step.life.referrals, referral)},
        data={"forum": event.forum, "by": event.by},
        notices=(with_forums(step, "referral", forums=(event.forum,)),),
        settles=("documents_check", "documents_missing"),
    )


def _settled_inside_first(step: Step, event: ReferredOut) -> Refusal | None:
    """An unanswered complaint is settled inside (K14, A14), until the promised date has passed without an answer.

    Then the complainant may go: LAPS SJK takes a dispute also when no answer came in time.
    """
    if step.ticket.state not in WORKING:
        return None
    due = step.promised("resolve")
    if due is None and step.complaint.first_response_at is None:
        due = step.promised("first_response")
    if event.by == "organisation" or due is None:
        return step.refuse("internal_first", "resolution.internal_first")
    if step.day > due or _breached(step):
        return None
    return step.refuse("internal_first_until", "resolution.internal_first", due=due.isoformat())


def _breached(step: Step) -> bool:
    """Whether the date to resolve passed in this round, also when another track gave more time since.

    An oral complaint turns written because its time has passed (K9, A9): that is no breach of the time it has then.
    """
    since = [moment for moment in (step.life.reopened_at, step.life.written_since) if moment is not None]
    marks = (each for each in step.life.announced if (each.clock, each.mark) == ("resolve", "breached"))
    # What is entered late happened before the clock spoke.
    return any(each.due < step.day and all(each.at > moment for moment in since) for each in marks)


def forum_decided(step: Step, event: ForumDecided) -> Change | Refusal:
    """The forum outside has decided: its decision is kept and the complaint is resolved."""
    if blank(event.decision):
        return step.refuse("decision_needed", "external.forums")
    if not step.life.referrals:
        return step.refuse("not_referred", "external.forums")
    last = replace(step.life.referrals[-1], decided_at=step.at, decision=event.decision)
    return resolve(
        step,
        event,
        outcome={"resolution_type": "forum"},
        life={"referrals": (*step.life.referrals[:-1], last)},
        data={"forum": last.forum},
    )


def withdraw(step: Step, event: Withdrawn) -> Change | Refusal:
    """The customer takes the complaint back; nobody else can."""
    refusal = needs_a_person(step, event) or acts(step, event.by)
    if refusal is not None:
        return refusal
    return step.change(
        event,
        complaint={"closed_at": step.at},
        outcome={"resolution_type": "withdrawn"},
        ticket={"state": "withdrawn", "closed_at": step.at},
        life={"reason": "withdrawn"},
        data={"by": event.by},
        notices=(Notice(kind="withdrawal", representative=authorised(step)),),
        settles=OPEN_WORK,
    )


def merge(step: Step, event: Merged) -> Change | Refusal:
    """The same complaint came twice: its numbers stay valid as aliases of the one that goes on.

    `data` says what the other one needs: these numbers and the earlier arrival.
    """
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    into = event.into.strip().upper()
    own = (step.complaint.ticket_number, *step.complaint.aliases)
    if not into:
        return step.refuse("merge_without_number", "lifecycle.merged")
    if into in own:
        return step.refuse("merge_into_itself", "lifecycle.merged", number=into)
    return step.change(
        event,
        complaint={"closed_at": step.at, "duplicate_of": into},
        ticket={"state": "merged", "closed_at": step.at},
        # The hold goes along: its number leads to the other ticket from now on, so nobody could lift it here.
        life={"hold": None},
        data={"into": into, "aliases": list(own), "received_at": step.complaint.received_at.isoformat()},
        notices=(Notice(kind="merged", number=into, representative=authorised(step)),),
        settles=OPEN_WORK,
    )


def reopen(step: Step, event: Reopened) -> Change | Refusal:
    """A closed complaint goes on because the customer wrote again; a person decided that."""
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    days, closed = step.policy.reopen_days, step.ticket.closed_at
    if days is None:
        return step.refuse("reopening_not_offered", "reopen_days")
    if closed is not None:
        last = wib_date(closed) + timedelta(days=days)
        if step.day > last:
            return step.refuse("reopen_too_late", "reopen_days", due=last.isoformat(), days=str(days))
    tier = step.ticket.tier
    if tier == "court_or_adr" and step.life.referrals:
        tier = step.life.referrals[-1].tier_before
    return step.change(
        event,
        complaint={
            "resolved_at": None,
            "closed_at": None,
            "responded_at": None,
            "assessment": replace(step.complaint.assessment, tier=tier),
        },
        outcome={"acceptance": None, "resolution_type": None, "rejection": None},
        ticket={"state": "in_progress", "closed_at": None, "tier": tier},
        life={"reason": "reopened", "reopened_at": step.at, "implemented_at": None},
        notices=(Notice(kind="reopened", representative=authorised(step)),),
        todos=(_STILL_MISSING,) if outstanding(step) else (),
        settles=("root_cause", "reopen_or_new"),
    )
