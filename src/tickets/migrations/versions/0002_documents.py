"""Documents as bytes: as text every one of them was converted twice, on its way in and on its way out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tickets.store.dialect import utf8

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Applies the change."""
    for table, column in (("tickets", "complaint"), ("tickets", "ticket"), ("messages", "document")):
        _as_bytes(table, column)
    for column in ("first_response_due", "resolve_due"):
        op.drop_index(f"ix_tickets_{column}", "tickets")
        where = sa.text(f"open = 1 AND {column} IS NOT NULL")
        op.create_index(f"ix_tickets_{column}", "tickets", [column], sqlite_where=where, postgresql_where=where)


def _as_bytes(table: str, column: str) -> None:
    # Not by a copy of the table: SQLite would check every foreign key to it while it is gone. It cannot take a default
    # back either; nothing is ever inserted without its document.
    op.add_column(table, sa.Column("written", sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    written = utf8(op.get_bind().dialect.name, column)
    op.execute(f"UPDATE {table} SET written = {written}")  # noqa: S608  # names of our own, from above
    op.drop_column(table, column)
    op.alter_column(table, "written", new_column_name=column)


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
