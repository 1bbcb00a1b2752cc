"""Who handles the complaint, and more time: the ladder (K13, A13), the tier (A10) and extensions (K11, U8)."""

from __future__ import annotations

from datetime import date
from typing import get_args

from msgspec.structs import replace

from normalizer.complaint import Tier
from tickets.deadlines import Extension, Refused, extend, may_extend, track_for
from tickets.life import Extended
from tickets.lifecycle_clocks import case_of
from tickets.lifecycle_events import Escalated, ExtensionGranted, TierChanged
from tickets.lifecycle_parties import authorised
from tickets.lifecycle_step import Step, blank, listed
from tickets.lifecycle_values import Change, Notice, Refusal
from tickets.policy_clocks import ExtendRule

#: From the smallest to the widest circle of those who must take part.
_WIDER = get_args(Tier)


def escalate(step: Step, event: Escalated) -> Change | Refusal:
    """Handed to the next level; the tier may rise with it and never falls."""
    ladder = step.policy.escalation
    level = next((item for item in ladder if item.level == event.level), None)
    now = step.ticket.level
    if level is None:
        return step.refuse("level_unknown", "escalation", given=str(event.level), last=str(len(ladder)))
    if event.level <= now:
        return step.refuse("level_not_higher", "escalation", given=str(event.level), level=str(now))
    if event.level > now + 1 and blank(event.reason):
        return step.refuse("level_skipped", "escalation", given=str(event.level), next=str(now + 1))
    strange = [unit for unit in event.units if unit not in level.units]
    if strange:
        return step.refuse(
            "unit_not_of_level", "escalation", given=listed(strange), level=str(level.level), listed=listed(level.units)
        )
    tier = step.ticket.tier
    if level.tier is not None and _WIDER.index(level.tier) > _WIDER.index(tier):
        tier = level.tier
    units = event.units or level.units
    return step.change(
        event,
        complaint={"assessment": replace(step.complaint.assessment, tier=tier)},
        ticket={"state": "escalated", "level": event.level, "tier": tier},
        life={"units": units},
        data={"level": event.level, "units": list(units), "tier": tier},
    )


def change_tier(step: Step, event: TierChanged) -> Change | Refusal:
    """Others must take part: the track is chosen anew and counted from the same start; a fall needs its reason."""
    tier = step.ticket.tier
    if event.tier == tier:
        return step.refuse("tier_unchanged", "tracks", tier=tier)
    if event.tier == "court_or_adr":
        return step.refuse("tier_by_referral", "tracks.court_or_adr")
    if _WIDER.index(event.tier) < _WIDER.index(tier) and blank(event.reason):
        return step.refuse("tier_falls", "tracks", given=event.tier, tier=tier)
    return step.change(
        event,
        complaint={"assessment": replace(step.complaint.assessment, tier=event.tier)},
        ticket={"tier": event.tier},
        data={"from": tier, "to": event.tier},
    )


def grant_extension(step: Step, event: ExtensionGranted) -> Change | Refusal:
    """More time: the customer is told the cause and the new date on or before the old one (K11, U8, R7)."""
    track = track_for(step.policy, case_of(step.standing))
    key = f"tracks.{track.id}.extend"
    rule = track.extend
    if rule is None:
        return step.refuse("extension_not_offered", key, track=track.id)
    old = step.promised("resolve")
    if old is None:
        return step.refuse("clock_not_running", key)
    if blank(event.cause):
        return step.refuse("extension_without_cause", key)
    wanted = Extension(ground=event.ground, notified_at=step.at, days=event.days, until=event.until)
    granted = may_extend(
        step.policy, step.rules.calendar, case_of(step.standing), wanted, stage_update=event.stage_update
    )
    if isinstance(granted, Refused):
        return _refused(step, event, key, rule, granted, old)
    if step.day > old:
        return step.refuse("extension_too_late", f"{key}.notify", due=old.isoformat())
    new = extend(step.rules.calendar, old, granted.extension).due
    if new <= old:
        return step.refuse("extension_date", f"{key}.days", due=old.isoformat())
    extended = Extended(
        ground=event.ground,
        cause=event.cause,
        notified_at=step.at,
        old_due=old,
        new_due=new,
        days=granted.extension.days,
        until=event.until,
    )
    published = rule.grounds is not None and event.ground in rule.grounds
    told = event.cause if blank(event.stage_update) else f"{event.cause}\n\n{event.stage_update}"
    return step.change(
        event,
        life={"extensions": (*step.life.extensions, extended)},
        data={
            "old_due": old.isoformat(),
            "new_due": new.isoformat(),
            # A ground that nobody published is a person's own words.
            **({"ground": event.ground} if published else {}),
        },
        notices=(
            Notice(
                kind="extension",
                text=told,
                ground=event.ground if published else None,
                forums=step.policy.external.forums,
                old_due=old,
                due=new,
                letter=True,
                representative=authorised(step),
            ),
        ),
    )


def _refused(step: Step, event: ExtensionGranted, key: str, rule: ExtendRule, why: Refused, due: date) -> Refusal:
    part = why.rule.rpartition(".")[2]
    if why.rule == "R7":
        return step.refuse("extension_too_late", f"{key}.notify", due=due.isoformat())
    if part == "times":
        return step.refuse("extension_used_up", why.rule, times=str(rule.times))
    if part == "grounds" and rule.grounds is not None:
        return step.refuse("extension_ground_not_listed", why.rule, given=event.ground, listed=listed(rule.grounds))
    if part == "grounds":
        return step.refuse("extension_without_ground", why.rule)
    if part == "notify":
        return step.refuse("stage_update_needed", why.rule)
    if part == "days" and event.until is not None:
        return step.refuse("extension_date", why.rule, due=due.isoformat())
    if part == "days" and (event.days is None or rule.days is None):
        return step.refuse("extension_length_needed", why.rule)
    if part == "days":
        return step.refuse("extension_too_long", why.rule, days=str(rule.days))
    return step.refuse("clock_not_running", why.rule)
