"""Where a ticket is in each target and how it stands there; what others changed is shown, and a person decides."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update

from tickets.forwarders.contract import Handed, Seen
from tickets.forwarders.values import ForwardLink
from tickets.model import TaskRow
from tickets.store import forwards_rows, rows, schema
from tickets.store.schema_forwards import forward_links
from tickets.store.work import Work, chunks

#: The kind of task in which a person decides about a change there.
CHANGED = "changed_elsewhere"
_LINK = forward_links.c


class Links:
    """The links that one transaction reads and changes."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def one(self, target: str, complaint_id: str) -> ForwardLink | None:
        """The link of a ticket to a target; None when it was never owed anything."""
        return next((link for link in self.of([complaint_id]) if link.target == target), None)

    def of(self, complaint_ids: Collection[str]) -> list[ForwardLink]:
        """The links of these complaints to all targets."""
        return self._found(_LINK.complaint_id, complaint_ids)

    def there(self, target: str, store_refs: Collection[str]) -> dict[str | None, ForwardLink]:
        """The links of a target by the ids of the tickets there."""
        return {link.store_ref: link for link in self._found(_LINK.store_ref, store_refs) if link.target == target}

    def _found(self, column: ColumnElement[str], values: Collection[str]) -> list[ForwardLink]:
        found: list[ForwardLink] = []
        for some in chunks(values):
            statement = select(forward_links).where(column.in_(some))
            found += map(forwards_rows.link_from, self._work.connection.execute(statement))
        return found

    def handed(self, target: str, complaint_id: str, handed: Handed, task_id: str) -> None:
        """Keeps what a target said when it took something over; a change by others opens the task."""
        link = self.one(target, complaint_id)
        assert link is not None
        if handed.changed is not None:
            self.elsewhere(link, handed.changed, task_id)
        values = forwards_rows.remote_values(handed.remote)
        if link.store_ref != handed.store_ref:
            values |= {"store_ref": handed.store_ref, "linked_at": self._work.now}
            self._work.note("ticket.forwarded", complaint_id, {"target": target, "store_ref": handed.store_ref})
        self.change(link, **values)

    def elsewhere(self, link: ForwardLink, seen: Seen, task_id: str) -> None:
        """Somebody changed the ticket there: shown and written down; a person decides."""
        values = forwards_rows.remote_values(seen.remote)
        values |= {"changed_at": seen.changed_at, "changed_note": seen.note}
        if not forwards_rows.held(self._work, link):
            reason = f"{link.target} {seen.store_ref}: {seen.note or 'it was changed there'}"
            self.ask(link, task_id, CHANGED, reason)
            values["task_id"] = task_id
        self.change(link, **values)
        told = {"target": link.target, "store_ref": seen.store_ref, "state": seen.remote.state}
        self._work.note("forward.changed_elsewhere", link.complaint_id, told)

    def saw(self, link: ForwardLink, seen: Seen) -> None:
        """Keeps how the ticket stands there after a change of our own."""
        self.change(link, **forwards_rows.remote_values(seen.remote))

    def change(self, link: ForwardLink, **values: object) -> None:
        """Writes columns of the link."""
        this = (_LINK.target == link.target, _LINK.complaint_id == link.complaint_id)
        self._work.connection.execute(update(forward_links).where(*this).values(**values))

    def ask(self, link: ForwardLink, task_id: str, kind: str, reason: str) -> None:
        """Opens a task for a person."""
        task = TaskRow(
            id=task_id,
            organisation=link.organisation,
            complaint_id=link.complaint_id,
            kind=kind,
            reason=reason,
            opened_at=self._work.now,
        )
        self._work.statements.tasks.run(self._work.connection, [rows.task_row(task)])

    def is_asked(self, complaint_id: str, kind: str) -> bool:
        """Whether a task of this kind is open."""
        column = schema.tasks.c
        found = select(column.id).where(
            column.complaint_id == complaint_id, column.kind == kind, column.closed_at.is_(None)
        )
        return self._work.connection.scalar(found.limit(1)) is not None
