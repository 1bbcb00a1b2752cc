"""The core store: opened once per process, written by one thread, read by any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Self

import msgspec
from sqlalchemy import delete, select

from tickets.model import QuarantineRow, QuarantineState, RawRow, TaskRow
from tickets.people import Person, Token
from tickets.store import audit, casework, dialect, export, people, queries, schema, versions
from tickets.store.audit import AuditReport
from tickets.store.erasure_rows import held_raws
from tickets.store.errors import SchemaMismatch
from tickets.store.forwards_rows import ForwardsReader
from tickets.store.looking import LookReader
from tickets.store.proposals import ProposalReader
from tickets.store.records import RecordsReader
from tickets.store.reports import ReportReader
from tickets.store.statements import Statements
from tickets.store.transaction import Transaction
from tickets.store.views import TicketLine, TicketView
from tickets.store.work import Work

#: Raws deleted in one transaction, so that the retention job never holds up an intake.
_PURGE_AT_ONCE = 500


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """The truth about complaints, tickets, messages and receipts."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        where = dialect.database_url(url)
        self._clock = clock
        self._writer = dialect.writer(where)
        self._reader = dialect.reader(where)
        self._statements = Statements(self._writer.dialect)

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime] = _utc_now) -> Self:
        """The store at `sqlite:///path`, created or brought to this version's schema.

        Raises SchemaMismatch when the database was written by a newer or an unknown version (T36).
        """
        store = cls(url, clock)
        try:
            with store._writer.begin() as connection:
                versions.upgrade(connection)
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """One transaction: committed at the exit, rolled back on any exception. Only from the thread that writes."""
        with self._writer.begin() as connection:
            if versions.current(connection) != schema.REVISION:
                raise SchemaMismatch("the database was changed by another version while this one was running")
            work = Work(connection, self._statements, self._clock())
            yield Transaction(work)
            audit.chain(work)

    def close(self) -> None:
        """Gives every connection back; what was committed stays."""
        self._reader.dispose()
        self._writer.dispose()

    @property
    def forwards(self) -> ForwardsReader:
        """What is owed to other ticket stores, and how they stand."""
        return ForwardsReader(self._reader)

    @property
    def looking(self) -> LookReader:
        """Which tickets the clocks must look at."""
        return LookReader(self._reader)

    @property
    def reports(self) -> ReportReader:
        """What reports to the regulator are made from."""
        return ReportReader(self._reader.begin)

    def ticket(self, number: str) -> TicketView | None:
        """All that is kept under a ticket number or an alias of it; None when it was never given out."""
        with self._reader.begin() as connection:
            return queries.ticket(connection, number)

    def given_to(self, number: str) -> str | None:
        """The complaint that got this number in its receipt, also when it was merged into another since."""
        with self._reader.begin() as connection:
            return casework.given_to(connection, number)

    def ticket_of_complaint(self, complaint_id: str) -> TicketView | None:
        """All that is kept of one complaint, also of a merged one; None when there is none with this id."""
        with self._reader.begin() as connection:
            return queries.view_of(connection, complaint_id)

    def tickets(
        self,
        *,
        organisation: str | None = None,
        state: str | None = None,
        channel: str | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[TicketLine]:
        """The newest tickets first. `state` may also be "open"; `after` is the last line's `complaint_id`."""
        with self._reader.begin() as connection:
            return queries.tickets(
                connection, organisation=organisation, state=state, channel=channel, limit=limit, after=after
            )

    def due(self, until: date, limit: int = 100) -> Sequence[TicketLine]:
        """Open tickets with a first response or resolution due on or before the WIB date, earliest first."""
        with self._reader.begin() as connection:
            return queries.due(connection, until, limit)

    def views(
        self,
        *,
        organisation: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        state: str | None = None,
    ) -> Iterator[TicketView]:
        """Every ticket received in [since, until), oldest first, a page at a time."""
        column = schema.tickets.c
        statement = select(column.complaint_id)
        if organisation is not None:
            statement = statement.where(column.organisation == organisation)
        if since is not None:
            statement = statement.where(column.received_at >= since)
        if until is not None:
            statement = statement.where(column.received_at < until)
        if state is not None:
            statement = statement.where(*queries.in_state(state))
        return queries.views(self._reader, statement)

    def export_rows(
        self,
        *,
        organisation: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        state: str | None = None,
        columns: Sequence[str] = export.COLUMNS,
    ) -> Iterator[Mapping[str, Any]]:
        """Flat rows of the tickets received in [since, until); ValueError for a column that is not in COLUMNS."""
        unknown = [name for name in columns if name not in export.COLUMNS]
        if unknown:
            raise ValueError(f"not an exported column: {', '.join(unknown)}")
        found = self.views(organisation=organisation, since=since, until=until, state=state)
        return (export.flat(view, columns) for view in found)

    def quarantine(
        self, *, state: QuarantineState | None = "open", limit: int = 100, raw_id: str | None = None
    ) -> Sequence[QuarantineRow]:
        """What waits for a person's decision, oldest first; every state with None."""
        with self._reader.begin() as connection:
            return queries.quarantine(connection, state=state, limit=limit, raw_id=raw_id)

    def raw(self, raw_id: str) -> RawRow | None:
        """A delivery as it came; None when it was never kept or its retention has passed."""
        with self._reader.begin() as connection:
            return queries.raw(connection, raw_id)

    def hours_heard(self, moment: datetime) -> Sequence[tuple[str, datetime]]:
        """Each channel id with the beginning of each UTC hour since the moment in which a delivery was recorded."""
        with self._reader.begin() as connection:
            return queries.hours_heard(connection, moment)

    def raws_since(self, moment: datetime) -> Iterator[RawRow]:
        """The deliveries received at or after the moment, oldest first."""
        return queries.raws_since(self._reader, moment)

    def open_tasks(
        self, *, organisation: str | None = None, kind: str | None = None, limit: int = 100
    ) -> Sequence[TaskRow]:
        """What people must do, oldest first."""
        with self._reader.begin() as connection:
            return queries.open_tasks(connection, organisation=organisation, kind=kind, limit=limit)

    def task(self, task_id: str) -> TaskRow | None:
        """An open task; None when there is none, or it was closed."""
        with self._reader.begin() as connection:
            return queries.open_task(connection, task_id)

    def counts(self) -> Mapping[str, int]:
        """How much waits where, by the names of `views.Counts`."""
        with self._reader.begin() as connection:
            return dict(msgspec.structs.asdict(queries.counts(connection)))

    def people(self) -> Sequence[Person]:
        """Everybody who works at the desk or did, by name."""
        with self._reader.begin() as connection:
            return people.everybody(connection)

    def person(self, name: str) -> Person | None:
        """Somebody by name, also when locked out."""
        with self._reader.begin() as connection:
            return people.person_named(connection, name)

    def tokens(self, person: str | None = None) -> Sequence[Token]:
        """The tokens of one person or of all, also those that do not count any more."""
        with self._reader.begin() as connection:
            return people.tokens_of(connection, person)

    def bearer(self, token_id: str, secret: str, now: datetime) -> Person | None:
        """Who a token speaks for; None when it does not count at this moment."""
        with self._reader.begin() as connection:
            return people.bearer(connection, token_id, secret, now)

    @property
    def records(self) -> RecordsReader:
        """What records management reads: retention, legal holds, evidence."""
        return RecordsReader(self._reader)

    def compact(self) -> bool:
        """Rewrites the database without what was deleted; False when somebody kept it busy. From the writing thread.

        Needs as much free room on the disk as the database takes.
        """
        return dialect.compact(self._writer)

    @property
    def proposals(self) -> ProposalReader:
        """Complaints that may belong together."""
        return ProposalReader(self._reader)

    def verify_audit(self) -> AuditReport:
        """Whether the audit log is whole; names the first event that was changed, removed or put in."""
        with self._reader.begin() as connection:
            return audit.verify(connection)

    def purge_raws(self, before: datetime) -> int:
        """How many deliveries received before the moment were deleted; open quarantine and legal holds keep theirs.

        Reports about sends that never became known and counts of wrong codes of that age go too.
        """
        raws, quarantine = schema.raws.c, schema.quarantine.c
        waiting = select(quarantine.raw_id).where(quarantine.state == "open")
        old = (
            select(raws.id)
            .where(raws.received_at < before, raws.id.not_in(waiting), raws.id.not_in(held_raws()))
            .order_by(raws.received_at)
            .limit(_PURGE_AT_ONCE)
        )
        deleted = 0
        while True:
            with self._writer.begin() as connection:
                count = connection.execute(delete(schema.raws).where(raws.id.in_(old.scalar_subquery()))).rowcount
            deleted += count
            if count < _PURGE_AT_ONCE:
                break
        with self._writer.begin() as connection:
            connection.execute(delete(schema.parked_deliveries).where(schema.parked_deliveries.c.at < before))
            connection.execute(delete(schema.code_attempts).where(schema.code_attempts.c.last_at < before))
        return deleted
