"""Tables of what is owed to other ticket stores."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, SmallInteger, String, Table, Text, text

from tickets.store.schema import metadata
from tickets.store.times import Moment

# Which targets get the tickets of an organisation: written from the settings when the server starts, so that every
# program that changes a ticket knows what is owed without reading settings or secrets.
forward_routes = Table(
    "forward_routes",
    metadata,
    Column("organisation", String, nullable=False),
    Column("target", String, nullable=False),
    PrimaryKeyConstraint("organisation", "target"),
)

forward_targets = Table(
    "forward_targets",
    metadata,
    Column("target", String, primary_key=True),
    # Class name of the error that halted it; null while it is served.
    Column("halted", String),
    Column("reason", Text),
    Column("since", Moment),
    # Changes there up to this moment are known.
    Column("looked_at", Moment),
)

# One ticket in one target: where it is there, and how it stood there when we last saw it.
forward_links = Table(
    "forward_links",
    metadata,
    Column("target", String, nullable=False),
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=False),
    Column("organisation", String, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("store_ref", String),
    Column("linked_at", Moment),
    Column("remote_state", String),
    Column("remote_version", String),
    # The last change that others made there, and the task in which a person decides about it.
    Column("changed_at", Moment),
    Column("changed_note", Text),
    Column("task_id", String),
    PrimaryKeyConstraint("target", "complaint_id"),
    Index("ix_forward_links_complaint_id", "complaint_id"),
    Index("ix_forward_links_store_ref", "target", "store_ref"),
)

_UNFINISHED = text("state IN ('waiting', 'due', 'sending')")
_DUE = text("state = 'due'")

forwards = Table(
    "forwards",
    metadata,
    Column("target", String, nullable=False),
    Column("complaint_id", String, ForeignKey("tickets.complaint_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("type", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("text", Text),
    # waiting (behind another of the same ticket), due, sending, done, refused
    Column("state", String, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("repeated", SmallInteger, nullable=False),
    Column("error_class", String),
    Column("reason", Text),
    Column("done_at", Moment),
    PrimaryKeyConstraint("target", "complaint_id", "seq"),
    Index("ix_forwards_due", "target", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_forwards_unfinished", "complaint_id", "target", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("ix_forwards_at", "at"),
)
