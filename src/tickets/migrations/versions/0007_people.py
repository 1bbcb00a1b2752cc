"""People of the desk and the tokens of their programs."""

from __future__ import annotations

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Applies the change."""


def downgrade() -> None:
    """Refuses: an older version must not write what this one cannot vouch for."""
    raise NotImplementedError("restore the backup from before the first start of this version instead")
