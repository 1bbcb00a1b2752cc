"""What of a complaint is personal data and goes, what is a figure and stays, and when it may go. Pure.

Kept are the fields that reports and their drill-down count: dates, organisation, channel, kind, category, product,
issue, outcome with its amounts, extensions, breaches, referrals. They name nobody without the rest. The amounts of the
transaction and of the claimed loss go: no report counts them, and with a date they may lead back to a person.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from normalizer.complaint import Assessment, Complainant, Complaint, Consent, Loss, Outcome
from normalizer.message import Message, Sender
from tickets.calendar import wib_date
from tickets.life import Life
from tickets.model import OPEN, Ticket

#: Why personal data is erased: its years are over, the person asked (UU 27/2022), an authority ordered it, or it
#: should never have been here.
ErasureReason = Literal["retention", "request", "order", "mistake"]
#: Why it is not erased now.
Obstacle = Literal["hold", "open", "objection", "referral", "request_open", "message_owed", "not_yet", "no_retention"]

#: What stands where a rejection must have reasons; long enough for the schema.
REASONS_ERASED = "(alasan dihapus bersama data pribadi / reasons erased with the personal data)"
#: What takes the place of an identity that only served to tell a repeat: followed by a digest of it.
ERASED = "erased:"
#: A word of a program; anything else in a list of words might be what somebody typed.
_WORD = re.compile(r"[a-z][a-z0-9_]*")


class Erasure(Struct, frozen=True, kw_only=True):
    """That the personal data of a complaint was erased, when and why."""

    complaint_id: str
    ticket_number: str
    organisation: str
    at: datetime
    reason: ErasureReason


def erased_complaint(complaint: Complaint) -> Complaint:
    """The complaint without everything that says who it was or what was said; its figures stay as they are."""
    known, assessed = complaint.complainant, complaint.assessment
    return replace(
        complaint,
        sender_key=None,
        sender_handle=None,
        thread_ref=None,
        reply_ref=None,
        post_ref=None,
        entered_by=None,
        complainant=Complainant(role=known.role, language=known.language),
        representative=None,
        sub_issue=None,
        subject="",
        narrative="",
        narrative_redacted="",
        transaction=None,
        loss=Loss(type=complaint.loss.type, claimed=complaint.loss.claimed),
        remedy_requested=None,
        assessment=Assessment(
            urgency=assessed.urgency,
            severity=assessed.severity,
            tier=assessed.tier,
            has_documents=assessed.has_documents,
            classifier=assessed.classifier,
        ),
        missing_documents=_words(complaint.missing_documents),
        needs_agent=False,
        flags=_words(complaint.flags),
        attachments=(),
        receipts=(),
        consent=Consent(),
        outcome=_erased_outcome(complaint.outcome),
    )


def _erased_outcome(outcome: Outcome) -> Outcome:
    rejection, objection = outcome.rejection, outcome.objection
    return replace(
        outcome,
        rejection=None if rejection is None else replace(rejection, reasons=REASONS_ERASED),
        objection=None if objection is None else replace(objection, answer=None),
    )


def erased_ticket(ticket: Ticket) -> Ticket:
    """The ticket without access code and without every text that a person wrote; dates and decisions stay."""
    return replace(ticket, access_code_hash=None, look_on=None, life=_erased_life(ticket.life))


def _erased_life(life: Life) -> Life:
    return replace(
        life,
        documents_asked=_words(life.documents_asked),
        documents_came=_words(life.documents_came),
        units=_words(life.units),
        extensions=tuple(replace(each, ground=_ground(each.ground), cause="") for each in life.extensions),
        remarks=(),
        referrals=tuple(replace(each, decision=None) for each in life.referrals),
        reason=life.reason if life.reason is not None and _WORD.fullmatch(life.reason) else None,
    )


def erased_message(message: Message, key: str) -> Message:
    """What stays of a message of an erased complaint: that one came by this channel, and when, under the new key."""
    return Message(
        channel=message.channel,
        account=message.account,
        key=key,
        external_id="",
        sent_at=message.sent_at,
        sender=Sender(key=""),
        visibility=message.visibility,
    )


def tombstone(message: Message) -> Message:
    """A message that its sender deleted, where the policy has our copy deleted too: who and when, not what."""
    return replace(message, text="", subject=None, attachments=(), fields={})


def obstacle(complaint: Complaint, ticket: Ticket) -> Obstacle | None:
    """Why the personal data of a complaint may not be erased, whatever its age; None when it may."""
    life = ticket.life
    if life.hold is not None:
        return "hold"
    if ticket.state == "objection_review":
        return "objection"
    if ticket.state == "referred" or (ticket.state != "withdrawn" and any(not r.decided_at for r in life.referrals)):
        return "referral"
    if ticket.state in OPEN:
        return "open"
    # Who asked to see or to correct the data must get an answer before it is gone.
    if any(asked.answered_at is None and asked.kind in ("access", "correction") for asked in life.personal_data):
        return "request_open"
    return None


def erase_on(complaint: Complaint, ticket: Ticket, retention_years: int) -> date:
    """The WIB date from which a closed complaint is kept no longer: the same day so many years after closing (D6)."""
    closed = wib_date(ticket.closed_at or complaint.closed_at or ticket.updated_at)
    year = closed.year + retention_years
    try:
        return closed.replace(year=year)
    except ValueError:  # 29 February in a year without one
        return date(year, 3, 1)


def _ground(given: str) -> str:
    """A published ground; where the policy publishes none (U8) it is what somebody typed, and a word may be a name."""
    return given if _WORD.fullmatch(given) and "_" in given else ""


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in given if _WORD.fullmatch(each))
