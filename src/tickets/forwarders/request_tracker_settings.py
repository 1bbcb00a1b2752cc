"""What an operator gives for a queue of Request Tracker."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from tickets.forwarders.settings import Secret, TargetSettings
from tickets.model import TicketState

#: A word of a lifecycle in RT.
Status = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,63}$")]

#: Statuses of the lifecycle `default`, which every RT has (etc/RT_Config.pm, %Lifecycles). `deleted` is never written:
#: it hides a ticket from every search, and needs a right of its own.
STOCK: dict[TicketState, str] = {
    "received": "new",
    "in_progress": "open",
    "awaiting_documents": "stalled",
    "escalated": "open",
    "responded": "stalled",
    "objection_review": "open",
    "resolved": "resolved",
    "rejected": "rejected",
    "referred": "stalled",
    "withdrawn": "resolved",
    "merged": "resolved",
    "dismissed": "rejected",
}


class RequestTrackerSettings(TargetSettings):
    """A queue of Request Tracker 5."""

    kind: Literal["request_tracker"] = Field(
        description="`request_tracker`: a queue of Request Tracker 5, by its REST 2.0 API."
    )
    token: Secret = Field(description="Authentication token of the RT user that Aduan writes as.")
    queue: str = Field(
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f'\"\\/]+$",
        description="Name of the queue that takes the tickets.",
    )
    statuses: dict[TicketState, Status] = Field(
        default=STOCK,
        description="RT's status for our states, where the queue's lifecycle has other words than the default one; "
        "what is not given keeps its default.",
    )

    @field_validator("statuses")
    @classmethod
    def filled(cls, given: dict[TicketState, str]) -> dict[TicketState, str]:
        """Every state has a status: the stock one where none is given."""
        return STOCK | given
