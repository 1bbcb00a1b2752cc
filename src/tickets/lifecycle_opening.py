"""The first steps: what the complaint is, the first answer, and what is no complaint to this company at all."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tickets.lifecycle_events import CLOCK_ACTOR, Classified, Dismissed, Event, FirstResponse
from tickets.lifecycle_parties import authorised
from tickets.lifecycle_step import OPEN_WORK, Step, blank, listed
from tickets.lifecycle_values import Change, Notice, Refusal

#: Actors that are no person: what needs somebody's judgement is refused to them.
MACHINES = frozenset({CLOCK_ACTOR, "aduan"})
_ASSESSED = ("urgency", "severity")
_PLAIN = (
    "kind", "category", "product", "sub_product", "issue", "sub_issue", "dispute_indication", "violation_indication",
    "already_at",
)  # fmt: skip
#: Fields whose values are words or numbers of a list: the audit log may hold them.
_WORDS = ("kind", "category", "issue", "urgency", "severity", "role", "root_cause", "already_at", "loss_type")


def needs_a_person(step: Step, event: Event) -> Refusal | None:
    """The refusal of an event that nobody may leave to a machine."""
    if step.actor not in MACHINES:
        return None
    return step.refuse("needs_a_person", "lifecycle.actor", event=str(event.__struct_config__.tag))


def needs_a_category(step: Step) -> Refusal | None:
    """The refusal to go on while the complaint has no category of the policy's list (A7)."""
    if step.policy.categories is None or step.complaint.category is not None:
        return None
    return step.refuse("category_needed", "categories")


def classify(step: Step, event: Classified) -> Change | Refusal:
    """The desk confirms or corrects what the intake proposed; a changed track is counted anew."""
    given: dict[str, Any] = {
        name: value for name in event.__struct_fields__ if (value := getattr(event, name)) is not None
    }
    refusal = _unfit(step, event, given)
    if refusal is not None:
        return refusal
    complaint = step.complaint
    loss = complaint.loss
    fields: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
    assessed = {name: given[name] for name in _ASSESSED if name in given}
    who = {name: given[name] for name in ("role", "verified") if name in given}
    lost = {name: given[f"loss_{name}"] for name in ("type", "amount_idr", "claimed") if f"loss_{name}" in given}
    if assessed:
        fields["assessment"] = replace(complaint.assessment, **assessed)
    if who:
        fields["complainant"] = replace(complaint.complainant, **who)
    if lost:
        fields["loss"] = replace(loss, **lost)
    return step.change(
        event,
        complaint=fields,
        outcome={"root_cause": event.root_cause} if event.root_cause is not None else {},
        data={"fields": sorted(given), **{name: given[name] for name in _WORDS if name in given}},
        settles=("root_cause",) if event.root_cause is not None else (),
    )


def _unfit(step: Step, event: Classified, given: dict[str, Any]) -> Refusal | None:
    policy = step.policy
    if not given:
        return step.refuse("nothing_to_classify", "lifecycle.classified")
    if event.category is not None and policy.categories is not None and event.category not in policy.categories:
        return step.refuse("category_not_listed", "categories", given=event.category, listed=listed(policy.categories))
    if event.role not in {None, "unknown", *policy.complainants.roles}:
        return step.refuse(
            "role_not_listed", "complainants.roles", given=str(event.role), listed=listed(policy.complainants.roles)
        )
    type_ = event.loss_type or step.complaint.loss.type
    if event.loss_amount_idr and type_ == "none":
        return step.refuse("loss_without_type", "lifecycle.classified")
    return None


def first_response(step: Step, event: FirstResponse) -> Change | Refusal:
    """The first answer (K7, A8): stops its clock; the clock of an oral complaint starts (K8, A9)."""
    if step.complaint.first_response_at is not None:
        return step.refuse("first_response_sent", "first_response")
    if blank(event.text):
        return step.refuse("text_empty", "first_response")
    refusal = needs_a_category(step)
    if refusal is not None:
        return refusal
    return step.change(
        event,
        complaint={"first_response_at": step.at},
        ticket={"state": "in_progress"} if step.ticket.state == "received" else {},
        notices=(Notice(kind="first_response", text=event.text, representative=authorised(step)),),
    )


def dismiss(step: Step, event: Dismissed) -> Change | Refusal:
    """Spam, a test, noise, or meant for somebody else; a topic is never a reason (U3)."""
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    misdirected = event.reason == "misdirected"
    if misdirected and blank(event.direct_to):
        return step.refuse("direction_needed", "intake")
    return step.change(
        event,
        complaint={"closed_at": step.at},
        ticket={"state": "dismissed", "closed_at": step.at},
        life={"reason": event.reason},
        data={"reason": event.reason},
        notices=(Notice(kind="misdirected", text=event.direct_to, representative=authorised(step)),)
        if misdirected
        else (),
        settles=OPEN_WORK,
    )
