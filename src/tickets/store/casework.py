"""What handling one ticket reads and writes beside its records: its messages, its open tasks, and moving them."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from tickets.model import AuditEvent, MessageRow, OutboxRow, TaskRow
from tickets.store import audit, rows, schema
from tickets.store.work import Work


def given_to(connection: Connection, number: str) -> str | None:
    """The complaint that got this ticket number in its receipt, also when it was merged into another since."""
    tickets = schema.tickets.c
    found: str | None = connection.scalar(select(tickets.complaint_id).where(tickets.ticket_number == number))
    return found


class Casework:
    """One ticket at a time, inside an open transaction (`Transaction.casework`)."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def messages(self, complaint_id: str) -> tuple[MessageRow, ...]:
        """Every message of the complaint in the order in which they were sent, the newest last."""
        messages = schema.messages
        found = self._work.connection.execute(select(messages).where(messages.c.complaint_id == complaint_id))
        return tuple(sorted(map(rows.message_from, found), key=lambda row: (row.message.sent_at, row.id)))

    def senders(self, complaint_id: str) -> frozenset[str]:
        """The keys of all who wrote to the complaint, those of complaints that were merged into it included."""
        return frozenset(row.message.sender.key for row in self.messages(complaint_id))

    def open_tasks(self, complaint_id: str) -> tuple[TaskRow, ...]:
        """What people must still do for the complaint, oldest first."""
        tasks = schema.tasks
        found = self._work.connection.execute(
            select(tasks)
            .where(tasks.c.complaint_id == complaint_id, tasks.c.closed_at.is_(None))
            .order_by(tasks.c.opened_at, tasks.c.id)
        )
        return tuple(map(rows.task_from, found))

    def owed(self, complaint_id: str) -> tuple[OutboxRow, ...]:
        """Every message that the complaint's customer was or is owed, in no order."""
        outbox = schema.outbox
        found = self._work.connection.execute(
            select(*schema.plain(outbox)).where(outbox.c.complaint_id == complaint_id)
        )
        return tuple(map(rows.outbox_from, found))

    def events(self, complaint_id: str) -> tuple[AuditEvent, ...]:
        """What was recorded of the complaint before this transaction, oldest first."""
        found = self._work.connection.execute(
            select(schema.audit).where(schema.audit.c.complaint_id == complaint_id).order_by(schema.audit.c.seq)
        )
        return audit.events(found)

    def move(self, from_id: str, to_id: str) -> None:
        """Gives one complaint's messages, files, threads, open tasks and aliases to another (a merge).

        Its receipts and its audit events stay: they were given under its own number.
        """
        for table in (schema.messages, schema.attachments, schema.threads, schema.aliases):
            self._work.connection.execute(
                update(table).where(table.c.complaint_id == from_id).values(complaint_id=to_id)
            )
        tasks = schema.tasks
        self._work.connection.execute(
            update(tasks).where(tasks.c.complaint_id == from_id, tasks.c.closed_at.is_(None)).values(complaint_id=to_id)
        )
