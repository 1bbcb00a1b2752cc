"""Who works at the desk, written and read. Every change is an audit event with the name of who made it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, select, update

from tickets.model import AuditEvent
from tickets.people import Person, Role, Token
from tickets.store.errors import Conflict
from tickets.store.schema_people import people, tokens
from tickets.store.work import Work


class People:
    """What one transaction may do with people and their tokens."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, person: Person, actor: str) -> None:
        """Adds somebody. Conflict when the name is taken."""
        if person_named(self._work.connection, person.name) is not None:
            raise Conflict(f"there is already a {person.name}")
        values = msgspec.structs.asdict(person) | {"organisations": _listed(person.organisations)}
        self._work.connection.execute(insert(people).values(**values))
        self._note(actor, "person.added", person.name, role=person.role, organisations=list(person.organisations))

    def set_role(self, name: str, role: Role, organisations: Sequence[str], actor: str) -> None:
        """Gives another role or other organisations. LookupError when nobody has the name."""
        self._change(name, role=role, organisations=_listed(organisations))
        self._note(actor, "person.role", name, role=role, organisations=list(organisations))

    def set_password(self, name: str, password_hash: str, actor: str) -> None:
        """Replaces the password. LookupError when nobody has the name."""
        self._change(name, password_hash=password_hash)
        self._note(actor, "person.password", name)

    def disable(self, name: str, actor: str) -> None:
        """Locks somebody out, with every token. LookupError when nobody has the name."""
        self._change(name, disabled_at=self._work.now)
        self._work.connection.execute(
            update(tokens)
            .where(tokens.c.person == name, tokens.c.revoked_at.is_(None))
            .values(revoked_at=self._work.now)
        )
        self._note(actor, "person.disabled", name)

    def add_token(self, token: Token, actor: str) -> None:
        """Adds a token for somebody who may work. LookupError when nobody has the name or it is disabled."""
        found = person_named(self._work.connection, token.person)
        if found is None or found.disabled_at is not None:
            raise LookupError(f"there is no active {token.person}")
        self._work.connection.execute(insert(tokens).values(**msgspec.structs.asdict(token)))
        self._note(actor, "token.added", token.person, token=token.id, label=token.label)

    def revoke(self, token_id: str, actor: str) -> None:
        """Makes a token worthless. LookupError when there is none that counts."""
        found = self._work.connection.execute(
            update(tokens)
            .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
            .values(revoked_at=self._work.now)
        ).rowcount
        if not found:
            raise LookupError(f"there is no token {token_id} that counts")
        self._note(actor, "token.revoked", None, token=token_id)

    def _change(self, name: str, **values: Any) -> None:
        if not self._work.connection.execute(update(people).where(people.c.name == name).values(**values)).rowcount:
            raise LookupError(f"there is no {name}")

    def _note(self, actor: str, type_: str, name: str | None, **data: Any) -> None:
        said = ({} if name is None else {"person": name}) | data
        self._work.audit.append(AuditEvent(at=self._work.now, actor=actor, type=type_, complaint_id=None, data=said))


def person_named(connection: Connection, name: str) -> Person | None:
    """Somebody by name, also when disabled."""
    found = _people(connection, select(people).where(people.c.name == name))
    return found[0] if found else None


def everybody(connection: Connection) -> list[Person]:
    """Everybody, by name."""
    return _people(connection, select(people).order_by(people.c.name))


def tokens_of(connection: Connection, name: str | None = None) -> list[Token]:
    """The tokens of one person or of all, the oldest first, also those that do not count any more."""
    statement = select(tokens).order_by(tokens.c.created_at, tokens.c.id)
    if name is not None:
        statement = statement.where(tokens.c.person == name)
    return _tokens(connection, statement)


def bearer(connection: Connection, token_id: str, secret: str, now: datetime) -> Person | None:
    """Who a token speaks for; None when it does not count, is not there, or its person was locked out."""
    found = _tokens(connection, select(tokens).where(tokens.c.id == token_id))
    if not found or not found[0].valid(secret, now):
        return None
    person = person_named(connection, found[0].person)
    return person if person is not None and person.disabled_at is None else None


def _people(connection: Connection, statement: Select[Any]) -> list[Person]:
    return [
        Person(**{**row._mapping, "organisations": tuple(msgspec.json.decode(row.organisations))})
        for row in connection.execute(statement)
    ]


def _tokens(connection: Connection, statement: Select[Any]) -> list[Token]:
    return [Token(**{**row._mapping, "secret_hash": bytes(row.secret_hash)}) for row in connection.execute(statement)]


def _listed(organisations: Sequence[str]) -> str:
    return msgspec.json.encode(list(organisations)).decode()
