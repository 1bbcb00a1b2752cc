"""Everything that reads; each function gives values, from one snapshot when its connection holds a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    func,
    literal_column,
    select,
    tuple_,
    type_coerce,
)

from tickets.model import OPEN, KnownThread, QuarantineRow, QuarantineState, RawRow, TaskRow
from tickets.store import audit, forwards_rows, rows, schema
from tickets.store.attachments import PENDING
from tickets.store.batch import Found
from tickets.store.times import from_micros
from tickets.store.views import Counts, MessageVersion, MessageView, TicketLine, TicketView

#: Rows read at once by what walks over many.
PAGE = 500
_HOUR_MICROS = 3_600_000_000

_LINE = [schema.tickets.c[name] for name in TicketLine.__struct_fields__]
_OPEN_TICKET = schema.tickets.c.open == literal_column("1")


def find(connection: Connection, number: str) -> KnownThread | None:
    """The complaint and ticket of a number; an alias leads to the ticket that its own was merged into."""
    row = _row(connection, number)
    return None if row is None else _known(row)


def number_of(connection: Connection, complaint_id: str) -> str | None:
    """The ticket number of a complaint."""
    tickets = schema.tickets.c
    found: str | None = connection.scalar(select(tickets.ticket_number).where(tickets.complaint_id == complaint_id))
    return found


def merged_into(connection: Connection, complaint_id: str) -> list[KnownThread]:
    """The complaints that were merged into one: their messages lie there, their own documents do not."""
    tickets, aliases = schema.tickets.c, schema.aliases.c
    found = connection.execute(
        select(tickets.complaint, tickets.ticket)
        .join_from(schema.aliases, schema.tickets, aliases.ticket_number == tickets.ticket_number)
        .where(aliases.complaint_id == complaint_id, tickets.complaint_id != complaint_id)
        .order_by(tickets.complaint_id)
    )
    return [
        KnownThread(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket)) for row in found
    ]


def ticket(connection: Connection, number: str) -> TicketView | None:
    """All that is kept under a number; None when it was never given out."""
    found = find(connection, number)
    return None if found is None else _view(connection, found)


def view_of(connection: Connection, complaint_id: str) -> TicketView | None:
    """All that is kept of one complaint, also when it was merged: then it is not the one that goes on."""
    tickets = schema.tickets.c
    row = connection.execute(
        select(tickets.complaint, tickets.ticket).where(tickets.complaint_id == complaint_id)
    ).first()
    return None if row is None else _view(connection, _known(row))


def _known(row: Found) -> KnownThread:
    return KnownThread(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket))


def _view(connection: Connection, found: KnownThread) -> TicketView:
    complaint_id = found.complaint.complaint_id

    def of(statement: Select[Any], column: Any) -> Sequence[Found]:
        return connection.execute(statement.where(column == complaint_id)).all()

    messages = of(select(schema.messages).order_by(schema.messages.c.id), schema.messages.c.complaint_id)
    owed = of(select(*schema.plain(schema.outbox)).order_by(schema.outbox.c.key), schema.outbox.c.complaint_id)
    files = [
        rows.attachment_from(row)
        for row in of(select(schema.attachments).order_by(schema.attachments.c.id), schema.attachments.c.complaint_id)
    ]
    tasks = of(select(schema.tasks).order_by(schema.tasks.c.opened_at, schema.tasks.c.id), schema.tasks.c.complaint_id)
    events = of(select(schema.audit).order_by(schema.audit.c.seq), schema.audit.c.complaint_id)
    aliases = of(select(schema.aliases.c.ticket_number), schema.aliases.c.complaint_id)
    complaint = msgspec.structs.replace(
        found.complaint,
        receipts=tuple(rows.receipt_from(row, found.complaint) for row in owed),
        attachments=rows.stored_attachments(found.complaint, files),
        forwards=forwards_rows.shown(connection, complaint_id),
    )
    return TicketView(
        complaint=complaint,
        ticket=found.ticket,
        messages=_messages(connection, messages),
        outbox=[rows.outbox_from(row) for row in owed],
        attachments=files,
        tasks=[rows.task_from(row) for row in tasks],
        audit=audit.events(events),
        aliases=sorted(row.ticket_number for row in aliases),
    )


def _row(connection: Connection, number: str) -> Found | None:
    tickets, aliases = schema.tickets.c, schema.aliases.c
    by_alias = (
        select(tickets.complaint, tickets.ticket)
        .join_from(schema.aliases, schema.tickets, aliases.complaint_id == tickets.complaint_id)
        .where(aliases.ticket_number == number)
    )
    by_number = select(tickets.complaint, tickets.ticket).where(tickets.ticket_number == number)
    # The alias first: a merged ticket keeps its own row, its number leads to the one that goes on.
    found = connection.execute(by_alias).first()
    return found if found is not None else connection.execute(by_number).first()


def _messages(connection: Connection, found: Sequence[Found]) -> list[MessageView]:
    changes = schema.message_changes
    by_message: dict[str, list[Found]] = {}
    for start in range(0, len(found), PAGE):
        ids = [row.id for row in found[start : start + PAGE]]
        for change in connection.execute(
            select(changes).where(changes.c.message_id.in_(ids)).order_by(changes.c.at, changes.c.key)
        ):
            by_message.setdefault(change.message_id, []).append(change)
    views = []
    for row in found:
        message = rows.message_from(row)
        itself = message.message
        changed = by_message.get(row.id, [])
        first = MessageVersion(at=itself.sent_at, text=itself.text, subject=itself.subject)
        edits = [
            MessageVersion(at=change.at, text=change.text or "", subject=change.subject)
            for change in changed
            if change.kind == "edit"
        ]
        withdrawn = [change.at for change in changed if change.kind == "deletion"]
        views.append(
            MessageView(row=message, versions=(first, *edits), withdrawn_at=withdrawn[0] if withdrawn else None)
        )
    return views


def tickets(
    connection: Connection,
    *,
    organisation: str | None,
    state: str | None,
    channel: str | None,
    limit: int,
    after: str | None,
) -> list[TicketLine]:
    """The newest tickets first; `after` is the complaint id of the last line that was seen."""
    column = schema.tickets.c
    statement = select(*_LINE).order_by(column.complaint_id.desc()).limit(limit)
    for given, name in ((organisation, "organisation"), (channel, "channel")):
        if given is not None:
            statement = statement.where(column[name] == given)
    if state is not None:
        statement = statement.where(*in_state(state))
    if after is not None:
        statement = statement.where(column.complaint_id < after)
    return [TicketLine(**row._mapping) for row in connection.execute(statement)]


def in_state(state: str) -> list[ColumnElement[bool]]:
    """The conditions for tickets in a state, or in any open one with "open"."""
    column = schema.tickets.c
    conditions = [] if state == "open" else [column.state == state]
    # Also said where it follows from the state, so that the partial index is used.
    return [_OPEN_TICKET, *conditions] if state == "open" or state in OPEN else conditions


def due(connection: Connection, until: date, limit: int) -> list[TicketLine]:
    """Open tickets whose first response or resolution is due on or before the WIB date, earliest first."""
    column = schema.tickets.c
    found: dict[str, TicketLine] = {}
    for name in ("first_response_due", "resolve_due"):
        statement = select(*_LINE).where(_OPEN_TICKET, column[name] <= until).order_by(column[name]).limit(limit)
        found.update({row.complaint_id: TicketLine(**row._mapping) for row in connection.execute(statement)})
    far = date.max
    earliest = sorted(
        found.values(),
        key=lambda line: (min(line.first_response_due or far, line.resolve_due or far), line.complaint_id),
    )
    return earliest[:limit]


def views(engine: Engine, statement: Select[tuple[str]]) -> Iterator[TicketView]:
    """The tickets whose complaint ids the statement selects, page by page, each page from one snapshot."""
    column, last = schema.tickets.c, ""
    while True:
        with engine.begin() as connection:
            page = statement.where(column.complaint_id > last)
            found = connection.execute(page.order_by(column.complaint_id).limit(PAGE)).all()
            seen = [view_of(connection, row.complaint_id) for row in found]
        yield from (view for view in seen if view is not None)
        if len(found) < PAGE:
            return
        last = found[-1].complaint_id


def quarantine(
    connection: Connection, *, state: QuarantineState | None, limit: int, raw_id: str | None
) -> list[QuarantineRow]:
    """What waits for a person's decision, or was decided, oldest first."""
    column = schema.quarantine.c
    statement = select(schema.quarantine).order_by(column.at, column.id).limit(limit)
    if state is not None:
        # Written out, so that the partial index of what is open is used.
        statement = statement.where(column.state == literal_column(f"'{state}'"))
    if raw_id is not None:
        statement = statement.where(column.raw_id == raw_id)
    return [
        QuarantineRow(**{name: getattr(row, name) for name in QuarantineRow.__struct_fields__})
        for row in connection.execute(statement)
    ]


