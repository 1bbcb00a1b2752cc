"""What an operator gives for a Chatwoot."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tickets.forwarders.settings import Secret, TargetSettings
from tickets.model import TicketState

Status = Literal["open", "pending", "resolved", "snoozed"]
_CLOSED = frozenset({"resolved", "rejected", "withdrawn", "merged", "dismissed"})


class ChatwootSettings(TargetSettings):
    """A Chatwoot."""

    kind: Literal["chatwoot"] = Field(description="`chatwoot`: a Chatwoot, by its application API.")
    token: Secret = Field(description="Access token of an agent who has the inbox.")
    account: int = Field(ge=1, description="Number of the account, as in its addresses.")
    inbox: int = Field(ge=1, description="Number of an inbox of the kind API, without a webhook of its own.")
    attribute: str = Field(
        default="aduan_complaint_id",
        pattern=r"^[a-z][a-z0-9_]*$",
        description="Custom attribute of conversations (text) that holds the complaint id; an administrator adds it.",
    )
    statuses: dict[TicketState, Status] = Field(
        default_factory=dict,
        description="Statuses there for states here; otherwise `open`, and `resolved` when closed.",
    )
    internal: bool = Field(
        default=True, description="Whether our own words are private notes: we tell customers ourselves."
    )

    def state_of(self, state: TicketState) -> Status:
        """The status there of a state here."""
        return self.statuses.get(state, "resolved" if state in _CLOSED else "open")
