"""Whether more time may be granted, or a complaint rejected for missing documents; a refusal quotes its rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from tickets.calendar import Calendar, Due, wib_date
from tickets.deadlines_compute import deadlines, extend, track_for
from tickets.deadlines_values import Case, Deadlines, Extension, Pending
from tickets.policy import Policy
from tickets.policy_clocks import ExtendRule


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something is not allowed: the rule (a key of the policy or an R number) and a sentence."""

    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} ({self.rule})"


@dataclass(frozen=True, slots=True)
class Granted:
    """An extension that the policy allows, and the new due date, counted from the old one (R7)."""

    extension: Extension
    due: Due


def may_extend(
    policy: Policy, calendar: Calendar, case: Case, wanted: Extension, *, stage_update: str = ""
) -> Granted | Refused:
    """Whether the resolve clock may be extended (K11, U8, R7); `days` None takes the longest the policy allows."""
    track = track_for(policy, case)
    key = f"tracks.{track.id}.extend"
    rule = track.extend
    if rule is None:
        return Refused(key, f"track {track.id} of {policy.id} allows no extension")
    clock = deadlines(policy, calendar, case, wanted.notified_at).resolve.clock
    if isinstance(clock, Pending):
        return Refused(key, f"there is no due date to extend: the clock {clock.reason}")
    if rule.times is not None and len(case.extensions) >= rule.times:
        return Refused(f"{key}.times", f"already extended {len(case.extensions)} of {rule.times} times")
    if rule.grounds is not None and wanted.ground not in rule.grounds:
        return Refused(f"{key}.grounds", f"the ground must be one of {', '.join(rule.grounds)}")
    if not wanted.ground.strip():
        return Refused(f"{key}.grounds", "an extension needs a reason, which its notice repeats")
    if rule.notify == "with_stage_update" and not stage_update.strip():
        return Refused(f"{key}.notify", "the notice must say what stage the complaint has reached")
    old = case.resolve_promised or clock.due
    if wib_date(wanted.notified_at) > old:
        return Refused("R7", f"the notice must be sent on or before {old.isoformat()}, the due date that it moves")
    return _granted(calendar, rule, key, old, wanted)


def rejection_from(policy: Policy, deadlines: Deadlines, ground: str) -> date | Refused:
    """From which date a complaint may be rejected: at once (day 0), or when the window for its documents has passed."""
    if policy.rejection is None:
        return Refused("rejection", f"{policy.id} published no ground on which it may reject a complaint")
    if ground not in policy.rejection.grounds:
        return Refused("rejection.grounds", f"the ground must be one of {', '.join(policy.rejection.grounds)}")
    timeout = policy.documents.on_timeout
    if timeout is None or ground != timeout.may_reject:
        return deadlines.received
    if deadlines.documents is None:
        return Refused("documents.window", "no documents were asked for, so none can be missing")
    if deadlines.documents.reject_from is None:
        return Refused("documents.on_timeout", "the documents that were asked for are complete")
    return deadlines.documents.reject_from


def _granted(calendar: Calendar, rule: ExtendRule, key: str, old: date, wanted: Extension) -> Granted | Refused:
    days = wanted.days
    if wanted.until is not None:
        if wanted.until <= old or not calendar.is_working_day(wanted.until):
            return Refused(f"{key}.days", f"the new date must be a working day after {old.isoformat()}")
        days = calendar.until(old, wanted.until).days
    elif days is None:
        days = rule.days
    if days is None:
        return Refused(f"{key}.days", "the policy states no length: a new date must be given")
    if days < 1 or (rule.days is not None and days > rule.days):
        allowed = "at least 1 working day" if rule.days is None else f"1 to {rule.days} working days"
        return Refused(f"{key}.days", f"an extension lasts {allowed}")
    extension = replace(wanted, days=days, old_due=old)
    return Granted(extension, extend(calendar, old, extension))
