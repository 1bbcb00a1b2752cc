"""What happens to a ticket becomes rows: one event in one transaction, with everything that it owes.

The rules are `tickets.lifecycle.apply`, which is pure; here stands what they need from the store and what they leave
there. Whoever acts (a person of the desk, a program, the clock) comes through `Handling.do`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from gateway import desk_tasks, handling_group, handling_merge
from gateway.clocks import rules_of
from gateway.handling_events import tag_of
from gateway.handling_refusals import refused
from gateway.handling_values import Done, Refused
from gateway.handling_words import moved_dates
from gateway.installation import Installation
from gateway.thread_events import of_merge
from normalizer.complaint import Complaint
from receipts.notices import Owed
from tickets.calendar import WIB
from tickets.lifecycle import apply
from tickets.lifecycle_events import Event, Grouped, Merged, Reopened, SilenceExpired, Ungrouped
from tickets.lifecycle_late import heard_today
from tickets.lifecycle_values import Change, Notice, Refusal, Rules, Standing
from tickets.model import AuditEvent, KnownThread, MessageRow, OutboxRow, Records, TaskRow, Ticket
from tickets.numbers import parse
from tickets.store import Store, Transaction

#: The audit log names what a ticket went through by this and the event's tag.
PREFIX = "ticket."
#: How it names the other half of a merge, for the ticket that goes on.
JOINED = "ticket.joined"


class Owe(Protocol):
    """The rows and tasks of one message that is owed to the customer."""

    def __call__(
        self, complaint: Complaint, ticket: Ticket, notice: Notice, messages: Sequence[MessageRow], *, now: datetime
    ) -> Owed:
        """The rows, also those that may not be sent; then with a task. `messages` are the complaint's, newest last."""


class _GivenUp(Exception):
    """Ends the transaction of a dry run."""


