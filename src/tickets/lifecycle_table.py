"""The ticket machine at a glance: which event is possible in which state, and why not in the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from tickets.model import TicketState

STATES: tuple[TicketState, ...] = get_args(TicketState)

#: A plus: the event is possible there, if its guards allow it. Columns are the states in the order of STATES.
GRID = """
                           rec prog docs esc resp obj | res rej ref | wdr mrg dis
classified                  +   +    +    +   +    +  |  +   +   +  |  +   .   +
first_response              +   +    +    +   .    .  |  .   .   .  |  .   .   .
documents_requested         +   +    .    +   .    .  |  .   .   .  |  .   .   .
documents_received          +   +    +    +   .    .  |  .   .   .  |  .   .   .
documents_presumed          +   +    .    +   .    .  |  .   .   .  |  .   .   .
documents_window_extended   .   .    +    .   .    .  |  .   .   .  |  .   .   .
representative_named        +   +    +    +   +    +  |  .   .   +  |  .   .   .
power_of_attorney           +   +    +    +   +    +  |  .   .   +  |  .   .   .
escalated                   .   +    .    +   .    .  |  .   .   .  |  .   .   .
tier_changed                +   +    +    +   .    .  |  .   .   .  |  .   .   .
extension_granted           +   +    +    +   .    .  |  .   .   .  |  .   .   .
responded                   +   +    .    +   .    .  |  .   .   .  |  .   .   .
implemented                 .   .    .    .   +    .  |  +   .   .  |  .   .   .
accepted                    .   .    .    .   +    .  |  .   .   .  |  .   .   .
silence_expired             .   .    .    .   +    .  |  .   .   .  |  .   .   .
objection_raised            .   .    .    .   +    .  |  .   .   .  |  .   .   .
objection_answered          .   .    .    .   .    +  |  .   .   .  |  .   .   .
objection_rejected          .   .    .    .   .    +  |  .   .   .  |  .   .   .
rejected                    +   +    +    +   .    +  |  .   .   .  |  .   .   .
dismissed                   +   .    .    .   .    .  |  .   .   .  |  .   .   .
referred                    +   +    +    +   +    +  |  .   +   .  |  .   .   .
forum_decided               .   .    .    .   .    .  |  .   .   +  |  .   .   .
withdrawn                   +   +    +    +   +    +  |  .   .   +  |  .   .   .
merged                      +   +    +    +   +    +  |  .   .   +  |  .   .   .
reopened                    .   .    .    .   .    .  |  +   +   .  |  .   .   .
grouped                     +   +    +    +   +    +  |  .   .   +  |  .   .   .
ungrouped                   +   +    +    +   +    +  |  +   +   +  |  +   .   +
hold_set                    +   +    +    +   +    +  |  +   +   +  |  +   +   +
hold_lifted                 +   +    +    +   +    +  |  +   +   +  |  +   +   +
personal_data_asked         +   +    +    +   +    +  |  +   +   +  |  +   .   +
personal_data_answered      +   +    +    +   +    +  |  +   +   +  |  +   .   +
clock_passed                +   +    +    +   +    +  |  +   +   +  |  +   .   +
"""

_WORKING = frozenset({"received", "in_progress", "awaiting_documents", "escalated"})
_ENDED = frozenset({"resolved", "rejected", "withdrawn", "dismissed"})
#: Why an event is not possible before the answer was sent (or at all, while the ticket is open).
_TOO_EARLY: Mapping[str, str] = {
    "documents_window_extended": "documents_not_awaited",
    "implemented": "no_offer",
    "accepted": "not_answered",
    "silence_expired": "not_answered",
    "objection_raised": "not_answered",
    "objection_answered": "no_objection",
    "objection_rejected": "no_objection",
    "forum_decided": "not_referred",
    "reopened": "still_open",
    "dismissed": "dismissed_only_at_first",
    "escalated": "not_begun",
}
#: Why an event is not possible while the customer has the answer.
_ANSWERED: Mapping[str, str] = {
    "objection_answered": "no_objection",
    "objection_rejected": "no_objection",
    "forum_decided": "not_referred",
    "reopened": "still_open",
    "dismissed": "dismissed_only_at_first",
    "extension_granted": "clock_stopped",
}
#: Why an event is not possible while an objection waits for its answer.
_OBJECTED: Mapping[str, str] = {
    "forum_decided": "not_referred",
    "reopened": "still_open",
    "dismissed": "dismissed_only_at_first",
    "extension_granted": "clock_stopped",
}
#: The rule behind a refusal that the policy itself states.
RULES: Mapping[str, str] = {
    "not_referred": "external.forums",
    "no_objection": "objection",
    "still_open": "reopen_days",
    "dismissed_only_at_first": "intake",
    "no_offer": "resolution.offer_must_be_implemented",
    "documents_not_awaited": "documents",
    "documents_awaited": "documents",
}


def _read(grid: str) -> dict[str, frozenset[TicketState]]:
    lines = [line.split() for line in grid.replace("|", " ").strip().splitlines()[1:]]
    return {
        name: frozenset(state for state, mark in zip(STATES, marks, strict=True) if mark == "+")
        for name, *marks in lines
    }


#: Event tag -> the states in which it is possible.
POSSIBLE: Mapping[str, frozenset[TicketState]] = _read(GRID)


def why_not(event: str, state: TicketState) -> str | None:
    """The code of the refusal of an event in a state; None when the table allows it."""
    if state in POSSIBLE[event]:
        return None
    if state == "merged":
        return "merged_away"
    if state in _ENDED:
        return "cannot_be_reopened" if event == "reopened" else "closed"
    if state == "referred":
        return "still_open" if event == "reopened" else "at_forum"
    if state == "awaiting_documents" and event in {
        "documents_requested",
        "documents_presumed",
        "escalated",
        "responded",
    }:
        return "documents_awaited"
    if state in _WORKING:
        return _TOO_EARLY[event]
    if state == "responded":
        return _ANSWERED.get(event, "already_answered")
    return _OBJECTED.get(event, "objection_open")
