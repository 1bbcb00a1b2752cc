"""The parts of a complaint that come from one message: parties, transaction, loss, flags, completeness."""

from __future__ import annotations

from datetime import datetime

import msgspec

from normalizer.complaint import Complainant, Complaint, Loss, Representative, StoredAttachment, Transaction
from normalizer.completeness import DocumentRules, assess
from normalizer.fields import Answers
from normalizer.message import Message
from normalizer.reading import Reading


def complainant(message: Message, reading: Reading) -> Complainant:
    """Return who complains.

    An address that the provider vouches for stays the contact, even when the answers name another (that one stays
    readable in the narrative): a typed-in number must not inherit the proof.
    """
    answers, verified = reading.answers, message.sender.verified
    answered_email = answers.email.address if answers.email is not None else None
    sender_email = reading.email.address if reading.email is not None else None
    return Complainant(
        role=answers.role or "unknown",
        full_name=answers.full_name or reading.profile_name,
        id_address=answers.id_address,
        phone=(reading.phone or answers.phone) if verified else (answers.phone or reading.phone),
        email=(sender_email or answered_email) if verified else (answered_email or sender_email),
        customer_ref=answers.customer_ref,
        language=answers.language or reading.language,
        verified=verified,
        vulnerable_tags=reading.proposal.vulnerable_tags,
    )


def representative(answers: Answers, files: tuple[StoredAttachment, ...]) -> Representative | None:
    """Return who acts for the complainant, or None when the complainant acts alone (K15)."""
    if answers.acting_as in (None, "self") and answers.representative_name is None:
        return None
    has_paper = any(item.kind == "poa" and item.status != "refused" for item in files)
    return Representative(
        full_name=answers.representative_name,
        kind="institution" if answers.acting_as == "institution" else "person",
        poa_status="received" if has_paper else "missing",
    )


def transaction(answers: Answers) -> Transaction | None:
    """Return the transaction that the answers describe, or None when they describe none (A12)."""
    found = Transaction(
        type=answers.transaction_type,
        date=answers.transaction_date,
        reference=answers.transaction_reference,
        amount_idr=answers.transaction_amount_idr,
    )
    return None if found == Transaction() else found


def loss(answers: Answers) -> Loss:
    """Return the loss as claimed (A17); a claim of zero is none."""
    amount = answers.loss_amount_idr
    return Loss(type="actual", amount_idr=amount, claimed=True) if amount else Loss()


def own_flags(reading: Reading, in_future: bool) -> tuple[str, ...]:
    """Return what only the first message of a complaint can show."""
    found = []
    if in_future:
        found.append("future_timestamp")  # R10
    if reading.answers.full_name is None and reading.profile_name is not None:
        found.append("name_from_profile")
    return tuple(found)


def needs_agent(reading: Reading) -> bool:
    """Return whether a person must look first: nothing readable was said, or somebody is in danger (B5)."""
    return not reading.visible or "unsupported" in reading.flags or reading.proposal.urgency == "emergency"


def joined(*flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return all flags, each once, in their order."""
    return tuple(dict.fromkeys(flag for group in flags for flag in group))


def with_completeness(complaint: Complaint, rules: DocumentRules, at: datetime) -> Complaint:
    """Return the complaint with its missing documents, and `documents_complete_at` = `at` when now nothing is missing.

    Once complete, a complaint stays complete.
    """
    complete_at = complaint.documents_complete_at
    missing, complete = assess(complaint, rules)
    if complete_at is None and complete:
        complete_at = at
    if missing == complaint.missing_documents and complete_at == complaint.documents_complete_at:
        return complaint
    return msgspec.structs.replace(complaint, missing_documents=missing, documents_complete_at=complete_at)
