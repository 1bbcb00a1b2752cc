"""What of a complaint and its ticket a message to the customer draws on: whole ones fit, and so does what is read here.

Sending needs a dozen of a hundred fields. Reading only these takes half the time and leaves a tenth of the objects.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from normalizer.message import Channel


class ToldComplainant(Protocol):
    """Who is written to."""

    @property
    def verified(self) -> bool: ...


class ToldComplaint(Protocol):
    """The fields of `normalizer.complaint.Complaint` that texts and receipts use."""

    @property
    def complaint_id(self) -> str: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def channel_id(self) -> str: ...
    @property
    def entered_by(self) -> str | None: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def documents_complete_at(self) -> datetime | None: ...
    @property
    def complainant(self) -> ToldComplainant: ...
    @property
    def category(self) -> str | None: ...
    @property
    def missing_documents(self) -> tuple[str, ...]: ...


class ToldTicket(Protocol):
    """The fields of `tickets.model.Ticket` that texts and receipts use."""

    @property
    def ticket_number(self) -> str: ...
    @property
    def first_response_due(self) -> date | None: ...
    @property
    def resolve_earliest(self) -> date | None: ...
    @property
    def resolve_due(self) -> date | None: ...
    @property
    def access_code_hash(self) -> str | None: ...


class BriefComplainant(Struct, frozen=True, kw_only=True):
    """As `ToldComplainant`, with the default of `normalizer.complaint.Complainant`."""

    verified: bool = False


class BriefComplaint(Struct, frozen=True, kw_only=True):
    """As `ToldComplaint`, with the defaults of `normalizer.complaint.Complaint`."""

    complaint_id: str
    channel: Channel
    channel_id: str
    entered_by: str | None = None
    received_at: datetime
    documents_complete_at: datetime | None = None
    complainant: BriefComplainant = BriefComplainant()
    category: str | None = None
    missing_documents: tuple[str, ...] = ()


class BriefTicket(Struct, frozen=True, kw_only=True):
    """As `ToldTicket`, with the defaults of `tickets.model.Ticket`."""

    ticket_number: str
    first_response_due: date | None = None
    resolve_earliest: date | None = None
    resolve_due: date | None = None
    access_code_hash: str | None = None


#: Read the documents of complaints and tickets, passing over every other field.
brief_complaint = msgspec.json.Decoder(BriefComplaint).decode
brief_ticket = msgspec.json.Decoder(BriefTicket).decode
