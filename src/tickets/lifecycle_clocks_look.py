"""When the clocks of a ticket must be looked at, and what they say then. Pure: the time is an argument.

`passed` and `look_on` read the same list, so that no look comes too early in vain or too late by a day. Clocks in
working days end with a WIB day; a request about personal data runs in real hours (R8) and is looked at on the day of
its next hour, until that hour has come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime

from msgspec import Struct

from tickets.calendar import ONE_DAY, CalendarMissing, wib_date
from tickets.deadlines import deadlines
from tickets.life import ClockMark, ClockName, Life, PersonalDataRequest
from tickets.lifecycle_clocks_case import OURS, WORKING, case_of, live, open_requests, responded_at, rounds_of
from tickets.lifecycle_events import (
    ClockPassed,
    DocumentsPresumed,
    DocumentsWindowExtended,
    Event,
    SilenceExpired,
)
from tickets.lifecycle_values import Rules, Standing

#: Kinds of tasks that the marks of our clocks leave to the desk.
DUE_SOON, BREACHED = "clock_due_soon", "clock_breached"
TASKS = (DUE_SOON, BREACHED)


class Upcoming(Struct, frozen=True, kw_only=True):
    """One event of the clock: on this WIB date at the earliest, for real hours also not before this instant."""

    on: date
    event: Event
    at: datetime | None = None


def passed(rules: Rules, standing: Standing, now: datetime) -> tuple[Event, ...]:
    """The events of the clock that are due at `now` and were not announced yet, the oldest first.

    Of a clock whose date has passed only that is said: that its date comes near is no news by then.
    """
    today = wib_date(now)
    due = [each for each in upcoming(rules, standing) if each.on <= today and (each.at is None or each.at < now)]
    events = [each.event for each in sorted(due, key=lambda each: each.on)]
    over = {each.clock for each in events if isinstance(each, ClockPassed) and each.mark == "breached"}
    return tuple(
        each
        for each in events
        if not (isinstance(each, ClockPassed) and each.mark == "due_soon" and each.clock in over)
    )


def look_on(rules: Rules, standing: Standing, without: Collection[Event] = ()) -> date | None:
    """The first WIB date on which a clock of the ticket says something (but `without`); None while none ever will."""
    return min((each.on for each in upcoming(rules, standing) if each.event not in without), default=None)


def called_for(standing: Standing) -> frozenset[str]:
    """Which of TASKS the running clocks still call for: a date that is near, a date that has passed."""
    promised = standing.ticket.life.promised
    kinds: set[str] = set()
    for name in live(standing) & promised.keys() & OURS:
        marks = {
            each.mark for each in standing.ticket.life.announced if (each.clock, each.due) == (name, promised[name].due)
        }
        if marks:
            kinds.add(BREACHED if "breached" in marks else DUE_SOON)
    return frozenset(kinds)


def upcoming(rules: Rules, standing: Standing) -> Iterator[Upcoming]:
    """Every event that the clocks of a ticket still have before them, should nothing else happen."""
    promised, life = standing.ticket.life.promised, standing.ticket.life
    names = live(standing) & promised.keys()
    shares = rules.policy.due_soon_percent
    for name in sorted(names & OURS - {"personal_data"}):
        clock = promised[name]
        if _is_said(life, name, "breached", 100, clock.due):
            continue
        for percent, day in zip(shares, clock.soon, strict=False):  # a policy may name other shares since
            yield from _unless_said(life, name, "due_soon", percent, clock.due, day)
        yield Upcoming(on=clock.due + ONE_DAY, event=ClockPassed(clock=name, mark="breached", percent=100))
    if "documents" in names:
        awaited = standing.ticket.state == "awaiting_documents"
        yield from _documents(rules, life, promised["documents"].due, awaited=awaited)
    silence = [promised[name].due for name in ("objection_window", "silent_close") if name in names]
    if silence:
        yield Upcoming(on=max(silence) + ONE_DAY, event=SilenceExpired())
    for request in open_requests(standing) if "personal_data" in live(standing) else ():
        yield from _hours(shares, life, request)
    yield from _presumed(rules, standing)


def share_of(request: PersonalDataRequest, percent: int) -> datetime:
    """The instant at which this share of a request's hours is used up."""
    return request.received_at + (request.due_at - request.received_at) * (percent / 100)


def window_is_extended(life: Life) -> bool:
    """Whether the window of the last request for documents is the longer one already."""
    asked, extended = life.documents_requested_at, life.window_extended_at
    return extended is not None and (asked is None or extended >= asked)


def _is_said(life: Life, clock: ClockName, mark: ClockMark, percent: int, due: date) -> bool:
    wanted = (clock, mark, percent, due)
    return any((each.clock, each.mark, each.percent, each.due) == wanted for each in life.announced)


def _unless_said(
    life: Life, clock: ClockName, mark: ClockMark, percent: int, due: date, on: date, at: datetime | None = None
) -> Iterator[Upcoming]:
    """The mark, once for each date that was promised: after a new promise its shares are announced again."""
    if not _is_said(life, clock, mark, percent, due):
        yield Upcoming(on=on, at=at, event=ClockPassed(clock=clock, mark=mark, percent=percent))


def _documents(rules: Rules, life: Life, due: date, *, awaited: bool) -> Iterator[Upcoming]:
    """The end of the customer's window: first a reminder with more time, then only the desk is told (G7, A21).

    Nobody is reminded of documents that a reopened complaint no longer waits for.
    """
    window = rules.policy.documents.window
    if awaited and window is not None and window.extend is not None and not window_is_extended(life):
        yield Upcoming(on=due + ONE_DAY, event=DocumentsWindowExtended())
    else:
        yield from _unless_said(life, "documents", "breached", 100, due, due + ONE_DAY)


def _hours(shares: tuple[int, ...], life: Life, request: PersonalDataRequest) -> Iterator[Upcoming]:
    due = wib_date(request.due_at)
    if _is_said(life, "personal_data", "breached", 100, due):
        return
    for percent in shares:
        at = share_of(request, percent)
        yield from _unless_said(life, "personal_data", "due_soon", percent, due, wib_date(at), at)
    breached = ClockPassed(clock="personal_data", mark="breached", percent=100)
    yield Upcoming(on=due, at=request.due_at, event=breached)


def _presumed(rules: Rules, standing: Standing) -> Iterator[Upcoming]:
    """G7: nobody asked for documents in time. The last day to ask is the one that was told when it was opened."""
    complaint, ticket = standing.complaint, standing.ticket
    waits = ticket.state in WORKING and complaint.documents_complete_at is None and responded_at(standing) is None
    if not waits or rounds_of(standing) or rules.policy.documents.complete_if_not_requested_by is None:
        return
    told = ticket.deadlines.get("documents_request_by")
    if told is None:
        try:
            counted = deadlines(rules.policy, rules.calendar, case_of(standing)).documents_request_by
        except CalendarMissing:
            return
        told = None if counted is None else counted.due.isoformat()
    if told is not None:
        yield Upcoming(on=date.fromisoformat(told) + ONE_DAY, event=DocumentsPresumed())
