"""What reports are made from, what people enter for them, and what was handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date, datetime
from typing import cast

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, insert, or_, select, update

from normalizer.complaint import Kind
from normalizer.message import Visibility
from tickets.calendar import wib_date
from tickets.lifecycle_values import Standing
from tickets.model import AuditEvent, TaskRow, TicketState
from tickets.reports_snapshot import Snapshot, digest
from tickets.reports_values import Publication, PublicationType, PublicSaid
from tickets.store import rows, schema
from tickets.store.batch import Found
from tickets.store.schema_reports import publications, report_snapshots
from tickets.store.work import Work

_PAGE = 1_000


class _Said(Struct, frozen=True, kw_only=True):
    """The two fields of `normalizer.message.Message` that tell a comment of the period."""

    visibility: Visibility = "private"
    sent_at: datetime


_said = msgspec.json.Decoder(_Said).decode


class ReportReader:
    """Reads; one snapshot of the database for each call, or for all calls inside `at_once`."""

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    @contextmanager
    def at_once(self) -> Iterator[ReportReader]:
        """What reads everything from one snapshot, so that figures of different tables fit together."""
        with self._begin() as connection:
            yield ReportReader(lambda: nullcontext(connection))

    def standings(self, organisation: str, since: datetime, until: datetime) -> Iterator[Standing]:
        """Every ticket that was received before `until` and not closed before `since`, in no order."""
        column = schema.tickets.c
        statement = select(column.complaint, column.ticket).where(
            column.organisation == organisation,
            column.received_at < until,
            or_(column.closed_at.is_(None), column.closed_at >= since),
        )
        with self._begin() as connection:
            for row in connection.execute(statement.execution_options(yield_per=_PAGE)):
                yield Standing(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket))

    def public_said(self, organisation: str, since: datetime, until: datetime) -> Sequence[PublicSaid]:
        """The public comments and mentions that customers sent in [since, until)."""
        ticket, message = schema.tickets.c, schema.messages.c
        statement = (
            select(message.id, message.document, ticket.ticket_number, ticket.state, ticket.kind)
            .join_from(schema.messages, schema.tickets, message.complaint_id == ticket.complaint_id)
            # A message comes after its ticket was received. It may come after the ticket was closed: a closing that is
            # entered late counts from its own day.
            .where(message.organisation == organisation, ticket.received_at < until)
        )
        found: list[PublicSaid] = []
        with self._begin() as connection:
            for row in connection.execute(statement.execution_options(yield_per=_PAGE)):
                message_ = _said(row.document)
                if message_.visibility == "public" and since <= message_.sent_at < until:
                    found.append(
                        PublicSaid(
                            message_id=row.id,
                            number=row.ticket_number,
                            on=wib_date(message_.sent_at),
                            state=cast(TicketState, row.state),
                            kind=cast(Kind, row.kind),
                        )
                    )
        return found

    def publications(self, organisation: str, first: date, last: date) -> Sequence[Publication]:
        """What people entered as published on these WIB dates, also what was withdrawn; the earliest first."""
        column = publications.c
        with self._begin() as connection:
            return [
                _publication(row)
                for row in connection.execute(
                    select(publications)
                    .where(column.organisation == organisation, column.published_on.between(first, last))
                    .order_by(column.published_on, column.id)
                )
            ]

    def snapshots(self, organisation: str, report: str, period: str) -> Sequence[Snapshot]:
        """What was handed in for a period, the first edition first."""
        with self._begin() as connection:
            return _snapshots(connection, organisation, report, period)

    def at_work_since(self) -> datetime | None:
        """When anything was recorded first, as the audit log says; None while nothing was."""
        column = schema.audit.c
        with self._begin() as connection:
            row = connection.execute(select(column.at).order_by(column.seq).limit(1)).first()
        return None if row is None else row.at

    def task(self, id_: str) -> TaskRow | None:
        """A task by its id, open or closed; None when it was never opened."""
        with self._begin() as connection:
            row = connection.execute(select(schema.tasks).where(schema.tasks.c.id == id_)).first()
        return None if row is None else rows.task_from(row)


class ReportWork:
    """Writes, inside the transaction that it was given by."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def publish(self, publication: Publication) -> None:
        """Keeps a publication; Conflict when its id is taken."""
        self._work.connection.execute(insert(publications).values(**msgspec.structs.asdict(publication)))
        self._note(publication.added_by, "publication.added", publication)

    def withdraw(self, organisation: str, id_: str, actor: str) -> Publication | None:
        """The publication that counts no more from now on; None when there is none that counts."""
        column = publications.c
        which = and_(column.organisation == organisation, column.id == id_, column.withdrawn_at.is_(None))
        row = self._work.connection.execute(select(publications).where(which)).first()
        if row is None:
            return None
        self._work.connection.execute(update(publications).where(which).values(withdrawn_at=self._work.now))
        withdrawn = msgspec.structs.replace(_publication(row), withdrawn_at=self._work.now)
        self._note(actor, "publication.withdrawn", withdrawn)
        return withdrawn

    def editions(self, organisation: str, report: str, period: str) -> int:
        """How often the report of a period was frozen."""
        return len(_snapshots(self._work.connection, organisation, report, period))

    def freeze(self, organisation: str, report: str, period: str, document: bytes, actor: str) -> Snapshot:
        """The snapshot as it is kept from now on: the next edition of this period."""
        snapshot = Snapshot(
            organisation=organisation,
            report=report,
            period=period,
            edition=self.editions(organisation, report, period) + 1,
            frozen_at=self._work.now,
            frozen_by=actor,
            sha256=digest(document),
            document=document,
        )
        self._work.connection.execute(insert(report_snapshots).values(**msgspec.structs.asdict(snapshot)))
        data = {
            "organisation": organisation,
            "report": report,
            "period": period,
            "edition": snapshot.edition,
            "sha256": snapshot.sha256,
        }
        self._add(actor, "report.frozen", data)
        return snapshot

    def _note(self, actor: str, type_: str, publication: Publication) -> None:
        data = {
            "organisation": publication.organisation,
            "id": publication.id,
            "type": publication.type,
            "published_on": publication.published_on.isoformat(),
            "count": publication.count,
        }
        self._add(actor, type_, data)

    def _add(self, actor: str, type_: str, data: dict[str, object]) -> None:
        self._work.audit.append(AuditEvent(at=self._work.now, actor=actor, type=type_, complaint_id=None, data=data))


def _snapshots(connection: Connection, organisation: str, report: str, period: str) -> Sequence[Snapshot]:
    column = report_snapshots.c
    found = connection.execute(
        select(report_snapshots)
        .where(column.organisation == organisation, column.report == report, column.period == period)
        .order_by(column.edition)
    )
    return [Snapshot(**{**row._mapping, "document": bytes(row.document)}) for row in found]


def _publication(row: Found) -> Publication:
    return Publication(**{**row._mapping, "type": cast(PublicationType, row.type)})
