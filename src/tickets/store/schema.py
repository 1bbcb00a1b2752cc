"""The tables of the core store. Documents are JSON (`documents`); beside them stand only the columns that are searched.

`tickets.migrations` creates them; a test holds both together. Unique keys make every repeat harmless.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    type_coerce,
)

from tickets.store.times import Day, Moment

#: The newest migration that this code was written for (the `revision` of the last file in migrations/versions).
REVISION = "0009"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


raws = Table(
    "raws",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
    Column("target", String, nullable=False),
    Column("ref", String, nullable=False),
    Index("ix_raws_received_at", "received_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String, primary_key=True),
    # No foreign key: raws are deleted after their retention, what was decided about them stays.
    Column("raw_id", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("path", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String, nullable=False),
    Column("resolved_at", Moment),
    UniqueConstraint("raw_id", "path"),
    _partial("ix_quarantine_open", "at", where="state = 'open'"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("complaint_id", String, primary_key=True),
    Column("ticket_number", String, nullable=False, unique=True),
    Column("organisation", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("sender_key", String),
    Column("received_at", Moment, nullable=False),
    Column("effective_received_date", Day, nullable=False),
    Column("kind", String, nullable=False),
    Column("category", String),
    Column("urgency", String, nullable=False),
    Column("state", String, nullable=False),
    # 1 while a further message of the thread belongs here (`tickets.model.OPEN`).
    Column("open", SmallInteger, nullable=False),
    Column("first_response_due", Day),
    Column("resolve_due", Day),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("look_on", Day),
    Column("complaint", LargeBinary, nullable=False),
    Column("ticket", LargeBinary, nullable=False),
    Index("ix_tickets_organisation_received_at", "organisation", "received_at"),
    Index("ix_tickets_organisation_sender_key", "organisation", "sender_key"),
    _partial("ix_tickets_open", "organisation", "state", "complaint_id", where="open = 1"),
    # Most clocks wait for documents: what has no date is in neither.
    _partial(
        "ix_tickets_first_response_due", "first_response_due", where="open = 1 AND first_response_due IS NOT NULL"
    ),
    _partial("ix_tickets_resolve_due", "resolve_due", where="open = 1 AND resolve_due IS NOT NULL"),
    _partial("ix_tickets_look_on", "look_on", where="look_on IS NOT NULL"),
)


def _complaint(*, nullable: bool = False) -> Column[str]:
    return Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=nullable, index=True)


aliases = Table(
    "aliases",
    metadata,
    Column("ticket_number", String, primary_key=True),
    _complaint(),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False),
    Column("key", String, nullable=False),
    _complaint(),
    Column("raw_id", String, nullable=False),
    Column("channel_id", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("organisation", "key"),
)

# Edits and deletions beside the message they change, which they never touch; what a policy erases is erased in both.
message_changes = Table(
    "message_changes",
    metadata,
    Column("organisation", String, nullable=False),
    Column("key", String, nullable=False),
    Column("message_key", String, nullable=False),
    # None while the message it belongs to has not come yet.
    Column("message_id", String, ForeignKey("messages.id")),
    Column("kind", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("text", Text),
    Column("subject", Text),
    PrimaryKeyConstraint("organisation", "key"),
    Index("ix_message_changes_message_id", "message_id"),
    _partial("ix_message_changes_parked", "organisation", "message_key", where="message_id IS NULL"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String, primary_key=True),
    _complaint(),
    Column("status", String, nullable=False),
    Column("due_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("document", Text, nullable=False),
    _partial("ix_attachments_due", "due_at", where="status = 'pending'"),
)

threads = Table(
    "threads",
    metadata,
    Column("organisation", String, nullable=False),
    Column("ref", String, nullable=False),
    _complaint(),
    PrimaryKeyConstraint("organisation", "ref"),
)

# What is owed to customers, and at the same time the receipts of the complaint schema.
outbox = Table(
    "outbox",
    metadata,
    Column("key", String, primary_key=True),
    Column("organisation", String, nullable=False),
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=False),
    Column("template", String, nullable=False),
    Column("language", String, nullable=False),
    Column("added_at", Moment, nullable=False),
    # Those of the route in use; empty without a route.
    Column("channel_id", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("routes", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("route", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("parts_sent", Integer, nullable=False),
    Column("first_attempt_at", Moment),
    Column("ambiguous", SmallInteger, nullable=False),
    Column("possible_duplicate", SmallInteger, nullable=False),
    Column("reason", Text),
    Column("error_class", String),
    # Bit r: everything went out on route r, so that its deliveries prove that the customer has it.
    Column("sent_routes", Integer, nullable=False),
    Column("receipt_state", String, nullable=False),
    Column("provider_id", String),
    Column("body_hash", String),
    Column("template_version", String, nullable=False),
    Column("sent_at", Moment),
    UniqueConstraint("complaint_id", "template"),
    Index("ix_outbox_recipient", "organisation", "recipient", "added_at"),
    _partial("ix_outbox_due", "due_at", "channel_id", where="state = 'due'"),
    _partial("ix_outbox_sending", "channel_id", where="state = 'sending'"),
    _partial("ix_outbox_halted", "channel_id", where="state = 'halted'"),
)

# One row per part that a provider took; deliveries name it.
sent_parts = Table(
    "sent_parts",
    metadata,
    Column("channel_id", String, nullable=False),
    Column("provider_id", String, nullable=False),
    Column("outbox_key", String, ForeignKey("outbox.key"), nullable=False, index=True),
    Column("route", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("error_code", String),
    Column("error_class", String),
    Column("pricing", String),
    PrimaryKeyConstraint("channel_id", "provider_id"),
)

# Deliveries of something that we do not know (yet); "" where the provider or we gave no id.
parked_deliveries = Table(
    "parked_deliveries",
    metadata,
    Column("channel_id", String, nullable=False),
    Column("provider_id", String, nullable=False),
    Column("outbox_key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("error_code", String),
    Column("error_class", String),
    Column("pricing", String),
    PrimaryKeyConstraint("channel_id", "provider_id", "outbox_key", "state"),
    Index("ix_parked_deliveries_at", "at"),
)

# The last word of a customer on whether we may write to an address ("STOP"); without a row we may.
permissions = Table(
    "permissions",
    metadata,
    Column("channel_id", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("allowed", SmallInteger, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("recipient", "channel_id"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False),
    _complaint(nullable=True),
    Column("kind", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    _partial("ix_tasks_open", "organisation", "opened_at", where="closed_at IS NULL"),
)

sequences = Table(
    "sequences",
    metadata,
    Column("prefix", String, nullable=False),
    Column("day", Day, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("prefix", "day"),
)

code_attempts = Table(
    "code_attempts",
    metadata,
    # Also numbers that do not exist: a stranger must not learn which do.
    Column("ticket_number", String, primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("locked_until", Moment),
    Index("ix_code_attempts_last_at", "last_at"),
)

# Append-only: triggers refuse UPDATE and DELETE (see migrations).
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", String, nullable=False),
    Column("type", String, nullable=False),
    Column("complaint_id", String),
    Column("data", Text, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_complaint_id", "complaint_id"),
)


def plain(table: Table) -> list[ColumnElement[Any]]:
    """The columns of the table as the database stores them: moments stay microseconds."""
    return [
        type_coerce(column, BigInteger).label(column.name) if isinstance(column.type, Moment) else column
        for column in table.columns
    ]
