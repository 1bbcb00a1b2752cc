"""Files that are still to be fetched: claimed for a while, settled by the job that fetches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import literal_column, or_, select, update

from tickets.forwarders.contract import ABOUT_FILES
from tickets.forwarders.values import Owed
from tickets.model import AttachmentRow
from tickets.store import rows, schema
from tickets.store.erasure_rows import doom, gone_files
from tickets.store.forwards import Forwards
from tickets.store.times import micros_or_none
from tickets.store.work import Work

#: Written out in the statement, so that the partial index is used.
PENDING = schema.attachments.c.status == literal_column("'pending'")


def claim(work: Work, now: datetime, limit: int, lease: timedelta) -> list[AttachmentRow]:
    """The pending files that are due, with one attempt more; due again after `lease` should their job die."""
    attachments = schema.attachments
    due = (
        select(attachments.c.id)
        .where(PENDING, or_(attachments.c.due_at.is_(None), attachments.c.due_at <= now))
        .order_by(attachments.c.due_at, attachments.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = work.connection.execute(
        update(attachments)
        .where(attachments.c.id.in_(due.scalar_subquery()))
        .values(due_at=now + lease, attempts=attachments.c.attempts + 1)
        .returning(*attachments.c)
    ).all()
    return sorted((rows.attachment_from(row) for row in claimed), key=lambda row: row.id)


def settle(work: Work, settled: Sequence[AttachmentRow]) -> None:
    """Writes what became of the files."""
    gone = gone_files(work, [row.id for row in settled])
    # Erased while it was being fetched: what came of it goes too.
    doom(work, [row.sha256 for row in settled if row.id in gone and row.sha256 is not None])
    wanted = [row for row in settled if row.id not in gone]
    written = work.statements.update_attachments.run(
        work.connection,
        [(row.status, micros_or_none(row.due_at), row.attempts, rows.document(row), row.id) for row in wanted],
    )
    if written != len(wanted):
        raise LookupError("a settled attachment is not recorded")
    _tell(work, {row.id: row for row in wanted if row.status != "pending"})


def _tell(work: Work, ended: Mapping[str, AttachmentRow]) -> None:
    """Notes what became of files that are pending no more, and owes it to other ticket stores."""
    if not ended:
        return
    column, tickets = schema.attachments.c, schema.tickets.c
    # A merge may have given them to another complaint since they were claimed.
    found = work.connection.execute(
        select(column.id, column.complaint_id, tickets.organisation)
        .join_from(schema.attachments, schema.tickets, column.complaint_id == tickets.complaint_id)
        .where(column.id.in_(ended))
        .order_by(column.id)
    ).all()
    owed: dict[tuple[str, str], Owed] = {}
    for each in found:
        row = ended[each.id]
        type_ = f"{ABOUT_FILES}{row.status}"
        work.note(type_, each.complaint_id, {"attachment": row.id, "attempts": row.attempts})
        owed[each.complaint_id, type_] = Owed(
            organisation=each.organisation, complaint_id=each.complaint_id, type=type_, at=work.now
        )
    Forwards(work).add(list(owed.values()))
