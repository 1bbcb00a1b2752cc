"""Which schema a database has, and how an older one becomes this version's."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

import tickets.migrations
from tickets.store import schema
from tickets.store.errors import SchemaMismatch


def current(connection: Connection) -> str | None:
    """The revision of the database; None for one that Alembic never touched."""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection) -> None:
    """Brings the database to `schema.REVISION` in the transaction of `connection`; SchemaMismatch when it cannot."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found = current(connection)
        if found == schema.REVISION:
            return
        if found is None or found not in _known():
            raise SchemaMismatch(
                f"the database has schema {found}, this version knows schemas up to {schema.REVISION}: "
                "start the version that wrote it, or restore the backup from before it"
            )
    elif tables & set(schema.metadata.tables):
        raise SchemaMismatch("the database has our tables but no schema version: it was not written by this program")
    _run(connection)


def _known() -> set[str]:
    """The revisions of the packaged migrations."""
    from alembic.script import ScriptDirectory  # costs 0.1 s, which a start without migration need not pay

    return {script.revision for script in ScriptDirectory(str(_folder())).walk_revisions()}


def _run(connection: Connection) -> None:
    from alembic import command  # as above
    from alembic.config import Config

    config = Config()
    # A percent sign in the path would be taken for an interpolation.
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, schema.REVISION)


def _folder() -> Path:
    return Path(tickets.migrations.__file__).parent
