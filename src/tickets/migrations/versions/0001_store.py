"""The tables of the core store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tickets.store.dialect import append_only

revision = "0001"
down_revision: str | None = None


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_complaint_id", "audit", ["complaint_id"])

    op.create_table(
        "code_attempts",
        sa.Column("ticket_number", sa.String(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("ticket_number", name="pk_code_attempts"),
    )
    op.create_index("ix_code_attempts_last_at", "code_attempts", ["last_at"])

    op.create_table(
        "parked_deliveries",
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("outbox_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_class", sa.String(), nullable=True),
        sa.Column("pricing", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", "provider_id", "outbox_key", "state", name="pk_parked_deliveries"),
    )
    op.create_index("ix_parked_deliveries_at", "parked_deliveries", ["at"])

    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("raw_id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint("raw_id", "path", name="uq_quarantine_raw_id_path"),
    )
    _partial("ix_quarantine_open", "quarantine", ["at"], "state = 'open'")

    op.create_table(
        "raws",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_raws"),
    )
    op.create_index("ix_raws_received_at", "raws", ["received_at"])

    op.create_table(
        "sequences",
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "day", name="pk_sequences"),
    )
    op.create_table(
        "tickets",
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("ticket_number", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("sender_key", sa.String(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("effective_received_date", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("open", sa.SmallInteger(), nullable=False),
        sa.Column("first_response_due", sa.String(10), nullable=True),
        sa.Column("resolve_due", sa.String(10), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("complaint", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_tickets"),
        sa.UniqueConstraint("ticket_number", name="uq_tickets_ticket_number"),
    )
    _partial("ix_tickets_first_response_due", "tickets", ["first_response_due"], "open = 1")
    _partial("ix_tickets_open", "tickets", ["organisation", "state", "complaint_id"], "open = 1")
    op.create_index("ix_tickets_organisation_received_at", "tickets", ["organisation", "received_at"])
    op.create_index("ix_tickets_organisation_sender_key", "tickets", ["organisation", "sender_key"])
    _partial("ix_tickets_resolve_due", "tickets", ["resolve_due"], "open = 1")

    op.create_table(
        "aliases",
        sa.Column("ticket_number", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_aliases_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("ticket_number", name="pk_aliases"),
    )
    op.create_index("ix_aliases_complaint_id", "aliases", ["complaint_id"])

    op.create_table(
        "attachments",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_attachments_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_complaint_id", "attachments", ["complaint_id"])
    _partial("ix_attachments_due", "attachments", ["due_at"], "status = 'pending'")

    op.create_table(
        "messages",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("raw_id", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_messages_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("organisation", "key", name="uq_messages_organisation_key"),
    )
    op.create_index("ix_messages_complaint_id", "messages", ["complaint_id"])

    op.create_table(
        "outbox",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("routes", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("route", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("parts_sent", sa.Integer(), nullable=False),
        sa.Column("first_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("ambiguous", sa.SmallInteger(), nullable=False),
        sa.Column("possible_duplicate", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error_class", sa.String(), nullable=True),
        sa.Column("sent_routes", sa.Integer(), nullable=False),
        sa.Column("receipt_state", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("body_hash", sa.String(), nullable=True),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_outbox_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("key", name="pk_outbox"),
        sa.UniqueConstraint("complaint_id", "template", name="uq_outbox_complaint_id_template"),
    )
    _partial("ix_outbox_due", "outbox", ["due_at", "channel_id"], "state = 'due'")
    _partial("ix_outbox_halted", "outbox", ["channel_id"], "state = 'halted'")
    op.create_index("ix_outbox_recipient", "outbox", ["organisation", "recipient", "added_at"])
    _partial("ix_outbox_sending", "outbox", ["channel_id"], "state = 'sending'")

    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_tasks_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_complaint_id", "tasks", ["complaint_id"])
    _partial("ix_tasks_open", "tasks", ["organisation", "opened_at"], "closed_at IS NULL")

    op.create_table(
        "threads",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_threads_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("organisation", "ref", name="pk_threads"),
    )
    op.create_index("ix_threads_complaint_id", "threads", ["complaint_id"])

    op.create_table(
        "message_changes",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("message_key", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_message_changes_message_id_messages"),
        sa.PrimaryKeyConstraint("organisation", "key", name="pk_message_changes"),
    )
    op.create_index("ix_message_changes_message_id", "message_changes", ["message_id"])
    _partial("ix_message_changes_parked", "message_changes", ["organisation", "message_key"], "message_id IS NULL")

    op.create_table(
        "sent_parts",
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("outbox_key", sa.String(), nullable=False),
        sa.Column("route", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_class", sa.String(), nullable=True),
        sa.Column("pricing", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["outbox_key"], ["outbox.key"], name="fk_sent_parts_outbox_key_outbox"),
        sa.PrimaryKeyConstraint("channel_id", "provider_id", name="pk_sent_parts"),
    )
    op.create_index("ix_sent_parts_outbox_key", "sent_parts", ["outbox_key"])
    for statement in append_only(op.get_bind().dialect.name, "audit"):
        op.execute(statement)


def downgrade() -> None:
    """Refuses: complaints are not deleted by going back to an older version."""
    raise NotImplementedError("restore the backup from before the first start instead")
