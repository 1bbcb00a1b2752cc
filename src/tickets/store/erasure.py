"""Erasing personal data: of a whole complaint, or of one message that its sender deleted.

What is overwritten is overwritten with zeros (`secure_delete`); `Store.compact` then rewrites the file, so that no copy
stays in pages that were moved earlier. The audit log is never touched: its data names nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import delete, exists, insert, select, update

from normalizer.complaint import Complaint
from tickets import records
from tickets.model import AuditEvent, KnownThread, MessageRow, Ticket
from tickets.records import ErasureReason, Obstacle
from tickets.store import erasure_rows, queries, rows, schema, schema_forwards, schema_records
from tickets.store.documents import MESSAGES
from tickets.store.work import Work, chunks


class Erased(Struct, frozen=True, kw_only=True):
    """What went with the personal data of a complaint."""

    complaint_id: str
    ticket_number: str
    #: Numbers that were merged into it: their complaints went too.
    merged: tuple[str, ...] = ()
    messages: int = 0
    files: int = 0
    raws: int = 0
    #: Deliveries that stay until a person has decided about them, or a legal hold on another complaint ends.
    raws_left: int = 0
    #: "<target> <ref>": the other ticket stores that hold a copy, for a person to erase it there.
    elsewhere: tuple[str, ...] = ()


class Withdrawn(Struct, frozen=True, kw_only=True):
    """A message that its sender deleted, with the other messages of its complaint, oldest first."""

    row: MessageRow
    #: The complaint that it lies with, and those that were merged into it: it may have been told to one of them.
    group: tuple[KnownThread, ...]
    others: tuple[MessageRow, ...]
    #: Ids of the files that came with it.
    files: frozenset[str]


class Erasing:
    """What one transaction may erase (`Transaction.records`)."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def obstacle(self, number: str, *, patient: bool = True) -> Obstacle | None:
        """Why a complaint may not be erased now; None when it may. LookupError for a number that was never given.

        Unless `patient`, what is still owed to the customer or to another store is dropped instead of waited for.
        """
        found = self._found(number)
        blocked = records.obstacle(found.complaint, found.ticket)
        if blocked is None:
            merged = queries.merged_into(self._work.connection, found.complaint.complaint_id)
            blocked = "hold" if any(each.ticket.life.hold is not None for each in merged) else None
            ids = [found.complaint.complaint_id, *(each.complaint.complaint_id for each in merged)]
            if blocked is None and self._is_owed(ids, ("sending", "due") if patient else ("sending",)):
                blocked = "message_owed"
        return blocked

    def is_erased(self, complaint_id: str) -> bool:
        """Whether the personal data of the complaint is gone."""
        column = schema_records.erasures.c.complaint_id
        return self._work.connection.scalar(select(column).where(column == complaint_id)) is not None

    def erase(self, number: str, reason: ErasureReason, actor: str) -> Erased:
        """Erases the personal data of a complaint and of those that were merged into it; the figures stay.

        ValueError while there is an `obstacle`, LookupError for a number that was never given.
        """
        blocked = self.obstacle(number, patient=reason != "retention")
        if blocked is not None:
            raise ValueError(blocked)
        self._wipe_what_is_freed()
        found = self._found(number)
        merged = queries.merged_into(self._work.connection, found.complaint.complaint_id)
        group = [each for each in (found, *merged) if not self.is_erased(each.complaint.complaint_id)]
        ids = [each.complaint.complaint_id for each in group]
        elsewhere = erasure_rows.elsewhere(self._work, ids)
        messages = erasure_rows.messages(self._work, ids)
        raws = erasure_rows.raws_of(self._work, messages)
        erasure_rows.forget_addresses(self._work, ids, messages)
        erasure_rows.erase_messages(self._work, messages)
        files = erasure_rows.erase_files(self._work, ids)
        erasure_rows.erase_around(self._work, ids)
        gone, left = erasure_rows.erase_raws(self._work, raws)
        for each in group:
            self._replace(records.erased_complaint(each.complaint), records.erased_ticket(each.ticket))
            self._work.connection.execute(
                insert(schema_records.erasures).values(
                    complaint_id=each.complaint.complaint_id,
                    ticket_number=each.ticket.ticket_number,
                    organisation=each.ticket.organisation,
                    at=self._work.now,
                    reason=reason,
                )
            )
            self._note(actor, "records.erased", each.complaint.complaint_id, {"reason": reason})
        return Erased(
            complaint_id=found.complaint.complaint_id,
            ticket_number=found.ticket.ticket_number,
            merged=tuple(each.ticket.ticket_number for each in merged),
            messages=len(messages),
            files=files,
            raws=gone,
            raws_left=left,
            elsewhere=elsewhere,
        )

    def withdrawn(self, message_id: str) -> Withdrawn | None:
        """A deleted message whose copy is still here, to be erased; None when it is gone or a legal hold keeps it."""
        waiting = schema_records.withdrawn_messages
        complaint_id = self._work.connection.scalar(
            select(schema.messages.c.complaint_id)
            .join_from(schema.messages, waiting, schema.messages.c.id == waiting.c.message_id)
            .where(waiting.c.message_id == message_id, waiting.c.erased_at.is_(None))
        )
        if complaint_id is None:
            return None
        number = queries.number_of(self._work.connection, complaint_id)
        found = None if number is None else queries.find(self._work.connection, number)
        if found is None:
            return None
        group = (found, *queries.merged_into(self._work.connection, complaint_id))
        if any(each.ticket.life.hold is not None for each in group):
            return None
        messages = sorted(
            erasure_rows.messages(self._work, [complaint_id]), key=lambda row: (row.message.sent_at, row.id)
        )
        (row,) = (each for each in messages if each.id == message_id)
        gone = self._texts_gone([each.id for each in messages])
        others = tuple(each for each in messages if each.id != message_id and each.id not in gone)
        files = erasure_rows.files_of(self._work, message_id, complaint_id)
        return Withdrawn(row=row, group=group, others=others, files=files)

    def erase_message(self, message_id: str, complaints: Sequence[Complaint]) -> None:
        """Erases what a deleted message said: its text, edits, files and bytes. That it came and was deleted stays.

        `complaints` are those of its group as the other messages tell them. LookupError when it does not wait for it.
        """
        case = self.withdrawn(message_id)
        if case is None:
            raise LookupError("no deleted message waits under this id")
        self._wipe_what_is_freed()
        raws = erasure_rows.raws_of(self._work, [case.row])
        erasure_rows.forget_text(self._work, case.row, [each.complaint.complaint_id for each in case.group])
        self._work.connection.execute(
            update(schema.messages)
            .where(schema.messages.c.id == message_id)
            .values(digest="", document=MESSAGES.write(records.tombstone(case.row.message)))
        )
        self._work.connection.execute(
            update(schema.message_changes)
            .where(schema.message_changes.c.message_id == message_id)
            .values(text=None, subject=None)
        )
        erasure_rows.erase_files(self._work, [case.row.complaint_id], message_id)
        _, left = erasure_rows.erase_raws(self._work, raws)
        for complaint in complaints:
            self._replace(complaint, None)
        self._work.connection.execute(
            update(schema_records.withdrawn_messages)
            .where(schema_records.withdrawn_messages.c.message_id == message_id)
            .values(erased_at=self._work.now)
        )
        self._work.note("message.erased", case.row.complaint_id, {"message": message_id, "raws_left": left})

    def purge_parked(self, before: datetime) -> int:
        """How many edits were deleted whose message never came; deletions stay: their message may still come."""
        changes = schema.message_changes.c
        return self._work.connection.execute(
            delete(schema.message_changes).where(
                changes.message_id.is_(None), changes.kind == "edit", changes.at < before
            )
        ).rowcount

    def forget_files(self, digests: Collection[str]) -> None:
        """Takes contents off the list of those that still have to go."""
        for some in chunks(digests):
            self._work.connection.execute(
                delete(schema_records.doomed_files).where(schema_records.doomed_files.c.sha256.in_(some))
            )

    def _found(self, number: str) -> KnownThread:
        found = queries.find(self._work.connection, number)
        if found is None:
            raise LookupError("there is no such ticket")
        return found

    def _is_owed(self, ids: Sequence[str], states: Sequence[str]) -> bool:
        outbox, forwards = schema.outbox.c, schema_forwards.forwards.c
        # What a target is owed that nobody serves any more would be waited for in vain.
        served = select(schema_forwards.forward_routes.c.target)
        owed = (
            exists().where(outbox.complaint_id.in_(ids), outbox.state.in_(states)),
            exists().where(forwards.complaint_id.in_(ids), forwards.state.in_(states), forwards.target.in_(served)),
        )
        return any(self._work.connection.scalar(select(each)) for each in owed)

    def _texts_gone(self, message_ids: Sequence[str]) -> set[str]:
        table = schema_records.withdrawn_messages
        found: set[str] = set()
        for some in chunks(message_ids):
            found.update(
                self._work.connection.scalars(
                    select(table.c.message_id).where(table.c.message_id.in_(some), table.c.erased_at.is_not(None))
                )
            )
        return found

    def _replace(self, complaint: Complaint, ticket: Ticket | None) -> None:
        statements, connection = self._work.statements, self._work.connection
        if statements.update_complaints.run(connection, [rows.complaint_columns(complaint)]) != 1:
            raise LookupError("a complaint that should be replaced is not recorded")
        if ticket is not None:
            statements.update_tickets.run(connection, [rows.ticket_columns(ticket)])

    def _wipe_what_is_freed(self) -> None:
        if self._work.connection.dialect.name == "sqlite":
            self._work.connection.exec_driver_sql("PRAGMA secure_delete=ON").close()

    def _note(self, actor: str, type_: str, complaint_id: str, data: dict[str, Any]) -> None:
        event = AuditEvent(at=self._work.now, actor=actor, type=type_, complaint_id=complaint_id, data=data)
        self._work.audit.append(event)
