"""What can go wrong at the store. No text here ever carries a value of a row.

A database that cannot be used now (locked, disk full, connection lost) raises `sqlalchemy.exc.OperationalError`: the
same call may be made again.
"""

from __future__ import annotations


class SchemaMismatch(Exception):
    """The database was written by a newer or an unknown version: nothing is read or written with this one."""


class Conflict(Exception):
    """A unique key is already taken: the transaction must be given up and its messages looked up again.

    `constraint` names the key as the database does ("messages.organisation, messages.key"), never its value.
    """

    def __init__(self, constraint: str) -> None:
        super().__init__(f"unique key already taken: {constraint}")
        self.constraint = constraint
