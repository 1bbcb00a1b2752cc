"""The ticket machine: one event, judged by what the company promised, gives a change or a refusal that names its rule.

Pure: time and actor are arguments. Start at `apply`; which event is possible in which state stands in
`lifecycle_table`, the guards of each event in the module of its topic. docs/develop/lifecycle.md explains the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tickets import (
    lifecycle_answers,
    lifecycle_beside,
    lifecycle_documents,
    lifecycle_endings,
    lifecycle_ladder,
    lifecycle_opening,
    lifecycle_parties,
)
from tickets import lifecycle_events as events
from tickets.calendar import CalendarMissing
from tickets.life import ClockName, Life, Remark
from tickets.lifecycle_clocks import recount
from tickets.lifecycle_clocks_look import called_for
from tickets.lifecycle_parties import authorised
from tickets.lifecycle_step import Step, blank
from tickets.lifecycle_table import POSSIBLE, RULES, why_not
from tickets.lifecycle_values import Change, Notice, NoticeKind, Refusal, Rules, Standing

__all__ = ["POSSIBLE", "apply"]

#: What each event does when the table allows it.
_DO: Mapping[type[events.Happening], Callable[[Step, Any], Change | Refusal]] = {
    events.Classified: lifecycle_opening.classify,
    events.FirstResponse: lifecycle_opening.first_response,
    events.Dismissed: lifecycle_opening.dismiss,
    events.DocumentsRequested: lifecycle_documents.request_documents,
    events.DocumentsReceived: lifecycle_documents.receive_documents,
    events.DocumentsPresumed: lifecycle_documents.presume_documents,
    events.DocumentsWindowExtended: lifecycle_documents.extend_window,
    events.RepresentativeNamed: lifecycle_parties.name_representative,
    events.PowerOfAttorney: lifecycle_parties.power_of_attorney,
    events.Escalated: lifecycle_ladder.escalate,
    events.TierChanged: lifecycle_ladder.change_tier,
    events.ExtensionGranted: lifecycle_ladder.grant_extension,
    events.Responded: lifecycle_answers.respond,
    events.Implemented: lifecycle_answers.implement,
    events.Accepted: lifecycle_answers.accept,
    events.SilenceExpired: lifecycle_answers.expire_silence,
    events.ObjectionRaised: lifecycle_answers.object_to_answer,
    events.ObjectionAnswered: lifecycle_answers.answer_objection,
    events.ObjectionRejected: lifecycle_endings.reject_objection,
    events.Rejected: lifecycle_endings.reject,
    events.ReferredOut: lifecycle_endings.refer,
    events.ForumDecided: lifecycle_endings.forum_decided,
    events.Withdrawn: lifecycle_endings.withdraw,
    events.Merged: lifecycle_endings.merge,
    events.Reopened: lifecycle_endings.reopen,
    events.Grouped: lifecycle_beside.group,
    events.Ungrouped: lifecycle_beside.ungroup,
    events.HoldSet: lifecycle_beside.set_hold,
    events.HoldLifted: lifecycle_beside.lift_hold,
    events.PersonalDataAsked: lifecycle_beside.ask_personal_data,
    events.PersonalDataAnswered: lifecycle_beside.answer_personal_data,
    events.ClockPassed: lifecycle_beside.pass_clock,
}
#: The clock whose date a notice names.
_DATED: Mapping[NoticeKind, tuple[ClockName, ...]] = {
    "first_response": ("resolve",),
    "documents_requested": ("documents",),
    "documents_reminder": ("documents",),
    "answer": ("objection_window", "silent_close"),
    "objection_answer": ("silent_close",),
    "reopened": ("resolve",),
}
#: Notices after which the customer's silence closes the complaint.
_ENDS_IN_SILENCE: frozenset[NoticeKind] = frozenset({"answer", "objection_answer"})


def apply(rules: Rules, standing: Standing, event: events.Event, *, at: datetime, actor: str) -> Change | Refusal:
    """What the event makes of the complaint and its ticket, or why it is not allowed now.

    `at` is when it happened (aware), `actor` who says so; the events of `BY_THE_CLOCK` are the clock's alone
    (`CLOCK_ACTOR`). Total: never raises, whatever the event holds and whatever state the ticket is in.
    """
    step = Step(rules=rules, standing=standing, at=at, actor=actor)
    if at.tzinfo is None or at.utcoffset() is None:
        return step.refuse("time_without_offset", "R1")
    try:
        refusal = _out_of_time(step) or _not_yours(step, event) or _not_now(step, event)
        if refusal is not None:
            return refusal
        change = _DO[type(event)](step, event)
        return change if isinstance(change, Refusal) else _counted(step, event, change)
    except (CalendarMissing, OverflowError) as error:
        year = error.year if isinstance(error, CalendarMissing) else at.year
        return step.refuse("calendar_missing", "calendar.holidays", year=str(year))


def _out_of_time(step: Step) -> Refusal | None:
    """An event lies neither before the complaint nor before the last event: clocks never run backwards."""
    last = step.life.last_at
    if step.at < step.complaint.received_at:
        came = step.complaint.received_at
        return step.refuse("before_receipt", "lifecycle.time", at=came.isoformat(timespec="seconds"))
    if last is not None and step.at < last:
        return step.refuse("before_last_event", "lifecycle.time", at=last.isoformat(timespec="seconds"))
    return None


def _not_yours(step: Step, event: events.Event) -> Refusal | None:
    if isinstance(event, events.BY_THE_CLOCK) and step.actor != events.CLOCK_ACTOR:
        return step.refuse("only_the_clock", "lifecycle.actor", event=_tag(event))
    return None


def _not_now(step: Step, event: events.Event) -> Refusal | None:
    state = step.ticket.state
    code = why_not(_tag(event), state)
    if code is None:
        return None
    rule = RULES.get(code, "lifecycle.states")
    if code == "merged_away":
        return step.refuse(code, rule, number=step.complaint.duplicate_of or "")
    return step.refuse(code, rule, event=_tag(event), state=state)


def _tag(event: events.Event) -> str:
    return str(event.__struct_config__.tag)


def _counted(step: Step, event: events.Event, change: Change) -> Change:
    """The change with its place in time, its clocks and the dates that its notices name."""
    # The customer is told when something last happened; a clock that passes is nothing that happened to them.
    beside = isinstance(event, events.ClockPassed)
    ticket = replace(
        change.ticket,
        updated_at=step.ticket.updated_at if beside else max(step.ticket.updated_at, step.at),
        life=replace(
            change.ticket.life,
            revision=step.life.revision + 1,
            # What happened before the clock was looked at may still be entered behind it.
            last_at=step.life.last_at if beside else step.at,
            remarks=(*step.life.remarks, *_remarks(step, event)),
        ),
    )
    after = Standing(complaint=change.complaint, ticket=ticket)
    ticket = recount(step.rules, step.standing, after, step.at)
    silence: ClockName = "silent_close" if step.policy.silent_close_days is not None else "objection_window"
    notices = tuple(_dated(notice, ticket.life, silence) for notice in change.notices)
    notices += _postponed(step, event, replace(after, ticket=ticket))
    # A task that a date near or past left to the desk is over when its clock has stopped or was given more time.
    over = called_for(step.standing) - called_for(replace(after, ticket=ticket))
    if "problem" in step.ticket.deadlines and "problem" not in ticket.deadlines:
        over |= {"calendar_missing"}
    return replace(change, ticket=ticket, notices=notices, settles=(*change.settles, *sorted(over)))


def _postponed(step: Step, event: events.Event, after: Standing) -> tuple[Notice, ...]:
    """The notice of a date that the customer was told and that another tier or kind put off (R6, section 8)."""
    if not isinstance(event, events.Escalated | events.TierChanged | events.Classified):
        return ()
    told = step.complaint.first_response_at is not None or "resolve_range" in step.policy.receipt.fields
    old, new = step.promised("resolve"), after.ticket.life.promised.get("resolve")
    if not told or old is None or new is None or new.due <= old:
        return ()
    tier = after.ticket.tier
    return (
        Notice(
            kind="extension",
            ground=tier if tier != step.ticket.tier else "kind",
            forums=step.policy.external.forums,
            old_due=old,
            due=new.due,
            representative=authorised(step),
        ),
    )


def _remarks(step: Step, event: events.Event) -> tuple[Remark, ...]:
    """What a person wrote for the desk beside the event: the audit log holds no words of a person."""
    if isinstance(event, events.Escalated | events.TierChanged | events.Reopened | events.HoldSet):
        text: str = event.reason
    else:
        text = getattr(event, "note", "")
    return () if blank(text) else (Remark(at=step.at, by=step.actor, event=_tag(event), text=text),)


def _dated(notice: Notice, life: Life, silence: ClockName) -> Notice:
    promised = life.promised
    due = next((promised[clock].due for clock in _DATED.get(notice.kind, ()) if clock in promised), None)
    closes = promised[silence].due if notice.kind in _ENDS_IN_SILENCE and silence in promised else None
    return replace(notice, due=notice.due or due, closes=closes)
