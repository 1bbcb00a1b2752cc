"""Reports that were handed in, as they were, and publications that they count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tickets.store.dialect import append_only

revision = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Applies the change."""
    op.create_table(
        "publications",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("published_on", sa.String(length=10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
    )
    op.create_index("ix_publications_published_on", "publications", ["organisation", "published_on"])
    op.create_table(
        "report_snapshots",
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", "report", "period", "edition", name="pk_report_snapshots"),
    )
    for statement in append_only(op.get_bind().dialect.name, "report_snapshots"):
        op.execute(statement)


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
