"""Tickets as a year leaves them behind, for tests and the benchmark of the reports. The same seed, the same year."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from msgspec import Struct

from normalizer.complaint import Assessment, Complainant, Complaint, Outcome
from normalizer.message import Message, Sender
from tickets.calendar import WIB
from tickets.life import Extended, Life
from tickets.model import MessageRow, Records, Ticket
from tickets.reports_values import CAUSES, PUBLICATION_TYPES, Publication
from tickets.store import Store

PRODUCTS = ("Pendanaan P2P", "Pinjaman modal kerja", '=HYPERLINK("x")', "Asuransi kredit", None)
ISSUES = ("debt_collection_conduct", "credit_record", "fraud", "failed_or_late_transaction", None)
CATEGORIES = ("withdrawal", "login", None)
_STATES = ("resolved",) * 12 + ("rejected", "withdrawn", "dismissed", "merged") + (
    "received", "in_progress", "awaiting_documents", "escalated", "responded", "objection_review", "referred",
)  # fmt: skip
_CLOSED = frozenset({"resolved", "rejected", "withdrawn", "dismissed", "merged"})
_AT_ONCE = 1_000


class Recorded(Struct, frozen=True, kw_only=True):
    """One ticket with its complaint and what the customer wrote."""

    complaint: Complaint
    ticket: Ticket
    messages: tuple[MessageRow, ...]


def wib(day: date, hour: int = 10, minute: int = 0) -> datetime:
    """An aware moment of a WIB date."""
    return datetime.combine(day, time(hour, minute), tzinfo=WIB)


def recorded(
    number: int,
    received: datetime,
    *,
    organisation: str = "klikacc",
    day0: date | None = None,
    state: str = "received",
    closed: datetime | None = None,
    life: Life | None = None,
    said: Sequence[datetime] = (),
    **complaint: Any,
) -> Recorded:
    """One ticket that arrived at `received`; `said` are the moments of its public comments."""
    complaint_id, ticket_number = f"C{number:08d}", f"KLA-{number:08d}"
    values: dict[str, Any] = {
        "complaint_id": complaint_id,
        "ticket_number": ticket_number,
        "policy_id": organisation,
        "policy_version": "1",
        "calendar_version": "1",
        "tenant": organisation,
        "channel": "email",
        "channel_account": "a@b.example",
        "channel_id": "mail",
        "received_at": received,
        "ingested_at": received,
        "effective_received_date": day0 or received.astimezone(WIB).date(),
        "narrative": "dana saya hilang",
        "complainant": Complainant(full_name="Siti Aminah", email="siti@example.com"),
    }
    made = Complaint(**{**values, **complaint})
    ticket = Ticket(
        ticket_number=ticket_number,
        complaint_id=complaint_id,
        organisation=organisation,
        state=state,  # type: ignore[arg-type]  # a word of TicketState
        opened_at=received,
        updated_at=closed or received,
        closed_at=closed,
        deadlines={},
        policy_id=organisation,
        policy_version="1",
        calendar_version="1",
        life=life or Life(),
    )
    messages = tuple(
        _message(made, f"{complaint_id}-{index}", at, public=index > 0) for index, at in enumerate((received, *said))
    )
    return Recorded(complaint=made, ticket=ticket, messages=messages)


def extended(start: datetime, until: date) -> Life:
    """A life in which the time was extended once (K11)."""
    granted = Extended(
        ground="special_examination", cause="Penelitian khusus", notified_at=start, old_due=until, new_due=until
    )
    return Life(extensions=(granted,))


def a_year(
    count: int, *, year: int = 2026, seed: int = 20_260_101, organisation: str = "klikacc"
) -> Iterator[Recorded]:
    """That many tickets received from December of the year before to the end of the year, in no order."""
    dice = random.Random(seed)
    first = date(year - 1, 12, 1)
    days = (date(year, 12, 31) - first).days
    for number in range(1, count + 1):
        # Every tenth arrives around midnight, where a WIB date differs from a UTC date.
        hour, minute = (
            (dice.choice((0, 6, 23)), dice.choice((0, 59))) if dice.random() < 0.1 else (dice.randrange(24), 7)
        )
        day = first + timedelta(days=dice.randrange(days + 1))
        received = wib(day, hour, minute)
        state = dice.choice(_STATES)
        closed = received + timedelta(days=dice.randrange(75), hours=dice.randrange(24)) if state in _CLOSED else None
        if closed is not None and closed > wib(date(year + 1, 2, 28)):
            closed = wib(date(year + 1, 2, 28))
        cause = dice.choice((*CAUSES, None))
        yield recorded(
            number,
            received,
            organisation=organisation,
            day0=day + timedelta(days=dice.choice((0, 0, 0, 0, 3))),
            state=state,
            closed=closed,
            life=extended(received, day + timedelta(days=60)) if dice.random() < 0.3 else None,
            said=[received + timedelta(hours=dice.randrange(1, 200)) for _ in range(dice.choice((0, 0, 0, 0, 1, 2)))],
            kind=dice.choice(("complaint",) * 9 + ("information",)),
            product=dice.choice(PRODUCTS),
            issue=dice.choice(ISSUES),
            category=dice.choice(CATEGORIES),
            assessment=Assessment(has_documents=dice.random() < 0.5, severity=dice.choice(("minor", "major"))),
            outcome=Outcome(root_cause=None if cause is None else int(cause)),  # type: ignore[arg-type]  # a code of CAUSES
        )


def publications(count: int, *, year: int = 2026, seed: int = 7, organisation: str = "klikacc") -> list[Publication]:
    """What people entered over the year; every fifth was withdrawn."""
    dice = random.Random(seed)
    return [
        Publication(
            id=f"P{number:05d}",
            organisation=organisation,
            type=dice.choice(PUBLICATION_TYPES),
            published_on=date(year, 1, 1) + timedelta(days=dice.randrange(365)),
            count=dice.randrange(1, 6),
            added_at=wib(date(year, 12, 31)),
            added_by="siti",
            withdrawn_at=wib(date(year, 12, 31)) if number % 5 == 0 else None,
        )
        for number in range(count)
    ]


def keep(store: Store, tickets: Iterator[Recorded] | Sequence[Recorded], published: Sequence[Publication] = ()) -> None:
    """Writes them as the intake does, a thousand in a transaction."""
    waiting = list(tickets)
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        with store.begin() as tx:
            tx.add(
                Records(
                    complaints=[each.complaint for each in some],
                    tickets=[each.ticket for each in some],
                    messages=[message for each in some for message in each.messages],
                )
            )
    with store.begin() as tx:
        for each in published:
            tx.reports.publish(each)


def _message(complaint: Complaint, id_: str, at: datetime, *, public: bool) -> MessageRow:
    message = Message(
        channel="facebook_comment" if public else complaint.channel,
        account="1",
        key=id_,
        external_id=id_,
        sent_at=at,
        sender=Sender(key="fb:1"),
        text="kecewa",
        visibility="public" if public else "private",
    )
    return MessageRow(
        id=id_,
        organisation=complaint.tenant,
        complaint_id=complaint.complaint_id,
        raw_id="R0",
        channel_id=complaint.channel_id,
        digest="d",
        message=message,
    )
