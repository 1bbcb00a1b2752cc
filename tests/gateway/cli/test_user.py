"""`aduan user`: people of the desk and the tokens of their programs, over a real store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.place import data_dir_at
from tickets.people import password_matches, read_token
from tickets.store import Store

Run = Callable[..., Any]
PASSWORD = "kuda hijau di atap rumah"


@pytest.fixture
def file(config: Path) -> Path:
    """The database of an installation whose server ran once."""
    folder = data_dir_at(config)
    folder.mkdir()
    path = folder / "tickets.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def user(run: Run, config: Path, file: Path) -> Run:
    """Runs `aduan user ...` for it."""
    assert file.exists()
    return lambda *words, given="": run("user", *words, "--config", config, given=given)


def kept(file: Path) -> Store:
    return Store.open(f"sqlite:///{file}")


def test_somebody_is_added_changed_and_locked_out(user: Run) -> None:
    assert user("add", "rina", "--organisation", "klikacc").out == "rina: agent, klikacc\n"
    assert user("role", "rina", "--role", "supervisor").out == "rina: supervisor, semua / all\n"
    listed = user("list", "--json").json
    assert [(each["name"], each["role"], each["organisations"]) for each in listed] == [("rina", "supervisor", ["*"])]
    assert user("disable", "rina").code == 0
    assert user("list", "--json").json[0]["disabled_at"] is not None
    assert "password_hash" not in user("list", "--json").out


def test_a_token_is_shown_once_and_counts_until_it_is_revoked(user: Run, file: Path) -> None:
    user("add", "rina")
    shown = user("token", "rina", "--label", "laporan harian", "--days", "30", "--json").json
    read = read_token(shown["token"])
    assert read is not None
    now = datetime.now(UTC)
    store = kept(file)
    assert store.bearer(*read, now) is not None
    assert store.bearer(*read, now + timedelta(days=31)) is None
    assert shown["token"] not in user("list").out
    assert shown["id"] in user("list").out
    assert user("revoke", shown["id"]).code == 0
    assert store.bearer(*read, now) is None
    store.close()
    assert shown["token"].encode() not in file.read_bytes()


def test_a_password_is_asked_for_twice_and_kept_as_a_hash(user: Run, file: Path) -> None:
    user("add", "rina")
    assert user("passwd", "rina", given=f"{PASSWORD}\n{PASSWORD}\n").code == 0
    store = kept(file)
    assert password_matches(store.person("rina"), PASSWORD)
    store.close()
    assert PASSWORD.encode() not in file.read_bytes()
    assert user("passwd", "rina", "--stdin", given=f"{PASSWORD} dan awan\n").code == 0


@pytest.mark.parametrize(
    ("words", "given", "code", "says"),
    [
        (("add", "Rina Dewi"), "", 2, "lower-case letters"),
        (("add", "rina"), "", 1, "there is already a rina"),
        (("add", "budi", "--role", "boss"), "", 2, "'boss' is not one of"),
        (("add", "budi", "--organisation", "klikac"), "", 2, "klikacc"),
        (("role", "budi", "--role", "agent"), "", 1, "there is no budi"),
        (("disable", "budi"), "", 1, "there is no budi"),
        (("passwd", "budi", "--stdin"), PASSWORD, 1, "there is no budi"),
        (("passwd", "rina", "--stdin"), "pendek", 1, "at least 15 characters"),
        (("token", "budi", "--label", "x"), "", 1, "there is no active budi"),
        (("revoke", "0000000000000000"), "", 1, "there is no token"),
    ],
)
def test_what_is_wrong_is_said(user: Run, words: tuple[str, ...], given: str, code: int, says: str) -> None:
    user("add", "rina")
    found = user(*words, given=given)
    assert found.code == code
    assert says in found.err