def raw(connection: Connection, raw_id: str) -> RawRow | None:
    """A delivery as it came; None when it was never kept or its retention has passed."""
    row = connection.execute(select(schema.raws).where(schema.raws.c.id == raw_id)).first()
    return None if row is None else rows.raw_from(row)


def hours_heard(connection: Connection, moment: datetime) -> Sequence[tuple[str, datetime]]:
    """Each channel with the beginning of each UTC hour since the moment in which a delivery of it was recorded."""
    hour = type_coerce(schema.raws.c.received_at, BigInteger) // _HOUR_MICROS
    statement = select(schema.raws.c.channel_id, hour).where(schema.raws.c.received_at >= moment).distinct()
    return [(channel, from_micros(each * _HOUR_MICROS)) for channel, each in connection.execute(statement)]


def raws_since(engine: Engine, moment: datetime) -> Iterator[RawRow]:
    """The deliveries received at or after the moment, oldest first, page by page."""
    column = schema.raws.c
    position: tuple[datetime, str] | None = None
    while True:
        statement = select(schema.raws).order_by(column.received_at, column.id).limit(PAGE)
        if position is None:
            statement = statement.where(column.received_at >= moment)
        else:
            statement = statement.where(tuple_(column.received_at, column.id) > position)
        with engine.begin() as connection:
            page = connection.execute(statement).all()
        yield from map(rows.raw_from, page)
        if len(page) < PAGE:
            return
        position = page[-1].received_at, page[-1].id


