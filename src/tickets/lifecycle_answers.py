"""The answer and what the customer makes of it: accepted, silence, objection, second answer (K15, K16, A15-A18)."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from normalizer.complaint import Objection
from tickets.calendar import wib_date
from tickets.life import Answer, ClockName, Objected
from tickets.lifecycle_closing import IMPLEMENT, must_be_implemented, resolve, timely, told_of_forums, with_forums
from tickets.lifecycle_events import (
    Accepted,
    Implemented,
    ObjectionAnswered,
    ObjectionRaised,
    Responded,
    SilenceExpired,
)
from tickets.lifecycle_offer import outcome_of, unfit_answer
from tickets.lifecycle_opening import needs_a_category
from tickets.lifecycle_parties import acts
from tickets.lifecycle_step import Step, blank
from tickets.lifecycle_values import Change, Refusal, Todo

_DO_IT = Todo(kind=IMPLEMENT, reason="the offer must be carried out: record it with `implemented`")


def respond(step: Step, event: Responded) -> Change | Refusal:
    """The answer: stops the clock to resolve. It may be the first answer and the final one at once."""
    if blank(event.text):
        return step.refuse("text_empty", "resolution")
    refusal = needs_a_category(step) or unfit_answer(step, event.kind, event.finding, event)
    if refusal is not None:
        return refusal
    answer = Answer(
        at=step.at,
        kind=event.kind,
        finding=event.finding,
        remedies=event.remedies,
        compensation_idr=event.compensation_idr,
    )
    return step.change(
        event,
        complaint={
            "responded_at": step.at,
            "first_response_at": step.complaint.first_response_at or step.at,
        },
        outcome={
            **outcome_of(event.kind, event.finding, event),
            **told_of_forums(step),
            "timely": timely(step) if step.complaint.outcome.timely is None else step.complaint.outcome.timely,
        },
        ticket={"state": "responded"},
        life={"answers": (*step.life.answers, answer), "implemented_at": None},
        data={
            "kind": event.kind,
            "finding": event.finding,
            "remedies": list(event.remedies),
            "compensation_idr": event.compensation_idr,
            **({"first_answer": True} if step.complaint.first_response_at is None else {}),
        },
        notices=(
            with_forums(
                step, "answer", text=event.text, remedies=event.remedies, compensation_idr=event.compensation_idr
            ),
        ),
        settles=("documents_check", "documents_missing"),
    )


def implement(step: Step, event: Implemented) -> Change | Refusal:
    """The offer was carried out (A16): an acceptance that waited for it now closes the complaint."""
    if not step.answers or step.answers[-1].kind != "offer":
        return step.refuse("no_offer", "resolution.offer_must_be_implemented")
    if step.life.implemented_at is not None:
        return step.refuse("already_implemented", "resolution.offer_must_be_implemented")
    outcome, life = {"resolution_type": "offer_implemented"}, {"implemented_at": step.at}
    if step.ticket.state == "responded" and step.complaint.outcome.acceptance is not None:
        return resolve(step, event, outcome=outcome, life=life, data={})
    return step.change(event, outcome=outcome, life=life, settles=(IMPLEMENT,))


def accept(step: Step, event: Accepted) -> Change | Refusal:
    """The customer accepts; an offer that must be carried out first keeps the ticket open until then (A16)."""
    refusal = acts(step, event.by) or _already_reacted(step)
    if refusal is not None:
        return refusal
    if event.oral and blank(event.note):
        return step.refuse("oral_without_note", "lifecycle.accepted")
    return _settle(step, event, "accepted", {"by": event.by, "oral": event.oral})


def expire_silence(step: Step, event: SilenceExpired) -> Change | Refusal:
    """The window to react passed without a word: closes as resolved, silent (G10)."""
    refusal = _already_reacted(step)
    if refusal is not None:
        return refusal
    clock: ClockName = "silent_close" if step.policy.silent_close_days is not None else "objection_window"
    due = reaction_end(step, clock)
    if due is None:
        return step.refuse("silence_not_counted", "silent_close_days")
    if step.day <= due:
        return step.refuse("silence_not_over", "silent_close_days", due=due.isoformat())
    return _settle(step, event, "silent", {})


def reaction_end(step: Step, clock: ClockName) -> date | None:
    """The last day of a window that opened with the last answer; None when the policy has none."""
    promised = step.promised(clock)
    if promised is not None:
        return promised
    objection = step.policy.objection
    days = step.policy.silent_close_days if clock == "silent_close" else objection.window.days if objection else None
    if days is None or not step.answers:
        return None
    return step.rules.calendar.due(wib_date(step.answers[-1].at), days).due


def _already_reacted(step: Step) -> Refusal | None:
    if step.complaint.outcome.acceptance is None:
        return None
    return step.refuse("already_accepted", "resolution.offer_must_be_implemented")


def _settle(step: Step, event: Accepted | SilenceExpired, how: str, data: dict[str, object]) -> Change:
    open_offer = must_be_implemented(step)
    if open_offer and step.policy.resolution.offer_must_be_implemented:
        return step.change(event, outcome={"acceptance": how}, data={**data, "waits": IMPLEMENT}, todos=(_DO_IT,))
    closed = resolve(
        step,
        event,
        outcome={"acceptance": how},
        life={},
        data=data,
        unfinished=(_DO_IT,) if open_offer else (),
    )
    # What stays to be done after closing is not settled by it.
    return (
        replace(closed, settles=tuple(kind for kind in closed.settles if kind != IMPLEMENT)) if open_offer else closed
    )


def object_to_answer(step: Step, event: ObjectionRaised) -> Change | Refusal:
    """The customer does not accept: starts the clock of the second answer (K16, A18)."""
    rule = step.policy.objection
    if rule is None:
        return step.refuse("objection_not_offered", "objection")
    refusal = acts(step, event.by) or _already_reacted(step)
    if refusal is not None:
        return refusal
    if step.objections:
        return step.refuse("objection_used_up", "objection")
    due = reaction_end(step, "objection_window")
    if due is not None and step.day > due:
        return step.refuse("objection_too_late", "objection.window", due=due.isoformat())
    if rule.new_documents and not event.new_documents:
        return step.refuse("new_documents_needed", "objection.new_documents")
    return step.change(
        event,
        outcome={
            "acceptance": "objected",
            "objection": Objection(received_at=step.at, new_documents=event.new_documents),
        },
        ticket={"state": "objection_review"},
        life={
            "objections": (*step.life.objections, Objected(received_at=step.at, new_documents=event.new_documents)),
        },
        data={"by": event.by, "new_documents": event.new_documents},
    )


def answer_objection(step: Step, event: ObjectionAnswered) -> Change | Refusal:
    """The second answer, once: the first one confirmed, or a new offer (K16, A18)."""
    if blank(event.text):
        return step.refuse("text_empty", "objection.answer")
    if not step.objections or not step.answers:
        return step.refuse("no_objection", "objection")
    new = event.result == "new_offer"
    before = step.answers[-1]
    if not new and (event.remedies or event.compensation_idr is not None or event.finding is not None):
        return step.refuse("confirmation_with_offer", "objection.answer")
    finding = event.finding or before.finding
    refusal = unfit_answer(step, "offer", finding, event) if new else None
    if refusal is not None:
        return refusal
    answer = Answer(
        at=step.at,
        kind="offer" if new else before.kind,
        finding=finding,
        remedies=event.remedies if new else before.remedies,
        compensation_idr=event.compensation_idr if new else before.compensation_idr,
        after_objection=True,
    )
    last = replace(step.objections[-1], answered_at=step.at, effect=new)
    said = step.complaint.outcome.objection
    return step.change(
        event,
        outcome={
            **(outcome_of("offer", finding, event) if new else {"acceptance": None}),
            **told_of_forums(step),
            "objection": None if said is None else replace(said, answer=event.result, effect=new),
        },
        ticket={"state": "responded"},
        life={
            "answers": (*step.life.answers, answer),
            "objections": (*step.life.objections[:-1], last),
            "implemented_at": None if new else step.life.implemented_at,
        },
        data={"result": event.result, "finding": finding, "compensation_idr": answer.compensation_idr},
        notices=(
            with_forums(
                step,
                "objection_answer",
                text=event.text,
                remedies=answer.remedies,
                compensation_idr=answer.compensation_idr,
            ),
        ),
    )
