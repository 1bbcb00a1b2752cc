"""Tasks that customers' further messages leave to a person, and which events settle them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    Accepted,
    Classified,
    DocumentsReceived,
    DocumentsWindowExtended,
    Event,
    HoldLifted,
    HoldSet,
    SilenceExpired,
)
from tickets.model import TaskRow, TicketState

#: A customer wrote after the answer: accepted, or an objection? Nobody guesses (section 7).
CUSTOMER_REPLIED = "customer_replied"
#: Files came while documents were awaited: are they the ones, and all of them?
DOCUMENTS_CAME = "documents_came"
#: A customer wrote behind a closed complaint: does that one go on, or is this a new one?
REOPEN_OR_NEW = "reopen_or_new"

#: What decides nothing about the matter itself.
_BESIDE = (Classified, HoldSet, HoldLifted, *BY_THE_CLOCK)
#: What a clock does because nothing came, and the task which says that something did.
_BECAUSE_NOTHING_CAME = {SilenceExpired: CUSTOMER_REPLIED, DocumentsWindowExtended: DOCUMENTS_CAME}


def settled(tasks: Iterable[TaskRow], event: Event, before: TicketState, after: TicketState) -> tuple[TaskRow, ...]:
    """Those of the open tasks that the event answered, by the ticket's state before and after it."""
    kinds = set()
    # An accepted offer that is not carried out yet keeps the ticket where it is (A16).
    if before == "responded" and (after != before or isinstance(event, Accepted)):
        kinds.add(CUSTOMER_REPLIED)
    if isinstance(event, DocumentsReceived) or before == "awaiting_documents" != after:
        kinds.add(DOCUMENTS_CAME)
    if not isinstance(event, _BESIDE):
        # Whoever goes on with the new complaint, merges or dismisses it has decided.
        kinds.add(REOPEN_OR_NEW)
    return tuple(task for task in tasks if task.kind in kinds)


def contradicting(tasks: Iterable[TaskRow], event: Event) -> TaskRow | None:
    """The open task which says that the customer did write, although the clock took silence for granted."""
    kind = _BECAUSE_NOTHING_CAME.get(type(event))
    return next((task for task in tasks if task.kind == kind), None)
