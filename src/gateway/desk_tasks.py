"""Tasks that customers' further messages leave to a person, and which events settle them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from receipts.notice_values import REPRESENTATIVE
from receipts.notices import TELL_REPRESENTATIVE
from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    Accepted,
    Classified,
    ClockPassed,
    Dismissed,
    DocumentsReceived,
    DocumentsRequested,
    DocumentsWindowExtended,
    Event,
    FirstResponse,
    HoldLifted,
    HoldSet,
    Merged,
    Rejected,
    Responded,
    SilenceExpired,
)
from tickets.model import OutboxRow, TaskRow, TicketState

#: A customer wrote after the answer: accepted, or an objection? Nobody guesses (section 7).
CUSTOMER_REPLIED = "customer_replied"
#: Files came while documents were awaited: are they the ones, and all of them?
DOCUMENTS_CAME = "documents_came"
#: A date could not be counted, for want of a calendar file.
CALENDAR_MISSING = "calendar_missing"
#: A customer wrote behind a closed complaint: does that one go on, or is this a new one?
REOPEN_OR_NEW = "reopen_or_new"

#: Reasons of tasks that ask a person to read a complaint.
EMERGENCY, NO_TEXT = "its urgency looks like an emergency", "a person must read it: little or no text"
TO_READ = frozenset({EMERGENCY, NO_TEXT})
#: Nobody does this to a complaint that was not read.
_READ = (FirstResponse, Responded, DocumentsRequested, Dismissed, Rejected)
#: What decides nothing about the matter itself.
_BESIDE = (Classified, HoldSet, HoldLifted, *BY_THE_CLOCK)
#: The answers whose silence closes a ticket, by the name of their outbox rows, which also begins the reason of a task.
_ANSWERS = ("notice_answer", "notice_objection_answer")


def settled(tasks: Iterable[TaskRow], event: Event, before: TicketState, after: TicketState) -> tuple[TaskRow, ...]:
    """Those of the open tasks that the event answered, by the ticket's state before and after it."""
    kinds = set()
    # What nobody has read goes along with a merge, and is answered by the answer to both.
    moved = after != before and not isinstance(event, Merged)
    # An accepted offer that is not carried out yet keeps the ticket where it is (A16).
    if (before == "responded" and moved) or isinstance(event, Accepted | Responded):
        kinds.add(CUSTOMER_REPLIED)
    if isinstance(event, DocumentsReceived) or (before == "awaiting_documents" and moved):
        kinds.add(DOCUMENTS_CAME)
    read = isinstance(event, _READ)
    if not isinstance(event, _BESIDE):
        # Whoever goes on with the new complaint, merges or dismisses it has decided.
        kinds.add(REOPEN_OR_NEW)
    return tuple(task for task in tasks if task.kind in kinds or (read and task.reason in TO_READ))


def contradicting(tasks: Iterable[TaskRow], event: Event) -> TaskRow | None:
    """The open task which says that the customer did write, although the clock took silence for granted."""
    kind = _against(event)
    return None if kind is None else next((task for task in tasks if task.kind == kind), None)


def takes_silence_for_granted(event: Event) -> bool:
    """Whether the clock says this because nothing came: it may be on its way after a standstill."""
    return _against(event) is not None


def _against(event: Event) -> str | None:
    """The kind of task which says that something did come."""
    match event:
        case SilenceExpired():
            return CUSTOMER_REPLIED
        case DocumentsWindowExtended() | ClockPassed(clock="documents", mark="breached"):
            return DOCUMENTS_CAME
        case _:
            return None


def unheard(owed: Iterable[OutboxRow], tasks: Iterable[TaskRow]) -> bool:
    """Whether the last answer has not reached the customer: it waits to be sent, or a person must still bring it."""
    answers = [row for row in owed if row.template.startswith(_ANSWERS) and not row.template.endswith(REPRESENTATIVE)]
    if not answers:
        return False
    last = max(answers, key=lambda row: _revision(row.template))
    if last.state in {"due", "sending", "halted"}:
        return True
    name = last.template.partition(":")[0]
    return any(
        task.reason.startswith((f"{last.template}: ", f"{name}: ")) and task.kind != TELL_REPRESENTATIVE
        for task in tasks
    )


def _revision(template: str) -> int:
    """The revision of the ticket that a notice's row is named after (`receipts.notices.template_name`)."""
    last = template.rpartition(":")[2]
    return int(last) if last.isdecimal() else 0
