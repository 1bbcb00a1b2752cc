"""What the API of the desk needs from the rest of the system; the gateway implements `Office`.

Everything given back is ready for JSON. Times are RFC 3339, dates are WIB dates, money is whole rupiah.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from tickets.lifecycle_events import Event
from tickets.people import Person
from web.ports import Text

Json = Mapping[str, Any]


class TicketQuery(Struct, frozen=True, kw_only=True):
    """Which tickets are asked for, the newest first."""

    organisation: str | None = None
    #: A state, or "open".
    state: str | None = None
    channel: str | None = None
    #: The `complaint_id` of the last line that was seen.
    after: str | None = None
    limit: int = 50


class Asked(Struct, frozen=True, kw_only=True):
    """One event that a program gives to a ticket."""

    event: Event
    #: The revision of the ticket that the program saw; another one is refused.
    revision: int | None = None
    #: The same key does the same once.
    key: str | None = None
    dry_run: bool = False
    #: When it happened, if not now; aware.
    at: datetime | None = None


class NotFound(Exception):
    """There is none, or it is not this person's business: both are answered alike (404)."""


class Forbidden(Exception):
    """The person's role does not allow it (403)."""


class Stale(Exception):
    """Somebody was faster: `revision` is what the ticket has now (409)."""

    def __init__(self, revision: int) -> None:
        super().__init__("stale")
        self.revision = revision


class RefusedEvent(Exception):
    """The policy does not allow the event now (422): the rule, its sources and the sentence in both languages."""

    def __init__(self, code: str, rule: str, sources: Sequence[str], sentence: Text) -> None:
        super().__init__(code)
        self.code = code
        self.rule = rule
        self.sources = tuple(sources)
        self.sentence = sentence


class Office(Protocol):
    """What the gateway gives to programs of the desk. Every call raises NotFound for what the person may not see."""

    async def person(self, token: str) -> Person | None:
        """Who a bearer token speaks for; None when it does not count."""

    async def tickets(self, person: Person, query: TicketQuery) -> Sequence[Json]:
        """Lines of the person's tickets."""

    async def ticket(self, person: Person, number: str) -> Json:
        """Everything that is kept of one complaint. That it was read is written down. Raises NotFound."""

    async def do(self, person: Person, number: str, asked: Asked) -> Json:
        """Gives an event to a ticket: what changed, what goes out. Raises Forbidden, NotFound, Stale, RefusedEvent."""

    async def tasks(self, person: Person, organisation: str | None, limit: int) -> Sequence[Json]:
        """What people must do, the oldest first."""

    async def close_task(self, person: Person, task_id: str) -> None:
        """Closes an open task. Raises Forbidden, NotFound."""

    async def channels(self, person: Person) -> Sequence[Json]:
        """The person's channels with what each can do and how it stands."""

    async def quarantine(self, person: Person, limit: int) -> Sequence[Json]:
        """What could not be understood and waits for a decision, the oldest first; no contents."""

    async def dismiss(self, person: Person, quarantine_id: str) -> None:
        """Decides that an item of the quarantine needs no more. Raises Forbidden, NotFound."""

    async def proposals(self, person: Person, organisation: str | None, limit: int) -> Sequence[Json]:
        """Complaints that may belong together and wait for a decision, the oldest first."""

    async def confirm(self, person: Person, proposal_id: str) -> Json:
        """They belong together: what the merge or the grouping did. Raises Forbidden, NotFound, RefusedEvent."""

    async def refuse(self, person: Person, proposal_id: str) -> None:
        """They have nothing to do with each other. Raises Forbidden, NotFound."""

    async def report(self, person: Person, organisation: str, kind: str, period: str) -> Json:
        """The figures of a report, as they are now. Raises NotFound; ValueError with a sentence for a bad period."""
