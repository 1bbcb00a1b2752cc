"""One clock between its start and its end, and what a request for documents does to it (R9)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from tickets.calendar import Calendar, Due, NonWorking, Skipped
from tickets.deadlines_values import Documents, Pending
from tickets.policy_clocks import ResolveClock

AWAITED = NonWorking("paused", "menunggu dokumen (documents awaited)")


def run(
    calendar: Calendar,
    start: date,
    rule: ResolveClock,
    effect: Literal["none", "pause", "start_on_complete"],
    documents: Documents,
) -> Due | Pending:
    """The end of a clock: a request for documents is ignored, pauses it (used days stay used) or restarts it (R9)."""
    if effect == "none" or not documents.rounds or rule.from_ == "documents_complete":
        return calendar.due(start, rule.days)
    if effect == "pause":
        return _paused(calendar, start, rule, documents.rounds)
    requested, complete = documents.rounds[0]
    whole = calendar.due(start, rule.days)
    if requested > whole.due:
        return whole
    if complete is None:
        return Pending("documents_complete", rule.days, rule.min)
    return calendar.due(max(start, complete), rule.days)


def _paused(
    calendar: Calendar, start: date, rule: ResolveClock, rounds: tuple[tuple[date, date | None], ...]
) -> Due | Pending:
    day0, left = start, rule.days
    counted: list[date] = []
    skipped: list[Skipped] = []
    for requested, complete in rounds:
        whole = calendar.due(day0, left)
        if requested >= whole.due:
            break
        used = [day for day in whole.counted if day <= requested]
        left -= len(used)
        if complete is None or complete < requested:
            return Pending("documents_paused", left, rule.min)
        again = max(day0, complete)
        pause = calendar.until(max(day0, requested), again)
        counted += used
        skipped += [skip for skip in whole.skipped if skip.date <= requested]
        skipped += [*pause.skipped, *(Skipped(day, AWAITED) for day in pause.counted)]
        day0 = again
    rest = calendar.due(day0, left)
    skipped += rest.skipped
    days = (*counted, *rest.counted)
    return Due(start, rule.days, rest.due, days, tuple(sorted(skipped, key=lambda skip: skip.date)))
