"""What happens by the clock: dates that come near or pass, windows that end, documents that nobody asked for (G7).

A ticket carries the WIB date of its next look (`Ticket.look_on`), so only tickets whose day has come are read. A look
every half hour is as fine as anything here needs: working-day clocks end with a day, and the clocks in real hours (R8)
are looked at again and again on the day of their hour. After a standstill all that passed meanwhile is said, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import structlog
from msgspec.structs import replace

from gateway.clocks import dates_of, rules_of
from gateway.desk_tasks import CALENDAR_MISSING, takes_silence_for_granted
from gateway.handling_values import Done, Refused
from gateway.installation import Installation
from gateway.worker import RunInThread
from tickets.calendar import ONE_DAY, CalendarMissing, wib_date
from tickets.lifecycle_clocks import look_on, opened, passed
from tickets.lifecycle_clocks_look import TASKS, called_for
from tickets.lifecycle_events import CLOCK_ACTOR, Event
from tickets.lifecycle_values import Rules, Standing
from tickets.model import AuditEvent, Records, Ticket
from tickets.store import Store, Transaction
from tickets.store.looking import Asked

log = structlog.get_logger("aduan.clock_job")

_EVERY_SECONDS = 1800.0
#: Tickets found by one query, and tickets of one transaction: an intake never waits long for the writer.
_FOUND, _AT_ONCE = 500, 20
#: More events than any ticket's clocks can have at once; a fault must not keep the writer for ever.
_MOST = 100
T = TypeVar("T")


class Doing(Protocol):
    """Applies one event to a ticket (`gateway.handling.Handling`)."""

    def do(self, tx: Transaction, number: str, event: Event, *, actor: str) -> Done | Refused:
        """What became of the event; on a refusal nothing was written."""


class ClockJob:
    """Looks every half hour and at the start; every step may be repeated."""

    def __init__(
        self,
        installation: Installation,
        *,
        store: Store,
        handling: Doing,
        run: RunInThread,
        now: Callable[[], datetime],
        owed: Callable[[], None],
    ) -> None:
        """`owed` is told that there are new messages to customers."""
        self._rules = {slug: rules_of(each) for slug, each in installation.organisations.items()}
        self._store = store
        self._handling = handling
        self._run = run
        self._now = now
        self._owed = owed
        #: A transaction of this look left messages to customers.
        self._owes = False

    async def run(self) -> None:
        """Works until it is cancelled."""
        adopted = started = False
        while True:
            try:
                if not adopted:
                    await self.adopt()
                    adopted = True
                await self.look(listening=not started)
                started = True
            except Exception as error:  # tried again in half an hour; nothing else waits for it
                log.exception("clocks_failed", error=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def adopt(self) -> int:
        """How many tickets from before got their dates into the clocks' keeping, or a day for their next look."""
        count, after = 0, ""
        while True:
            found = await asyncio.to_thread(self._store.looking.without_a_day, _FOUND, after)
            for part in _parts([number for _, number in found]):
                count += await self._run(partial(self._each, part, self._adopt))
            if len(found) < _FOUND:
                return count
            after = found[-1][0]

    async def look(self, *, listening: bool = False) -> int:
        """How many events the clocks brought; then tasks whose clock has stopped are closed.

        `listening`: what customers wrote during a standstill is still coming in, so nothing that takes their silence
        for granted is said yet.
        """
        one = partial(self._look_at, listening=listening)
        count, after = 0, None
        while True:
            found = await asyncio.to_thread(self._store.looking.due, wib_date(self._now()), _FOUND, after)
            for part in _parts([each.ticket_number for each in found]):
                count += await self._run(partial(self._each, part, one))
                if self._owes:
                    self._owes = False
                    self._owed()
            if len(found) < _FOUND:
                break
            after = found[-1]
        await self._settle()
        return count

    def _each(self, numbers: Sequence[str], one: Callable[[Transaction, str], int]) -> int:
        """Does some tickets in one transaction, each in its own savepoint: a fault keeps nobody else waiting."""
        count = 0
        with self._store.begin() as tx:
            for number in numbers:
                try:
                    with tx.savepoint():
                        count += one(tx, number)
                except Exception as error:  # looked at again in half an hour
                    log.exception("clock_failed", ticket=number, error=type(error).__name__)
        return count

    def _look_at(self, tx: Transaction, number: str, *, listening: bool) -> int:
        """How many events the clocks of one ticket brought."""
        refused: list[Event] = []
        count = 0
        now = self._now()
        while (known := self._standing(tx, number)) is not None:
            rules, standing = known
            due = [
                event
                for event in passed(rules, standing, now)
                if event not in refused and not (listening and takes_silence_for_granted(event))
            ]
            if not due or count + len(refused) >= _MOST:
                self._put_off(tx, rules, standing, refused, now)
                break
            found = self._handling.do(tx, number, due[0], actor=CLOCK_ACTOR)
            if isinstance(found, Refused):
                log.info("clock_refused", ticket=number, clock_event=_tag(due[0]), code=found.refusal.code)
                refused.append(due[0])
            else:
                count += 1
                self._owes = self._owes or bool(found.notices)
        return count

    def _put_off(
        self, tx: Transaction, rules: Rules, standing: Standing, refused: Sequence[Event], now: datetime
    ) -> None:
        """Writes the day of the next look, where it is not the one that stands; what was refused waits for tomorrow."""
        ticket, tomorrow = standing.ticket, wib_date(now) + ONE_DAY
        if "problem" in ticket.deadlines:
            try:
                ticket = opened(rules, standing, now)
            except CalendarMissing:
                ticket = replace(ticket, look_on=tomorrow)
            if "problem" in ticket.deadlines:
                ticket = replace(ticket, look_on=tomorrow)
        else:
            day = look_on(rules, standing, without=refused)
            if refused:
                day = tomorrow if day is None else min(day, tomorrow)
            ticket = replace(ticket, look_on=day)
        if ticket != standing.ticket:
            tx.add(Records(updated_tickets=[ticket], audit=_noted(standing.ticket, ticket, now)))
        if "problem" in standing.ticket.deadlines and "problem" not in ticket.deadlines:
            tasks = tx.casework.open_tasks(ticket.complaint_id)
            tx.close_tasks([task.id for task in tasks if task.kind == CALENDAR_MISSING], CLOCK_ACTOR)

    def _adopt(self, tx: Transaction, number: str) -> int:
        known = self._standing(tx, number)
        if known is None:
            return 0
        rules, standing = known
        now = self._now()
        try:
            ticket = opened(rules, standing)
        except CalendarMissing as error:
            told = {**standing.ticket.deadlines, "problem": str(error)}
            ticket = replace(standing.ticket, deadlines=told)
        if "problem" in ticket.deadlines:
            ticket = replace(ticket, look_on=wib_date(now) + ONE_DAY)
        if ticket == standing.ticket:
            return 0
        tx.add(Records(updated_tickets=[ticket], audit=_noted(standing.ticket, ticket, now)))
        return 1

    async def _settle(self) -> None:
        """Closes tasks that no clock calls for any longer; most were settled by the event that stopped it."""
        for slug in self._rules:
            after = None
            while True:
                found = await asyncio.to_thread(self._store.looking.asked, slug, TASKS, _FOUND, after)
                for part in _parts(found):
                    await self._run(partial(self._close, part))
                if len(found) < _FOUND:
                    break
                after = found[-1]

    def _close(self, tasks: Sequence[Asked]) -> None:
        """Closes those of the tasks that no running clock calls for any longer."""
        with self._store.begin() as tx:
            over: list[str] = []
            for task in tasks:
                known = self._standing(tx, task.ticket_number)
                if known is not None and task.kind not in called_for(known[1]):
                    over.append(task.id)
            tx.close_tasks(over, CLOCK_ACTOR)

    def _standing(self, tx: Transaction, number: str) -> tuple[Rules, Standing] | None:
        """The ticket with its rules; None when it is gone, or its organisation is no longer configured."""
        found = tx.find(number)
        rules = None if found is None else self._rules.get(found.ticket.organisation)
        if found is None or rules is None:
            return None
        return rules, Standing(complaint=found.complaint, ticket=found.ticket)


def _parts(of: Sequence[T]) -> Iterator[Sequence[T]]:
    return (of[first : first + _AT_ONCE] for first in range(0, len(of), _AT_ONCE))


def _tag(event: Event) -> str:
    return str(event.__struct_config__.tag)


def _noted(before: Ticket, after: Ticket, now: datetime) -> list[AuditEvent]:
    """The audit event of dates that appeared; the day of a look is none."""
    dates = dates_of(after)
    if dates == dates_of(before):
        return []
    return [AuditEvent(at=now, actor=CLOCK_ACTOR, type="clocks.started", complaint_id=after.complaint_id, data=dates)]
