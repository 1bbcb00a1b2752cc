"""Runs the migrations in the transaction that the store already holds, so that a failed one leaves nothing behind.

Also used by developers: `alembic revision --autogenerate` compares with `tickets.store.schema`.
"""

from __future__ import annotations

from alembic import context

from tickets.store import dialect, schema

connection = context.config.attributes.get("connection")
if connection is not None:
    context.configure(connection=connection, target_metadata=schema.metadata, render_as_batch=True)
    context.run_migrations()
else:
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        raise SystemExit("say which database: alembic -x or sqlalchemy.url in the configuration")
    with dialect.writer(dialect.database_url(url)).begin() as opened:
        context.configure(connection=opened, target_metadata=schema.metadata, render_as_batch=True)
        context.run_migrations()
