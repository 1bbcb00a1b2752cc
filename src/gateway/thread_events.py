"""What a further message means for the life of the ticket it belongs to: never a step by itself, a question. Pure.

Whether "terima kasih" accepts an answer, whether a photo is the document that was asked for, whether a closed matter
goes on: a person decides each of these (section 7). A withdrawal is never guessed either.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from gateway.desk_tasks import CUSTOMER_REPLIED, DOCUMENTS_CAME, REOPEN_OR_NEW
from normalizer.complaint import Complaint
from normalizer.message import Message
from tickets.calendar import wib_date
from tickets.model import KnownThread, Ticket

#: Documents of a policy's list that need no file: an answer in words brings them (A12).
_IN_WORDS = frozenset({"full_name", "id_address", "phone", "transaction_type_date", "problem"})
#: Closed states that a further message may reopen.
_REOPENED = frozenset({"resolved", "rejected"})


class Question(Struct, frozen=True):
    """What a person is asked: the kind of a task and its reason."""

    kind: str
    reason: str


def of_addition(ticket: Ticket, message: Message) -> Question | None:
    """What a message in an open thread leaves to a person, by the ticket it was added to."""
    if ticket.state == "responded":
        return Question(
            CUSTOMER_REPLIED, "the customer wrote after the answer: record `accepted` or `objection_raised`, or answer"
        )
    if ticket.state == "awaiting_documents" and message.attachments:
        return Question(
            DOCUMENTS_CAME, "files came while documents are awaited: look, then record `documents_received`"
        )
    if ticket.state == "awaiting_documents" and message.text.strip() and set(ticket.life.documents_asked) & _IN_WORDS:
        return Question(
            DOCUMENTS_CAME, "the customer wrote, and words may be what was asked for: read, then `documents_received`"
        )
    return None


def of_merge(into: Ticket, goer: Complaint) -> Question | None:
    """What a merge leaves to a person: the customer wrote the other complaint after the answer, or with files."""
    answered = max((each.at for each in into.life.answers), default=None)
    if into.state == "responded" and answered is not None and goer.received_at > answered:
        return Question(
            CUSTOMER_REPLIED,
            "what was merged in came after the answer: record `accepted` or `objection_raised`, or answer",
        )
    if into.state == "awaiting_documents" and goer.attachments:
        return Question(
            DOCUMENTS_CAME, "files were merged in while documents are awaited: look, then record `documents_received`"
        )
    return None


def of_follow_up(earlier: KnownThread, received: datetime, reopen_days: int | None) -> Question | None:
    """What a new complaint behind a closed one leaves to a person; `received` is when its message came.

    None where the closed one can no longer be reopened: `reopen_days` calendar days (WIB) after it was closed.
    """
    ticket = earlier.ticket
    if reopen_days is None or ticket.state not in _REOPENED or ticket.closed_at is None:
        return None
    if wib_date(received) > wib_date(ticket.closed_at) + timedelta(days=reopen_days):
        return None
    return Question(
        REOPEN_OR_NEW,
        f"written behind {ticket.ticket_number} ({ticket.state}): reopen that and merge this into it, or go on here",
    )


def is_same_sender(complaint: Complaint, message: Message) -> bool:
    """Whether a thread may be continued by this sender: a reference alone proves nothing (P28)."""
    same = complaint.sender_key == message.sender.key
    return same or any(ref.endswith(f":{message.sender.key}") for ref in message.thread_refs)
