"""One ticket that tests lead through its life, under the shipped policies and calendars."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from normalizer.complaint import Assessment, Complaint
from tickets.calendar import WIB
from tickets.calendar_load import calendar_for, load_calendar_years
from tickets.lifecycle import apply
from tickets.lifecycle_clocks import opened
from tickets.lifecycle_events import BY_THE_CLOCK, CLOCK_ACTOR, Event, FirstResponse, Responded
from tickets.lifecycle_values import Change, Refusal, Rules, Standing
from tickets.model import Ticket, TicketState
from tickets.policy_load import load_policy

CONFIG = Path(__file__).parents[1] / "config"
#: A Monday, 10.00 WIB; no holiday lies in the two weeks behind it.
MONDAY = datetime(2026, 6, 8, 10, 0, tzinfo=WIB)
AGENT = "rina"
REASONS = "Dokumen transaksi yang diminta tidak kami terima sampai batas waktu."


@cache
def rules(policy: str) -> Rules:
    """The rules of a shipped policy."""
    loaded = load_policy(CONFIG / "policies" / f"{policy}.yaml")
    return Rules(policy=loaded, calendar=calendar_for(loaded.calendar, load_calendar_years(CONFIG / "calendars")))


def changed(policy: str, **keys: Any) -> Rules:
    """The rules of a shipped policy with other values at some of its keys ("a.b" is written a__b)."""
    found = rules(policy)
    data = found.policy.model_dump(mode="json", by_alias=True)
    for key, value in keys.items():
        *above, last = key.split("__")
        part = data
        for name in above:
            part = part[name]
        part[last] = value
    return Rules(policy=type(found.policy).model_validate(data), calendar=found.calendar)


class Told:
    """A ticket that remembers: each step goes on from the last one, an hour later unless a time is given."""

    def __init__(
        self, policy: str | Rules = "klikacc", at: datetime = MONDAY, *, channel: str = "email", **complaint: Any
    ) -> None:
        self.rules = rules(policy) if isinstance(policy, str) else policy
        promise = self.rules.policy
        number = f"{promise.prefix}-20260608-000001-1"
        assessed = {name: complaint.pop(name) for name in ("tier", "severity", "urgency") if name in complaint}
        values: dict[str, Any] = {
            "complaint_id": "C1",
            "ticket_number": number,
            "policy_id": promise.id,
            "policy_version": promise.version,
            "calendar_version": self.rules.calendar.version,
            "tenant": promise.id,
            "channel": channel,
            "channel_account": "1",
            "channel_id": channel,
            "form": promise.form_of(channel),
            "received_at": at,
            "ingested_at": at,
            "effective_received_date": at.date(),
            "documents_complete_at": at if promise.documents.on_request_only or not promise.documents.list else None,
            "category": promise.categories[0] if promise.categories else None,
            "narrative": "saldo terpotong",
            "assessment": Assessment(**assessed),
        }
        made = Complaint(**{**values, **complaint})
        ticket = Ticket(
            ticket_number=number,
            complaint_id="C1",
            organisation=promise.id,
            tier=made.assessment.tier,
            opened_at=at,
            updated_at=at,
            deadlines={},
            policy_id=promise.id,
            policy_version=promise.version,
            calendar_version=self.rules.calendar.version,
        )
        standing = Standing(complaint=made, ticket=ticket)
        self.standing = Standing(complaint=made, ticket=opened(self.rules, standing))
        self.now = at

    @property
    def complaint(self) -> Complaint:
        """The complaint as it stands."""
        return self.standing.complaint

    @property
    def ticket(self) -> Ticket:
        """The ticket as it stands."""
        return self.standing.ticket

    def is_(self, state: TicketState) -> bool:
        """Whether the ticket is in this state."""
        return self.ticket.state == state

    def try_(self, event: Event, at: datetime | None = None, actor: str | None = None) -> Change | Refusal:
        """What the machine says; nothing is remembered."""
        if actor is None:
            actor = CLOCK_ACTOR if isinstance(event, BY_THE_CLOCK) else AGENT
        return apply(self.rules, self.standing, event, at=at or self.now + timedelta(hours=1), actor=actor)

    def do(self, event: Event, at: datetime | None = None, actor: str | None = None) -> Change:
        """The change, which is remembered. Fails when the event is refused."""
        found = self.try_(event, at, actor)
        assert isinstance(found, Change), found
        self.standing = Standing(complaint=found.complaint, ticket=found.ticket)
        self.now = at or self.now + timedelta(hours=1)
        return found

    def refused(self, event: Event, at: datetime | None = None, actor: str | None = None) -> Refusal:
        """The refusal. Fails when the event is allowed."""
        found = self.try_(event, at, actor)
        assert isinstance(found, Refusal), found.type
        return found

    def set(self, **fields: Any) -> Told:
        """The same ticket with other fields of its complaint."""
        self.standing = Standing(complaint=replace(self.complaint, **fields), ticket=self.ticket)
        return self

    def begun(self) -> Told:
        """After the first answer."""
        self.do(FirstResponse(text="Kami sedang memeriksa."))
        return self

    def answered(self) -> Told:
        """After the first answer and an explanation."""
        self.begun().do(explanation())
        return self

    def offered(self, **kwargs: Any) -> Told:
        """After the first answer and an offer."""
        self.begun().do(offer(**kwargs))
        return self


def explanation() -> Responded:
    """An answer that finds no fault."""
    return Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai perjanjian.")


def offer(**kwargs: Any) -> Responded:
    """An answer that finds a fault and offers what both published policies ask for."""
    values: dict[str, Any] = {"kind": "offer", "finding": "fault", "remedies": ("apology", "repair")}
    return Responded(text="Kami mohon maaf dan memperbaikinya.", **{**values, **kwargs})


def day(text: str, hour: int = 10) -> datetime:
    """A WIB date of 2026 ("06-15") as an instant."""
    return datetime.fromisoformat(f"2026-{text}T{hour:02}:00+07:00")
