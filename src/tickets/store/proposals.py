"""Complaints that may belong together: proposed by a job, decided by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, delete, or_, select, update

from normalizer.complaint import Complaint
from tickets.matching import IdentityKind, Match, Traits
from tickets.model import AuditEvent
from tickets.store import rows, schema
from tickets.store.dialect import insert
from tickets.store.schema_proposals import identities, positions, proposals
from tickets.store.work import Work, chunks

ProposalKind = Literal["same", "crowd"]
Decision = Literal["confirmed", "refused"]
#: Complaints that go on under another number, or are none.
_GONE = ("merged", "dismissed")


class Reasons(Struct, frozen=True, kw_only=True):
    """What speaks for a proposal."""

    shared: tuple[IdentityKind, ...] = ()
    words: tuple[str, ...] = ()


class Proposal(Struct, frozen=True, kw_only=True):
    """Two complaints that may belong together; `other_id` is the older one."""

    id: str
    organisation: str
    kind: ProposalKind
    complaint_id: str
    other_id: str
    likeness: float
    reasons: Reasons
    at: datetime
    state: Literal["open", "confirmed", "refused"] = "open"
    decided_at: datetime | None = None
    decided_by: str | None = None


class Proposals:
    """What one transaction may do with proposals."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def position(self, job: str) -> str:
        """How far a job has read; empty when it never did."""
        found = self._work.connection.scalar(select(positions.c.position).where(positions.c.job == job))
        return found or ""

    def advance(self, job: str, position: str) -> None:
        """Writes how far a job has read."""
        statement = insert(self._work.connection, positions).values(job=job, position=position)
        self._work.connection.execute(
            statement.on_conflict_do_update(index_elements=["job"], set_={"position": position})
        )

    def remember(self, traits: Traits) -> None:
        """Keeps the identities of a complaint; a repeat changes nothing."""
        for each in traits.identities:
            statement = insert(self._work.connection, identities).values(
                organisation=traits.organisation,
                kind=each.kind,
                digest=each.digest,
                complaint_id=traits.complaint_id,
                verified=int(each.verified),
            )
            self._work.connection.execute(statement.on_conflict_do_nothing())

    def known_as(self, traits: Traits, since: datetime) -> list[Complaint]:
        """Other complaints since the moment that share an identity with this one and still go their own way."""
        digests = [each.digest for each in traits.identities]
        if not digests:
            return []
        tickets = schema.tickets.c
        found = self._work.connection.execute(
            select(tickets.complaint)
            .join_from(identities, schema.tickets, identities.c.complaint_id == tickets.complaint_id)
            .where(
                identities.c.organisation == traits.organisation,
                identities.c.digest.in_(digests),
                identities.c.complaint_id != traits.complaint_id,
                tickets.received_at >= since,
                tickets.state.not_in(_GONE),
            )
            .order_by(tickets.complaint_id)
            .distinct()
        )
        return [rows.complaint_from(row.complaint) for row in found]

    def propose(self, id_: str, kind: ProposalKind, organisation: str, match: Match) -> bool:
        """Whether it is new: what was proposed once is not proposed again, however it was decided."""
        statement = insert(self._work.connection, proposals).values(
            id=id_,
            organisation=organisation,
            kind=kind,
            complaint_id=match.complaint_id,
            other_id=match.other_id,
            likeness=match.likeness,
            reasons=rows.document(Reasons(shared=match.shared, words=match.words)),
            at=self._work.now,
            state="open",
        )
        written = self._work.connection.execute(statement.on_conflict_do_nothing()).rowcount
        if written:
            self._work.note("proposal.made", match.complaint_id, {"kind": kind, "other": match.other_id})
        return bool(written)

    def decide(self, proposal_id: str, decision: Decision, actor: str) -> None:
        """Writes what a person decided. LookupError when there is no open proposal with this id."""
        found = self._work.connection.execute(
            update(proposals)
            .where(proposals.c.id == proposal_id, proposals.c.state == "open")
            .values(state=decision, decided_at=self._work.now, decided_by=actor)
        ).rowcount
        if not found:
            raise LookupError(f"there is no open proposal {proposal_id}")
        self._work.audit.append(
            AuditEvent(
                at=self._work.now,
                actor=actor,
                type=f"proposal.{decision}",
                complaint_id=None,
                data={"proposal": proposal_id},
            )
        )

    def group(self, id_: str, organisation: str, complaint_id: str, parent_id: str, actor: str) -> None:
        """The complaint belongs to the mass event that the other stands for, and to no other one."""
        self.ungroup(complaint_id, actor)
        decided = {"state": "confirmed", "decided_at": self._work.now, "decided_by": actor}
        statement = insert(self._work.connection, proposals).values(
            id=id_,
            organisation=organisation,
            kind="crowd",
            complaint_id=complaint_id,
            other_id=parent_id,
            likeness=0.0,
            reasons=rows.document(Reasons()),
            at=self._work.now,
            **decided,
        )
        self._work.connection.execute(
            statement.on_conflict_do_update(index_elements=["kind", "complaint_id", "other_id"], set_=decided)
        )

    def ungroup(self, complaint_id: str, actor: str) -> None:
        """The complaint belongs to no mass event."""
        self._work.connection.execute(
            update(proposals)
            .where(
                proposals.c.kind == "crowd",
                proposals.c.complaint_id == complaint_id,
                proposals.c.state == "confirmed",
            )
            .values(state="refused", decided_at=self._work.now, decided_by=actor)
        )

    def has_children(self, complaint_id: str) -> bool:
        """Whether the complaint stands for a mass event."""
        found = select(proposals.c.id).where(
            proposals.c.kind == "crowd", proposals.c.other_id == complaint_id, proposals.c.state == "confirmed"
        )
        return self._work.connection.execute(found.limit(1)).first() is not None

    def forget(self, complaint_ids: Sequence[str]) -> None:
        """Removes everything that is kept of these complaints here: they were erased."""
        for some in chunks(complaint_ids):
            self._work.connection.execute(delete(identities).where(identities.c.complaint_id.in_(some)))
            self._work.connection.execute(
                delete(proposals).where(or_(proposals.c.complaint_id.in_(some), proposals.c.other_id.in_(some)))
            )


