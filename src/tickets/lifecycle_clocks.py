"""The promised dates of a ticket through its life. Pure: a date appears or moves only with an event of the ticket (R6).

`tickets.deadlines` computes what a calendar gives; here it is decided what of it becomes a promise. An event is judged
by counting the complaint twice under one calendar, as it stood before and after: exactly the clocks that differ move.
So a calendar that was changed since moves nothing, and an extension counts from the date that was promised (R7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as altered
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tickets.calendar import ONE_DAY, Calendar, CalendarMissing, Due, wib_date
from tickets.deadlines import Deadlines, deadlines, due_soon_dates, explain
from tickets.deadlines_explain import explain_due
from tickets.life import Announced, ClockName, Life, PromisedDate
from tickets.lifecycle_clocks_case import OURS, case_of, live, open_requests, rounds_of
from tickets.lifecycle_clocks_look import look_on, passed, share_of, window_is_extended
from tickets.lifecycle_values import Rules, Standing
from tickets.model import Ticket

__all__ = ["Moved", "case_of", "look_on", "opened", "passed", "preview", "recount", "running"]

#: Stands for the calendar of a clock that runs in real hours (R8).
REAL_HOURS = "real_hours"
#: Dates that stay on record when their clock has stopped: whether it was in time is judged by them.
_KEPT: tuple[ClockName, ...] = ("first_response", "resolve")


class Moved(Struct, frozen=True, kw_only=True):
    """A promised date that another calendar would give otherwise."""

    clock: ClockName
    promised: date
    calendar_version: str
    otherwise: date


class _Count(Struct, frozen=True):
    """What one calendar gives for a complaint."""

    found: Deadlines
    dues: Mapping[ClockName, Due]
    #: Clocks that run into a year whose holidays are not known, and what must be done about it.
    unknown: frozenset[ClockName] = frozenset()
    problem: str | None = None


def running(standing: Standing) -> frozenset[ClockName]:
    """The clocks that run now: promised, begun and not ended. None runs in a closed or referred ticket but R8."""
    return live(standing) & (_promised(standing.ticket).keys() | {"personal_data"})


def opened(rules: Rules, standing: Standing, as_of: datetime | None = None) -> Ticket:
    """The ticket with every date that its clocks have by now and that was not promised yet; no promise moves.

    For a new ticket, and for one from before dates were kept here. A date in a year without a calendar stays out, and
    `deadlines` tell the problem. Raises CalendarMissing when nothing at all can be counted.
    """
    ticket, version = standing.ticket, rules.calendar.version
    count = _count(rules, standing, as_of)
    promised = {
        name: each if each.soon else replace(each, soon=_shares(rules, _span(rules.calendar, standing, each.due)))
        for name, each in _promised(ticket).items()
    }
    new = {name: due for name, due in count.dues.items() if name in live(standing) and name not in promised}
    promised |= {name: promise_of(rules, due) for name, due in new.items()}
    life = replace(ticket.life, promised=_with_hours(rules, promised, standing))
    told = _told(rules, count) if not ticket.deadlines or "problem" in ticket.deadlines else ticket.deadlines
    earliest = count.found.resolve.earliest if "resolve" in new else ticket.resolve_earliest
    told = _with_problem(_explained(told, count.found, new, version), count)
    filled = _in_step(replace(ticket, life=life, resolve_earliest=earliest), told)
    return replace(filled, look_on=look_on(rules, replace(standing, ticket=filled)))


def recount(rules: Rules, before: Standing, after: Standing, at: datetime) -> Ticket:
    """The ticket of `after` with the dates that the event at `at` moves, and when its clocks must be looked at next.

    A promise that was broken before the event ended its clock is recorded as breached; only another track moves it.
    Never raises: without a calendar for a year every promise stays, and the ticket is looked at again the next day.
    """
    base = replace(after.ticket.life, documents_rounds=rounds_of(before))
    rounds = rounds_of(_lived(after, base))
    after = _lived(after, replace(base, documents_rounds=rounds))
    try:
        after = replace(after, ticket=_recounted(rules, before, after, at))
    except CalendarMissing as error:
        told = {**after.ticket.deadlines, "problem": str(error)}
        after = replace(after, ticket=replace(after.ticket, deadlines=told))
    after = _lived(after, replace(after.ticket.life, announced=_with_breaches(before, after, at)))
    tomorrow = wib_date(at) + ONE_DAY
    return replace(after.ticket, look_on=tomorrow if "problem" in after.ticket.deadlines else look_on(rules, after))


def preview(rules: Rules, standing: Standing) -> tuple[Moved, ...]:
    """The promised dates of running clocks that today's calendar would give otherwise. Raises CalendarMissing."""
    dues = _count(rules, standing, None, afresh=True).dues
    promised = _promised(standing.ticket)
    return tuple(
        Moved(
            clock=name, promised=promised[name].due, calendar_version=promised[name].calendar_version,
            otherwise=dues[name].due,
        )
        for name in sorted(running(standing) & dues.keys())
        # Under the calendar of the promise it was another reason that gave more time, such as a late reminder.
        if dues[name].due != promised[name].due and promised[name].calendar_version != rules.calendar.version
    )  # fmt: skip


