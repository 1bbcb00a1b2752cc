"""Wrong access codes: counted per ticket number, locked for a while after too many."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select

from tickets.store import rows, schema
from tickets.store.dialect import insert
from tickets.store.work import Work

Verdict = Literal["right", "wrong", "locked"]


def try_code(work: Work, ticket_number: str, given_hash: str, now: datetime, *, limit: int, lock: timedelta) -> Verdict:
    """Whether the hash is that of the ticket's access code; "locked" for `lock` after `limit` wrong ones in a row.

    A number that does not exist is counted and locked like one that does: the answers do not tell them apart.
    """
    attempts = schema.code_attempts
    seen = work.connection.execute(select(attempts).where(attempts.c.ticket_number == ticket_number)).first()
    if seen is not None and seen.locked_until is not None and now < seen.locked_until:
        return "locked"
    expected = _expected(work, ticket_number)
    # Compared in any case, so that the time tells nothing either.
    same = hmac.compare_digest((expected or "").encode(), given_hash.encode())
    if same and expected:
        work.connection.execute(delete(attempts).where(attempts.c.ticket_number == ticket_number))
        return "right"
    wrong = 1
    if seen is not None and seen.locked_until is None and now < seen.last_at + lock:
        wrong = seen.wrong + 1
    locked_until = now + lock if wrong >= limit else None
    statement = insert(work.connection, attempts).values(
        ticket_number=ticket_number, wrong=wrong, last_at=now, locked_until=locked_until
    )
    work.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["ticket_number"], set_={"wrong": wrong, "last_at": now, "locked_until": locked_until}
        )
    )
    if locked_until is not None:
        work.note("access.locked", None, {"ticket_number": ticket_number})
    return "wrong"


def _expected(work: Work, ticket_number: str) -> str | None:
    tickets, aliases = schema.tickets.c, schema.aliases.c
    by_number = select(tickets.ticket).where(tickets.ticket_number == ticket_number)
    by_alias = (
        select(tickets.ticket)
        .join_from(schema.aliases, schema.tickets, aliases.complaint_id == tickets.complaint_id)
        .where(aliases.ticket_number == ticket_number)
    )
    # A merged ticket keeps its own code: the customer has no other.
    found = work.connection.execute(by_number).scalar() or work.connection.execute(by_alias).scalar()
    return None if found is None else rows.ticket_from(found).access_code_hash
