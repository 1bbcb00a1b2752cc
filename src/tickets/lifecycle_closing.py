"""How a ticket closes: its times, what stays to be done, and that the customer is told of forums outside."""

from __future__ import annotations

from typing import Literal

from tickets.calendar import CalendarMissing
from tickets.deadlines import track_for
from tickets.lifecycle_clocks import case_of
from tickets.lifecycle_events import Event
from tickets.lifecycle_parties import authorised
from tickets.lifecycle_step import OPEN_WORK, Fields, Step
from tickets.lifecycle_values import Change, Notice, Todo

#: The kinds of tasks that closing leaves, or that block it.
ROOT_CAUSE, IMPLEMENT = "root_cause", "implement_offer"


def must_be_implemented(step: Step) -> bool:
    """True while the last answer is an offer that was not carried out."""
    return bool(step.answers) and step.answers[-1].kind == "offer" and step.life.implemented_at is None


def cause_missing(step: Step) -> tuple[Todo, ...]:
    """The report needs the cause of every complaint that ended (K19): it does not keep the customer waiting."""
    if step.complaint.kind != "complaint" or step.complaint.outcome.root_cause is not None:
        return ()
    return (Todo(kind=ROOT_CAUSE, reason="the report needs the cause: record it with `classified root_cause=...`"),)


def resolve(
    step: Step,
    event: Event,
    *,
    outcome: Fields,
    life: Fields,
    data: Fields,
    unfinished: tuple[Todo, ...] = (),
) -> Change:
    """The complaint is resolved: the customer is told so, and a missing cause becomes a task."""
    return step.change(
        event,
        complaint={"resolved_at": step.at, "closed_at": step.at},
        outcome=outcome,
        ticket={"state": "resolved", "closed_at": step.at},
        life=life,
        data=data,
        notices=(Notice(kind="closing", representative=authorised(step)),),
        todos=(*cause_missing(step), *unfinished),
        settles=OPEN_WORK,
    )


def timely(step: Step) -> bool | None:
    """Whether an answer now is in time: on or before the promised date; None when no date was promised.

    Where the time to resolve begins with the first answer (K8, A9) and this answer is the first one, the last day is
    the one that a punctual first answer would have given.
    """
    due = step.promised("resolve")
    if due is not None:
        return step.day <= due
    rule = track_for(step.policy, case_of(step.standing)).resolve
    if isinstance(rule, str) or rule.from_ != "first_response" or step.complaint.first_response_at is not None:
        return None
    begins = step.promised("first_response")
    try:
        return True if begins is None else step.day <= step.rules.calendar.due(begins, rule.days).due
    except CalendarMissing:
        return True if begins is not None and step.day <= begins else None


def told_of_forums(step: Step) -> Fields:
    """When the customer was first told of courts and dispute resolution outside (K17, A20, U9)."""
    return {"external_informed_at": step.complaint.outcome.external_informed_at or step.at}


def with_forums(
    step: Step,
    kind: Literal["answer", "objection_answer", "rejection", "referral"],
    *,
    text: str = "",
    ground: str | None = None,
    forums: tuple[str, ...] | None = None,
    remedies: tuple[str, ...] = (),
    compensation_idr: int | None = None,
    letter: bool = False,
) -> Notice:
    """A notice that names the policy's forums, for the representative too when they may hear it (K15, K17)."""
    return Notice(
        kind=kind,
        text=text,
        ground=ground,
        forums=step.policy.external.forums if forums is None else forums,
        remedies=remedies,
        compensation_idr=compensation_idr,
        letter=letter,
        representative=authorised(step),
    )
