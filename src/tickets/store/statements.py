"""The statements of the hot path, compiled once for a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    String,
    Table,
    bindparam,
    exists,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import Insert, Update

from tickets.store import schema
from tickets.store.batch import Batch, Lookup, Query
from tickets.store.claiming import Claim
from tickets.store.dialect import insert_for

#: Columns of `tickets` that a changed complaint writes again, in the order of `rows.complaint_columns`.
COMPLAINT_COLUMNS = (
    "channel", "channel_id", "sender_key", "received_at", "effective_received_date", "kind", "category", "urgency",
    "complaint",
)  # fmt: skip
#: Columns of `tickets` that a changed ticket writes again, in the order of `rows.ticket_columns`.
TICKET_COLUMNS = (
    "state", "open", "first_response_due", "resolve_due", "opened_at", "updated_at", "closed_at", "look_on", "ticket",
)  # fmt: skip
#: Columns of `outbox` that change after the row was added, in the order of `standing.Standing.columns`.
STANDING_COLUMNS = (
    "channel_id", "recipient", "routes", "data", "route", "state", "due_at", "attempts", "parts", "parts_sent",
    "first_attempt_at",
    "ambiguous", "possible_duplicate", "reason", "error_class", "sent_routes", "receipt_state", "provider_id",
    "body_hash", "template_version", "sent_at",
)  # fmt: skip


class Statements:
    """Every batch statement of the store for one database."""

    def __init__(self, dialect: Dialect) -> None:
        self.known_messages = Lookup(dialect, _known_messages)
        self.known_threads = Lookup(dialect, _known_threads)
        self.tickets_by_id = Lookup(dialect, _tickets_by_id)
        self.last_number = Query(dialect, _last_number())
        self.take_numbers = Query(dialect, _take_numbers(dialect.name))
        self.last_event = Query(dialect, _last_event())
        self.some_parked_change = Query(dialect, _some_parked_change())
        self.parked_changes = Lookup(dialect, _parked_changes)
        self.receipt_counts = Lookup(dialect, _receipt_counts)
        self.complaint_counts = Lookup(dialect, _complaint_counts)
        self.claim = Claim(dialect)
        self.refused = Lookup(dialect, _refused)
        self.outbox_by_key = Lookup(dialect, lambda keys: select(schema.outbox).where(schema.outbox.c.key.in_(keys)))
        self.claimed = Lookup(dialect, _claimed)
        self.parts_by_key = Lookup(dialect, _parts_by_key)
        self.parts_by_id = Lookup(dialect, _parts_by_id)
        self.parked_deliveries_by_id = Lookup(dialect, _parked_deliveries_by_id)

        def once(table: Table, *key: str) -> Batch:
            ignoring = insert_for(dialect.name, table).on_conflict_do_nothing(index_elements=list(key))
            return Batch(dialect, ignoring, _names(table))

        def plain(table: Table) -> Batch:
            return Batch(dialect, insert_for(dialect.name, table), _names(table))

        # The same delivery once more after a crash is harmless: its id is its identity.
        self.raws = once(schema.raws, "id")
        self.quarantine = Batch(dialect, _quarantine(dialect.name), _names(schema.quarantine))
        self.tickets = plain(schema.tickets)
        self.aliases = once(schema.aliases, "ticket_number")
        self.messages = plain(schema.messages)
        self.attachments = plain(schema.attachments)
        self.threads = Batch(dialect, _threads(dialect.name), _names(schema.threads))
        self.outbox = plain(schema.outbox)
        self.sent_parts = once(schema.sent_parts, "channel_id", "provider_id")
        self.parked_deliveries = once(schema.parked_deliveries, "channel_id", "provider_id", "outbox_key", "state")
        self.tasks = once(schema.tasks, "id")
        self.changes = once(schema.message_changes, "organisation", "key")
        self.audit = plain(schema.audit)
        self.update_complaints = _update(dialect, schema.tickets, COMPLAINT_COLUMNS, ("complaint_id",))
        self.update_tickets = _update(dialect, schema.tickets, TICKET_COLUMNS, ("complaint_id",))
        self.update_outbox = _update(dialect, schema.outbox, STANDING_COLUMNS, ("key",))
        self.update_sent = _update_sent(dialect)
        self.update_parts = _update(
            dialect,
            schema.sent_parts,
            ("state", "at", "error_code", "error_class", "pricing"),
            ("channel_id", "provider_id"),
        )
        self.update_attachments = _update(
            dialect, schema.attachments, ("status", "due_at", "attempts", "document"), ("id",)
        )


def _names(table: Table) -> Sequence[str]:
    return [column.name for column in table.columns]


def _quarantine(dialect: str) -> Insert:
    statement = insert_for(dialect, schema.quarantine)
    # A replay that fails again opens the item again.
    return statement.on_conflict_do_update(
        index_elements=["raw_id", "path"],
        set_={
            "reason": statement.excluded.reason,
            "at": statement.excluded.at,
            "state": statement.excluded.state,
            "resolved_at": statement.excluded.resolved_at,
        },
    )


def _threads(dialect: str) -> Insert:
    statement = insert_for(dialect, schema.threads)
    closed = exists().where(
        # As text: the row in conflict is no further table of this subquery.
        schema.tickets.c.complaint_id == literal_column("threads.complaint_id"),
        schema.tickets.c.open == literal_column("0"),
    )
    # The first complaint keeps a thread until it is closed; else every message of a chat that once led to a closed
    # complaint would open a new one.
    return statement.on_conflict_do_update(
        index_elements=["organisation", "ref"],
        set_={"complaint_id": statement.excluded.complaint_id},
        where=closed,
    )


def _update(dialect: Dialect, table: Table, columns: Sequence[str], key: Sequence[str]) -> Batch:
    statement: Update = update(table).values({name: bindparam(f"new_{name}") for name in columns})
    for name in key:
        statement = statement.where(table.c[name] == bindparam(f"its_{name}"))
    # SET follows the order of the table's columns: the given order must agree, which `Batch` checks.
    return Batch(dialect, statement, [*(f"new_{name}" for name in columns), *(f"its_{name}" for name in key)])


def _update_sent(dialect: Dialect) -> Batch:
    """What changes when a claimed row was sent: far less than `STANDING_COLUMNS`, and hardly any index."""
    outbox = schema.outbox.c

    def known(name: str) -> ColumnElement[Any]:
        return func.coalesce(bindparam(f"new_{name}", type_=outbox[name].type), outbox[name])

    values = {
        "state": literal_column("'sent'"),
        "parts": bindparam("new_parts"),
        "parts_sent": bindparam("new_parts_sent"),
        "ambiguous": literal_column("0"),
        "possible_duplicate": bindparam("new_possible_duplicate"),
        "reason": null(),
        "error_class": null(),
        "sent_routes": outbox.sent_routes.bitwise_or(bindparam("new_sent_routes", type_=Integer())),
        "receipt_state": literal_column("'sent'"),
        "provider_id": bindparam("new_provider_id"),
        "body_hash": known("body_hash"),
        "template_version": known("template_version"),
        "sent_at": bindparam("new_sent_at"),
    }
    statement: Update = update(schema.outbox).values(values).where(outbox.key == bindparam("its_key"))
    names = [
        "new_parts", "new_parts_sent", "new_possible_duplicate", "new_sent_routes", "new_provider_id",
        "new_body_hash", "new_template_version", "new_sent_at", "its_key",
    ]  # fmt: skip
    return Batch(dialect, statement, names)


Names = Sequence[BindParameter[str]]


def _known_messages(keys: Names) -> Select[Any]:
    messages, tickets = schema.messages.c, schema.tickets.c
    return (
        select(messages.key, messages.complaint_id, tickets.ticket_number, messages.digest)
        .join_from(schema.messages, schema.tickets, messages.complaint_id == tickets.complaint_id)
        .where(messages.organisation == bindparam("organisation"), messages.key.in_(keys))
    )


def _known_threads(refs: Names) -> Select[Any]:
    threads, tickets = schema.threads.c, schema.tickets.c
    return (
        select(threads.ref, tickets.complaint_id, tickets.complaint, tickets.ticket)
        .join_from(schema.threads, schema.tickets, threads.complaint_id == tickets.complaint_id)
        .where(threads.organisation == bindparam("organisation"), threads.ref.in_(refs))
    )


def _tickets_by_id(ids: Names) -> Select[Any]:
    tickets = schema.tickets.c
    return select(tickets.complaint_id, tickets.complaint, tickets.ticket).where(tickets.complaint_id.in_(ids))


def _refused(recipients: Names) -> Select[Any]:
    column = schema.permissions.c
    return select(column.channel_id, column.recipient).where(
        column.recipient.in_(recipients), column.allowed == literal_column("0")
    )


def _last_number() -> Select[Any]:
    sequences = schema.sequences.c
    return select(sequences.last).where(sequences.prefix == bindparam("prefix"), sequences.day == _given_day())


def _take_numbers(dialect: str) -> Insert:
    statement = insert_for(dialect, schema.sequences).values(
        prefix=bindparam("prefix"), day=_given_day(), last=bindparam("count")
    )
    last = schema.sequences.c.last
    return statement.on_conflict_do_update(
        index_elements=["prefix", "day"], set_={"last": last + statement.excluded.last}
    ).returning(last)


def _given_day() -> BindParameter[str]:
    # As the database stores it: these statements go to the driver past the conversion of `Day`.
    return bindparam("day", type_=String())


def _last_event() -> Select[Any]:
    audit = schema.audit.c
    return select(audit.seq, audit.hash).order_by(audit.seq.desc()).limit(1)


def _some_parked_change() -> Select[Any]:
    return select(literal_column("1")).where(schema.message_changes.c.message_id.is_(None)).limit(1)


def _parked_changes(keys: Names) -> Select[Any]:
    changes = schema.message_changes.c
    return select(changes.key, changes.message_key, changes.kind).where(
        changes.organisation == bindparam("organisation"), changes.message_key.in_(keys), changes.message_id.is_(None)
    )


def _complaint_counts(senders: Names) -> Select[Any]:
    tickets = schema.tickets.c
    return (
        select(tickets.sender_key, func.count())
        .where(
            tickets.organisation == bindparam("organisation"),
            tickets.sender_key.in_(senders),
            tickets.received_at >= bindparam("since"),
        )
        .group_by(tickets.sender_key)
    )


def _receipt_counts(recipients: Names) -> Select[Any]:
    outbox = schema.outbox.c
    return (
        select(outbox.recipient, func.count())
        .where(
            outbox.organisation == bindparam("organisation"),
            outbox.recipient.in_(recipients),
            outbox.added_at >= bindparam("since"),
            # What people of the desk wrote is no automatic answer: it takes nobody's receipt away (K2).
            outbox.template == literal_column("'receipt'"),
            outbox.state != literal_column("'suppressed'"),
        )
        .group_by(outbox.recipient)
    )


def _claimed(keys: Names) -> Select[Any]:
    """What tells a row that is as its claim left it: nothing is known of any part of it."""
    outbox, parts = schema.outbox.c, schema.sent_parts.c
    return select(outbox.key, outbox.route, outbox.attempts).where(
        outbox.key.in_(keys),
        outbox.state == literal_column("'sending'"),
        ~exists().where(parts.outbox_key == outbox.key),
    )


def _parts_by_key(keys: Names) -> Select[Any]:
    return select(schema.sent_parts).where(schema.sent_parts.c.outbox_key.in_(keys))


def _parts_by_id(provider_ids: Names) -> Select[Any]:
    parts = schema.sent_parts.c
    return select(schema.sent_parts).where(
        parts.channel_id == bindparam("channel_id"), parts.provider_id.in_(provider_ids)
    )


def _parked_deliveries_by_id(provider_ids: Names) -> Select[Any]:
    parked = schema.parked_deliveries.c
    return (
        select(schema.parked_deliveries)
        .where(parked.channel_id == bindparam("channel_id"), parked.provider_id.in_(provider_ids))
        .order_by(parked.at)
    )
