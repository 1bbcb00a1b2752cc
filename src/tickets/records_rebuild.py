"""A complaint told again by the messages that are left, when our copy of a deleted one goes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from normalizer.complaint import Complaint, Reason, StoredAttachment
from normalizer.lexicon import Lexicon
from normalizer.message import Message
from normalizer.normalize import Context, append, normalize, received_at

#: Characters by which a text is found again.
_BEGINNING = 200
#: What is said of a file whose message was deleted by its sender.
FILE_GONE = "deleted by its sender"


def without_message(
    complaint: Complaint,
    deleted: Message,
    others: Sequence[Message],
    *,
    files_gone: Collection[str],
    lexicon: Lexicon,
    categories: tuple[str, ...] | None,
    kinds: tuple[str, ...] | None,
) -> Complaint:
    """The complaint with subject and narrative of the other messages alone, oldest first; `files_gone` are file ids.

    One that does not tell what the deleted message said keeps its words as they are.
    Dates, category, urgency and everything that people decided stay: a deletion takes words back, not a complaint.
    Channels that report deletions carry no fields of a form, so no field of the complaint came from one.
    """
    bare = replace(
        complaint, attachments=tuple(_bare(file) if file.id in files_gone else file for file in complaint.attachments)
    )
    alone = _told(complaint, [deleted], lexicon, categories, kinds)
    if alone is None or not _tells(complaint, alone):
        return bare
    told = _told(complaint, others, lexicon, categories, kinds)
    assessment = complaint.assessment
    return replace(
        bare,
        subject=told.subject if told else "",
        narrative=told.narrative if told else "",
        narrative_redacted=told.narrative_redacted if told else "",
        assessment=replace(
            assessment,
            category_reasons=_still(assessment.category_reasons, told.assessment.category_reasons if told else ()),
            urgency_reasons=_still(assessment.urgency_reasons, told.assessment.urgency_reasons if told else ()),
        ),
    )


def own_messages(complaint: Complaint, messages: Sequence[Message]) -> list[Message]:
    """Those that the complaint itself was told by, when others were merged into it or it into another."""
    return [
        message
        for message in messages
        if (message.channel, message.sender.key) == (complaint.channel, complaint.sender_key)
    ]


def _tells(complaint: Complaint, alone: Complaint) -> bool:
    """Whether the complaint says what the message does alone; by its beginning, because long ones are cut."""
    beginning = alone.narrative[:_BEGINNING]
    same_subject = bool(alone.subject) and alone.subject == complaint.subject
    return same_subject or (bool(beginning) and beginning in complaint.narrative)


def _told(
    complaint: Complaint,
    messages: Sequence[Message],
    lexicon: Lexicon,
    categories: tuple[str, ...] | None,
    kinds: tuple[str, ...] | None,
) -> Complaint | None:
    """What the normalizer makes of these messages alone; None of none."""
    told: Complaint | None = None
    for message in messages:
        arrived, _ = received_at(message, complaint.ingested_at)
        ids = tuple(str(place) for place in range(len(message.attachments)))
        if told is None:
            context = Context(
                complaint_id=complaint.complaint_id,
                ticket_number=complaint.ticket_number,
                tenant=complaint.tenant,
                channel_id=complaint.channel_id,
                policy_id=complaint.policy_id,
                policy_version=complaint.policy_version,
                calendar_version=complaint.calendar_version,
                form=complaint.form,
                effective_received_date=complaint.effective_received_date,
                received_at=complaint.received_at,
                ingested_at=complaint.ingested_at,
                categories=categories,
                kinds=kinds,
                lexicon=lexicon,
                attachment_ids=ids,
            )
            told = normalize(message, context)
        else:
            told = append(
                told,
                message,
                received=arrived,
                documents=context.documents,
                lexicon=lexicon,
                categories=categories,
                kinds=kinds,
                attachment_ids=ids,
            )
    return told


def _still(known: Sequence[Reason], told: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that somebody still gives: a reason is a word of the text."""
    terms = {reason.term for reason in told}
    return tuple(reason for reason in known if reason.term in terms)


def _bare(file: StoredAttachment) -> StoredAttachment:
    return StoredAttachment(id=file.id, name_safe="-", status="refused", reason=FILE_GONE)
