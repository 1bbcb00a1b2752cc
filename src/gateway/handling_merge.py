"""The ticket that goes on when another is merged into it: it answers for both from now on."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from gateway.handling_refusals import refused
from gateway.handling_values import Refused
from tickets.life import Hold
from tickets.lifecycle_clocks import recount
from tickets.lifecycle_values import Rules, Standing
from tickets.model import OPEN, KnownThread
from tickets.numbers import parse
from tickets.store import Transaction


def target(tx: Transaction, goer: KnownThread, into: str) -> KnownThread | Refused:
    """The ticket that `goer` may be merged into, by its number or an alias of it."""
    number = parse(into)
    found = tx.find(str(number)) if number is not None else None
    if found is None:
        return refused("merge_unknown", into=into[:40])
    other = found.ticket
    if other.complaint_id == goer.ticket.complaint_id:
        return refused("merge_itself", into=other.ticket_number)
    if other.organisation != goer.ticket.organisation:
        return refused("merge_elsewhere", into=other.ticket_number)
    if other.state not in OPEN:
        return refused("merge_closed", into=other.ticket_number, state=other.state)
    return found


def joined(rules: Rules, standing: KnownThread, goer: KnownThread, at: datetime) -> KnownThread:
    """The ticket that goes on, with the other's numbers, and the earlier arrival of both (A11).

    `goer` is the other one as it was before: its legal hold goes along.
    Dates that an earlier arrival brings forward move; all others stay as they were promised (R6).
    """
    mine, other = standing.complaint, goer.complaint
    first = min(mine, other, key=lambda each: (each.received_at, each.complaint_id))
    numbers = (*mine.aliases, goer.ticket.ticket_number, *other.aliases)
    complaint = replace(
        mine,
        aliases=tuple(dict.fromkeys(numbers)),
        related=tuple(dict.fromkeys((*mine.related, other.complaint_id))),
        received_at=first.received_at,
        effective_received_date=min(mine.effective_received_date, other.effective_received_date),
    )
    before = Standing(complaint=standing.complaint, ticket=standing.ticket)
    known = standing.ticket.life
    # What the law gives the person for their data goes on with the ticket that goes on (R8).
    asked = tuple(each for each in goer.ticket.life.personal_data if each.answered_at is None)
    life = replace(
        known,
        revision=known.revision + 1,
        last_at=max(at, known.last_at or at),
        personal_data=(*known.personal_data, *asked),
        hold=_hold(known.hold, goer.ticket.life.hold),
    )
    after = Standing(complaint=complaint, ticket=replace(standing.ticket, life=life))
    return KnownThread(complaint=complaint, ticket=recount(rules, before, after, at))


def _hold(mine: Hold | None, other: Hold | None) -> Hold | None:
    """One hold for both: since the earlier one, for the reasons of both."""
    if mine is None or other is None:
        return mine or other
    return replace(min(mine, other, key=lambda each: each.since), reason=f"{mine.reason}; {other.reason}")
