"""The append-only log: each event carries the hash of the one before, so that a change anywhere shows.

The hash of an event is SHA-256 over the 32 bytes of the previous hash and the canonical JSON of
`{"actor","at","complaint_id","data","seq","type"}`: keys sorted, no spaces, `at` in microseconds since 1970 UTC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from tickets.model import AuditEvent
from tickets.store import schema
from tickets.store.batch import Found
from tickets.store.times import to_micros
from tickets.store.work import Work

#: What the first event of a database carries as the hash before it.
GENESIS = bytes(32)
#: Events read at once while the chain is verified.
_PAGE = 5_000

_canonical = msgspec.json.Encoder(order="sorted").encode


class AuditReport(Struct, frozen=True, kw_only=True):
    """Whether the log is whole. `head` is the hash of the last event: kept elsewhere, it also shows a cut-off end."""

    events: int
    head: str
    first_broken: int | None = None
    reason: str | None = None

    @property
    def intact(self) -> bool:
        """True when every event follows from the one before."""
        return self.first_broken is None


def chain(work: Work) -> None:
    """Writes the transaction's audit events behind the last one of the database."""
    if not work.audit:
        return
    seq, previous = _last(work)
    rows = []
    for event in work.audit:
        seq += 1
        at = to_micros(event.at)
        data = _canonical(event.data)
        hash_ = _hash(previous, seq, at, event.actor, event.type, event.complaint_id, data)
        rows.append((seq, at, event.actor, event.type, event.complaint_id, data.decode(), previous, hash_))
        previous = hash_
    work.statements.audit.run(work.connection, rows)
    work.audit.clear()


def verify(connection: Connection) -> AuditReport:
    """Walks the whole chain; names the first event that was changed, removed or put in."""
    seq, previous = 0, GENESIS
    while True:
        page = connection.execute(
            select(schema.audit).where(schema.audit.c.seq > seq).order_by(schema.audit.c.seq).limit(_PAGE)
        ).all()
        for row in page:
            reason = _fault(row, seq + 1, previous)
            if reason is not None:
                return AuditReport(events=seq, head=previous.hex(), first_broken=seq + 1, reason=reason)
            seq, previous = row.seq, bytes(row.hash)
        if len(page) < _PAGE:
            return AuditReport(events=seq, head=previous.hex())


def events(rows: Iterable[Found]) -> tuple[AuditEvent, ...]:
    """The events of rows of `audit`."""
    return tuple(
        AuditEvent(
            at=row.at, actor=row.actor, type=row.type, complaint_id=row.complaint_id, data=msgspec.json.decode(row.data)
        )
        for row in rows
    )


def _last(work: Work) -> tuple[int, bytes]:
    """Number and hash of the newest event."""
    found = work.statements.last_event.rows(work.connection)
    return (found[0].seq, bytes(found[0].hash)) if found else (0, GENESIS)


def _fault(row: Found, expected: int, previous: bytes) -> str | None:
    if row.seq != expected:
        return f"event {expected} is missing"
    if bytes(row.prev_hash) != previous:
        return "does not follow from the event before"
    at = to_micros(row.at)
    if _hash(previous, row.seq, at, row.actor, row.type, row.complaint_id, row.data.encode()) != bytes(row.hash):
        return "was changed"
    return None


def line_of(row: Found) -> bytes:
    """The canonical JSON that the hash of an event was made of, behind the hash of the event before."""
    return _line(row.seq, to_micros(row.at), row.actor, row.type, row.complaint_id, row.data.encode())


def _line(seq: int, at: int, actor: str, type_: str, complaint_id: str | None, data: bytes) -> bytes:
    return _canonical(
        {
            "actor": actor,
            "at": at,
            "complaint_id": complaint_id,
            "data": msgspec.Raw(data),
            "seq": seq,
            "type": type_,
        }
    )


def _hash(previous: bytes, seq: int, at: int, actor: str, type_: str, complaint_id: str | None, data: bytes) -> bytes:
    return hashlib.sha256(previous + _line(seq, at, actor, type_, complaint_id, data)).digest()
