"""Identifiers: ULIDs, which sort by time and need no coordination."""

from __future__ import annotations

from datetime import datetime

from ulid import ULID


def new_id(now: datetime) -> str:
    """A new ULID of the instant `now`: 26 characters, sorting by time."""
    return str(ULID.from_datetime(now))
