"""A later message of the same person, added to a complaint that is open (B1)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from normalizer import parts
from normalizer.complaint import (
    Assessment,
    Complainant,
    Complaint,
    Consent,
    Representative,
    StoredAttachment,
    Transaction,
)
from normalizer.completeness import DocumentRules
from normalizer.fields import Answers
from normalizer.lexicon import Lexicon
from normalizer.message import Message
from normalizer.reading import Reading, read
from normalizer.text import bounded, first_line

#: An opening such as "halo min mau tanya" has fewer words than this; the story comes with the next message.
_OPENING_WORDS = 5
_LEVELS = ("low", "medium", "high", "emergency")


def append(
    complaint: Complaint,
    message: Message,
    *,
    received: datetime,
    documents: DocumentRules,
    lexicon: Lexicon,
    categories: tuple[str, ...] | None = None,
    kinds: tuple[str, ...] | None = None,
    attachment_ids: tuple[str, ...] = (),
) -> Complaint:
    """Return the complaint enriched by a later message that counts as received at the moment `received`.

    Fills what is empty, adds the attachments, recomputes completeness. Overwrites nothing that is there, with two
    exceptions: a name that was only guessed from a profile, and an urgency that the new text raises. The text joins the
    narrative only while that is a mere opening; otherwise it stands in its own message. Never raises on any message;
    ValueError only when `attachment_ids` does not match its attachments.
    """
    reading = read(
        message,
        lexicon,
        categories=categories,
        kinds=kinds,
        default_language=complaint.complainant.language,
        attachment_ids=attachment_ids,
        names_taken=tuple(item.name_safe for item in complaint.attachments),
    )
    answers, proposal = reading.answers, reading.proposal
    files = complaint.attachments + reading.attachments
    assessment = _assessment(complaint, reading)
    tells_story = _is_opening(complaint) and bool(reading.narrative)
    enriched = msgspec.structs.replace(
        complaint,
        complainant=_complainant(complaint, message, reading),
        representative=_representative(complaint.representative, answers, files),
        kind=answers.kind or (proposal.kind if tells_story else complaint.kind),
        category=_category(complaint, reading),
        issue=complaint.issue or proposal.issue,
        transaction=_transaction(complaint.transaction, parts.transaction(answers)),
        loss=complaint.loss if complaint.loss.claimed else parts.loss(answers),
        remedy_requested=complaint.remedy_requested or answers.remedy_requested,
        dispute_indication=complaint.dispute_indication or proposal.dispute_indication or bool(answers.loss_amount_idr),
        violation_indication=complaint.violation_indication or proposal.violation_indication,
        already_at=complaint.already_at if complaint.already_at != "none" else proposal.already_at,
        assessment=assessment,
        flags=_flags(complaint, reading, assessment),
        attachments=files,
        needs_agent=_needs_agent(complaint, reading, tells_story),
        consent=_consent(complaint.consent, answers, received),
    )
    if tells_story:
        enriched = _with_story(enriched, reading)
    return parts.with_completeness(enriched, documents, received)


def _is_opening(complaint: Complaint) -> bool:
    return (
        complaint.category is None
        and complaint.issue is None
        and len(complaint.narrative) < 200
        and len(complaint.narrative.split()) < _OPENING_WORDS
    )


def _with_story(complaint: Complaint, reading: Reading) -> Complaint:
    narrative, cut = bounded(f"{complaint.narrative}\n{reading.narrative}")
    redacted, _ = bounded(f"{complaint.narrative_redacted}\n{reading.narrative_redacted}")
    # A subject that an agent wrote is not the first line of the opening.
    is_derived = not complaint.subject or complaint.subject == first_line(complaint.narrative_redacted)
    return msgspec.structs.replace(
        complaint,
        narrative=narrative,
        narrative_redacted=redacted,
        subject=reading.subject if is_derived and reading.subject else complaint.subject,
        flags=parts.joined(complaint.flags, ("truncated",)) if cut else complaint.flags,
    )


def _category(complaint: Complaint, reading: Reading) -> str | None:
    """The customer's own choice replaces a mere proposal, never a category that a person or the customer set."""
    was_proposed = any(reason.value == complaint.category for reason in complaint.assessment.category_reasons)
    if reading.answers.category is not None and (complaint.category is None or was_proposed):
        return reading.answers.category
    return complaint.category or reading.proposal.category


def _assessment(complaint: Complaint, reading: Reading) -> Assessment:
    known, proposal = complaint.assessment, reading.proposal
    raised = _LEVELS.index(proposal.urgency) > max(_LEVELS.index(known.urgency), _LEVELS.index("medium"))
    return msgspec.structs.replace(
        known,
        urgency=proposal.urgency if raised else known.urgency,
        severity=proposal.severity if raised else known.severity,
        urgency_reasons=proposal.urgency_reasons if raised else known.urgency_reasons,
        category_reasons=known.category_reasons or proposal.category_reasons,
        has_documents=known.has_documents or reading.brings_documents,
    )


def _flags(complaint: Complaint, reading: Reading, assessment: Assessment) -> tuple[str, ...]:
    known = complaint.flags
    if reading.answers.full_name is not None:
        known = tuple(flag for flag in known if flag != "name_from_profile")
    raised = ("urgency_raised",) if assessment.urgency != complaint.assessment.urgency else ()
    return parts.joined(known, reading.flags, raised)


def _needs_agent(complaint: Complaint, reading: Reading, tells_story: bool) -> bool:
    if reading.proposal.urgency == "emergency" or "unsupported" in reading.flags:
        return True
    # The story arrived: what waited for a person only because nothing was said waits no longer.
    was_silent = not complaint.narrative and "unsupported" not in complaint.flags
    return complaint.needs_agent and not (tells_story and was_silent)


def _complainant(complaint: Complaint, message: Message, reading: Reading) -> Complainant:
    known, new = complaint.complainant, parts.complainant(message, reading)
    is_guess = "name_from_profile" in complaint.flags
    return msgspec.structs.replace(
        known,
        role=known.role if known.role != "unknown" else new.role,
        full_name=(reading.answers.full_name if is_guess else None) or known.full_name or reading.answers.full_name,
        id_address=known.id_address or new.id_address,
        phone=known.phone or new.phone,
        email=known.email or new.email,
        customer_ref=known.customer_ref or new.customer_ref,
        language=reading.answers.language or known.language,
        vulnerable_tags=parts.joined(known.vulnerable_tags, new.vulnerable_tags),
    )


def _representative(
    known: Representative | None, answers: Answers, files: tuple[StoredAttachment, ...]
) -> Representative | None:
    new = parts.representative(answers, files)
    if known is None:
        return new
    has_paper = any(item.kind == "poa" and item.status != "refused" for item in files)
    return msgspec.structs.replace(
        known,
        full_name=known.full_name or answers.representative_name,
        poa_status="received" if has_paper and known.poa_status == "missing" else known.poa_status,
    )


def _transaction(known: Transaction | None, new: Transaction | None) -> Transaction | None:
    if known is None or new is None:
        return known or new
    return Transaction(
        type=known.type or new.type,
        date=known.date or new.date,
        reference=known.reference or new.reference,
        amount_idr=known.amount_idr if known.amount_idr is not None else new.amount_idr,
    )


def _consent(known: Consent, answers: Answers, received: datetime) -> Consent:
    version = known.privacy_notice_version or answers.privacy_notice_version
    return Consent(
        privacy_notice_version=version,
        shown_at=known.shown_at or (received if answers.privacy_notice_version else None),
        publish_narrative=known.publish_narrative if answers.publish_narrative is None else answers.publish_narrative,
    )
