"""What is under a legal hold, what was erased, and what still has to go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "holds",
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_holds_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_holds"),
    )
    op.create_table(
        "erasures",
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("ticket_number", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_erasures_complaint_id_tickets"),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_ticket_number", "erasures", ["ticket_number"])
    op.create_table(
        "withdrawn_messages",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_withdrawn_messages_message_id_messages"),
        sa.PrimaryKeyConstraint("message_id", name="pk_withdrawn_messages"),
    )
    waiting = sa.text("erased_at IS NULL")
    op.create_index(
        "ix_withdrawn_messages_waiting",
        "withdrawn_messages",
        ["organisation"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "doomed_files",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_doomed_files"),
    )
    # What customers deleted before this version is known from the deletions that were kept.
    op.execute(
        "INSERT INTO withdrawn_messages (message_id, organisation, at) "
        "SELECT m.id, m.organisation, MIN(c.at) "
        "FROM message_changes c JOIN messages m ON c.message_id = m.id "
        "WHERE c.kind = 'deletion' GROUP BY m.id, m.organisation"
    )


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
