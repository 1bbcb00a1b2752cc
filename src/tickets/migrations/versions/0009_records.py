"""What was erased, and when."""

from __future__ import annotations

revision = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Applies the change."""


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