def open_tasks(connection: Connection, *, organisation: str | None, kind: str | None, limit: int) -> list[TaskRow]:
    """What people must do, oldest first."""
    column = schema.tasks.c
    statement = select(schema.tasks).where(column.closed_at.is_(None)).order_by(column.opened_at, column.id)
    if organisation is not None:
        statement = statement.where(column.organisation == organisation)
    if kind is not None:
        statement = statement.where(column.kind == kind)
    return [rows.task_from(row) for row in connection.execute(statement.limit(limit))]


def open_task(connection: Connection, task_id: str) -> TaskRow | None:
    """An open task by its id."""
    column = schema.tasks.c
    row = connection.execute(select(schema.tasks).where(column.id == task_id, column.closed_at.is_(None))).first()
    return None if row is None else rows.task_from(row)


def counts(connection: Connection) -> Counts:
    """How much waits where; each number comes from a small index."""

    def count(table: Any, *where: Any) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    def owed(state: str) -> int:
        return count(schema.outbox, schema.outbox.c.state == literal_column(f"'{state}'"))

    return Counts(
        outbox_due=owed("due"),
        outbox_sending=owed("sending"),
        outbox_halted=owed("halted"),
        quarantine_open=count(schema.quarantine, schema.quarantine.c.state == literal_column("'open'")),
        tasks_open=count(schema.tasks, schema.tasks.c.closed_at.is_(None)),
        attachments_pending=count(schema.attachments, PENDING),
        tickets_open=count(schema.tickets, _OPEN_TICKET),
        deliveries_parked=count(schema.parked_deliveries),
    )
