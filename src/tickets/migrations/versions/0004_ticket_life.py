"""When the clocks of a ticket must be looked at next: without it every open ticket would be read every time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Applies the change."""
    op.add_column("tickets", sa.Column("look_on", sa.String(10), nullable=True))
    where = sa.text("look_on IS NOT NULL")
    op.create_index("ix_tickets_look_on", "tickets", ["look_on"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
