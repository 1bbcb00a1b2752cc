"""THE complaint schema: every complaint from every channel becomes one of these.

Field names are the published ones; `aduan schema complaint` publishes it as JSON Schema. Times are aware UTC; dates
are WIB dates; money is integer rupiah. Additive changes only within a major version.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from normalizer.message import Channel, Visibility

SCHEMA_VERSION = "1.0"

Form = Literal["oral", "written"]
Kind = Literal["complaint", "information", "suggestion", "criticism"]
Role = Literal["lender", "borrower", "user", "prospect", "external_reporter", "unknown"]
Language = Literal["id", "en", "other"]
Urgency = Literal["low", "medium", "high", "emergency"]
Severity = Literal["minor", "major"]
Tier = Literal["single_unit", "cross_unit", "directors", "external_party", "court_or_adr"]
Finding = Literal["no_fault", "fault", "partial"]
RejectionGround = Literal[
    "incomplete_documents", "already_settled", "no_material_loss", "unrelated", "in_or_decided_by_court"
]
Forum = Literal["court", "laps_sjk", "ojk"]
Rupiah = Annotated[int, Meta(ge=0, description="Whole rupiah")]


class Complainant(Struct, frozen=True, kw_only=True):
    """Who complains (A3)."""

    role: Role = "unknown"
    full_name: str | None = None
    id_address: str | None = None
    #: E.164 ("+62812...").
    phone: str | None = None
    email: str | None = None
    customer_ref: str | None = None
    language: Language = "id"
    verified: bool = False
    vulnerable_tags: tuple[str, ...] = ()


class Representative(Struct, frozen=True, kw_only=True):
    """Who acts for the complainant, and whether the special power of attorney is there (K15, A12)."""

    full_name: str | None = None
    kind: Literal["person", "institution"] = "person"
    poa_status: Literal["missing", "received", "verified"] = "missing"
    #: Where they are written to, as staff noted it; E.164 as the complainant's.
    phone: str | None = None
    email: str | None = None


class Transaction(Struct, frozen=True, kw_only=True):
    """The transaction that the complaint is about (A12)."""

    type: str | None = None
    date: date | None = None
    reference: str | None = None
    amount_idr: Rupiah | None = None


class Loss(Struct, frozen=True, kw_only=True):
    """Financial loss as claimed (A17, A21)."""

    type: Literal["none", "potential", "actual"] = "none"
    amount_idr: Rupiah | None = None
    claimed: bool = False


class Reason(Struct, frozen=True, kw_only=True):
    """A word of the text that decided, and what it counted for: what makes a proposal explainable."""

    term: str
    value: str
    weight: float


class Assessment(Struct, frozen=True, kw_only=True):
    """What the intake proposes; a person confirms."""

    urgency: Urgency = "medium"
    severity: Severity = "minor"
    tier: Tier = "single_unit"
    has_documents: bool = False
    language_confidence: float = 0.0
    #: Name and version of the lexicon that proposed.
    classifier: str = ""
    category_reasons: tuple[Reason, ...] = ()
    urgency_reasons: tuple[Reason, ...] = ()


class StoredAttachment(Struct, frozen=True, kw_only=True):
    """A file of the complaint; a failed fetch never loses the complaint."""

    id: str
    sha256: str | None = None
    #: Sniffed from the content, never the declared one.
    mime_sniffed: str | None = None
    size: int | None = None
    name_safe: str
    kind: Literal["id_card", "poa", "screenshot", "recording", "transaction_proof", "other"] = "other"
    scan: Literal["pending", "clean", "blocked"] = "pending"
    provider_ref: str | None = None
    fetched_at: datetime | None = None
    status: Literal["pending", "stored", "expired", "refused"] = "pending"
    #: Why it was refused or expired, for the desk and the customer.
    reason: str | None = None


class ReceiptRecord(Struct, frozen=True, kw_only=True):
    """One receipt and what became of it (K2)."""

    id: str
    channel: Channel
    recipient: str
    template: str
    template_version: str
    language: Language
    body_hash: str | None = None
    state: Literal["queued", "sent", "delivered", "read", "failed", "suppressed"] = "queued"
    provider_id: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    reason: str | None = None


class Consent(Struct, frozen=True, kw_only=True):
    """What the complainant agreed to; marketing consent is never inferred."""

    privacy_notice_version: str | None = None
    shown_at: datetime | None = None
    publish_narrative: bool = False


class Forward(Struct, frozen=True, kw_only=True):
    """A hand-over to another ticket store; its idempotency key is the complaint id."""

    store: str
    state: Literal["queued", "done", "failed"] = "queued"
    attempts: int = 0
    forwarded_at: datetime | None = None
    store_ref: str | None = None


class Rejection(Struct, frozen=True, kw_only=True):
    """A rejection in writing with its ground: one of A21, or an objection without effect (A18, A22)."""

    ground: RejectionGround | Literal["objection_without_effect"]
    reasons: Annotated[str, Meta(min_length=30)]
    sent_in_writing_at: datetime | None = None


class Objection(Struct, frozen=True, kw_only=True):
    """The customer's objection to the answer (K16, A18)."""

    received_at: datetime
    new_documents: bool = False
    answer: str | None = None
    effect: bool | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How it ended: filled by the ticket's life, empty at intake."""

    finding: Finding | None = None
    resolution_type: Literal["explanation", "offer", "offer_implemented", "rejected", "withdrawn", "forum"] | None = (
        None
    )
    relief: Literal["none", "non_monetary", "monetary"] | None = None
    remedies: tuple[Literal["apology", "repair", "compensation"], ...] = ()
    compensation_idr: Rupiah | None = None
    rejection: Rejection | None = None
    acceptance: Literal["accepted", "objected", "refused", "silent"] | None = None
    root_cause: Literal[110, 120, 130, 140, 150, 160, 170, 180, 999] | None = None
    timely: bool | None = None
    objection: Objection | None = None
    external_forum: Forum | None = None
    external_informed_at: datetime | None = None


