"""What became of an event that was given to a ticket: it was done, or it was refused."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tickets.lifecycle_values import Refusal
from tickets.model import KnownThread, OutboxRow, TaskRow


class Done(Struct, frozen=True, kw_only=True):
    """An event that was applied, with everything that was written."""

    #: The event's tag ("responded").
    event: str
    before: KnownThread
    after: KnownThread
    #: What the customer is sent, also what may not be sent (suppressed, with its reason).
    notices: tuple[OutboxRow, ...] = ()
    #: What a person must do now, and what the event settled.
    tasks: tuple[TaskRow, ...] = ()
    settled: tuple[TaskRow, ...] = ()
    #: The ticket that goes on after a merge.
    into: KnownThread | None = None
    #: The key was used for this event before: nothing was done now.
    repeated: bool = False


class Refused(Struct, frozen=True, kw_only=True):
    """An event that changed nothing, and why."""

    #: "unknown": no such ticket; "changed": it is not as the caller saw it; "not_allowed": a rule forbids it.
    why: Literal["unknown", "changed", "not_allowed"]
    refusal: Refusal
