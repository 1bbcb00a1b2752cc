"""Which texts must exist, which values each may name and which it must print. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from receipts.wording import Length, Medium
from tickets.lifecycle_values import NoticeKind

#: Values that every text has; all others may be unknown.
ALWAYS = frozenset({"organisation", "receipt_name", "number_label", "ticket_number", "date", "time"})
_CASE = ALWAYS | {
    "response_due", "response_days", "resolve_range", "contact",
}  # fmt: skip
_UNPROVEN = _CASE
_PRIVATE = _CASE | {
    "access_code", "category", "documents", "resolve_earliest", "resolve_due", "status_url", "verify_url",
    "procedure_url",
}  # fmt: skip
_RECEIPT = frozenset({"ticket_number", "date"})
_NUMBER = frozenset({"ticket_number"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Which values a text may name, and which it must print in every case."""

    allowed: frozenset[str]
    required: frozenset[str]


#: Template -> medium -> rule. What is not here cannot be written; what is here must be written in both languages.
RULES: Mapping[str, Mapping[Medium, Rule]] = {
    "receipt": {
        # K3, A4, section 2.2: number and date always; an address nobody proved gets no case data (B3, relay spam).
        "chat": Rule(_PRIVATE, _RECEIPT),
        "short": Rule(_PRIVATE, _RECEIPT),
        "email": Rule(_PRIVATE, _RECEIPT),
        "email_unproven": Rule(_UNPROVEN, _RECEIPT),
        "screen": Rule(_PRIVATE, _RECEIPT),
        "oral": Rule(_PRIVATE, _RECEIPT),
    },
    "added_to": {
        "chat": Rule(_CASE, _NUMBER),
        "short": Rule(_CASE, _NUMBER),
        "email": Rule(_CASE, _NUMBER),
        "email_unproven": Rule(_UNPROVEN, _NUMBER),
        "screen": Rule(_CASE, _NUMBER),
        "oral": Rule(_CASE, _NUMBER),
    },
    # Everybody reads it: the institution's own address, and the number only where a policy says so (section 8, D5).
    "public_reply": {"public": Rule(frozenset({"public_contact", "ticket_number"}), frozenset())},
    # The frame of every further message; `text` is what the dialog says, or the notice of its kind. No public form.
    "notice": {
        "chat": Rule(_PRIVATE | {"text"}, _NUMBER),
        "short": Rule(_PRIVATE | {"text"}, _NUMBER),
        "short_unproven": Rule(_UNPROVEN, _NUMBER),
        "email": Rule(_PRIVATE | {"text"}, _NUMBER),
        "email_unproven": Rule(_UNPROVEN, _NUMBER),
        "screen": Rule(_PRIVATE | {"text"}, _NUMBER),
        "oral": Rule(_PRIVATE | {"text"}, _NUMBER),
    },
}
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
LENGTHS: tuple[Length, ...] = get_args(Length)
#: What a notice may name; each must hold a sentence that needs none of them. `subject` is that of its email and letter.
NOTICE_VALUES = frozenset({
    "organisation", "number_label", "ticket_number", "contact", "status_url", "text", "documents", "document_list",
    "ground", "forums", "forum_list", "remedies", "compensation", "due", "old_due", "closes", "closed_word",
    "new_documents", "reopen_days", "into", "objection_until", "timeout_ground",
})  # fmt: skip
#: Values of the small phrases that other values are made of.
PHRASES: Mapping[str, frozenset[str]] = {
    "whatsapp": frozenset({"address"}),
    "phone": frozenset({"address"}),
    "phone_with_hours": frozenset({"address", "open", "close"}),
    "email": frozenset({"address"}),
    "url": frozenset({"address"}),
    "comma": frozenset(),
    "range": frozenset({"track", "min", "max"}),
    "part": frozenset({"part", "parts"}),
    "item": frozenset({"item"}),
    "rupiah": frozenset({"amount"}),
    "thousands": frozenset(),
    "text_above": frozenset(),
    "new_documents": frozenset(),
    "notice_subject": frozenset({"ticket_number", "subject"}),
    "between_subjects": frozenset(),
}
DATES: Mapping[str, frozenset[str]] = {
    "long": frozenset({"weekday", "day", "month", "year"}),
    "clock": frozenset({"hour", "minute"}),
}
DOCUMENT: Mapping[str, frozenset[str]] = {
    "title": frozenset({"receipt_name"}),
    "intro": frozenset({"organisation"}),
    "number": frozenset({"number_label"}),
    "received": frozenset(),
    "received_at": frozenset({"date", "time"}),
    "category": frozenset(),
    "answer": frozenset(),
    "answer_after_documents": frozenset({"response_days"}),
    "resolution": frozenset(),
    "documents": frozenset(),
    "contact": frozenset(),
    "code": frozenset(),
    "keep": frozenset(),
    "status": frozenset({"status_url"}),
    "verify": frozenset({"verify_url"}),
    "qr": frozenset(),
}
#: What frames a notice that is a letter; it names no person.
LETTER: Mapping[str, frozenset[str]] = {
    "dated": frozenset({"date"}),
    "to": frozenset({"ticket_number"}),
    "number": frozenset({"number_label"}),
    "received": frozenset(),
    "subject": frozenset(),
    "salutation": frozenset(),
    "closing": frozenset(),
    "contact": frozenset({"contact"}),
    "never_ask": frozenset(),
    "signed": frozenset(),
    "verify": frozenset({"verify_url"}),
    "qr": frozenset(),
    "page": frozenset({"page", "pages"}),
}
#: Words that the policies use, translated: section of `phrases`.
WORD_LISTS = ("tracks", "receipt_names", "number_labels", "moved", "remedies")
