"""A message and what the caller knows become THE complaint. Pure, and total: it never raises on a message."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from normalizer import parts
from normalizer.append import append
from normalizer.complaint import Assessment, Complaint, Consent, Form, Language
from normalizer.completeness import DocumentRules
from normalizer.lexicon import Lexicon
from normalizer.message import Message
from normalizer.reading import read
from normalizer.text import line

__all__ = ["TOLERATED_SKEW", "Context", "append", "normalize", "received_at"]

#: Clocks of providers may be this much ahead of ours (R10).
TOLERATED_SKEW = timedelta(minutes=5)


class Context(Struct, frozen=True, kw_only=True):
    """What the caller knows: plain values, because the normalizer imports nothing of ours."""

    complaint_id: str
    ticket_number: str
    tenant: str
    channel_id: str
    policy_id: str
    policy_version: str
    calendar_version: str
    #: From the policy, by channel (G6).
    form: Form
    #: The WIB date that clocks count from, as computed by `tickets.calendar` (R5).
    effective_received_date: date
    #: As `received_at` returned it.
    received_at: datetime
    ingested_at: datetime
    documents: DocumentRules = DocumentRules()
    #: The policy's category ids; None when the policy publishes none.
    categories: tuple[str, ...] | None = None
    #: The kinds that the policy knows; None: every kind of the schema.
    kinds: tuple[str, ...] | None = None
    default_language: Language = "id"
    lexicon: Lexicon
    #: The privacy notice in force when the channel itself shows none.
    privacy_notice_version: str | None = None
    #: One id per attachment of the message, in its order.
    attachment_ids: tuple[str, ...] = ()
    #: The member of staff who typed it in: phone, walk_in, letter.
    entered_by: str | None = None


def received_at(message: Message, ingested_at: datetime) -> tuple[datetime, bool]:
    """Return when the message counts as received, in UTC, and whether its own timestamp lay in the future (R10).

    The provider's time holds, however late the message was ingested; one more than five minutes ahead of `ingested_at`
    is replaced by `ingested_at`. A time without a zone is read as UTC.
    """
    sent, ingested = _aware(message.sent_at), _aware(ingested_at)
    if sent - ingested > TOLERATED_SKEW:
        return ingested, True
    return sent, False


def normalize(message: Message, context: Context) -> Complaint:
    """Return the complaint that the message opens. Never raises on any message.

    Raises ValueError only when `context.attachment_ids` does not match the attachments.
    """
    reading = read(
        message,
        context.lexicon,
        categories=context.categories,
        kinds=context.kinds,
        default_language=context.default_language,
        attachment_ids=context.attachment_ids,
    )
    answers, proposal = reading.answers, reading.proposal
    sender = message.sender
    in_future = received_at(message, context.ingested_at)[1]
    threads = message.thread_refs or message.registers
    complaint = Complaint(
        complaint_id=context.complaint_id,
        ticket_number=context.ticket_number,
        policy_id=context.policy_id,
        policy_version=context.policy_version,
        calendar_version=context.calendar_version,
        tenant=context.tenant,
        channel=message.channel,
        channel_account=line(message.account) or "",
        channel_id=context.channel_id,
        visibility=message.visibility,
        form=context.form,
        sender_key=line(sender.key),
        sender_handle=line(sender.handle),
        thread_ref=line(threads[0], 1000) if threads else None,
        reply_ref=line(message.reply.recipient, 1000) if message.reply is not None else None,
        post_ref=line(message.post_ref, 1000),
        entered_by=context.entered_by,
        received_at=context.received_at,
        ingested_at=context.ingested_at,
        effective_received_date=context.effective_received_date,
        complainant=parts.complainant(message, reading),
        representative=parts.representative(answers, reading.attachments),
        kind=answers.kind or proposal.kind,
        category=answers.category or proposal.category,
        subject=reading.subject,
        narrative=reading.narrative,
        narrative_redacted=reading.narrative_redacted,
        issue=proposal.issue,
        transaction=parts.transaction(answers),
        loss=parts.loss(answers),
        remedy_requested=answers.remedy_requested,
        dispute_indication=proposal.dispute_indication or bool(answers.loss_amount_idr),
        violation_indication=proposal.violation_indication,
        already_at=proposal.already_at,
        assessment=Assessment(
            urgency=proposal.urgency,
            severity=proposal.severity,
            has_documents=reading.brings_documents,
            language_confidence=reading.language_confidence,
            classifier=f"lexicon {context.lexicon.name}",
            category_reasons=proposal.category_reasons,
            urgency_reasons=proposal.urgency_reasons,
        ),
        needs_agent=parts.needs_agent(reading),
        flags=parts.joined(reading.flags, parts.own_flags(reading, in_future)),
        attachments=reading.attachments,
        consent=Consent(
            privacy_notice_version=answers.privacy_notice_version or context.privacy_notice_version,
            shown_at=context.received_at if answers.privacy_notice_version else None,
            publish_narrative=bool(answers.publish_narrative),
        ),
    )
    return parts.with_completeness(complaint, context.documents, context.received_at)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except OverflowError:  # the first or the last hours that a datetime can hold
        return moment.replace(tzinfo=UTC)
