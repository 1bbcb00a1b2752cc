"""The parts of a policy that say who may complain, where, what a receipt holds and how a complaint is handled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from normalizer.complaint import Form, Forum, Kind, RejectionGround, Role, Tier, Urgency
from tickets.policy_clocks import OfficeHoursRule
from tickets.policy_part import Part, Text, Word

ReceiptField = Literal["ticket_number", "received_date", "contact", "keep_receipt", "response_due", "resolve_range"]
Remedy = Literal["explanation", "apology", "repair"]
CompensationCondition = Literal[
    "proven", "material_loss", "financial_claim", "material_direct_loss", "obligations_met"
]  # fmt: skip


class Contact(Part):
    """Whom a complainant can reach; printed on every receipt (K3, A4)."""

    unit: Text
    whatsapp: Text | None = None
    phone: Text | None = None
    email: Text | None = None
    url: Text | None = None

    @property
    def reachable(self) -> bool:
        """True when at least one address is given."""
        return any((self.whatsapp, self.phone, self.email, self.url))


class RepresentativeRule(Part):
    """Whether somebody else may complain for the complainant; None where the text is silent."""

    allowed: bool | None
    power_of_attorney: Literal["required", "optional"] | None


class Complainants(Part):
    """Who may complain (A3)."""

    roles: tuple[Role, ...]
    representative: RepresentativeRule


class ChannelRule(Part):
    """One published channel: how it counts, and whether a receipt is promised there (`send`: given, not promised)."""

    address: Text | None = None
    form: Form
    receipt: Literal["required", "send"]
    hours: OfficeHoursRule | None = None
    public: bool = False
    fallback: bool = False
    assumed: Annotated[bool, Field(description="not published by the institution: blocks production (D2)")] = False


class IntakeRule(Part):
    """What the intake accepts (U2, U3)."""

    any_content: bool
    kinds: tuple[Kind, ...]


class ReceiptRule(Part):
    """The receipt: its name, what is printed, and what the institution promised to print (K2-K4, A4)."""

    name: Text
    number_label: Text
    fields: tuple[ReceiptField, ...]
    required: tuple[ReceiptField, ...]

    @model_validator(mode="after")
    def _required_is_printed(self) -> ReceiptRule:
        absent = [name for name in self.required if name not in self.fields]
        if absent:
            raise ValueError(f"`required` names what `fields` does not print: {', '.join(absent)}")
        return self


class UrgencyRule(Part):
    """The institution's own urgency levels (U4)."""

    levels: tuple[Urgency, ...]
    labels: dict[Urgency, Text]
    default: Urgency = "medium"


class EscalationLevel(Part):
    """One step of the ladder; reaching it may raise the tier (K13, A13)."""

    level: Annotated[int, Field(ge=1, strict=True)]
    units: Annotated[tuple[Word, ...], Field(min_length=1)]
    tier: Tier | None = None


class Compensation(Part):
    """When compensation may be added to an offer (K15, A17)."""

    optional: bool
    conditions: tuple[CompensationCondition, ...]
    max: Literal["loss_amount"] | None = None


class Resolution(Part):
    """What the outcome is made of (K14-K15, A14-A17)."""

    internal_first: bool | None
    no_fault: tuple[Remedy, ...] = ()
    fault: tuple[Remedy, ...] = ()
    offer_must_be_implemented: bool = False
    compensation: Compensation | None = None


class Rejection(Part):
    """On which grounds a complaint may be rejected, and how (A21, A22)."""

    grounds: Annotated[tuple[RejectionGround, ...], Field(min_length=1)]
    form: Form
    reasons: Literal["detailed"]


class ForumAddress(Part):
    """Where a court or dispute resolution body can be reached, and who says so."""

    email: Text | None = None
    phone: Text | None = None
    url: Text | None = None
    address: Text | None = None
    source: Annotated[Text, Field(description="where the address was read; it may have changed since")]


class External(Part):
    """Who is told about courts and dispute resolution outside (K17, A19, A20, U9)."""

    inform: Literal["required", "send"]
    to: tuple[Literal["complainant", "representative"], ...]
    forums: Annotated[tuple[Forum, ...], Field(min_length=1)]
    either_side: bool = False
    addresses: dict[Forum, ForumAddress] = Field(default_factory=dict)


class RegulatoryProfileRef(Part):
    """The profile this policy is compared with; it warns and never changes a date (D3)."""

    id: Word
    mode: Literal["warn", "off"]


class PublicReply(Part):
    """What a public reply may hold (D5)."""

    include_ticket_number: bool = False
