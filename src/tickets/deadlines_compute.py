"""From a policy, a calendar and a case to every clock of one complaint. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from tickets.calendar import ONE_DAY, Calendar, Due, wib_date
from tickets.deadlines_clock import run
from tickets.deadlines_values import Case, Deadlines, Documents, DocumentsWindow, Extension, Pending, Resolve
from tickets.policy import Policy
from tickets.policy_clocks import ClockStart, ResolveClock, Track


def deadlines(policy: Policy, calendar: Calendar, case: Case, as_of: datetime | None = None) -> Deadlines:
    """Every clock of a complaint as far as it is known at `as_of`; None: as known from the case alone.

    Raises CalendarMissing when a clock runs into a year without a calendar file.
    """
    received = received_date(policy, calendar, case)
    request_by = _request_by(policy, calendar, received)
    first = _documents_of(case, received, request_by, as_of)
    later = first
    start = received
    since = [instant for instant in (case.written_since, case.reopened_at) if instant is not None]
    if since:
        start = max(received, *map(wib_date, since))
        complete = first.complete if case.written_since is None else _day(case.documents_complete_at)
        later = replace(first, complete=None if complete is None else max(start, complete))
    track = track_for(policy, case)
    objection = policy.objection
    return Deadlines(
        policy_id=policy.id,
        policy_version=policy.version,
        calendar_version=calendar.version,
        received=received,
        documents_complete=later.complete,
        documents_request_by=request_by,
        first_response=_first_response(policy, calendar, received, first),
        resolve=_resolve(policy, calendar, case, track, start, later),
        documents=_documents(policy, calendar, case),
        objection_window=_window(calendar, case.responded_at, objection.window.days if objection else None),
        objection_answer=_window(calendar, case.objection_received_at, objection.answer.days if objection else None),
        silent_close=_window(calendar, case.responded_at, policy.silent_close_days),
    )


def received_date(policy: Policy, calendar: Calendar, case: Case) -> date:
    """Day 0 of the complaint (R2, R5), by the form in which its channel counts."""
    hours = policy.hours_of(case.channel)
    return calendar.effective_received_date(case.received_at, hours, policy.form_of(case.channel))


def track_for(policy: Policy, case: Case) -> Track:
    """The first track whose conditions the complaint meets. Raises LookupError when the policy has no last resort."""
    form = case.form or policy.form_of(case.channel)
    for track in policy.tracks:
        when = track.when
        if (
            (when.tier is None or case.tier in when.tier)
            and (when.kind is None or case.kind in when.kind)
            and (when.urgency is None or case.urgency in when.urgency)
            and when.form in {None, form}
            and when.severity in {None, case.severity}
            and when.has_documents in {None, case.has_documents}
        ):
            return track
    raise LookupError(f"policy {policy.id} has no track for this complaint: its last track must be `when: {{}}`")


def due_soon_dates(due: Due, percent: tuple[int, ...]) -> tuple[tuple[int, date], ...]:
    """On which counted day each share of a clock is used up, rounded up to a whole day."""
    if not due.counted:
        return tuple((share, due.due) for share in percent)
    n = len(due.counted)
    return tuple((share, due.counted[-(-n * share // 100) - 1]) for share in percent)


def _request_by(policy: Policy, calendar: Calendar, received: date) -> Due | None:
    if policy.documents.complete_if_not_requested_by is None or policy.first_response is None:
        return None
    return calendar.due(received, policy.first_response.days)


def _documents_of(case: Case, received: date, request_by: Due | None, as_of: datetime | None) -> Documents:
    """What was asked for and what came. Complete once is complete: a later request restarts no clock that ran."""
    rounds = [
        (_day(requested), _day(complete))
        for requested, complete in (
            *case.documents_before,
            (case.documents_requested_at, case.documents_complete_at),
        )
    ]
    asked = tuple((requested, complete) for requested, complete in rounds if requested is not None)
    requested = asked[0][0] if asked else None
    said = next((complete for _, complete in rounds if complete is not None), None)
    complete = None if said is None else max(received, said)
    return Documents(requested, _complete(complete, requested, request_by, received, as_of), asked)


def _complete(
    complete: date | None, requested: date | None, request_by: Due | None, received: date, as_of: datetime | None
) -> date | None:
    """The date on which the documents count as complete (G7), None when that is open."""
    if request_by is None:
        return complete
    if requested is not None and requested <= request_by.due:
        return complete
    if complete is not None and complete <= request_by.due:
        return complete
    known = (requested, complete, _day(as_of))
    too_late = any(day is not None and day > request_by.due for day in known)
    return received if too_late else None


def _first_response(policy: Policy, calendar: Calendar, received: date, documents: Documents) -> Due | Pending | None:
    clock = policy.first_response
    if clock is None:
        return None
    if clock.from_ == "received":
        return calendar.due(received, clock.days)
    if documents.complete is None:
        return Pending("documents_complete", clock.days)
    return calendar.due(documents.complete, clock.days)


def _resolve(
    policy: Policy, calendar: Calendar, case: Case, track: Track, received: date, documents: Documents
) -> Resolve:
    if track.resolve == "forum":
        return Resolve(track.id, Pending("forum"))
    rule: ResolveClock = track.resolve
    starts: dict[ClockStart, date | None] = {
        "received": received,
        "first_response": _since(case, received, _day(case.first_response_at)),
        "documents_complete": documents.complete,
    }
    start = starts[rule.from_]
    if start is None:
        if rule.from_ == "first_response":
            return Resolve(track.id, Pending("first_response", rule.days, rule.min))
        return Resolve(track.id, Pending("documents_complete", rule.days, rule.min))
    clock = run(calendar, start, rule, policy.documents.clock, documents)
    if isinstance(clock, Pending):
        return Resolve(track.id, clock)
    earliest = None if rule.min is None else calendar.due(clock.start, rule.min).due
    steps: list[Due] = []
    for extension in case.extensions:
        clock, step = _extended(calendar, clock, extension)
        steps.append(step)
    return Resolve(track.id, clock, earliest, tuple(steps))


def _since(case: Case, start: date, day: date | None) -> date | None:
    """The start of a clock that counts from an earlier event: after a reopening, not before that."""
    return day if day is None or case.reopened_at is None else max(start, day)


def extend(calendar: Calendar, old: date, extension: Extension) -> Due:
    """The new due date, counted from the old one (R7). Raises ValueError when the extension has no length."""
    if extension.until is not None:
        return calendar.until(old, extension.until)
    if extension.days is None:
        raise ValueError("an extension needs a number of working days or a new date")
    return calendar.due(old, extension.days)


def _extended(calendar: Calendar, clock: Due, extension: Extension) -> tuple[Due, Due]:
    """The clock with the extension, and the extension alone. Where a new track gives more time, that stands."""
    step = extend(calendar, extension.old_due or clock.due, extension)
    if step.due <= clock.due:
        return clock, step
    more = step if step.start == clock.due else calendar.until(clock.due, step.due)
    counted = clock.counted + more.counted
    return Due(clock.start, len(counted), step.due, counted, clock.skipped + more.skipped), step


def _documents(policy: Policy, calendar: Calendar, case: Case) -> DocumentsWindow | None:
    rule = policy.documents.window
    requested = _day(case.documents_requested_at)
    if rule is None or requested is None:
        return None
    window = calendar.due(requested, rule.days)
    extended = calendar.due(window.due, rule.extend) if rule.extend else None
    complete = _day(case.documents_complete_at)
    outstanding = complete is None or complete < requested
    may_reject = policy.rejection is not None and policy.documents.on_timeout is not None
    last = (extended or window).due
    return DocumentsWindow(window, extended, last + ONE_DAY if outstanding and may_reject else None, outstanding)


def _window(calendar: Calendar, event: datetime | None, days: int | None) -> Due | None:
    return None if event is None or days is None else calendar.due(wib_date(event), days)


def _day(instant: datetime | None) -> date | None:
    return None if instant is None else wib_date(instant)
