"""What one institution promised, as a typed value. Pure: files are read in `policy_load`.

`days` are working days and a maximum; None means that the published text is silent. Unknown keys are errors.
The grammar goes on in `policy_parts` (who, where, receipt, handling) and `policy_clocks` (what runs on a calendar).
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from normalizer.complaint import Form
from normalizer.message import Channel
from tickets.policy_clocks import (
    CalendarRule,
    Clock,
    DocumentsRule,
    ObjectionRule,
    OfficeHoursRule,
    ReportRule,
    Track,
)
from tickets.policy_part import Part, Text, Word
from tickets.policy_parts import (
    ChannelRule,
    Complainants,
    Contact,
    EscalationLevel,
    External,
    IntakeRule,
    PublicReply,
    ReceiptRule,
    RegulatoryProfileRef,
    Rejection,
    Resolution,
    UrgencyRule,
)
from tickets.policy_sources import Sources

__all__ = ["CalendarRule", "Policy"]


class Policy(Part):
    """One institution's published promises: the grammar of a policy file (config/policies/*.yaml)."""

    policy: Annotated[Literal[1], Field(description="the version of this grammar")]
    id: Word
    prefix: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="begins every ticket number")]
    timezone: Literal["Asia/Jakarta"]
    calendar: CalendarRule
    legal_basis: tuple[Text, ...]
    contact: Contact
    complainants: Complainants
    channels_expected: Annotated[int, Field(ge=0, description="how many channels the published text promises")]
    channels: dict[Channel, ChannelRule]
    categories: Annotated[tuple[Word, ...] | None, Field(description="None: the institution publishes no list")] = None
    intake: IntakeRule | None = None
    operating_hours: Annotated[
        OfficeHoursRule | None, Field(description="null where the text refers to hours that it does not publish")
    ] = None
    receipt: ReceiptRule
    first_response: Clock | None
    urgency: UrgencyRule | None = None
    tracks: Annotated[tuple[Track, ...], Field(min_length=1, description="tried in order, the first match wins")]
    documents: DocumentsRule
    escalation: tuple[EscalationLevel, ...]
    resolution: Resolution
    objection: ObjectionRule | None
    rejection: Annotated[Rejection | None, Field(description="null: this institution published no ground to reject")]
    external: External
    statuses: dict[Word, Text]
    reports: tuple[ReportRule, ...]
    regulatory_profile: RegulatoryProfileRef | None = None
    silent_close_days: Annotated[
        int | None, Field(ge=1, description="closes as resolved when the complainant stays silent after our response")
    ] = None
    due_soon_percent: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(description="shares of a clock at which it is announced")
    ] = ()
    retention_years: Annotated[
        int | None, Field(ge=1, description="after closing; null: kept until a person decides")
    ] = None
    raw_payload_days: Annotated[
        int | None, Field(ge=1, description="calendar days that provider payloads are kept")
    ] = None
    deleted_messages: Annotated[
        Literal["keep", "erase_text"],
        Field(description="a message that its sender deletes: kept as evidence, or our copy of what it said goes too"),
    ] = "keep"
    public_reply: PublicReply = PublicReply()
    reopen_days: Annotated[
        int | None, Field(ge=1, description="calendar days after closing in which a ticket may go on; null: never")
    ] = None
    personal_data_hours: Annotated[
        int | None, Field(ge=1, description="real hours in which a request about the person's own data is answered")
    ] = None
    sources: Sources = Field(default_factory=dict, description="which published sentence a rule comes from, by its key")
    defaults_not_in_seed: tuple[Text, ...] = ()

    _file_hash: str = PrivateAttr(default="")

    @property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 of the policy file, or of the content when there is no file."""
        return (self._file_hash or hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest())[:12]

    def with_file_hash(self, sha256: str) -> Policy:
        """The same policy, carrying the SHA-256 of the file it was read from."""
        copy = self.model_copy()
        copy._file_hash = sha256
        return copy

    def channel_rule(self, channel: str) -> ChannelRule | None:
        """What the policy says about a channel, None when it lists no such channel."""
        return next((rule for name, rule in self.channels.items() if name == channel), None)

    def hours_of(self, channel: str) -> OfficeHoursRule | None:
        """The published hours of a channel: its own, else the institution's, else None."""
        rule = self.channel_rule(channel)
        return (rule.hours if rule else None) or self.operating_hours

    def form_of(self, channel: str) -> Form:
        """How a complaint by a channel counts (G6); unlisted, a call is oral and everything else written."""
        rule = self.channel_rule(channel)
        if rule is not None:
            return rule.form
        return "oral" if channel == "phone" else "written"

    def production_problems(self) -> tuple[str, ...]:
        """Sentences saying what the owner must still fill in before this policy may serve customers (G2, D2)."""
        problems: list[str] = []
        missing = self.channels_expected - len(self.channels)
        if missing > 0:
            problems.append(
                f"{self.id} promises {self.channels_expected} channels and its policy lists {len(self.channels)}:"
                f" its owner must list {missing} more under `channels`, each with its address and form"
            )
        problems += [
            f"channel {name} of {self.id} is assumed, not published: its owner must confirm it,"
            " put the real address in and remove `assumed: true`"
            for name, rule in self.channels.items()
            if rule.assumed
        ]
        if not self.contact.reachable:
            problems.append(
                f"the contact of {self.id} has no address, but receipts print it: its owner must give"
                " `contact.email`, `contact.phone` or `contact.whatsapp`"
            )
        if "operating_hours" in self.model_fields_set and self.operating_hours is None:
            problems.append(
                f"{self.id} handles complaints within operating hours that it does not state:"
                " its owner must give `operating_hours` (days, open, close; WIB)"
            )
        if self.retention_years is None:
            problems.append(f"{self.id} states no `retention_years`: closed complaints would be kept forever")
        return tuple(problems)
