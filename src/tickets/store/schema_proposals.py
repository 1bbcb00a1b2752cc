"""Who complained, as keyed hashes, and which complaints may belong together; made by migration 0008."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tickets.store.schema import metadata
from tickets.store.times import Moment

identities = Table(
    "identities",
    metadata,
    Column("organisation", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=False, index=True),
    Column("verified", SmallInteger, nullable=False),
    PrimaryKeyConstraint("organisation", "digest", "complaint_id"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False),
    # "same": one complaint that came twice; "crowd": one cause, many customers, `other_id` the first of them.
    Column("kind", String, nullable=False),
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=False, index=True),
    Column("other_id", String, ForeignKey("tickets.complaint_id"), nullable=False, index=True),
    Column("likeness", Float, nullable=False),
    # What both have, as JSON: kinds of identity and words.
    Column("reasons", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String, nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", String),
    UniqueConstraint("kind", "complaint_id", "other_id"),
    Index(
        "ix_proposals_open",
        "organisation",
        "at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

# How far a job has read, by its name.
positions = Table(
    "positions",
    metadata,
    Column("job", String, primary_key=True),
    Column("position", String, nullable=False),
)
