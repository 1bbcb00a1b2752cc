"""A kept complaint that staff entered -> one message. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from connectors import submission
from normalizer.message import Event, Raw, ReplyAddress


class Entered(submission.Submission, frozen=True, kw_only=True):
    """What is kept; `session` is who entered it, so that two people's keys never meet."""

    channel: submission.EnteredChannel
    #: As staff say; None: when it was entered.
    received_at: datetime | None


def parse(raw: Raw) -> Sequence[Event]:
    """The one message of a kept entry, sent when staff say that it came. Raises Malformed when it cannot be read."""
    kept = submission.read_kept(raw, Entered)
    message = submission.message_of(kept, raw, kept.channel, raw.channel_id)
    sender, reply = message.sender, message.reply
    if sender.email is None and sender.phone is None:
        # Without an address nothing tells one customer from the next: each entry is a person of its own.
        sender = replace(sender, key=f"staff:{kept.session}:{kept.idempotency_key}")
    elif reply is None and sender.phone is not None:
        reply = ReplyAddress(recipient=sender.phone)
    return (
        replace(
            message,
            key=f"staff:{raw.channel_id}:{kept.session}:{kept.idempotency_key}",
            sent_at=kept.received_at or raw.received_at,
            sender=sender,
            reply=reply,
            flags=(*message.flags, f"{submission.ENTERED_BY}{kept.session}"),
        ),
    )
