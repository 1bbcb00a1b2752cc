"""Hand-overs as rows and back, and everything that only reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select

from normalizer.complaint import Forward
from tickets.forwarders.contract import Remote
from tickets.forwarders.values import ForwardItem, ForwardLine, ForwardLink, ForwardRow, TargetState
from tickets.store import rows, schema
from tickets.store.batch import Found
from tickets.store.schema_forwards import forward_links, forward_routes, forward_targets, forwards
from tickets.store.work import Work

_ROW, _LINK = forwards.c, forward_links.c
_OPEN = ("waiting", "due", "sending")


def row_values(row: ForwardRow) -> dict[str, Any]:
    """The columns of a row."""
    return {**msgspec.structs.asdict(row), "repeated": int(row.repeated)}


def row_from(row: Found) -> ForwardRow:
    """The value of a row."""
    values = {name: getattr(row, name) for name in ForwardRow.__struct_fields__}
    return ForwardRow(**{**values, "repeated": bool(row.repeated)})


def link_from(row: Found) -> ForwardLink:
    """The value of a link."""
    told = row.remote_state is not None or row.remote_version is not None
    remote = Remote(state=row.remote_state, version=row.remote_version) if told else None
    values = {name: getattr(row, name) for name in ForwardLink.__struct_fields__ if name != "remote"}
    return ForwardLink(**values, remote=remote)


def remote_values(remote: Remote) -> dict[str, Any]:
    """The columns of how a ticket stands in a target."""
    return {"remote_state": remote.state, "remote_version": remote.version}


def held(work: Work, link: ForwardLink) -> bool:
    """Whether a person still has to decide about a change in the target."""
    if link.task_id is None:
        return False
    task = schema.tasks.c
    found = select(task.id).where(task.id == link.task_id, task.closed_at.is_(None))
    return work.connection.scalar(found) is not None


def item(work: Work, row: ForwardRow) -> ForwardItem:
    """The row, with one attempt more, and the ticket as it stands now."""
    connection, id_ = work.connection, row.complaint_id
    link = link_from(
        connection.execute(select(forward_links).where(_LINK.target == row.target, _LINK.complaint_id == id_)).one()
    )
    ((_, complaint, ticket),) = work.statements.tickets_by_id.rows(connection, [id_])
    found = rows.complaint_from(complaint)
    files, owed = schema.attachments, schema.outbox
    stored = connection.execute(select(files).where(files.c.complaint_id == id_).order_by(files.c.id)).all()
    sent = connection.execute(select(*schema.plain(owed)).where(owed.c.complaint_id == id_).order_by(owed.c.key)).all()
    found = msgspec.structs.replace(
        found,
        # By a provider's reference, often a signed address, whoever has it gets the file itself.
        attachments=tuple(
            msgspec.structs.replace(each, provider_ref=None)
            for each in rows.stored_attachments(found, [rows.attachment_from(each) for each in stored])
        ),
        receipts=tuple(rows.receipt_from(each, found) for each in sent),
        forwards=shown(connection, id_),
    )
    return ForwardItem(
        row=msgspec.structs.replace(row, state="sending", attempts=row.attempts + 1),
        link=link,
        complaint=found,
        ticket=rows.ticket_from(ticket),
        held=held(work, link),
    )


def shown(connection: Connection, complaint_id: str) -> tuple[Forward, ...]:
    """The hand-overs of a complaint as its schema shows them, one for each target."""
    links = connection.execute(
        select(forward_links).where(_LINK.complaint_id == complaint_id).order_by(_LINK.target)
    ).all()
    if not links:
        return ()
    states: dict[str, list[Found]] = {}
    for row in connection.execute(
        select(_ROW.target, _ROW.state, _ROW.attempts).where(_ROW.complaint_id == complaint_id).order_by(_ROW.seq)
    ):
        states.setdefault(row.target, []).append(row)
    return tuple(_shown(link, states.get(link.target, [])) for link in links)


def _shown(link: Found, of: Sequence[Found]) -> Forward:
    waits = any(row.state in _OPEN for row in of)
    refused = bool(of) and of[-1].state == "refused"
    return Forward(
        store=link.target,
        state="queued" if waits else "failed" if refused else "done",
        attempts=sum(row.attempts for row in of),
        forwarded_at=link.linked_at,
        store_ref=link.store_ref,
    )


class ForwardsReader:
    """What may be read of hand-overs at any time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lines(
        self, *, target: str | None = None, state: str | None = None, number: str | None = None, limit: int = 100
    ) -> Sequence[ForwardLine]:
        """Hand-overs, the newest first; `state` may also be "open" (not finished) or "changed" (changed there)."""
        ticket = schema.tickets.c
        shared = ("ticket_number", "store_ref", "remote_state", "changed_at", "changed_note", "organisation")
        own = [_ROW[name] for name in ForwardLine.__struct_fields__ if name not in shared]
        link = [_LINK[name] for name in shared[1:]]
        statement = (
            select(*own, *link, ticket.ticket_number)
            .join_from(
                forwards, forward_links, (_LINK.target == _ROW.target) & (_LINK.complaint_id == _ROW.complaint_id)
            )
            .join(schema.tickets, ticket.complaint_id == _ROW.complaint_id)
            .order_by(_ROW.at.desc(), _ROW.complaint_id, _ROW.seq.desc())
            .limit(limit)
        )
        if target is not None:
            statement = statement.where(_ROW.target == target)
        if number is not None:
            statement = statement.where(ticket.ticket_number == number)
        if state == "open":
            statement = statement.where(_ROW.state.in_(_OPEN))
        elif state == "changed":
            task = schema.tasks.c
            undecided = select(task.id).where(task.closed_at.is_(None))
            statement = statement.where(_LINK.task_id.in_(undecided), _ROW.seq == _LINK.last_seq)
        elif state is not None:
            statement = statement.where(_ROW.state == state)
        with self._engine.begin() as connection:
            return [ForwardLine(**row._mapping) for row in connection.execute(statement)]

    def is_due(self, target: str, now: datetime) -> bool:
        """Whether something may be handed over to the target now."""
        statement = select(_ROW.seq).where(_ROW.state == "due", _ROW.target == target, _ROW.due_at <= now).limit(1)
        with self._engine.begin() as connection:
            return connection.scalar(statement) is not None

    def targets(self) -> Mapping[str, TargetState]:
        """Every target that was ever configured or is owed something, by name."""
        with self._engine.begin() as connection:
            routes = connection.execute(select(forward_routes).order_by(forward_routes.c.organisation)).all()
            known = {row.target: row for row in connection.execute(select(forward_targets))}
            counted = connection.execute(
                select(_ROW.target, _ROW.state, func.count().label("count"), func.min(_ROW.due_at).label("oldest"))
                .where(_ROW.state != "done")
                .group_by(_ROW.target, _ROW.state)
            ).all()
        serves: dict[str, list[str]] = {}
        for row in routes:
            serves.setdefault(row.target, []).append(row.organisation)
        names = sorted({*serves, *known, *(row.target for row in counted)})
        return {name: _target(name, serves.get(name, []), known.get(name), counted) for name in names}

    def routes(self) -> Mapping[str, frozenset[str]]:
        """The targets of each organisation."""
        with self._engine.begin() as connection:
            found: dict[str, set[str]] = {}
            for row in connection.execute(select(forward_routes)):
                found.setdefault(row.organisation, set()).add(row.target)
        return {slug: frozenset(targets) for slug, targets in found.items()}


def _target(name: str, serves: list[str], row: Found | None, counted: Sequence[Found]) -> TargetState:
    mine = [each for each in counted if each.target == name]
    due = [each.oldest for each in mine if each.state == "due"]
    return TargetState(
        target=name,
        organisations=tuple(serves),
        halted=row.halted if row else None,
        reason=row.reason if row else None,
        since=row.since if row else None,
        looked_at=row.looked_at if row else None,
        waiting=sum(each._mapping["count"] for each in mine if each.state in _OPEN),
        refused=sum(each._mapping["count"] for each in mine if each.state == "refused"),
        oldest_due=due[0] if due else None,
    )
