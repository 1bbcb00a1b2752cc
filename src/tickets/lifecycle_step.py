"""One event of one ticket while it is being judged: what the guards read, and how a change or a refusal is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from normalizer.complaint import Complaint
from tickets.calendar import wib_date
from tickets.life import Answer, ClockName, Life, Objected
from tickets.lifecycle_events import Event
from tickets.lifecycle_values import Change, Notice, Refusal, Rules, Standing, Todo
from tickets.model import Ticket
from tickets.policy import Policy
from tickets.policy_sources import sources_of

#: Kinds of tasks that only an open ticket has: closing it settles them.
OPEN_WORK = (
    "clock_due_soon",
    "clock_breached",
    "implement_offer",
    "power_of_attorney",
    "documents_check",
    "documents_missing",
)
Fields = Mapping[str, Any]
_NOTHING: Fields = {}


class Step(Struct, frozen=True, kw_only=True):
    """An event's circumstances: the rules, what is recorded, when it happened (aware) and who says so."""

    rules: Rules
    standing: Standing
    at: datetime
    actor: str

    @property
    def policy(self) -> Policy:
        """What the company promised."""
        return self.rules.policy

    @property
    def complaint(self) -> Complaint:
        """The complaint before the event."""
        return self.standing.complaint

    @property
    def ticket(self) -> Ticket:
        """The ticket before the event."""
        return self.standing.ticket

    @property
    def life(self) -> Life:
        """What the ticket remembers."""
        return self.standing.ticket.life

    @property
    def day(self) -> date:
        """The WIB date of the event (R1)."""
        return wib_date(self.at)

    def promised(self, clock: ClockName) -> date | None:
        """The last day that is promised for a clock, None when it does not run."""
        promised = self.life.promised.get(clock)
        if promised is not None:
            return promised.due
        if clock == "first_response":
            return self.ticket.first_response_due
        return self.ticket.resolve_due if clock == "resolve" else None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers of this round: those before a reopening belong to the round that was closed."""
        since = self.life.reopened_at
        return tuple(answer for answer in self.life.answers if since is None or answer.at >= since)

    @property
    def objections(self) -> tuple[Objected, ...]:
        """The objections of this round."""
        since = self.life.reopened_at
        return tuple(item for item in self.life.objections if since is None or item.received_at >= since)

    def refuse(self, code: str, rule: str, **values: str) -> Refusal:
        """The refusal of this code, with the numbers of the sentences that its rule comes from."""
        return Refusal(code=code, rule=rule, sources=sources_of(self.policy.sources, rule), values=values)

    def change(
        self,
        event: Event,
        *,
        complaint: Fields = _NOTHING,
        outcome: Fields = _NOTHING,
        ticket: Fields = _NOTHING,
        life: Fields = _NOTHING,
        data: Fields = _NOTHING,
        notices: tuple[Notice, ...] = (),
        todos: tuple[Todo, ...] = (),
        settles: tuple[str, ...] = (),
    ) -> Change:
        """The change that sets these fields; the clocks are counted afterwards."""
        after = self.complaint
        if outcome:
            after = replace(after, outcome=replace(after.outcome, **outcome))
        return Change(
            complaint=replace(after, **complaint) if complaint else after,
            ticket=replace(self.ticket, life=replace(self.life, **life), **ticket),
            type=f"ticket.{event.__struct_config__.tag}",
            data=data,
            notices=notices,
            todos=todos,
            settles=settles,
        )


def blank(text: str) -> bool:
    """True when a person would read nothing."""
    return not legible(text)


def legible(text: str) -> str:
    """What a person sees of a text: without characters that have no shape, one space between words."""
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())


def listed(words: Iterable[str]) -> str:
    """Words of the policy as one value of a refusal's sentence."""
    return ", ".join(words)
