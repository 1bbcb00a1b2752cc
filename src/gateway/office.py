"""What the API of the desk needs, from the real store and the ticket machine: `web.desk_api.ports.Office`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.deciding import Deciding
from gateway.handling import LiveHandling
from gateway.handling_refusals import sentence
from gateway.handling_values import Done, Refused
from gateway.handling_words import told
from gateway.health import Health
from gateway.installation import Installation
from gateway.worker import RunInThread
from tickets.model import AuditEvent
from tickets.numbers import parse
from tickets.people import Person, read_token
from tickets.store import Store, TicketView
from tickets.store.proposals import Proposal
from web.desk_api.ports import Asked, Forbidden, Json, NotFound, RefusedEvent, Stale, TicketQuery
from web.ports import Text

#: The figures of a report: organisation, kind and period to what is answered. Raises LookupError, ValueError.
Report = Callable[[str, str, str], Json]
#: Lines that are read at most to find a page of those that a person may see.
_LOOKED_AT = 5_000


class DeskOffice:
    """The gateway's side of the API."""

    def __init__(
        self,
        installation: Installation,
        *,
        store: Store,
        run: RunInThread,
        handling: LiveHandling,
        deciding: Deciding,
        health: Health,
        halted: Callable[[], Mapping[str, str]],
        report: Report,
        now: Callable[[], datetime],
    ) -> None:
        self._installation = installation
        self._store = store
        self._run = run
        self._handling = handling
        self._deciding = deciding
        self._health = health
        self._halted = halted
        self._report = report
        self._now = now

    async def person(self, token: str) -> Person | None:
        """Who a bearer token speaks for; None when it does not count."""
        read = read_token(token)
        if read is None:
            return None
        return await asyncio.to_thread(self._store.bearer, *read, self._now())

    async def tickets(self, person: Person, query: TicketQuery) -> Sequence[Json]:
        """Lines of the person's tickets, the newest first."""
        if query.organisation is not None:
            self._must_see(person, query.organisation)

        def read() -> list[Json]:
            found: list[Json] = []
            after, looked = query.after, 0
            while len(found) < query.limit and looked < _LOOKED_AT:
                lines = self._store.tickets(
                    organisation=query.organisation,
                    state=query.state,
                    channel=query.channel,
                    limit=query.limit,
                    after=after,
                )
                found += [msgspec.to_builtins(line) for line in lines if person.sees(line.organisation)]
                looked += len(lines)
                if len(lines) < query.limit:
                    break
                after = lines[-1].complaint_id
            return found[: query.limit]

        return await asyncio.to_thread(read)

    async def ticket(self, person: Person, number: str) -> Json:
        """Everything that is kept of one complaint. That it was read is written down (UU 27/2022). Raises NotFound."""
        view = await self._view(person, number)
        read = AuditEvent(
            at=self._now(), actor=person.name, type="access.read", complaint_id=view.complaint.complaint_id, data={}
        )

        def write() -> None:
            with self._store.begin() as tx:
                tx.note([read])

        await self._run(write)
        return _shown(view)

    async def do(self, person: Person, number: str, asked: Asked) -> Json:
        """Gives an event to a ticket. Raises Forbidden, NotFound, Stale, RefusedEvent."""
        view = await self._view(person, number)
        if not person.may(asked.event, view.ticket.organisation):
            raise Forbidden
        found = await self._handling.handle(
            view.ticket.ticket_number,
            asked.event,
            actor=person.name,
            revision=asked.revision,
            key=asked.key,
            dry_run=asked.dry_run,
            at=asked.at,
        )
        if isinstance(found, Refused):
            raise _refusal(found)
        return told(found, dry_run=asked.dry_run)

    async def tasks(self, person: Person, organisation: str | None, limit: int) -> Sequence[Json]:
        """What people must do, the oldest first."""
        if organisation is not None:
            self._must_see(person, organisation)
        slugs = [organisation] if organisation else [s for s in self._installation.organisations if person.sees(s)]

        def read() -> list[Json]:
            found = [task for slug in slugs for task in self._store.open_tasks(organisation=slug, limit=limit)]
            found.sort(key=lambda task: (task.opened_at, task.id))
            return [msgspec.to_builtins(task) for task in found[:limit]]

        return await asyncio.to_thread(read)

    async def close_task(self, person: Person, task_id: str) -> None:
        """Closes an open task. Raises Forbidden, NotFound."""
        task = await asyncio.to_thread(self._store.task, task_id)
        if task is None or not person.sees(task.organisation):
            raise NotFound
        if person.role == "auditor":
            raise Forbidden

        def close() -> int:
            with self._store.begin() as tx:
                return tx.close_tasks([task_id], person.name)

        if not await self._run(close):
            raise NotFound

    async def channels(self, person: Person) -> Sequence[Json]:
        """The person's channels: kind, whether it works and whether it sends."""
        states, halted = self._health.states, self._halted()
        return [
            {
                "id": channel.id,
                "kind": channel.spec.kind,
                "organisation": channel.organisation,
                "serves": list(channel.spec.channels),
                "sending": halted.get(channel.id, "on"),
                **msgspec.to_builtins(states[channel.id]),
                "facts": {name: fact.value for name, fact in channel.spec.facts.each().items()},
            }
            for channel in self._installation.channels.values()
            if person.sees(channel.organisation)
        ]

    async def quarantine(self, person: Person, limit: int) -> Sequence[Json]:
        """Open items of the quarantine, the oldest first; no contents."""
        found = await asyncio.to_thread(lambda: self._store.quarantine(state="open", limit=_LOOKED_AT))
        return [msgspec.to_builtins(row) for row in found if person.sees(row.organisation)][:limit]

    async def dismiss(self, person: Person, quarantine_id: str) -> None:
        """Decides that an item of the quarantine needs no more. Raises Forbidden, NotFound."""
        found = await asyncio.to_thread(lambda: self._store.quarantine(state="open", limit=_LOOKED_AT))
        row = next((row for row in found if row.id == quarantine_id and person.sees(row.organisation)), None)
        if row is None:
            raise NotFound
        if person.role == "auditor":
            raise Forbidden

        def decide() -> None:
            with self._store.begin() as tx:
                tx.resolve_quarantine([quarantine_id], "dismissed", person.name)

        await self._run(decide)

    async def proposals(self, person: Person, organisation: str | None, limit: int) -> Sequence[Json]:
        """Complaints that may belong together, the oldest first."""
        if organisation is not None:
            self._must_see(person, organisation)

        def read() -> list[Json]:
            found = self._store.proposals.listed(organisation=organisation, limit=_LOOKED_AT)
            return [self._proposed(each) for each in found if person.sees(each.organisation)][:limit]

        return await asyncio.to_thread(read)

    async def confirm(self, person: Person, proposal_id: str) -> Json:
        """They belong together. Raises Forbidden, NotFound, RefusedEvent."""
        proposal = await self._proposal(person, proposal_id)

        def decide() -> Done | Refused:
            return self._deciding.confirm(proposal, person.name)

        try:
            found = await self._run(decide)
        except LookupError as error:
            raise NotFound from error
        if isinstance(found, Refused):
            raise _refusal(found)
        return told(found)

    async def refuse(self, person: Person, proposal_id: str) -> None:
        """They have nothing to do with each other. Raises Forbidden, NotFound."""
        proposal = await self._proposal(person, proposal_id)
        try:
            await self._run(lambda: self._deciding.refuse(proposal, person.name))
        except LookupError as error:
            raise NotFound from error

    async def _proposal(self, person: Person, proposal_id: str) -> Proposal:
        found = await asyncio.to_thread(self._store.proposals.one, proposal_id)
        if found is None or found.state != "open" or not person.sees(found.organisation):
            raise NotFound
        if person.role == "auditor":
            raise Forbidden
        return found

    def _proposed(self, proposal: Proposal) -> Json:
        numbers = {
            id_: None if (view := self._store.ticket_of_complaint(id_)) is None else view.ticket.ticket_number
            for id_ in (proposal.complaint_id, proposal.other_id)
        }
        shown: dict[str, Any] = msgspec.to_builtins(proposal)
        return shown | {"number": numbers[proposal.complaint_id], "other": numbers[proposal.other_id]}

    async def report(self, person: Person, organisation: str, kind: str, period: str) -> Json:
        """The figures of a report, as they are now. Raises NotFound; ValueError with a sentence for a bad period."""
        self._must_see(person, organisation)
        try:
            return await asyncio.to_thread(self._report, organisation, kind, period)
        except LookupError as error:
            raise NotFound from error

    def _must_see(self, person: Person, organisation: str) -> None:
        if organisation not in self._installation.organisations or not person.sees(organisation):
            raise NotFound

    async def _view(self, person: Person, number: str) -> TicketView:
        parsed = parse(number)
        if parsed is None:
            raise NotFound
        view = await asyncio.to_thread(self._store.ticket, str(parsed))
        if view is None or not person.sees(view.ticket.organisation):
            raise NotFound
        return view


def _refusal(found: Refused) -> Exception:
    refusal = found.refusal
    if refusal.code == "changed_since":
        return Stale(int(refusal.values["revision"]))
    said = Text(sentence(refusal, "id"), sentence(refusal, "en"))
    return RefusedEvent(refusal.code, refusal.rule, refusal.sources, said)


def _shown(view: TicketView) -> Json:
    shown: dict[str, Any] = msgspec.to_builtins(view)
    # The hash opens nothing, but it has no place outside the store.
    shown["ticket"].pop("access_code_hash", None)
    return shown
