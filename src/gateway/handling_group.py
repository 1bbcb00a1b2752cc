"""The complaint that stands for all of a mass event: one cause, many customers, each with a ticket of their own."""

from __future__ import annotations

from gateway.handling_refusals import refused
from gateway.handling_values import Refused
from tickets.model import KnownThread
from tickets.numbers import parse
from tickets.store import Transaction


def parent(tx: Transaction, child: KnownThread, number: str) -> KnownThread | Refused:
    """The ticket that `child` may be grouped under, by its number or an alias of it; groups have one level."""
    parsed = parse(number)
    found = tx.find(str(parsed)) if parsed is not None else None
    if found is None:
        return refused("group_unknown", parent=number[:40])
    other = found.ticket
    if other.organisation != child.ticket.organisation:
        return refused("group_elsewhere", parent=other.ticket_number)
    if other.life.parent is not None:
        return refused("group_nested", number=other.ticket_number, parent=other.life.parent)
    if tx.proposals.has_children(child.ticket.complaint_id):
        return refused("group_has_children", number=child.ticket.ticket_number)
    return found
