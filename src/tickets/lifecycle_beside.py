"""What runs beside the matter itself: legal holds, requests about personal data (R8), and clocks that passed."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from tickets.calendar import wib_date
from tickets.life import Announced, Hold, PersonalDataRequest
from tickets.lifecycle_clocks_case import open_requests
from tickets.lifecycle_documents import MISSING, outstanding
from tickets.lifecycle_events import (
    ClockPassed,
    Grouped,
    HoldLifted,
    HoldSet,
    PersonalDataAnswered,
    PersonalDataAsked,
    Ungrouped,
)
from tickets.lifecycle_opening import needs_a_person
from tickets.lifecycle_step import Step, blank
from tickets.lifecycle_values import Change, Refusal, Todo

PERSONAL_DATA = "personal_data"
_RULE = "personal_data_hours"
_GROUP = "lifecycle.grouped"


def set_hold(step: Step, event: HoldSet) -> Change | Refusal:
    """A legal hold begins: nothing of the complaint is erased while it stands."""
    if step.life.hold is not None:
        return step.refuse("hold_stands", "retention_years")
    if blank(event.reason):
        return step.refuse("hold_without_reason", "retention_years")
    return step.change(event, life={"hold": Hold(reason=event.reason, since=step.at, by=step.actor)})


def lift_hold(step: Step, event: HoldLifted) -> Change | Refusal:
    """The legal hold ends."""
    if step.life.hold is None:
        return step.refuse("no_hold", "retention_years")
    return step.change(event, life={"hold": None})


def group(step: Step, event: Grouped) -> Change | Refusal:
    """One of many complaints with one cause; it keeps its receipt, its dates and its own answer."""
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    parent = event.parent.strip().upper()
    if not parent or parent in (step.complaint.ticket_number, *step.complaint.aliases):
        return step.refuse("group_without_parent", _GROUP)
    if step.life.parent == parent:
        return step.refuse("grouped_already", _GROUP, number=parent)
    return step.change(event, life={"parent": parent}, data={"parent": parent})


def ungroup(step: Step, event: Ungrouped) -> Change | Refusal:
    """It has a cause of its own after all."""
    refusal = needs_a_person(step, event)
    if refusal is not None:
        return refusal
    if step.life.parent is None:
        return step.refuse("not_grouped", _GROUP)
    return step.change(event, life={"parent": None}, data={"parent": step.life.parent})


def ask_personal_data(step: Step, event: PersonalDataAsked) -> Change | Refusal:
    """A request about the person's own data: its clock runs in real hours, in every state of the ticket (R8)."""
    hours = step.policy.personal_data_hours
    if hours is None:
        return step.refuse("personal_data_hours_missing", _RULE)
    came = event.received_at or step.at
    if came.tzinfo is None or came.utcoffset() is None:
        return step.refuse("time_without_offset", "R1")
    if came > step.at:
        return step.refuse("personal_data_later", _RULE)
    if any(item.kind == event.kind and item.answered_at is None for item in step.life.personal_data):
        return step.refuse("personal_data_already_asked", _RULE, kind=event.kind)
    due = came + timedelta(hours=hours)
    request = PersonalDataRequest(kind=event.kind, received_at=came, due_at=due)
    return step.change(
        event,
        life={"personal_data": (*step.life.personal_data, request)},
        data={"kind": event.kind, "due_at": due.isoformat()},
        todos=(Todo(kind=PERSONAL_DATA, reason=f"{event.kind}: answer by {due.isoformat()} (real hours)"),),
    )


def answer_personal_data(step: Step, event: PersonalDataAnswered) -> Change | Refusal:
    """The oldest open request of this kind was answered."""
    requests = list(step.life.personal_data)
    place = next((at for at, item in enumerate(requests) if item.kind == event.kind and item.answered_at is None), None)
    if place is None:
        return step.refuse("personal_data_not_asked", _RULE, kind=event.kind)
    requests[place] = replace(requests[place], answered_at=step.at)
    return step.change(
        event,
        life={"personal_data": tuple(requests)},
        data={"kind": event.kind},
        settles=() if any(item.answered_at is None for item in requests) else (PERSONAL_DATA,),
    )


def pass_clock(step: Step, event: ClockPassed) -> Change | Refusal:
    """A clock reached a share of its time or its end; a breach stays on record also when the answer comes later."""
    rule = f"lifecycle.clocks.{event.clock}"
    due = _due(step, event)
    if due is None:
        return step.refuse("clock_not_running", rule)
    known = [(item.clock, item.mark, item.percent, item.due) for item in step.life.announced]
    if (event.clock, event.mark, event.percent, due) in known:
        return step.refuse("clock_announced", rule)
    if not _has_passed(step, event, due):
        return step.refuse("clock_not_passed", rule, due=due.isoformat())
    mark = Announced(clock=event.clock, mark=event.mark, percent=event.percent, due=due, at=step.at)
    breached = event.mark == "breached"
    gone = breached and event.clock == "documents" and outstanding(step)
    return step.change(
        event,
        ticket={"state": "in_progress"} if gone and step.ticket.state == "awaiting_documents" else {},
        life={"announced": (*step.life.announced, mark)},
        data={"clock": event.clock, "mark": event.mark, "percent": event.percent, "due": due.isoformat()},
        todos=_todos(event, due, gone=gone),
    )


def _due(step: Step, event: ClockPassed) -> date | None:
    if event.clock != "personal_data":
        return step.promised(event.clock)
    request = _request(step, event)
    return None if request is None else wib_date(request.due_at)


def _request(step: Step, event: ClockPassed) -> PersonalDataRequest | None:
    """The open request that a mark is about: the first one of which it was not said. Each has its own time (R8)."""
    waiting = open_requests(step.standing)
    said = {(each.mark, each.percent, each.due) for each in step.life.announced if each.clock == "personal_data"}
    for request in waiting:
        due = wib_date(request.due_at)
        if not {("breached", 100, due), (event.mark, event.percent, due)} & said:
            return request
    return waiting[0] if waiting else None


def _has_passed(step: Step, event: ClockPassed, due: date) -> bool:
    if event.clock == "personal_data":
        request = _request(step, event)
        return event.mark == "due_soon" or (request is not None and step.at > request.due_at)
    if event.mark == "breached":
        return step.day > due
    shares = step.policy.due_soon_percent
    promised = step.life.promised.get(event.clock)
    if promised is None or event.percent not in shares or len(promised.soon) != len(shares):
        return step.day >= due
    return step.day >= promised.soon[shares.index(event.percent)]


def _todos(event: ClockPassed, due: date, *, gone: bool) -> tuple[Todo, ...]:
    if gone:
        reason = "the documents did not come: decide on what is there, or reject where the policy has this ground"
        return (Todo(kind=MISSING, reason=reason),)
    if event.mark == "breached":
        return (Todo(kind="clock_breached", reason=f"{event.clock}: the promised date {due.isoformat()} has passed"),)
    return (Todo(kind="clock_due_soon", reason=f"{event.clock}: {event.percent} % used, due {due.isoformat()}"),)