class Handling:
    """Applies events to the tickets of one installation. Only from the thread that writes the store."""

    def __init__(
        self,
        installation: Installation,
        *,
        store: Store,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        owe: Owe,
    ) -> None:
        """`now` gives aware UTC; `new_id` fresh ids."""
        self._store = store
        self._new_id = new_id
        self._now = now
        self._owe = owe
        self._rules = {slug: rules_of(each) for slug, each in installation.organisations.items()}

    def once(
        self,
        number: str,
        event: Event,
        *,
        actor: str,
        at: datetime | None = None,
        revision: int | None = None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Done | Refused:
        """`do` in a transaction of its own; a dry run does all of it and gives it up.

        Raises the store's errors.
        """
        found: Done | Refused
        try:
            with self._store.begin() as tx:
                found = self.do(tx, number, event, actor=actor, at=at, revision=revision, key=key)
                if dry_run:
                    raise _GivenUp
        except _GivenUp:
            pass
        return found

    def do(
        self,
        tx: Transaction,
        number: str,
        event: Event,
        *,
        actor: str,
        at: datetime | None = None,
        revision: int | None = None,
        key: str | None = None,
    ) -> Done | Refused:
        """What became of one event of the ticket `number` (an alias leads on); on a refusal nothing was written.

        `at` is when it happened, if not now: never in the future, and what is owed to the customer must still be
        allowed now, because it is sent now (R7). `revision` is the one that the caller saw (`Life.revision`). The same
        `key` for the same event of a ticket does nothing twice. Raises LookupError for a ticket of an organisation
        that is not configured, ValueError for a time without an offset, and the store's errors.
        """
        now = self._now()
        if at is not None and at.utcoffset() is None:
            raise ValueError("a time needs its offset")
        parsed = parse(number)
        standing = tx.find(number if parsed is None else str(parsed))
        if standing is None:
            return refused("unknown_ticket", number=number[:40])
        tag = tag_of(event)
        # A program may make its keys of anything: the log that nothing is erased from keeps a digest.
        key = None if key is None else hashlib.sha256(key.encode()).hexdigest()[:32]
        if key is not None and (used := _use_of(tx, standing, key)) is not None:
            if used != tag:
                return refused("key_used", event=used)
            return Done(event=tag, before=standing, after=standing, repeated=True)
        if revision is not None and revision != standing.ticket.life.revision:
            return refused("changed_since", revision=str(standing.ticket.life.revision), seen=str(revision))
        if at is not None and at > now:
            return refused("in_the_future", at=_minute(at))
        if tx.records.is_erased(standing.ticket.complaint_id):
            return refused("erased", number=standing.ticket.ticket_number)
        rules = self._rules[standing.ticket.organisation]
        into: KnownThread | None = None
        if isinstance(event, Merged):
            goes_on = handling_merge.target(tx, standing, event.into)
            if isinstance(goes_on, Refused):
                return goes_on
            into, event = goes_on, replace(event, into=goes_on.ticket.ticket_number)
        stands_for: KnownThread | None = None
        if isinstance(event, Grouped):
            named = handling_group.parent(tx, standing, event.parent)
            if isinstance(named, Refused):
                return named
            stands_for, event = named, replace(event, parent=named.ticket.ticket_number)
        open_tasks = tx.casework.open_tasks(standing.ticket.complaint_id)
        if (said := desk_tasks.contradicting(open_tasks, event)) is not None:
            return refused(_CONTRADICTED[said.kind], at=_minute(said.opened_at))
        change = self._judged(rules, standing, event, at=at, now=now, actor=actor)
        if isinstance(change, Refusal):
            return Refused(why="not_allowed", refusal=change)
        if isinstance(event, SilenceExpired) and desk_tasks.unheard(
            tx.casework.owed(standing.ticket.complaint_id), open_tasks
        ):
            return refused("answer_not_arrived")
        data = dict(change.data)
        if at is not None and at != now:
            data["happened_at"] = at.isoformat()
        # R6: no promised date moves without an entry in the log.
        dates = {
            each.clock: each.after and each.after.isoformat() for each in moved_dates(standing.ticket, change.ticket)
        }
        if dates:
            data["promised"] = dates
        if key is not None:
            data["key"] = key
        done = self._write(tx, standing, event, change, open_tasks, actor=actor, now=now, data=data)
        if stands_for is not None:
            child = standing.ticket
            tx.proposals.group(
                self._new_id(), child.organisation, child.complaint_id, stands_for.ticket.complaint_id, actor
            )
        elif isinstance(event, Ungrouped):
            tx.proposals.ungroup(standing.ticket.complaint_id, actor)
        if into is not None:
            done = replace(done, into=self._join(tx, rules, into, standing, actor=actor, now=now, key=key))
        return done

    def _judged(
        self, rules: Rules, standing: KnownThread, event: Event, *, at: datetime | None, now: datetime, actor: str
    ) -> Change | Refusal:
        before = Standing(complaint=standing.complaint, ticket=standing.ticket)
        change = apply(rules, before, event, at=at or now, actor=actor)
        if isinstance(change, Refusal) or at is None or not change.notices or isinstance(event, Reopened):
            # What is reopened was written behind in time: deciding about it later takes nothing from the customer.
            return change
        # An event that is entered late sends its notice now: its date must not make a late notice look punctual.
        today = apply(rules, before, event, at=now, actor=actor)
        return today if isinstance(today, Refusal) else heard_today(rules, change, today)

    def _write(
        self,
        tx: Transaction,
        standing: KnownThread,
        event: Event,
        change: Change,
        open_tasks: Sequence[TaskRow],
        *,
        actor: str,
        now: datetime,
        data: dict[str, object],
    ) -> Done:
        ticket = change.ticket
        answered = desk_tasks.settled(open_tasks, event, standing.ticket.state, ticket.state)
        settled = tuple(task for task in open_tasks if task.kind in change.settles or task in answered)
        still_open = {task.kind for task in open_tasks if task not in settled}
        notices: list[OutboxRow] = []
        tasks: list[TaskRow] = []
        messages = tx.casework.messages(ticket.complaint_id) if change.notices else ()
        for notice in change.notices:
            owed = self._owe(change.complaint, ticket, notice, messages, now=now)
            notices += owed.rows
            tasks += owed.tasks
        for todo in change.todos:
            if todo.kind not in still_open:
                still_open.add(todo.kind)
                tasks.append(self._task(ticket, todo.kind, todo.reason, now))
        audit = AuditEvent(at=now, actor=actor, type=change.type, complaint_id=ticket.complaint_id, data=data)
        tx.add(
            Records(updated=[change.complaint], updated_tickets=[ticket], outbox=notices, tasks=tasks, audit=[audit])
        )
        tx.close_tasks([task.id for task in settled], actor)
        said = "\n\n".join(notice.text for notice in change.notices if notice.text)
        tx.forwards.changed(ticket.organisation, ticket.complaint_id, change.type, now, text=said or None)
        return Done(
            event=tag_of(event),
            before=standing,
            after=KnownThread(complaint=change.complaint, ticket=ticket),
            notices=tuple(notices),
            tasks=tuple(tasks),
            settled=settled,
        )

    def _join(
        self,
        tx: Transaction,
        rules: Rules,
        into: KnownThread,
        goer: KnownThread,
        *,
        actor: str,
        now: datetime,
        key: str | None,
    ) -> KnownThread:
        """Writes the ticket that goes on; the other's messages, files and tasks are with it then."""
        joined = handling_merge.joined(rules, into, goer, now)
        tx.casework.move(goer.ticket.complaint_id, joined.ticket.complaint_id)
        told = {"number": goer.ticket.ticket_number, "complaint_id": goer.ticket.complaint_id}
        if key is not None:
            told["key"] = key
        question = of_merge(joined.ticket, goer.complaint)
        asked = {task.kind for task in tx.casework.open_tasks(joined.ticket.complaint_id)}
        tx.add(
            Records(
                updated=[joined.complaint],
                updated_tickets=[joined.ticket],
                tasks=[self._task(joined.ticket, question.kind, question.reason, now)]
                if question is not None and question.kind not in asked
                else [],
                audit=[
                    AuditEvent(
                        at=now,
                        actor=actor,
                        type=JOINED,
                        complaint_id=joined.ticket.complaint_id,
                        data=told,
                    )
                ],
            )
        )
        tx.forwards.changed(joined.ticket.organisation, joined.ticket.complaint_id, JOINED, now)
        return joined

    def _task(self, ticket: Ticket, kind: str, reason: str, now: datetime) -> TaskRow:
        return TaskRow(
            id=self._new_id(),
            organisation=ticket.organisation,
            complaint_id=ticket.complaint_id,
            kind=kind,
            reason=reason,
            opened_at=now,
        )


class LiveHandling:
    """The same for a running server: each event in the thread that writes, then the outbox is told."""

    def __init__(
        self,
        handling: Handling,
        run: Callable[[Callable[[], Done | Refused]], Awaitable[Done | Refused]],
        written: Callable[[], None],
    ) -> None:
        self._handling = handling
        self._run = run
        self._written = written

    async def handle(
        self,
        number: str,
        event: Event,
        *,
        actor: str,
        at: datetime | None = None,
        revision: int | None = None,
        key: str | None = None,
        dry_run: bool = False,
    ) -> Done | Refused:
        """As `Handling.once`."""
        found = await self._run(
            lambda: self._handling.once(number, event, actor=actor, at=at, revision=revision, key=key, dry_run=dry_run)
        )
        if isinstance(found, Done) and found.notices and not dry_run:
            self._written()
        return found


_CONTRADICTED = {
    desk_tasks.CUSTOMER_REPLIED: "wrote_meanwhile",
    desk_tasks.DOCUMENTS_CAME: "sent_files_meanwhile",
}


def _use_of(tx: Transaction, standing: KnownThread, key: str) -> str | None:
    """The tag of the event that was recorded with this key, or None; a merged ticket's number leads to the other."""
    for event in tx.casework.events(standing.ticket.complaint_id):
        if event.type.startswith(PREFIX) and event.data.get("key") == key:
            return "merged" if event.type == JOINED else event.type.removeprefix(PREFIX)
    return None


def _minute(moment: datetime) -> str:
    return moment.astimezone(WIB).strftime("%Y-%m-%d %H:%M WIB")
