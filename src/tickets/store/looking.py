"""Which tickets the clocks must look at, found by small indexes: never by reading every open ticket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import Engine, literal_column, select, tuple_

from tickets.model import KnownThread
from tickets.store import rows, schema

_OPEN = schema.tickets.c.open == literal_column("1")


class LookedAt(Struct, frozen=True, kw_only=True):
    """One ticket in the list; with its day it is the position to go on from."""

    complaint_id: str
    ticket_number: str
    look_on: date


class Asked(Struct, frozen=True, kw_only=True):
    """One open task and the number of its ticket; the position to go on from."""

    id: str
    opened_at: datetime
    kind: str
    ticket_number: str


class LookReader:
    """Reads only, each call from one snapshot (`Store.looking`)."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def due(self, today: date, limit: int, after: LookedAt | None = None) -> Sequence[LookedAt]:
        """The tickets to look at on or before the WIB date, the one that waits longest first."""
        column = schema.tickets.c
        statement = (
            select(column.complaint_id, column.ticket_number, column.look_on)
            .where(column.look_on.is_not(None), column.look_on <= today)
            .order_by(column.look_on, column.complaint_id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(
                tuple_(column.look_on, column.complaint_id) > (after.look_on, after.complaint_id)
            )
        with self._reader.begin() as connection:
            return [LookedAt(**row._mapping) for row in connection.execute(statement)]

    def without_a_day(self, limit: int, after: str = "") -> Sequence[tuple[str, str]]:
        """Complaint id and number of open tickets with no day to look: none of their clocks runs, or they are old."""
        column = schema.tickets.c
        statement = (
            select(column.complaint_id, column.ticket_number)
            .where(_OPEN, column.look_on.is_(None), column.complaint_id > after)
            .order_by(column.complaint_id)
            .limit(limit)
        )
        with self._reader.begin() as connection:
            return [(row.complaint_id, row.ticket_number) for row in connection.execute(statement)]

    def with_clocks(self, limit: int, after: str = "", organisation: str | None = None) -> Sequence[KnownThread]:
        """Tickets with a day to look, so with a clock that runs, in the order of their complaint ids."""
        column = schema.tickets.c
        statement = (
            select(column.complaint, column.ticket)
            .where(column.look_on.is_not(None), column.complaint_id > after)
            .order_by(column.complaint_id)
            .limit(limit)
        )
        if organisation is not None:
            statement = statement.where(column.organisation == organisation)
        with self._reader.begin() as connection:
            return [
                KnownThread(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket))
                for row in connection.execute(statement)
            ]

    def asked(
        self, organisation: str, kinds: Collection[str], limit: int, after: Asked | None = None
    ) -> Sequence[Asked]:
        """Open tasks of these kinds whose ticket changed since they were opened, oldest first."""
        tasks, tickets = schema.tasks.c, schema.tickets.c
        statement = (
            select(tasks.id, tasks.opened_at, tasks.kind, tickets.ticket_number)
            .join_from(schema.tasks, schema.tickets, tasks.complaint_id == tickets.complaint_id)
            .where(tasks.organisation == organisation, tasks.closed_at.is_(None), tasks.kind.in_(kinds))
            .where(tickets.updated_at >= tasks.opened_at)
            .order_by(tasks.opened_at, tasks.id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(tuple_(tasks.opened_at, tasks.id) > (after.opened_at, after.id))
        with self._reader.begin() as connection:
            return [Asked(**row._mapping) for row in connection.execute(statement)]
