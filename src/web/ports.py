"""What the public pages need from the rest of the system, and the values that go through: start here.

The gateway implements `Desk`. Nothing here knows a store, a connector or a policy file. Times are aware UTC; dates are
WIB dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from connectors.contract import Request
from connectors.submission_fields import Problem
from normalizer.complaint import Form
from normalizer.message import Channel


class Text(Struct, frozen=True):
    """Words in the two languages of our pages."""

    id: str
    en: str

    def in_language(self, language: str) -> str:
        """The English words for "en", the Indonesian ones for everything else."""
        return self.en if language == "en" else self.id


class Choice(Struct, frozen=True, kw_only=True):
    """One answer that may be chosen, by its word in the schema."""

    value: str
    label: Text


class ContactLine(Struct, frozen=True, kw_only=True):
    """One way to reach the organisation, as people read it."""

    label: Text
    value: str
    #: "mailto:...", "tel:...", "https://wa.me/..."; None when it is no link.
    href: str | None = None
    #: Hours in which it is served ("Hari kerja 09.00-17.00 WIB").
    hours: Text | None = None


class OrganisationPage(Struct, frozen=True, kw_only=True):
    """What the form of one organisation shows."""

    slug: str
    name: str
    #: The policy's categories; empty when it publishes no list, and then the form asks for none.
    categories: tuple[Choice, ...] = ()
    #: Roles the policy knows (A3); fewer than two are not asked for.
    roles: tuple[Choice, ...] = ()
    #: Kinds of message the policy admits (U2); fewer than two are not asked for.
    kinds: tuple[Choice, ...] = ()
    #: The policy's document list asks for the address on the identity card (A12, B3): only then the form does.
    asks_id_address: bool = False
    #: The policy speaks of representatives and their power of attorney.
    representative: bool = True
    contact: tuple[ContactLine, ...] = ()
    #: What the policy asks complainants for, in words.
    documents: tuple[Text, ...] = ()
    #: The promise in words ("Kami menjawab paling lambat 3 hari kerja ..."); None when the policy promises nothing.
    promise: Text | None = None
    privacy_notice_version: str | None = None
    #: The `web_form` channel; None when the organisation has no form.
    form_channel_id: str | None = None
    #: The `app_api` channel; None when there is none.
    app_channel_id: str | None = None
    #: The `staff` channel; None when there is none.
    staff_channel_id: str | None = None
    #: Sites that may frame the form or send it by script.
    allowed_origins: tuple[str, ...] = ()


class Recorded(Struct, frozen=True, kw_only=True):
    """A complaint that is committed, as its sender gets it back."""

    ticket_number: str
    access_code: str
    received_at: datetime
    received_date: date
    #: The organisation's contact in one line.
    contact: str
    first_response_due: date | None = None
    resolve_due: date | None = None
    #: What takes a date's place while a clock has not started ("2 working days after the documents are complete").
    notes: tuple[Text, ...] = ()
    status_url: str
    #: The receipt as a page, with a 128-bit token.
    receipt_url: str
    receipt_pdf_url: str
    #: False when the same key and body were recorded before.
    created: bool = True


class Entered(Struct, frozen=True, kw_only=True):
    """A complaint that staff entered, as they need it while the customer waits."""

    recorded: Recorded
    channel: Channel
    form: Form
    #: Day 0: what the clocks count from; for a call outside office hours the next working day (R5).
    counts_from: date
    entered_by: str
    #: Channels by which the receipt is sent too; empty when it is only handed over.
    receipt_goes_by: tuple[Channel, ...] = ()
    #: The receipt as it is said, with the access code: for the customer's ears only.
    read_out: Text


class PublicStatus(Struct, frozen=True, kw_only=True):
    """What anybody with number and code may know, and nothing else (public words only)."""

    ticket_number: str
    #: The state's word in the schema ("in_progress").
    state: str
    #: The public word ("dalam proses").
    word: Text
    updated_at: datetime
    next_due: date | None = None
    organisation: str = ""


class ReceiptView(Struct, frozen=True, kw_only=True):
    """One receipt, as its page shows it."""

    organisation: str
    organisation_slug: str
    recorded: Recorded
    #: The policy's name of it ("Tanda Bukti Terima Pengaduan").
    title: Text
    number_label: Text
    category: Text | None = None
    contact: tuple[ContactLine, ...] = ()
    missing_documents: tuple[Text, ...] = ()
    #: Names of the files that came with it.
    attachments: tuple[str, ...] = ()
    #: True when there is an address to which later answers can go.
    reachable: bool = True


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a receipt as PDF is one of ours and unchanged."""

    valid: bool
    #: Why, in words.
    reason: Text
    ticket_number: str | None = None
    organisation: str | None = None
    received_date: date | None = None


class Conflict(Exception):
    """The idempotency key was used before with another body: answered 422."""


class InFlight(Exception):
    """The first request with this idempotency key is still being worked on: answered 409."""


class Unavailable(Exception):
    """It cannot be kept now: answered 503; `after` says when to try again, seconds."""

    def __init__(self, reason: str = "", after: float = 30) -> None:
        super().__init__(reason)
        self.after = after


class Locked(Exception):
    """Three wrong codes: answered 429 until `after` seconds have gone (B6)."""

    def __init__(self, after: float = 900) -> None:
        super().__init__("locked")
        self.after = after


class Desk(Protocol):
    """What the gateway gives to the public pages."""

    def organisation(self, slug: str) -> OrganisationPage | None:
        """The organisation whose form stands at `/<slug>/`, or None. From memory: it is asked for on every page."""

    def organisations(self) -> Sequence[OrganisationPage]:
        """Every organisation, for the first page."""

    async def submit(self, channel_id: str, request: Request) -> Recorded:
        """Keeps (fsync), records and returns after the commit.

        `request.body` is a sealed document of `connectors.submission`. Raises connectors' Rejected and
        InvalidSubmission, and Conflict, InFlight, Unavailable.
        """

    def admit(self, channel_id: str, request: Request) -> str:
        """Who enters complaints with this request, by its headers alone. Raises connectors' Rejected."""

    def problems(self, channel_id: str, request: Request) -> Sequence[Problem]:
        """What is wrong with a sealed document, without keeping it. Raises connectors' Rejected."""

    async def enter(self, channel_id: str, request: Request) -> Entered:
        """As `submit`, for a complaint that staff enter."""

    async def status(self, ticket_number: str, access_code: str, remote: str) -> PublicStatus | None:
        """The public status, or None for an unknown number and a wrong code alike. Raises Locked."""

    async def receipt(self, token: str) -> ReceiptView | None:
        """The receipt behind a link, or None."""

    async def receipt_pdf(self, token: str) -> bytes | None:
        """The same receipt as signed PDF, or None."""

    async def verify_code(self, code: str) -> Verdict:
        """Whether `code`, the signed statement in a receipt's QR code, is ours. Never raises for a stranger."""

    async def verify(self, pdf: bytes) -> Verdict:
        """Whether `pdf` is one of our receipts, unchanged. Never raises for what a stranger uploads."""
