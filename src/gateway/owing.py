"""What a new complaint obliges us to send: its receipt, and the one neutral line under a public comment. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from normalizer import privacy
from normalizer.complaint import Complaint
from normalizer.message import Message
from receipts.route import Way, owed, public_line
from tickets.model import OutboxRow, TaskRow

#: Reasons without a receipt in which a comment is answered in public all the same.
_STILL_ANSWERED = (None, "public_only")


#: A flag of a complaint that was opened in private and has its line under a comment that joined it.
ANSWERED_IN_PUBLIC = "answered_in_public"
#: How long the private answer to a comment waits behind the public line.
_BEHIND_THE_LINE = timedelta(seconds=1)


class Owing(Struct, frozen=True, kw_only=True):
    """The rows and tasks that a new complaint brings along."""

    rows: tuple[OutboxRow, ...]
    tasks: tuple[TaskRow, ...]

    @property
    def sends_receipt(self) -> bool:
        """Whether a receipt is on its way: it counts against the sender's limit."""
        return self.rows[0].state == "due"


def owing(
    complaint: Complaint,
    message: Message,
    ways: Mapping[str, Way],
    *,
    new_id: Callable[[], str],
    previous: int,
    limit: int,
    now: datetime,
) -> Owing:
    """What is owed for a complaint that `message` opened (K2; section 8); the receipt stands first.

    `previous` counts the sender's receipts of the last 24 hours.
    """
    receipt = owed(complaint, message, ways, key=new_id(), task_id=new_id(), previous=previous, now=now, limit=limit)
    rows = [receipt.row]
    if message.visibility == "public" and receipt.row.reason in _STILL_ANSWERED:
        line = public_line(complaint, message, key=new_id(), now=now)
        if line is not None:
            # First what everybody reads, then what only the customer does (section 8).
            rows = [replace(receipt.row, due_at=now + _BEHIND_THE_LINE), line]
    return Owing(rows=tuple(rows), tasks=(receipt.task,) if receipt.task is not None else ())


def line_beside(complaint: Complaint, message: Message, *, key: str, now: datetime) -> OutboxRow | None:
    """The neutral line under the first comment that joins a complaint which was opened in private; None for others.

    Whoever sees the comment must see that it was noticed; once is enough (section 8). The caller flags the complaint
    with ANSWERED_IN_PUBLIC.
    """
    if complaint.visibility == "public" or ANSWERED_IN_PUBLIC in complaint.flags:
        return None
    return public_line(complaint, message, key=key, now=now)


def must_hide(message: Message) -> bool:
    """Whether everybody can read personal data in it: then a person hides it on the platform (section 8)."""
    return message.visibility == "public" and bool(privacy.find(message.text))
