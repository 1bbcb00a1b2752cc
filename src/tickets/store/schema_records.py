"""The tables of records management: legal holds, what was erased, and what still has to go."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, text

from tickets.store.schema import metadata
from tickets.store.times import Moment

# The complaints under a legal hold, beside the tickets that say so: found without reading every ticket.
holds = Table(
    "holds",
    metadata,
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), primary_key=True),
)

# Complaints whose personal data is gone; number and figures stay.
erasures = Table(
    "erasures",
    metadata,
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), primary_key=True),
    Column("ticket_number", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("reason", String, nullable=False),
    Index("ix_erasures_ticket_number", "ticket_number"),
)

# Messages that their senders deleted at the provider; `erased_at` is set where a policy has our copy deleted as well.
withdrawn_messages = Table(
    "withdrawn_messages",
    metadata,
    Column("message_id", String, ForeignKey("messages.id"), primary_key=True),
    Column("organisation", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("erased_at", Moment),
    Index(
        "ix_withdrawn_messages_waiting",
        "organisation",
        sqlite_where=text("erased_at IS NULL"),
        postgresql_where=text("erased_at IS NULL"),
    ),
)

# Contents (SHA-256) that lost a complaint: their file goes as soon as no other complaint has the same.
doomed_files = Table(
    "doomed_files",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("since", Moment, nullable=False),
)
