"""Looking up what a batch of messages already led to, numbering, and adding everything at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from normalizer.complaint import Complaint
from tickets.model import Known, KnownThread, Records, SeenMessage, Ticket
from tickets.store import changes, rows
from tickets.store.batch import Batch, Values
from tickets.store.times import to_micros
from tickets.store.work import Work


def known(work: Work, organisation: str, keys: Collection[str], refs: Collection[str]) -> Known:
    """The messages that are recorded already and the complaints that the thread refs lead to, in any state."""
    connection, statements = work.connection, work.statements
    seen = {
        key: SeenMessage(complaint_id=complaint_id, ticket_number=number, digest=digest)
        for key, complaint_id, number, digest in statements.known_messages.rows(
            connection, keys, organisation=organisation
        )
    }
    found: dict[str, KnownThread] = {}
    decoded: dict[str, KnownThread] = {}
    for ref, complaint_id, complaint, ticket in statements.known_threads.rows(
        connection, refs, organisation=organisation
    ):
        thread = decoded.get(complaint_id)
        if thread is None:
            thread = KnownThread(complaint=rows.complaint_from(complaint), ticket=rows.ticket_from(ticket))
            decoded[complaint_id] = thread
        found[ref] = thread
    return Known(messages=seen, threads=found)


def complaint_counts(work: Work, organisation: str, senders: Collection[str], since: datetime) -> dict[str, int]:
    """How many complaints each of the senders opened since then (P26)."""
    found = work.statements.complaint_counts.rows(
        work.connection, senders, organisation=organisation, since=to_micros(since)
    )
    return {sender: count for sender, count in found}  # noqa: C416  # rows are no pairs to the type checker


def next_numbers(work: Work, prefix: str, day: date, count: int) -> range:
    """The next `count` numbers of the prefix on the WIB date; given back when the transaction is given up.

    With a count of 0 nothing is taken: both ends of the empty range are the number that would be next.
    """
    connection, statements, written = work.connection, work.statements, day.isoformat()
    if count == 0:
        found = statements.last_number.rows(connection, prefix=prefix, day=written)
        last = found[0].last if found else 0
        return range(last + 1, last + 1)
    if count < 0:
        raise ValueError("a count of numbers cannot be negative")
    last = statements.take_numbers.rows(connection, prefix=prefix, day=written, count=count)[0].last
    return range(last - count + 1, last + 1)


def add(work: Work, records: Records) -> None:
    """Writes all records, each kind by one statement; Conflict when a unique key is already taken."""
    connection, statements = work.connection, work.statements
    statements.raws.run(connection, [rows.raw_row(row) for row in records.raws])
    statements.quarantine.run(connection, [rows.quarantine_row(row) for row in records.quarantine])
    statements.tickets.run(connection, _ticket_rows(records.complaints, records.tickets))
    _replace(work, statements.update_complaints, [rows.complaint_columns(row) for row in records.updated])
    _replace(work, statements.update_tickets, [rows.ticket_columns(row) for row in records.updated_tickets])
    statements.aliases.run(
        connection,
        [
            (alias, complaint.complaint_id)
            for complaint in (*records.complaints, *records.updated)
            for alias in complaint.aliases
        ],
    )
    statements.messages.run(connection, [rows.message_row(row) for row in records.messages])
    changes.apply_parked(work, records.messages)
    statements.attachments.run(connection, [rows.attachment_row(row) for row in records.attachments])
    statements.threads.run(connection, list(records.threads))
    added_at = to_micros(work.now)
    statements.outbox.run(connection, [rows.outbox_row(row, added_at) for row in records.outbox])
    statements.tasks.run(connection, [rows.task_row(row) for row in records.tasks])
    work.audit.extend(records.audit)


def _ticket_rows(complaints: Sequence[Complaint], tickets: Sequence[Ticket]) -> list[Values]:
    by_complaint = {ticket.complaint_id: ticket for ticket in tickets}
    if len(by_complaint) != len(complaints) or len(tickets) != len(complaints):
        raise ValueError("every complaint needs exactly one ticket")
    return [rows.ticket_row(complaint, by_complaint[complaint.complaint_id]) for complaint in complaints]


def _replace(work: Work, batch: Batch, replacements: Sequence[Values]) -> None:
    if batch.run(work.connection, replacements) != len(replacements):
        raise LookupError("a complaint that should be replaced is not recorded")
