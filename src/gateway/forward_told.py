"""What other ticket stores hear of a message that came in."""

from __future__ import annotations

from datetime import datetime

from normalizer.complaint import Complaint
from normalizer.message import Message
from tickets.forwarders.values import Owed


def told(complaint: Complaint, what: str, message: Message, now: datetime) -> Owed:
    """The event for a message that `created` the complaint, or was `added` to it; then with its words."""
    new = what == "created"
    return Owed(
        organisation=complaint.tenant,
        complaint_id=complaint.complaint_id,
        type="complaint.received" if new else "message.added",
        at=complaint.received_at if new else now,
        text=None if new else message.text,
    )
