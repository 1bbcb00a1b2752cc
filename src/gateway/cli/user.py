"""`aduan user`: people of the desk, and the tokens with which their programs come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, store_in
from gateway.cli.words import one_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tickets.store import Store, Transaction

app = typer.Typer(no_args_is_help=True, help="People of the desk.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits, dots and hyphens.")]
Role = Annotated[
    Literal["auditor", "agent", "supervisor", "admin"],
    typer.Option(help="auditor reads; agent handles; supervisor also rejects, pays and holds; admin does everything."),
]
Organisations = Annotated[
    list[str] | None, typer.Option("--organisation", metavar="O", help="May be repeated; without it, all of them.")
]


@app.command()
def add(
    name: Name, role: Role = "agent", organisation: Organisations = None, config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Add somebody. A password is set with `passwd`, a program's token with `token`."""
    from tickets.people import NAME, Person
    from tickets.store import Conflict

    if not NAME.match(name):
        raise typer.BadParameter("use lower-case letters, digits, dots and hyphens, beginning with a letter")
    with store_in(data_dir_at(config)) as store, _write(store) as (tx, actor):
        chosen = _known(config, organisation)
        from datetime import UTC, datetime

        person = Person(name=name, role=role, organisations=chosen, created_at=datetime.now(UTC))
        try:
            tx.people.add(person, actor)
        except Conflict:
            fail(f"there is already a {name}: `aduan user role` changes what they may do")
    say(f"{name}: {role}, {_whose(chosen)}")


@app.command()
def role(name: Name, role: Role, organisation: Organisations = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Give somebody another role, and the organisations to which it applies."""
    with store_in(data_dir_at(config)) as store, _write(store) as (tx, actor):
        chosen = _known(config, organisation)
        tx.people.set_role(name, role, chosen, actor)
    say(f"{name}: {role}, {_whose(chosen)}")


@app.command()
def passwd(
    name: Name,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input, for programs.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Set somebody's password; it is asked for, never given on the command line."""
    import sys

    from tickets.people import hash_password, password_problem

    with store_in(data_dir_at(config)) as store:
        if store.person(name) is None:
            fail(f"there is no {name}: `aduan user list` names everybody")
        given = (
            sys.stdin.readline().rstrip("\n")
            if stdin
            else typer.prompt("Kata sandi / password", hide_input=True, confirmation_prompt=True)
        )
        problem = password_problem(name, given)
        if problem:
            fail(problem)
        with _write(store) as (tx, actor):
            tx.people.set_password(name, hash_password(given), actor)
    say(f"{name}: kata sandi diganti / the password is set")


@app.command()
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="Which program it is for.")],
    days: Annotated[int | None, typer.Option(min=1, help="It ends after so many days.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a bearer token for a program that works for somebody. It is shown once and cannot be read again."""
    from datetime import UTC, datetime

    from tickets.people import new_token

    now = datetime.now(UTC)
    made, secret = new_token(name, label, now=now, expires_at=now + timedelta(days=days) if days else None)
    with store_in(data_dir_at(config)) as store, _write(store) as (tx, actor):
        tx.people.add_token(made, actor)
    if json:
        as_json({"id": made.id, "token": secret, "expires_at": made.expires_at})
    else:
        say(secret)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN-ID", help="As `aduan user list` shows it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a token worthless at once."""
    with store_in(data_dir_at(config)) as store, _write(store) as (tx, actor):
        tx.people.revoke(token_id, actor)
    say(f"{token_id}: dicabut / revoked")


@app.command()
def disable(name: Name, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Lock somebody out, with all their tokens; what they did stays theirs."""
    with store_in(data_dir_at(config)) as store, _write(store) as (tx, actor):
        tx.people.disable(name, actor)
    say(f"{name}: dinonaktifkan / locked out")


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Everybody, with role, organisations and the tokens that count."""
    with store_in(data_dir_at(config)) as store:
        everybody, tokens = store.people(), store.tokens()
    if json:
        as_json(
            [
                {
                    "name": person.name,
                    "role": person.role,
                    "organisations": person.organisations,
                    "created_at": person.created_at,
                    "disabled_at": person.disabled_at,
                    "has_password": person.password_hash is not None,
                    "tokens": [
                        {"id": each.id, "label": each.label, "expires_at": each.expires_at}
                        for each in tokens
                        if each.person == person.name and each.revoked_at is None
                    ],
                }
                for person in everybody
            ]
        )
        return
    table(
        ("name", "role", "organisations", "since (WIB)", "tokens"),
        [
            (
                person.name,
                person.role if person.disabled_at is None else "-",
                _whose(person.organisations),
                wib(person.created_at),
                ", ".join(f"{t.id} ({t.label})" for t in tokens if t.person == person.name and t.revoked_at is None),
            )
            for person in everybody
        ],
    )


def _write(store: Store) -> AbstractContextManager[tuple[Transaction, str]]:
    from contextlib import contextmanager

    from gateway.cli.entering import login_name

    @contextmanager
    def begin() -> Iterator[tuple[Transaction, str]]:
        try:
            with store.begin() as tx:
                yield tx, login_name()
        except LookupError as error:
            fail(f"{error.args[0]}: `aduan user list` shows what there is")

    return begin()


def _known(config: Path, given: list[str] | None) -> tuple[str, ...]:
    """The slugs that were given, or every organisation. Ends the command for one that is not configured."""
    from tickets.people import EVERY
    from tickets.yaml_lines import read_document

    if not given:
        return (EVERY,)
    data = read_document(config).data
    slugs = tuple(data.get("organisations", {}) if isinstance(data, dict) else ())
    for slug in given:
        one_of(slug, slugs, "--organisation")
    return tuple(dict.fromkeys(given))


def _whose(organisations: tuple[str, ...]) -> str:
    return "semua / all" if "*" in organisations else ", ".join(organisations)
