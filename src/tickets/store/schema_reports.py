"""Tables of the reports: what was published about the institution, and what was handed in."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table, Text

from tickets.store.schema import metadata
from tickets.store.times import Day, Moment

publications = Table(
    "publications",
    metadata,
    Column("id", String, primary_key=True),
    Column("organisation", String, nullable=False),
    Column("type", String, nullable=False),
    Column("published_on", Day, nullable=False),
    Column("count", Integer, nullable=False),
    Column("url", Text),
    Column("added_at", Moment, nullable=False),
    Column("added_by", String, nullable=False),
    Column("withdrawn_at", Moment),
    Index("ix_publications_published_on", "organisation", "published_on"),
)

# Append-only: triggers refuse UPDATE and DELETE (see migrations).
report_snapshots = Table(
    "report_snapshots",
    metadata,
    Column("organisation", String, nullable=False),
    Column("report", String, nullable=False),
    Column("period", String, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("frozen_at", Moment, nullable=False),
    Column("frozen_by", String, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("organisation", "report", "period", "edition"),
)