def promise_of(rules: Rules, due: Due) -> PromisedDate:
    """A date that the calendar gave, as it is promised."""
    return PromisedDate(due=due.due, calendar_version=rules.calendar.version, soon=_shares(rules, due))


def promised_dates(rules: Rules, found: Deadlines) -> dict[str, PromisedDate]:
    """The promises of a complaint that has just come."""
    dues = {"first_response": found.first_response, "resolve": found.resolve.clock}
    return {name: promise_of(rules, due) for name, due in dues.items() if isinstance(due, Due)}


def _recounted(rules: Rules, before: Standing, after: Standing, at: datetime) -> Ticket:
    was, now = _count(rules, before, at), _count(rules, after, at)
    same_track = was.found.resolve.track == now.found.resolve.track
    broken = _broken(before, at) if same_track else frozenset()
    old, begun, runs = _promised(before.ticket), live(before), live(after)
    promised = {name: each for name, each in old.items() if name in runs or name in _KEPT}
    moved: dict[ClockName, Due | None] = {}
    for name in runs - {"personal_data"}:
        longer = _lengthened(rules, before, after, name, at)
        if longer is None and name in was.unknown | now.unknown:
            if name not in begun:
                promised.pop(name, None)
            continue
        due = longer or now.dues.get(name)
        if longer is None and name in begun and name in promised:
            unmoved = due is not None and _same(was.dues.get(name), due)
            if unmoved or name in broken:
                continue
        moved[name] = due
        if due is None:
            promised.pop(name, None)
        else:
            promised[name] = promise_of(rules, due)
    life = replace(after.ticket.life, promised=_with_hours(rules, promised, after))
    moved |= dict.fromkeys(old.keys() - promised.keys() - {"personal_data"})
    told = _explained(before.ticket.deadlines or _told(rules, now), now.found, moved, rules.calendar.version)
    told = _with_problem(told, now)
    earliest = now.found.resolve.earliest if "resolve" in moved else before.ticket.resolve_earliest
    return _in_step(replace(after.ticket, life=life, resolve_earliest=earliest), told)


def _lengthened(rules: Rules, before: Standing, after: Standing, name: ClockName, at: datetime) -> Due | None:
    """The clock with the time that this event granted, counted from the old promise (R7, G7); None: none granted."""
    old, life, window = _promised(before.ticket).get(name), after.ticket.life, rules.policy.documents.window
    if old is None:
        return None
    if name == "resolve" and len(life.extensions) > len(before.ticket.life.extensions):
        return _span(rules.calendar, after, life.extensions[-1].new_due)
    granted = window_is_extended(life) and not window_is_extended(before.ticket.life)
    if name == "documents" and granted and window is not None and window.extend is not None:
        # The reminder that grants it may be late: whoever is reminded after a standstill gets the whole time too.
        extended = life.window_extended_at or at
        more = rules.calendar.due(max(old.due, wib_date(extended) - ONE_DAY), window.extend)
        return rules.calendar.until(_asked_on(life) or old.due, more.due)
    return None


def _count(rules: Rules, standing: Standing, as_of: datetime | None, *, afresh: bool = False) -> _Count:
    """Every clock that has a date; `afresh` also counts extensions from the dates that this calendar gives."""
    case = case_of(standing)
    if afresh:
        case = altered(case, extensions=tuple(altered(each, old_due=None) for each in case.extensions))
    problem: str | None = None
    try:
        found = deadlines(rules.policy, rules.calendar, case, as_of)
    except CalendarMissing as error:
        if afresh:
            raise
        # What ends before that year can be promised all the same.
        problem = str(error)
        found = deadlines(rules.policy, rules.calendar.guessed(), case, as_of)
        found = altered(found, calendar_version=rules.calendar.version)
    clocks: dict[ClockName, object] = {
        "first_response": found.first_response,
        "resolve": found.resolve.clock,
        "objection_window": found.objection_window,
        "objection_answer": found.objection_answer,
        "silent_close": found.silent_close,
    }
    if found.documents is not None and found.documents.outstanding:
        extended = window_is_extended(standing.ticket.life)
        clocks["documents"] = (extended and found.documents.extended) or found.documents.window
    dues = {name: clock for name, clock in clocks.items() if isinstance(clock, Due)}
    unknown = frozenset(name for name, due in dues.items() if not rules.calendar.knows(due.due))
    return _Count(found, {name: due for name, due in dues.items() if name not in unknown}, unknown, problem)


