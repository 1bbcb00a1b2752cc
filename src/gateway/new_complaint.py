"""A first message as a complaint of its organisation. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from connectors.submission import entered_by
from gateway.clocks import day_zero, form_of
from gateway.installation import Channel, Organisation
from gateway.ticket_numbers import TicketNumbers
from normalizer.complaint import Complaint
from normalizer.completeness import DocumentRules
from normalizer.lexicon import Lexicon
from normalizer.message import Message
from normalizer.normalize import Context, normalize
from tickets.calendar import wib_date


def new_complaint(
    organisation: Organisation,
    channel: Channel,
    message: Message,
    *,
    arrived: datetime,
    now: datetime,
    numbers: TicketNumbers,
    documents: DocumentRules,
    lexicon: Lexicon,
    new_id: Callable[[], str],
    earlier: Complaint | None,
) -> Complaint:
    """The complaint of a message that came at the moment `arrived`, numbered; `earlier` is the closed one before it."""
    policy = organisation.policy
    form = form_of(policy, channel, message)
    complaint = normalize(
        message,
        Context(
            complaint_id=new_id(),
            ticket_number=numbers.next(policy.prefix, wib_date(arrived)),
            tenant=organisation.slug,
            channel_id=channel.id,
            policy_id=policy.id,
            policy_version=policy.version,
            calendar_version=organisation.calendar.version,
            form=form,
            effective_received_date=day_zero(organisation, message.channel, form, arrived),
            received_at=arrived,
            ingested_at=now,
            documents=documents,
            categories=policy.categories,
            kinds=policy.intake.kinds if policy.intake else None,
            lexicon=lexicon,
            attachment_ids=tuple(new_id() for _ in message.attachments),
            entered_by=entered_by(message),
        ),
    )
    if earlier is None:
        return complaint
    return replace(complaint, related=(earlier.complaint_id,), flags=(*complaint.flags, "possible_follow_up"))
