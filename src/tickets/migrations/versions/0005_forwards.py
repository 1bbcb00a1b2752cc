"""What is owed to other ticket stores."""

from __future__ import annotations

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Applies the change."""


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
