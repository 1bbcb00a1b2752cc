"""What records management reads: whose years are over, what is held or erased, and what an evidence bag is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, func, select

from tickets.model import KnownThread, RawRow
from tickets.records import Erasure
from tickets.records_values import ChainedEvent, SentPart, SentText
from tickets.store import audit, queries, rows, schema
from tickets.store.schema_records import doomed_files, erasures, holds, withdrawn_messages
from tickets.store.work import chunks

_PAGE = 500


class _Digest(Struct):
    sha256: str | None = None


_decode_digest = msgspec.json.Decoder(_Digest).decode


class RecordsReader:
    """Reads for retention, legal holds and evidence (`Store.records`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def closed_until(self, organisation: str, moment: datetime) -> Iterator[KnownThread]:
        """Closed complaints of an organisation that were last changed to closed by then and are not erased yet."""
        tickets = schema.tickets.c
        closed_at = func.coalesce(tickets.closed_at, tickets.updated_at)
        last = ""
        while True:
            statement = (
                select(tickets.complaint_id, tickets.complaint, tickets.ticket)
                .where(
                    tickets.organisation == organisation,
                    # Received before it was closed: only old rows are looked at.
                    tickets.received_at <= moment,
                    tickets.open == 0,
                    closed_at <= moment,
                    tickets.complaint_id > last,
                    tickets.complaint_id.not_in(select(erasures.c.complaint_id)),
                )
                .order_by(tickets.complaint_id)
                .limit(_PAGE)
            )
            with self._engine.begin() as connection:
                page = connection.execute(statement).all()
            for row in page:
                yield KnownThread(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket))
            if len(page) < _PAGE:
                return
            last = page[-1].complaint_id

    def held(self) -> Sequence[KnownThread]:
        """The complaints under a legal hold, by number."""
        tickets = schema.tickets.c
        statement = select(tickets.complaint, tickets.ticket).join_from(
            schema.tickets, holds, tickets.complaint_id == holds.c.complaint_id
        )
        with self._engine.begin() as connection:
            found = connection.execute(statement.order_by(tickets.ticket_number)).all()
        return [
            KnownThread(complaint=rows.complaint_from(row.complaint), ticket=rows.ticket_from(row.ticket))
            for row in found
        ]

    def erasure(self, number: str) -> Erasure | None:
        """That the complaint of a number, or the one it was merged into, was erased; None when it was not."""
        with self._engine.begin() as connection:
            found = queries.find(connection, number)
            if found is None:
                return None
            row = connection.execute(
                select(erasures).where(erasures.c.complaint_id == found.complaint.complaint_id)
            ).first()
        return None if row is None else Erasure(**row._mapping)

    def erasures(self, organisation: str | None = None, limit: int = 1000) -> Sequence[Erasure]:
        """What was erased, the latest first."""
        statement = select(erasures).order_by(erasures.c.at.desc(), erasures.c.complaint_id).limit(limit)
        if organisation is not None:
            statement = statement.where(erasures.c.organisation == organisation)
        with self._engine.begin() as connection:
            return [Erasure(**row._mapping) for row in connection.execute(statement)]

    def last_erased_at(self) -> datetime | None:
        """When something was erased last: a complaint, or a message that its sender deleted."""
        with self._engine.begin() as connection:
            found = [
                connection.scalar(select(func.max(column)))
                for column in (erasures.c.at, withdrawn_messages.c.erased_at)
            ]
        return max((each for each in found if each is not None), default=None)

    def waiting_deletions(self, organisations: Collection[str]) -> Sequence[str]:
        """Ids of messages that their senders deleted and that still say something here."""
        column = withdrawn_messages.c
        statement = (
            select(column.message_id)
            .where(column.organisation.in_(organisations), column.erased_at.is_(None))
            .order_by(column.message_id)
        )
        with self._engine.begin() as connection:
            return connection.scalars(statement).all()

    def doomed(self) -> Mapping[str, datetime]:
        """Contents (SHA-256) that lost a complaint, and since when."""
        with self._engine.begin() as connection:
            return {row.sha256: row.since for row in connection.execute(select(doomed_files))}

    def in_use(self, digests: Collection[str]) -> frozenset[str]:
        """Those of the contents that some complaint still has; reads every file's record once."""
        wanted = set(digests)
        found: set[str] = set()
        if not wanted:
            return frozenset()
        with self._engine.begin() as connection:
            for document in connection.execution_options(yield_per=_PAGE).scalars(
                select(schema.attachments.c.document)
            ):
                sha256 = _decode_digest(document).sha256
                if sha256 in wanted:
                    found.add(sha256)
        return frozenset(found)

    def chain_of(self, complaint_ids: Collection[str]) -> Sequence[ChainedEvent]:
        """The audit events of these complaints with their places in the chain, in its order."""
        table = schema.audit
        statement = select(table).where(table.c.complaint_id.in_(complaint_ids)).order_by(table.c.seq)
        with self._engine.begin() as connection:
            found = connection.execute(statement).all()
        return [
            ChainedEvent(
                seq=row.seq,
                event=event,
                hashed=audit.line_of(row).decode(),
                prev_hash=bytes(row.prev_hash),
                hash=bytes(row.hash),
            )
            for row, event in zip(found, audit.events(found), strict=True)
        ]

    def merged_into(self, complaint_id: str) -> Sequence[str]:
        """The ids of the complaints that were merged into one."""
        with self._engine.begin() as connection:
            return [each.complaint.complaint_id for each in queries.merged_into(connection, complaint_id)]

    def sent_parts(self, complaint_ids: Collection[str]) -> Sequence[SentPart]:
        """What providers took of the messages to the customer, and what they reported."""
        parts, outbox = schema.sent_parts, schema.outbox.c
        statement = (
            select(*(parts.c[name] for name in SentPart.__struct_fields__))
            .join_from(parts, schema.outbox, parts.c.outbox_key == outbox.key)
            .where(outbox.complaint_id.in_(complaint_ids))
            .order_by(parts.c.outbox_key, parts.c.at, parts.c.provider_id)
        )
        with self._engine.begin() as connection:
            return [SentPart(**row._mapping) for row in connection.execute(statement)]

    def sent_texts(self, complaint_ids: Collection[str]) -> Sequence[SentText]:
        """What went out to the customers, or was to go out."""
        outbox = schema.outbox.c
        statement = (
            select(*(outbox[name] for name in SentText.__struct_fields__))
            .where(outbox.complaint_id.in_(complaint_ids))
            .order_by(outbox.key)
        )
        with self._engine.begin() as connection:
            return [SentText(**row._mapping) for row in connection.execute(statement)]

    def deliveries_of(self, raw_ids: Collection[str], complaint_id: str) -> Mapping[str, RawRow | None]:
        """Deliveries as they came that are still kept; None for one that also holds messages of other complaints."""
        messages = schema.messages.c
        found: dict[str, RawRow | None] = {}
        with self._engine.begin() as connection:
            for some in chunks(raw_ids):
                shared = select(messages.raw_id).where(messages.raw_id.in_(some), messages.complaint_id != complaint_id)
                others = set(connection.scalars(shared))
                for row in connection.execute(select(schema.raws).where(schema.raws.c.id.in_(some))):
                    found[row.id] = None if row.id in others else rows.raw_from(row)
        return found