class ProposalReader:
    """Reads proposals, and the complaints that a job compares."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def complaints_after(self, complaint_id: str, limit: int) -> list[Complaint]:
        """The next complaints in the order in which they were recorded."""
        tickets = schema.tickets.c
        statement = select(tickets.complaint).where(tickets.complaint_id > complaint_id)
        with self._engine.begin() as connection:
            found = connection.execute(statement.order_by(tickets.complaint_id).limit(limit)).all()
        return [rows.complaint_from(row.complaint) for row in found]

    def recent(self, before: str, since: datetime, limit: int) -> list[Complaint]:
        """Complaints received since the moment and recorded up to `before`, the oldest first; of many the newest."""
        tickets = schema.tickets.c
        statement = select(tickets.complaint).where(
            tickets.complaint_id <= before,
            tickets.received_at >= since,
            tickets.state.not_in(_GONE),
        )
        with self._engine.begin() as connection:
            found = connection.execute(statement.order_by(tickets.complaint_id.desc()).limit(limit)).all()
        return [rows.complaint_from(row.complaint) for row in reversed(found)]

    def listed(
        self,
        *,
        organisation: str | None = None,
        state: str | None = "open",
        kind: ProposalKind | None = None,
        complaint_id: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[Proposal]:
        """Proposals made since the moment, the oldest first; every state with None.

        An open one about a complaint that went on under another number is nothing to decide any more.
        """
        column = proposals.c
        statement = select(proposals).order_by(column.at, column.id).limit(limit)
        for given, name in ((organisation, "organisation"), (state, "state"), (kind, "kind")):
            if given is not None:
                statement = statement.where(column[name] == given)
        if complaint_id is not None:
            statement = statement.where(or_(column.complaint_id == complaint_id, column.other_id == complaint_id))
        if state == "open":
            gone = select(schema.tickets.c.complaint_id).where(schema.tickets.c.state.in_(_GONE))
            statement = statement.where(column.complaint_id.not_in(gone), column.other_id.not_in(gone))
        if since is not None:
            statement = statement.where(column.at >= since)
        with self._engine.begin() as connection:
            return [_proposal(row._mapping) for row in connection.execute(statement)]

    def children(self, complaint_id: str) -> list[str]:
        """The ticket numbers of the complaints that this one stands for, the oldest first."""
        tickets = schema.tickets.c
        statement = (
            select(tickets.ticket_number)
            .join_from(proposals, schema.tickets, proposals.c.complaint_id == tickets.complaint_id)
            .where(proposals.c.kind == "crowd", proposals.c.other_id == complaint_id, proposals.c.state == "confirmed")
            .order_by(tickets.complaint_id)
        )
        with self._engine.begin() as connection:
            return list(connection.scalars(statement))

    def one(self, proposal_id: str) -> Proposal | None:
        """A proposal by its id, in any state."""
        with self._engine.begin() as connection:
            row = connection.execute(select(proposals).where(proposals.c.id == proposal_id)).first()
        return None if row is None else _proposal(row._mapping)


def _proposal(row: Any) -> Proposal:
    return Proposal(**{**row, "reasons": msgspec.json.decode(row["reasons"], type=Reasons)})
