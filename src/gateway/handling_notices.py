"""Messages that events owe the customer, over the channels of the complaint's organisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.handling import Owe
from gateway.installation import Installation
from gateway.letters import ways_of
from normalizer.complaint import Complaint
from receipts.notices import Owed, notice_rows
from tickets.lifecycle_values import Notice
from tickets.model import MessageRow, Ticket


def notices_of(installation: Installation, new_id: Callable[[], str]) -> Owe:
    """What `Handling` asks for the rows of a notice; `new_id` gives fresh ids."""
    ways = ways_of(installation)

    def owe(
        complaint: Complaint, ticket: Ticket, notice: Notice, messages: Sequence[MessageRow], *, now: datetime
    ) -> Owed:
        return notice_rows(complaint, ticket, notice, messages, ways[complaint.tenant], new_id=new_id, now=now)

    return owe