def _told(rules: Rules, count: _Count) -> dict[str, Any]:
    """The explained dates without those of a year that is not known."""
    told = explain(count.found)
    request_by = count.found.documents_request_by
    if request_by is not None and not rules.calendar.knows(request_by.due):
        told.pop("documents_request_by", None)
    return {name: each for name, each in told.items() if name not in count.unknown}


def _with_problem(told: dict[str, Any], count: _Count) -> dict[str, Any]:
    return told if count.problem is None else {**told, "problem": count.problem}


def _promised(ticket: Ticket) -> dict[ClockName, PromisedDate]:
    """The dates that stand promised, also of a ticket from before they were kept with their shares."""
    if ticket.life.promised:
        return dict(ticket.life.promised)
    dates: dict[ClockName, date | None] = {
        "first_response": ticket.first_response_due,
        "resolve": ticket.resolve_due,
    }
    version = ticket.calendar_version
    return {name: PromisedDate(due=day, calendar_version=version) for name, day in dates.items() if day is not None}


def _with_hours(
    rules: Rules, promised: Mapping[ClockName, PromisedDate], standing: Standing
) -> dict[ClockName, PromisedDate]:
    """The promises with that of the request about personal data which is due first."""
    kept: dict[ClockName, PromisedDate] = {name: each for name, each in promised.items() if name != "personal_data"}
    waiting = open_requests(standing)
    if waiting:
        soon = tuple(wib_date(share_of(waiting[0], percent)) for percent in rules.policy.due_soon_percent)
        kept["personal_data"] = PromisedDate(due=wib_date(waiting[0].due_at), calendar_version=REAL_HOURS, soon=soon)
    return kept


def _with_breaches(before: Standing, after: Standing, at: datetime) -> tuple[Announced, ...]:
    """What is announced, with the promises of ours that were broken before the event ended or moved their clock.

    They stay for good. A clock that goes on is announced by the job, which also calls the desk.
    """
    promised, now, announced = _promised(before.ticket), running(after), after.ticket.life.announced
    late: list[tuple[ClockName, date]] = [
        (name, promised[name].due)
        for name in sorted(_broken(before, at))
        if name not in now or after.ticket.life.promised[name].due != promised[name].due
    ]
    still_open = open_requests(after)
    late += [
        ("personal_data", wib_date(each.due_at))
        for each in open_requests(before)
        if each.due_at < at and each not in still_open
    ]
    known = {(each.clock, each.due) for each in announced if each.mark == "breached"}
    new = [each for each in dict.fromkeys(late) if each not in known]
    marks = (Announced(clock=name, mark="breached", percent=100, due=due, at=at) for name, due in new)
    return (*announced, *marks)


def _broken(before: Standing, at: datetime) -> frozenset[ClockName]:
    """Clocks of ours in working days that ran beyond their promise."""
    promised, today = _promised(before.ticket), wib_date(at)
    names = (running(before) & OURS) - {"personal_data"}
    return frozenset(name for name in names if promised[name].due < today)


def _explained(
    told: Mapping[str, Any], found: Deadlines, moved: Mapping[ClockName, Due | None], version: str
) -> dict[str, Any]:
    """The explained dates, those that moved explained anew; what did not move is told as it was promised."""
    new = explain(found)
    kept = {name: each for name, each in told.items() if name != "problem"}
    for name, due in moved.items():
        entry = new.get(name)
        if due is not None:
            kept[name] = {**(entry or {}), **explain_due(due), "calendar_version": version}
        elif entry is not None and name in _KEPT:
            kept[name] = entry
        else:
            kept.pop(name, None)
    return kept


def _in_step(ticket: Ticket, told: Mapping[str, Any]) -> Ticket:
    """The ticket with the dates that lists and receipts show, as they are promised."""
    promised = ticket.life.promised
    resolve = promised.get("resolve")
    first = promised.get("first_response")
    return replace(
        ticket,
        first_response_due=None if first is None else first.due,
        resolve_due=None if resolve is None else resolve.due,
        resolve_earliest=None if resolve is None else ticket.resolve_earliest,
        deadlines=told,
    )


def _shares(rules: Rules, due: Due) -> tuple[date, ...]:
    return tuple(day for _, day in due_soon_dates(due, rules.policy.due_soon_percent))


def _span(calendar: Calendar, standing: Standing, due: date) -> Due:
    """The days from receipt to a date that stands."""
    return calendar.until(standing.complaint.effective_received_date, due)


def _same(one: Due | None, other: Due) -> bool:
    return one is not None and one.due == other.due


def _asked_on(life: Life) -> date | None:
    return None if life.documents_requested_at is None else wib_date(life.documents_requested_at)


def _lived(standing: Standing, life: Life) -> Standing:
    return replace(standing, ticket=replace(standing.ticket, life=life))
