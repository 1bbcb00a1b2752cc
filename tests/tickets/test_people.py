"""Who may see and do what at the desk, and what proves who somebody is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    Accepted,
    ClockPassed,
    DocumentsPresumed,
    DocumentsWindowExtended,
    Event,
    FirstResponse,
    HoldLifted,
    HoldSet,
    ObjectionRejected,
    Rejected,
    Responded,
    SilenceExpired,
)
from tickets.people import (
    Person,
    Role,
    hash_password,
    new_token,
    password_matches,
    password_problem,
    read_token,
)
from tickets.store import Conflict, Store

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
ANSWER = FirstResponse(text="Kami sedang memeriksa.")
OFFER = Responded(kind="offer", finding="fault", text="Kami mengganti.", remedies=("compensation",), compensation_idr=1)
REJECTION = Rejected(ground="unrelated", reasons="x" * 30)


def person(role: Role = "agent", *organisations: str) -> Person:
    return Person(name="rina", role=role, organisations=organisations or ("*",), created_at=NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}", clock=lambda: NOW)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("event", "roles"),
    [
        (ANSWER, {"agent", "supervisor", "admin"}),
        (Accepted(oral=True), {"agent", "supervisor", "admin"}),
        (Responded(kind="explanation", finding="no_fault", text="x"), {"agent", "supervisor", "admin"}),
        (OFFER, {"supervisor", "admin"}),
        (REJECTION, {"supervisor", "admin"}),
        (ObjectionRejected(reasons="x" * 30), {"supervisor", "admin"}),
        (HoldSet(reason="court"), {"supervisor", "admin"}),
        (HoldLifted(), {"supervisor", "admin"}),
        (ClockPassed(clock="resolve", mark="breached", percent=100), set()),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, set) else "",
)
def test_a_role_may_what_it_may(event: Event, roles: set[str]) -> None:
    every: tuple[Role, ...] = ("auditor", "agent", "supervisor", "admin")
    assert {role for role in every if person(role).may(event, "klikacc")} == roles


def test_the_clock_speaks_for_itself() -> None:
    events = (
        SilenceExpired(),
        DocumentsWindowExtended(),
        DocumentsPresumed(),
        ClockPassed(clock="resolve", mark="breached", percent=100),
    )
    assert {type(each) for each in events} == set(BY_THE_CLOCK)
    assert not any(person("admin").may(each, "klikacc") for each in events)


def test_another_organisation_is_nobodys_business() -> None:
    agent = person("admin", "klikacc")
    assert agent.sees("klikacc")
    assert not agent.sees("akseleran")
    assert not agent.may(ANSWER, "akseleran")


def test_who_is_locked_out_sees_nothing() -> None:
    gone = Person(name="rina", role="admin", organisations=("*",), created_at=NOW, disabled_at=NOW)
    assert not gone.sees("klikacc")
    assert not gone.may(ANSWER, "klikacc")


def test_a_password_matches_itself_and_nothing_else() -> None:
    kept = hash_password("kuda hijau di atap rumah")
    somebody = Person(name="rina", role="agent", organisations=("*",), created_at=NOW, password_hash=kept)
    assert "kuda" not in kept
    assert hash_password("kuda hijau di atap rumah") != kept
    assert password_matches(somebody, "kuda hijau di atap rumah")
    assert not password_matches(somebody, "kuda hijau di atap rumah ")
    assert not password_matches(None, "")
    assert not password_matches(person(), "")


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("kuda hijau di atap", True),
        ("pendek", False),
        ("a" * 15, False),
        ("ababababababababab", False),
        ("rina-dan-teman-teman", False),
        ("RINA dan teman-teman", False),
        ("kata " * 60, False),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str, good: bool) -> None:
    said = password_problem("rina", password)
    assert (said is None) is good
    assert said is None or " / " in said


def test_a_token_is_its_secret_until_it_ends() -> None:
    token, text = new_token("rina", "laporan", now=NOW, expires_at=NOW + timedelta(days=1))
    read = read_token(text)
    assert read is not None
    id_, secret = read
    assert id_ == token.id
    assert secret.encode() not in token.secret_hash
    assert token.valid(secret, NOW)
    assert not token.valid(secret, NOW + timedelta(days=1))
    assert not token.valid(secret[:-1] + ("A" if secret[-1] != "A" else "B"), NOW)


@pytest.mark.parametrize(
    "text", ["", "adn_", "adn_0123456789abcdef_short", "Bearer x", "adn_" + "g" * 16 + "_" + "a" * 43]
)
def test_what_cannot_be_a_token_is_none(text: str) -> None:
    assert read_token(text) is None


def test_everything_about_people_is_written_down(store: Store) -> None:
    token, text = new_token("rina", "laporan", now=NOW)
    read = read_token(text)
    assert read is not None
    with store.begin() as tx:
        tx.people.add(person("agent", "klikacc"), "root")
        tx.people.set_password("rina", hash_password("kuda hijau di atap rumah"), "root")
        tx.people.add_token(token, "root")
    found = store.bearer(*read, NOW)
    assert found is not None
    assert (found.name, found.role, found.organisations) == ("rina", "agent", ("klikacc",))
    with store.begin() as tx:
        tx.people.set_role("rina", "supervisor", ("*",), "root")
    assert store.people() == [store.person("rina")]
    with store.begin() as tx:
        tx.people.revoke(token.id, "root")
    assert store.bearer(*read, NOW) is None
    with pytest.raises(LookupError), store.begin() as tx:
        tx.people.revoke(token.id, "root")
    assert store.verify_audit().events == 5


def test_who_is_locked_out_loses_every_token(store: Store) -> None:
    token, text = new_token("rina", "laporan", now=NOW)
    read = read_token(text)
    assert read is not None
    with store.begin() as tx:
        tx.people.add(person(), "root")
        tx.people.add_token(token, "root")
        tx.people.disable("rina", "root")
    assert store.bearer(*read, NOW) is None
    assert [each.revoked_at for each in store.tokens("rina")] == [NOW]
    with pytest.raises(LookupError), store.begin() as tx:
        tx.people.add_token(new_token("rina", "again", now=NOW)[0], "root")


def test_a_name_is_given_once(store: Store) -> None:
    with store.begin() as tx:
        tx.people.add(person(), "root")
    with pytest.raises(Conflict), store.begin() as tx:
        tx.people.add(person("admin"), "root")
    assert [each.role for each in store.people()] == ["agent"]


@pytest.mark.parametrize("change", ["set_role", "set_password", "disable"])
def test_nobody_cannot_be_changed(store: Store, change: str) -> None:
    arguments = {"set_role": ("admin", ("*",)), "set_password": ("hash",), "disable": ()}[change]
    with pytest.raises(LookupError), store.begin() as tx:
        getattr(tx.people, change)("nobody", *arguments, "root")
    assert store.verify_audit().events == 0
