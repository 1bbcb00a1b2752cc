"""What the parts of one transaction share: its connection, the compiled statements, the audit events still to chain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tickets.model import AuditEvent
from tickets.store.dialect import IN_LIMIT
from tickets.store.statements import Statements

#: Who acts when no person does.
SYSTEM = "aduan"


class Work:
    """One open transaction. `now` is when it began, UTC."""

    def __init__(self, connection: Connection, statements: Statements, now: datetime) -> None:
        self.connection = connection
        self.statements = statements
        self.now = now
        #: Chained and written just before the commit; a savepoint that is given up takes its own away again.
        self.audit: list[AuditEvent] = []

    def note(self, type_: str, complaint_id: str | None, data: Mapping[str, Any]) -> None:
        """Adds an audit event of the system itself."""
        self.audit.append(AuditEvent(at=self.now, actor=SYSTEM, type=type_, complaint_id=complaint_id, data=data))


def chunks(values: Collection[str]) -> Iterator[Sequence[str]]:
    """The distinct values in lists that fit into one IN."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), IN_LIMIT):
        yield distinct[start : start + IN_LIMIT]
