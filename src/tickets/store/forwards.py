"""What is owed to other ticket stores: in order for each ticket, claimed before it is handed over, settled behind it.

One row for each target, ticket and event. The first unfinished one of a ticket is `due`, those behind it are `waiting`:
so no order is lost, however often the first one has to be repeated. Called inside a transaction (`tx.forwards`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, literal_column, select, update

from tickets.forwarders.contract import Seen
from tickets.forwarders.values import ForwardItem, ForwardRow, Owed, Settled
from tickets.store import dialect, forwards_rows, schema
from tickets.store.forwards_links import Links
from tickets.store.schema_forwards import forward_links, forward_routes, forward_targets, forwards
from tickets.store.schema_records import erasures
from tickets.store.work import Work, chunks

#: The kind of task that people get for what a target does not take.
REFUSED = "forward_refused"
#: What brings our state to a target when a person has decided that it stands.
RELEASED = "ticket.released"

_ROW, _LINK = forwards.c, forward_links.c
# Written out, so that the partial indexes are used.
_DUE = _ROW.state == literal_column("'due'")
_UNFINISHED = _ROW.state.in_([literal_column(f"'{state}'") for state in ("waiting", "due", "sending")])


class Forwards:
    """What one transaction may do with hand-overs."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._links = Links(work)

    def configure(self, routes: Mapping[str, Collection[str]]) -> None:
        """Sets which targets each organisation has; what is owed to a target that is gone stays, and waits."""
        self._work.connection.execute(delete(forward_routes))
        given = [{"organisation": slug, "target": target} for slug, each in routes.items() for target in sorted(each)]
        if given:
            self._work.connection.execute(insert(forward_routes), given)

    def changed(self, organisation: str, complaint_id: str, type: str, at: datetime, text: str | None = None) -> int:
        """How many targets are owed this event of a ticket; 0 when the organisation has none.

        `type` is "complaint.received", "message.added" (then `text` is the customer's word) or the event's own
        ("ticket.responded"; then `text` is what the customer is told). Times are aware UTC.
        """
        return self.add([Owed(organisation=organisation, complaint_id=complaint_id, type=type, at=at, text=text)])

    def add(self, owed: Sequence[Owed], targets: Collection[str] | None = None) -> int:
        """How many rows were added: one for each event and target of its organisation, only of `targets` if given."""
        wanted = self._routes({each.organisation for each in owed})
        if not wanted:
            return 0
        ids = {each.complaint_id for each in owed}
        last = {(link.target, link.complaint_id): link.last_seq for link in self._links.of(ids)}
        unfinished = self._unfinished(ids)
        organisation = {}
        added = []
        for each in owed:
            for target in wanted.get(each.organisation, ()):
                if targets is not None and target not in targets:
                    continue
                key = target, each.complaint_id
                last[key] = last.get(key, 0) + 1
                organisation[key] = each.organisation
                row = ForwardRow(
                    target=target,
                    complaint_id=each.complaint_id,
                    seq=last[key],
                    type=each.type,
                    at=each.at,
                    text=each.text,
                    state="waiting" if key in unfinished else "due",
                    due_at=self._work.now,
                )
                unfinished.add(key)
                added.append(forwards_rows.row_values(row))
        if not added:
            return 0
        links = [
            {
                "target": target,
                "complaint_id": complaint_id,
                "organisation": slug,
                "last_seq": last[target, complaint_id],
            }
            for (target, complaint_id), slug in organisation.items()
        ]
        statement = dialect.insert(self._work.connection, forward_links)
        changed = {"last_seq": statement.excluded.last_seq}
        self._work.connection.execute(
            statement.on_conflict_do_update(index_elements=["target", "complaint_id"], set_=changed), links
        )
        self._work.connection.execute(insert(forwards), added)
        return len(added)

    def backfill(self, target: str, since: datetime | None, after: str, limit: int) -> tuple[int, str | None]:
        """Owes the target what it never heard of: tickets received since then, of the organisations that it serves.

        Of erased ones there is nothing to hand over. Gives how many, and the complaint id to go on behind; None at
        the end.
        """
        ticket = schema.tickets.c
        statement = (
            select(ticket.complaint_id, ticket.organisation, ticket.received_at)
            .join_from(schema.tickets, forward_routes, ticket.organisation == forward_routes.c.organisation)
            .outerjoin(forward_links, and_(_LINK.complaint_id == ticket.complaint_id, _LINK.target == target))
            .where(forward_routes.c.target == target, _LINK.complaint_id.is_(None), ticket.complaint_id > after)
            .where(ticket.complaint_id.not_in(select(erasures.c.complaint_id)))
            .order_by(ticket.complaint_id)
            .limit(limit)
        )
        if since is not None:
            statement = statement.where(ticket.received_at >= since)
        found = self._work.connection.execute(statement).all()
        owed = [
            Owed(
                organisation=row.organisation,
                complaint_id=row.complaint_id,
                type="complaint.received",
                at=row.received_at,
            )
            for row in found
        ]
        return self.add(owed, {target}), found[-1].complaint_id if len(found) == limit else None

    def claim(self, target: str, now: datetime, limit: int) -> list[ForwardItem]:
        """Due rows of one target, longest due first, now `sending` with one attempt more; none while it is halted."""
        connection = self._work.connection
        if connection.scalar(select(forward_targets.c.halted).where(forward_targets.c.target == target)) is not None:
            return []
        found = connection.execute(
            select(forwards)
            .where(_DUE, _ROW.target == target, _ROW.due_at <= now)
            .order_by(_ROW.due_at, _ROW.complaint_id)
            .limit(limit)
        ).all()
        items = []
        for row in map(forwards_rows.row_from, found):
            self._change_row(row, state="sending", attempts=row.attempts + 1)
            items.append(forwards_rows.item(self._work, row))
        return items

    def settle(self, settled: Settled) -> None:
        """Writes what became of an attempt; the next row of the ticket follows once this one is out of the way."""
        row = settled.row
        self._change_row(
            row,
            state=row.state,
            due_at=row.due_at,
            attempts=row.attempts,
            repeated=int(row.repeated),
            error_class=row.error_class,
            reason=row.reason,
            done_at=row.done_at,
        )
        if settled.handed is not None:
            self._links.handed(row.target, row.complaint_id, settled.handed, settled.task_id)
        if row.state == "refused":
            link = self._links.one(row.target, row.complaint_id)
            assert link is not None
            if not self._links.is_asked(row.complaint_id, REFUSED):
                reason = f"{row.target} does not take {row.type}: {row.reason}"
                self._links.ask(link, settled.task_id, REFUSED, reason)
            self._work.note("forward.refused", row.complaint_id, {"target": row.target, "seq": row.seq})
        self._promote(row.target, row.complaint_id)

    def recover(self, targets: Collection[str]) -> int:
        """How many rows a crash left in `sending`: due again, to be looked for before they are repeated."""
        found = update(forwards).where(_ROW.state == "sending", _ROW.target.in_(targets))
        return self._work.connection.execute(
            found.values(state="due", due_at=self._work.now, repeated=literal_column("1"))
        ).rowcount

    def halt(self, target: str, error_class: str, reason: str) -> None:
        """Hands nothing more over to the target until `resume`; what is owed to it stays."""
        self._target(target, halted=error_class, reason=reason, since=self._work.now)
        self._work.note("forward.halted", None, {"target": target, "error_class": error_class})

    def resume(self, target: str) -> bool:
        """Whether the target was halted; now it is not."""
        was = self._work.connection.execute(
            update(forward_targets)
            .where(forward_targets.c.target == target, forward_targets.c.halted.is_not(None))
            .values(halted=None, reason=None, since=self._work.now)
        ).rowcount
        if was:
            self._work.note("forward.resumed", None, {"target": target})
        return bool(was)

    def saw(
        self, target: str, found: Sequence[tuple[Seen, str]], began: datetime, looked_at: datetime | None = None
    ) -> list[str]:
        """Keeps what others changed there, with an id each for a task; gives the ids of the complaints it concerns.

        The look `began` then; changes up to `looked_at` are known, if not all until then. Changes that are ours, or
        that were seen before, change nothing.
        """
        self._target(target, looked_at=looked_at or began)
        told = []
        links = self._links.there(target, [seen.store_ref for seen, _ in found])
        # What was written there while it was asked is not what it told: the queue compares by itself.
        busy = self._moving(target, [link.complaint_id for link in links.values()], began)
        for seen, task_id in found:
            link = links.get(seen.store_ref)
            if link is None or link.remote == seen.remote or link.complaint_id in busy:
                continue
            # A state that we did not write while nothing was on its way is somebody's, whatever account it was.
            if seen.by_us and (link.remote is None or link.remote.state == seen.remote.state):
                self._links.saw(link, seen)
            else:
                self._links.elsewhere(link, seen, task_id)
                told.append(link.complaint_id)
        return told

    def release(self, target: str, complaint_id: str, actor: str) -> bool:
        """A person has decided about the change there: our state is handed over again. False without such a change."""
        link = self._links.one(target, complaint_id)
        if link is None or not forwards_rows.held(self._work, link):
            return False
        column = schema.tasks.c
        self._work.connection.execute(
            update(schema.tasks).where(column.id == link.task_id).values(closed_at=self._work.now)
        )
        self._work.note("forward.released", complaint_id, {"target": target, "by": actor})
        owed = Owed(organisation=link.organisation, complaint_id=complaint_id, type=RELEASED, at=self._work.now)
        self.add([owed], {target})
        return True

    def replay(self, target: str, *, complaint_id: str | None, seq: int | None, since: datetime | None) -> int:
        """How many finished rows are owed again, under the same key and in their order: by id, or all since then."""
        chosen: list[ColumnElement[bool]] = [_ROW.target == target, _ROW.state.in_(("done", "refused"))]
        if complaint_id is not None:
            chosen.append(_ROW.complaint_id == complaint_id)
        if seq is not None:
            chosen.append(_ROW.seq == seq)
        if since is not None:
            chosen.append(_ROW.at >= since)
        connection = self._work.connection
        tickets = set(connection.scalars(select(_ROW.complaint_id).where(*chosen)))
        values = {"state": "waiting", "attempts": 0, "repeated": 1, "done_at": None, "due_at": self._work.now}
        count = connection.execute(update(forwards).where(*chosen).values(**values)).rowcount
        for each in tickets:
            self._promote(target, each)
        return count

    def _routes(self, organisations: Collection[str]) -> dict[str, list[str]]:
        column = forward_routes.c
        found: dict[str, list[str]] = {}
        for some in chunks(organisations):
            statement = select(forward_routes).where(column.organisation.in_(some)).order_by(column.target)
            for row in self._work.connection.execute(statement):
                found.setdefault(row.organisation, []).append(row.target)
        return found

    def _unfinished(self, complaint_ids: Collection[str]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for some in chunks(complaint_ids):
            statement = select(_ROW.target, _ROW.complaint_id).where(_UNFINISHED, _ROW.complaint_id.in_(some))
            found.update((row.target, row.complaint_id) for row in self._work.connection.execute(statement))
        return found

    def _moving(self, target: str, complaint_ids: Collection[str], since: datetime) -> set[str]:
        """The tickets of which something is on its way, or went since then."""
        found: set[str] = set()
        for some in chunks(complaint_ids):
            mine = (_ROW.target == target, _ROW.complaint_id.in_(some))
            found.update(self._work.connection.scalars(select(_ROW.complaint_id).where(*mine, _UNFINISHED)))
            found.update(self._work.connection.scalars(select(_ROW.complaint_id).where(*mine, _ROW.done_at >= since)))
        return found

    def _promote(self, target: str, complaint_id: str) -> None:
        """Makes the first row of the ticket due, unless one of its rows is on its way."""
        mine = and_(_ROW.target == target, _ROW.complaint_id == complaint_id, _UNFINISHED)
        first = self._work.connection.execute(select(_ROW.seq, _ROW.state).where(mine).order_by(_ROW.seq)).all()
        if not first or any(row.state == "sending" for row in first):
            return
        self._work.connection.execute(
            update(forwards).where(mine, _ROW.state == "due", _ROW.seq != first[0].seq).values(state="waiting")
        )
        if first[0].state == "waiting":
            now = self._work.now
            this = and_(mine, _ROW.seq == first[0].seq)
            self._work.connection.execute(update(forwards).where(this).values(state="due", due_at=now))

    def _change_row(self, row: ForwardRow, **values: object) -> None:
        this = (_ROW.target == row.target, _ROW.complaint_id == row.complaint_id, _ROW.seq == row.seq)
        if not self._work.connection.execute(update(forwards).where(*this).values(**values)).rowcount:
            raise LookupError("a hand-over that should be changed is not recorded")

    def _target(self, target: str, **values: object) -> None:
        statement = dialect.insert(self._work.connection, forward_targets).values(target=target, **values)
        self._work.connection.execute(statement.on_conflict_do_update(index_elements=["target"], set_=values))
