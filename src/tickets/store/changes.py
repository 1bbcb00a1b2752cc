"""What customers change afterwards: edits and deletions of messages, and new identities of senders.

The message that was recorded is never touched. Changes stand beside it in whatever order they come, so that the order
makes no difference, and one that comes before its message waits for it (T22, T35, P10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import func, select, update

from normalizer.message import Deletion, Edit, Rekey
from tickets.model import MessageRow
from tickets.store import rows, schema, schema_records
from tickets.store.batch import Values
from tickets.store.dialect import insert
from tickets.store.erasure_rows import seen_erased
from tickets.store.forwards import Forwards
from tickets.store.times import to_micros
from tickets.store.work import Work, chunks

Applied = Literal["applied", "parked"]
_AUDIT_TYPE = {"edit": "message.edited", "deletion": "message.withdrawn"}


def edit(work: Work, organisation: str, change: Edit) -> Applied:
    """Keeps a new version of a message; "parked" while the message itself has not come."""
    row = (change.key, change.message_key, "edit", to_micros(change.edited_at), change.text, change.subject)
    return _change(work, organisation, row)


def delete(work: Work, organisation: str, change: Deletion) -> Applied:
    """Marks a message as withdrawn and keeps it as evidence; "parked" while the message itself has not come."""
    return _change(
        work, organisation, (change.key, change.message_key, "deletion", to_micros(change.deleted_at), None, None)
    )


def _change(work: Work, organisation: str, change: Values) -> Applied:
    key, message_key, kind, at, text, subject = change
    messages = schema.messages.c
    found = work.connection.execute(
        select(messages.id, messages.complaint_id).where(
            messages.organisation == organisation, messages.key == message_key
        )
    ).first()
    if found is None and seen_erased(work, organisation, [message_key]):
        return "applied"
    message_id = found.id if found else None
    if kind == "edit" and message_id is not None and _is_erased(work, message_id):
        text = subject = None
    written = work.statements.changes.run(
        work.connection, [(organisation, key, message_key, message_id, kind, at, text, subject)]
    )
    if found is None:
        return "parked"
    if written:
        _noted(work, organisation, kind, found.complaint_id, found.id)
        # Other ticket stores hold what it said before.
        Forwards(work).changed(organisation, found.complaint_id, _AUDIT_TYPE[kind], work.now, text or None)
    return "applied"


def _noted(work: Work, organisation: str, kind: str, complaint_id: str, message_id: str) -> None:
    """Adds the audit event; a deletion also goes on the list of those whose text a policy may have erased."""
    work.note(_AUDIT_TYPE[kind], complaint_id, {"message": message_id})
    if kind != "deletion":
        return
    withdrawn, changes = schema_records.withdrawn_messages, schema.message_changes.c
    first = select(func.min(changes.at)).where(changes.message_id == message_id, changes.kind == "deletion")
    statement = insert(work.connection, withdrawn).values(
        message_id=message_id, organisation=organisation, at=work.connection.scalar(first)
    )
    work.connection.execute(statement.on_conflict_do_nothing(index_elements=["message_id"]))


def _is_erased(work: Work, message_id: str) -> bool:
    """Whether our copy of a message that its sender deleted was deleted too: a late edit must not bring it back."""
    withdrawn = schema_records.withdrawn_messages.c
    erased_at = work.connection.scalar(select(withdrawn.erased_at).where(withdrawn.message_id == message_id))
    return erased_at is not None


def apply_parked(work: Work, added: Sequence[MessageRow]) -> None:
    """Gives the changes that waited for these messages to them."""
    changes = schema.message_changes.c
    # Nearly always nothing waits at all: one look at the end of an index instead of one for each message.
    if not added or not work.statements.some_parked_change.rows(work.connection):
        return
    by_organisation: dict[str, dict[str, MessageRow]] = {}
    for row in added:
        by_organisation.setdefault(row.organisation, {})[row.message.key] = row
    for organisation, messages in by_organisation.items():
        for key, message_key, kind in work.statements.parked_changes.rows(
            work.connection, messages, organisation=organisation
        ):
            message = messages[message_key]
            work.connection.execute(
                update(schema.message_changes)
                .where(changes.organisation == organisation, changes.key == key)
                .values(message_id=message.id)
            )
            _noted(work, organisation, kind, message.complaint_id, message.id)


def rekey(work: Work, organisation: str, change: Rekey) -> int:
    """How many complaints now also belong to the sender's new key; their threads are found under both."""
    tickets, threads = schema.tickets.c, schema.threads.c
    found = work.connection.execute(
        select(tickets.complaint_id, tickets.complaint)
        .where(tickets.organisation == organisation, tickets.sender_key == change.old)
        .order_by(tickets.complaint_id)
    ).all()
    # The newest first: a ref that several complaints had goes to the last one, as a further message would.
    refs: dict[str, str] = {}
    for ids in chunks([row.complaint_id for row in found]):
        for ref, complaint_id in work.connection.execute(
            select(threads.ref, threads.complaint_id)
            .where(threads.organisation == organisation, threads.complaint_id.in_(ids))
            .order_by(threads.complaint_id.desc())
        ):
            renamed = _renamed(ref, change.old, change.new)
            if renamed != ref:
                refs.setdefault(renamed, complaint_id)
    alone = work.connection.execute(
        select(threads.complaint_id).where(threads.organisation == organisation, threads.ref == change.old)
    ).scalar()
    if alone is not None:
        refs.setdefault(change.new, alone)
    work.statements.threads.run(
        work.connection, [(organisation, ref, complaint_id) for ref, complaint_id in refs.items()]
    )
    replaced = [msgspec.structs.replace(rows.complaint_from(row.complaint), sender_key=change.new) for row in found]
    work.statements.update_complaints.run(
        work.connection, [rows.complaint_columns(complaint) for complaint in replaced]
    )
    for complaint in replaced:
        work.note("sender.rekeyed", complaint.complaint_id, {"at": to_micros(change.at)})
    return len(replaced)


def _renamed(ref: str, old: str, new: str) -> str:
    """The ref with the old key in it replaced where it stands as a whole part, else the ref itself."""
    start = ref.find(old)
    if start < 0:
        return ref
    end = start + len(old)
    whole = (start == 0 or not ref[start - 1].isalnum()) and (end == len(ref) or not ref[end].isalnum())
    return ref[:start] + new + ref[end:] if whole else ref