class Complaint(Struct, frozen=True, kw_only=True):
    """One complaint, whatever channel it came by."""

    schema_version: str = SCHEMA_VERSION
    # identity
    complaint_id: str
    ticket_number: str
    policy_id: str
    policy_version: str
    calendar_version: str
    tenant: str
    # origin
    channel: Channel
    channel_account: str
    #: The configured channel (a key of `channels` in aduan.yaml) that it came by.
    channel_id: str
    visibility: Visibility = "private"
    form: Form = "written"
    sender_key: str | None = None
    sender_handle: str | None = None
    thread_ref: str | None = None
    reply_ref: str | None = None
    post_ref: str | None = None
    entered_by: str | None = None
    # times
    received_at: datetime
    ingested_at: datetime
    effective_received_date: date
    documents_complete_at: datetime | None = None
    first_response_at: datetime | None = None
    responded_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    # parties
    complainant: Complainant = Complainant()
    representative: Representative | None = None
    # substance
    kind: Kind = "complaint"
    category: str | None = None
    subject: str = ""
    narrative: str = ""
    narrative_redacted: str = ""
    product: str | None = None
    sub_product: str | None = None
    issue: str | None = None
    sub_issue: str | None = None
    transaction: Transaction | None = None
    loss: Loss = Loss()
    remedy_requested: str | None = None
    dispute_indication: bool = False
    violation_indication: bool = False
    already_at: Literal["none", "court", "laps", "ojk"] = "none"
    # assessment
    assessment: Assessment = Assessment()
    missing_documents: tuple[str, ...] = ()
    needs_agent: bool = False
    flags: tuple[str, ...] = ()
    # what belongs to it
    attachments: tuple[StoredAttachment, ...] = ()
    receipts: tuple[ReceiptRecord, ...] = ()
    consent: Consent = Consent()
    duplicate_of: str | None = None
    related: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    forwards: tuple[Forward, ...] = ()
    outcome: Outcome = Outcome()


#: Names that a form, an app or the chatbot may fill in `Message.fields`.
FIELDS = (
    "full_name", "id_address", "phone", "email", "customer_ref", "role", "language", "kind", "category", "subject",
    "acting_as", "representative_name", "transaction_type", "transaction_date", "transaction_reference",
    "transaction_amount_idr", "loss_amount_idr", "remedy_requested", "publish_narrative", "privacy_notice_version",
)  # fmt: skip


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `Complaint`, with its version in `$id`."""
    schema = msgspec.json.schema(Complaint)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:aduan:complaint:{SCHEMA_VERSION}",
        **schema,
    }
