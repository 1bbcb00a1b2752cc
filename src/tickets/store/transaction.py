"""All writes of the store: one transaction, all of it or nothing. Called from the one thread that writes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import update

from normalizer.message import Deletion, Delivery, Edit, Permission, Rekey
from tickets.model import (
    AttachmentRow,
    AuditEvent,
    Known,
    KnownThread,
    OutboxItem,
    QuarantineState,
    Records,
    Settled,
)
from tickets.store import access, attachments, changes, deliveries, outbox, permissions, queries, recording, schema
from tickets.store.access import Verdict
from tickets.store.casework import Casework
from tickets.store.changes import Applied
from tickets.store.erasure import Erasing
from tickets.store.erasure_rows import follow_holds, seen_erased
from tickets.store.forwards import Forwards
from tickets.store.people import People
from tickets.store.proposals import Proposals
from tickets.store.reports import ReportWork
from tickets.store.work import Work, chunks

#: How long a claimed file belongs to its job; far above the time-out of any fetch.
LEASE = timedelta(minutes=10)


class Transaction:
    """What one transaction may do; given by `Store.begin`, committed at its end."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def casework(self) -> Casework:
        """What handling one ticket needs beside its records."""
        return Casework(self._work)

    @property
    def forwards(self) -> Forwards:
        """What is owed to other ticket stores."""
        return Forwards(self._work)

    @property
    def reports(self) -> ReportWork:
        """What people enter for reports, and what was handed in."""
        return ReportWork(self._work)

    @property
    def records(self) -> Erasing:
        """Erasing personal data, and what stands against it."""
        return Erasing(self._work)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that is given up alone when it raises; its neighbours go on."""
        noted = len(self._work.audit)
        try:
            with self._work.connection.begin_nested():
                yield
        except BaseException:
            del self._work.audit[noted:]
            raise

    def known(self, organisation: str, keys: Collection[str], refs: Collection[str]) -> Known:
        """The messages that are recorded already and the complaints that the thread refs lead to, in any state."""
        found = recording.known(self._work, organisation, keys, refs)
        erased = seen_erased(self._work, organisation, [key for key in keys if key not in found.messages])
        return Known(messages={**found.messages, **erased}, threads=found.threads) if erased else found

    def find(self, number: str) -> KnownThread | None:
        """The ticket with its complaint, to be changed here; an alias leads to the ticket it was merged into."""
        return queries.find(self._work.connection, number)

    def next_numbers(self, prefix: str, day: date, count: int) -> range:
        """The next `count` numbers of the prefix on the WIB date, without gaps.

        With a count of 0 nothing is taken: both ends of the empty range are the number that would be next.
        """
        return recording.next_numbers(self._work, prefix, day, count)

    def add(self, records: Records) -> None:
        """Writes all records. Conflict when a unique key is taken, LookupError when one to replace is not there."""
        recording.add(self._work, records)
        follow_holds(self._work, records.updated_tickets)

    def note(self, events: Sequence[AuditEvent]) -> None:
        """Adds audit events; they are chained at the commit."""
        self._work.audit.extend(events)

    def edit(self, organisation: str, change: Edit) -> Applied:
        """Keeps a new version of a message; "parked" while the message itself has not come (T35)."""
        return changes.edit(self._work, organisation, change)

    def delete(self, organisation: str, change: Deletion) -> Applied:
        """Marks a message as withdrawn and keeps it as evidence; "parked" while it has not come (T22)."""
        return changes.delete(self._work, organisation, change)

    def rekey(self, organisation: str, change: Rekey) -> int:
        """How many complaints now also belong to the sender's new key."""
        return changes.rekey(self._work, organisation, change)

    def permit(self, channel_id: str, said: Permission) -> None:
        """Keeps whether a customer lets us write to an address of the channel; the last word counts."""
        permissions.permit(self._work, channel_id, said)

    def deliveries(self, channel_id: str, reports: Sequence[Delivery]) -> None:
        """Applies what the provider of one channel reports; unknown ids wait for their send to be settled (P10)."""
        deliveries.deliveries(self._work, channel_id, reports)

    def receipt_counts(self, organisation: str, recipients: Collection[str], since: datetime) -> Mapping[str, int]:
        """How many receipts each of the recipients was owed since then (P26)."""
        return outbox.receipt_counts(self._work, organisation, recipients, since)

    def complaint_counts(self, organisation: str, senders: Collection[str], since: datetime) -> Mapping[str, int]:
        """How many complaints each of the senders (`Sender.key`) opened since then (P26)."""
        return recording.complaint_counts(self._work, organisation, senders, since)

    def hand_over(self, complaint_ids: Collection[str]) -> None:
        """Closes the task of receipts that found no way, because the customer was told on the spot after all."""
        outbox.hand_over(self._work, complaint_ids)

    def claim_outbox(
        self,
        now: datetime,
        limit: int,
        channel_ids: Collection[str] | None = None,
        exclude: Collection[str] = (),
    ) -> Sequence[OutboxItem]:
        """Due rows, longest due first, now `sending`; `attempts` and `first_attempt_at` already count this attempt.

        Only of `channel_ids` when given, never of the channels in `exclude`.
        """
        return outbox.claim(self._work, now, limit, channel_ids, exclude)

    def settle_outbox(self, settled: Sequence[Settled]) -> None:
        """Writes what became of the attempts; LookupError for a row that is not recorded."""
        outbox.settle(self._work, settled)

    def recover_outbox(self, now: datetime, wait: Mapping[str, timedelta]) -> int:
        """How many rows a crash left in `sending`: due again, flagged ambiguous, after their channel's `wait`."""
        return outbox.recover(self._work, now, wait)

    def resume_outbox(self, channel_id: str, now: datetime) -> int:
        """How many halted rows of the channel are due again."""
        return outbox.resume(self._work, channel_id, now)

    def claim_attachments(self, now: datetime, limit: int, lease: timedelta = LEASE) -> Sequence[AttachmentRow]:
        """Files to fetch, `attempts` counts this attempt; due again after `lease` should the job die."""
        return attachments.claim(self._work, now, limit, lease)

    def settle_attachments(self, settled: Sequence[AttachmentRow]) -> None:
        """Writes what became of the files."""
        attachments.settle(self._work, settled)

    def resolve_quarantine(self, ids: Collection[str], state: QuarantineState, actor: str) -> int:
        """How many items were decided by `actor`; "open" takes a decision back."""
        column = schema.quarantine.c
        resolved_at = None if state == "open" else self._work.now
        count = 0
        for some in chunks(ids):
            count += self._work.connection.execute(
                update(schema.quarantine).where(column.id.in_(some)).values(state=state, resolved_at=resolved_at)
            ).rowcount
        if count:
            self.note([self._event(actor, f"quarantine.{state}", {"ids": sorted(ids)})])
        return count

    def close_tasks(self, ids: Collection[str], actor: str) -> int:
        """How many open tasks were closed by `actor`."""
        column = schema.tasks.c
        count = 0
        for some in chunks(ids):
            count += self._work.connection.execute(
                update(schema.tasks)
                .where(column.id.in_(some), column.closed_at.is_(None))
                .values(closed_at=self._work.now)
            ).rowcount
        if count:
            self.note([self._event(actor, "task.closed", {"ids": sorted(ids)})])
        return count

    def try_code(self, ticket_number: str, given_hash: str, now: datetime, *, limit: int, lock: timedelta) -> Verdict:
        """Whether this is the hash of the ticket's access code; locked for `lock` after `limit` wrong ones (B6)."""
        return access.try_code(self._work, ticket_number, given_hash, now, limit=limit, lock=lock)

    @property
    def proposals(self) -> Proposals:
        """Complaints that may belong together."""
        return Proposals(self._work)

    @property
    def people(self) -> People:
        """The people of the desk and their tokens."""
        return People(self._work)

    def _event(self, actor: str, type_: str, data: Mapping[str, object]) -> AuditEvent:
        return AuditEvent(at=self._work.now, actor=actor, type=type_, complaint_id=None, data=data)
