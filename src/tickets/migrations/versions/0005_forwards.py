"""What is owed to other ticket stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "forward_routes",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "target", name="pk_forward_routes"),
    )
    op.create_table(
        "forward_targets",
        sa.Column("target", sa.String(), primary_key=True),
        sa.Column("halted", sa.String()),
        sa.Column("reason", sa.Text()),
        sa.Column("since", sa.BigInteger()),
        sa.Column("looked_at", sa.BigInteger()),
    )
    op.create_table(
        "forward_links",
        sa.Column("target", sa.String(), nullable=False),
        _complaint("forward_links"),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("store_ref", sa.String()),
        sa.Column("linked_at", sa.BigInteger()),
        sa.Column("remote_state", sa.String()),
        sa.Column("remote_version", sa.String()),
        sa.Column("changed_at", sa.BigInteger()),
        sa.Column("changed_note", sa.Text()),
        sa.Column("task_id", sa.String()),
        sa.PrimaryKeyConstraint("target", "complaint_id", name="pk_forward_links"),
    )
    op.create_index("ix_forward_links_complaint_id", "forward_links", ["complaint_id"])
    op.create_index("ix_forward_links_store_ref", "forward_links", ["target", "store_ref"])
    op.create_table(
        "forwards",
        sa.Column("target", sa.String(), nullable=False),
        _complaint("forwards"),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.SmallInteger(), nullable=False),
        sa.Column("error_class", sa.String()),
        sa.Column("reason", sa.Text()),
        sa.Column("done_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("target", "complaint_id", "seq", name="pk_forwards"),
    )
    _partial("ix_forwards_due", ["target", "due_at"], "state = 'due'")
    _partial("ix_forwards_unfinished", ["complaint_id", "target"], "state IN ('waiting', 'due', 'sending')")
    op.create_index("ix_forwards_at", "forwards", ["at"])


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")


def _complaint(table: str) -> sa.Column[str]:
    key = sa.ForeignKey("tickets.complaint_id", name=f"fk_{table}_complaint_id_tickets")
    return sa.Column("complaint_id", sa.String(), key, nullable=False)


def _partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "forwards", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
