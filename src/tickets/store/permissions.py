"""Whether a customer lets us write to an address: the last word counts, whatever order the words come in."""

from __future__ import annotations

from collections.abc import Iterable

from normalizer.message import Permission
from tickets.store import schema
from tickets.store.dialect import insert
from tickets.store.work import Work

Address = tuple[str, str]


def permit(work: Work, channel_id: str, said: Permission) -> None:
    """Keeps what was said of an address of the channel, unless something later was."""
    statement = insert(work.connection, schema.permissions).values(
        channel_id=channel_id, recipient=said.recipient, allowed=int(said.allowed), at=said.at
    )
    new = statement.excluded
    work.connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "recipient"],
            set_={"allowed": new.allowed, "at": new.at},
            where=schema.permissions.c.at <= new.at,
        )
    )
    work.note("permission.given" if said.allowed else "permission.withdrawn", None, {"channel_id": channel_id})


def refused(work: Work, addresses: Iterable[Address]) -> frozenset[Address]:
    """Those of the addresses (channel id, recipient) that we were told not to write to."""
    asked = set(addresses)
    rows = work.statements.refused.rows(work.connection, [recipient for _, recipient in asked])
    return frozenset({(channel_id, recipient) for channel_id, recipient in rows} & asked)
