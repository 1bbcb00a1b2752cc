"""Complaints that may be the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "identities",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("verified", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "digest", "complaint_id", name="pk_identities"),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_identities_complaint_id_tickets"),
    )
    op.create_index("ix_identities_complaint_id", "identities", ["complaint_id"])
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
        sa.UniqueConstraint("kind", "complaint_id", "other_id", name="uq_proposals_kind_complaint_id_other_id"),
        sa.ForeignKeyConstraint(["complaint_id"], ["tickets.complaint_id"], name="fk_proposals_complaint_id_tickets"),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.complaint_id"], name="fk_proposals_other_id_tickets"),
    )
    op.create_index("ix_proposals_complaint_id", "proposals", ["complaint_id"])
    op.create_index("ix_proposals_other_id", "proposals", ["other_id"])
    where = sa.text("state = 'open'")
    op.create_index(
        "ix_proposals_open", "proposals", ["organisation", "at"], sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "positions",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_positions"),
    )


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
