"""What an operator gives for a Zammad."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tickets.forwarders.settings import Secret, TargetSettings
from tickets.model import TicketState

#: Our states by the names that a new Zammad has; what needs a reminder time there is left to its own people.
STATES: Mapping[TicketState, str] = {
    "received": "new",
    "in_progress": "open",
    "awaiting_documents": "open",
    "escalated": "open",
    "responded": "open",
    "objection_review": "open",
    "referred": "open",
    "resolved": "closed",
    "rejected": "closed",
    "withdrawn": "closed",
    "merged": "closed",
    "dismissed": "closed",
}


class ZammadSettings(TargetSettings):
    """A Zammad."""

    kind: Literal["zammad"] = Field(description="`zammad`: a Zammad, by its REST API.")
    token: Secret = Field(description="Access token of an agent with ticket.agent, who has the group.")
    group: str = Field(min_length=1, description="Group that new tickets go to.")
    field: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]*$",
        description="Text attribute of tickets that holds the complaint id; null: found by the number in the title.",
    )
    states: dict[TicketState, str] = Field(
        default_factory=dict,
        description="Names of states there for states here, where they differ from a new Zammad's.",
    )
    internal: bool = Field(
        default=True, description="Whether articles are internal: we tell customers ourselves, Zammad need not."
    )

    def state_of(self, state: TicketState) -> str:
        """The name there of a state here."""
        return self.states.get(state) or STATES[state]
