"""What became of an event, as data for programs: the command line's JSON and the answer of the API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from gateway.handling_refusals import sentence
from gateway.handling_values import Done, Refused
from tickets.model import OutboxRow, TaskRow, Ticket


class MovedDate(Struct, frozen=True, kw_only=True):
    """A promised date that is new, moved or gone, with the days that were counted where they are known."""

    clock: str
    before: date | None
    after: date | None
    counted: tuple[str, ...] = ()
    skipped: tuple[Mapping[str, str], ...] = ()


def moved_dates(before: Ticket, after: Ticket) -> tuple[MovedDate, ...]:
    """Every promised date that differs, in the order of the clocks' names."""
    old, new = before.life.promised, after.life.promised
    found = []
    for clock in sorted({*old, *new}):
        was = old[clock].due if clock in old else None
        now = new[clock].due if clock in new else None
        if was != now:
            found.append(_moved(clock, was, now, after.deadlines.get(clock)))
    return tuple(found)


def told(found: Done | Refused, *, dry_run: bool = False) -> dict[str, Any]:
    """What became of it as JSON-able data, without what names a person."""
    if isinstance(found, Refused):
        refusal = found.refusal
        return {
            "refused": {
                "why": found.why,
                "code": refusal.code,
                "rule": refusal.rule,
                "sources": refusal.sources,
                "values": refusal.values,
                "message_id": sentence(refusal, "id"),
                "message_en": sentence(refusal, "en"),
            }
        }
    ticket = found.after.ticket
    return {
        "ticket_number": ticket.ticket_number,
        "event": found.event,
        "repeated": found.repeated,
        "dry_run": dry_run,
        "state_before": found.before.ticket.state,
        "state": ticket.state,
        "level": ticket.level,
        "tier": ticket.tier,
        "revision": ticket.life.revision,
        "dates": moved_dates(found.before.ticket, ticket),
        "notices": [_notice(row) for row in found.notices],
        "tasks": [_task(row) for row in found.tasks],
        "settled": [_task(row) for row in found.settled],
        "into": found.into and found.into.ticket.ticket_number,
    }


def _moved(clock: str, before: date | None, after: date | None, explained: Any) -> MovedDate:
    """The explanation goes along only where it ends at the date that is promised."""
    known = explained if isinstance(explained, Mapping) and after and explained.get("due") == after.isoformat() else {}
    return MovedDate(
        clock=clock,
        before=before,
        after=after,
        counted=tuple(known.get("counted", ())),
        skipped=tuple(known.get("skipped", ())),
    )


def _notice(row: OutboxRow) -> dict[str, Any]:
    route = row.routes[row.route] if row.route < len(row.routes) else None
    return {
        "key": row.key,
        "template": row.template,
        "language": row.language,
        "state": row.state,
        "due_at": row.due_at,
        "channel": route and (route.channel or route.channel_id),
        "channel_id": route and route.channel_id,
        "by_template": bool(route and route.template),
        "reason": row.reason,
    }


def _task(row: TaskRow) -> dict[str, Any]:
    return {"id": row.id, "kind": row.kind, "reason": row.reason}
