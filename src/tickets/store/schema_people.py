"""The tables of the people of the desk; made by migration 0007."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text

from tickets.store.schema import metadata
from tickets.store.times import Moment

people = Table(
    "people",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    # Slugs as a JSON list.
    Column("organisations", Text, nullable=False),
    Column("password_hash", String),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, ForeignKey("people.name"), nullable=False, index=True),
    Column("label", String, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
)
