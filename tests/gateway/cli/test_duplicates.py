"""`aduan duplicates`: what is proposed is shown and decided, over a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desk_at_work import STORY, DeskAtWork
from tickets.matching import Match

Run = Callable[..., Any]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskAtWork]:
    """A store with complaints, of an installation whose server is not running."""
    desk = DeskAtWork(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def duplicates(run: Run, desk: DeskAtWork) -> Run:
    """Runs `aduan duplicates ...` for it."""
    return lambda *words: run("duplicates", *words, "--config", desk.config)


def write(desk: DeskAtWork, kind: str = "same") -> tuple[str, str]:
    """The numbers of an older and a newer complaint that are proposed as belonging together."""
    numbers = tuple(desk.whatsapp("klikacc", f"62812345670{place}", STORY) for place in range(2))
    older, newer = (desk.view(number).complaint.complaint_id for number in numbers)
    match = Match(complaint_id=newer, other_id=older, shared=("phone",), likeness=0.8, words=("dana",))
    with desk.store.begin() as tx:
        tx.proposals.propose("P1", kind, "klikacc", match)  # type: ignore[arg-type]  # one of its words
    return numbers[0], numbers[1]


def test_what_is_proposed_is_shown_with_what_speaks_for_it(desk: DeskAtWork, duplicates: Run) -> None:
    older, newer = write(desk)
    found = duplicates("list", "--json").json
    assert [(each["number"], each["other"], each["shared"]) for each in found] == [(newer, older, ["phone"])]
    shown = duplicates("list").out
    assert "80%" in shown
    assert "phone, dana" in shown


def test_a11_confirmed_on_the_command_line(desk: DeskAtWork, duplicates: Run) -> None:
    older, newer = write(desk)
    assert duplicates("confirm", "P1", "--actor", "rina").code == 0
    assert desk.view(newer).ticket.ticket_number == older
    assert duplicates("list", "--json").json == []


def test_refused_on_the_command_line(desk: DeskAtWork, duplicates: Run) -> None:
    _, newer = write(desk)
    assert duplicates("refuse", "P1", "--actor", "rina").out == "P1: ditolak / refused\n"
    assert desk.view(newer).ticket.ticket_number == newer
    assert [each["state"] for each in duplicates("list", "--decided", "--json").json] == ["refused"]
    assert duplicates("confirm", "P1").code == 1


def test_a_mass_event_is_grouped_and_answered_together(desk: DeskAtWork, duplicates: Run, run: Run) -> None:
    first, second = write(desk, "crowd")
    assert duplicates("group", first, second, "--actor", "rina").code == 0
    words = ("first_response", "text=Sedang diperbaiki.", "--group", "--actor", "rina", "--config", desk.config)
    found = run("tickets", "do", first, *words)
    assert found.out == f"{first}: first_response -> in_progress\n{second}: first_response -> in_progress\n"
    assert run("tickets", "do", first, *words).code == 1
    assert run("tickets", "do", first, *words, "--dry-run").code == 2


def test_what_does_not_exist_is_said(duplicates: Run, desk: DeskAtWork) -> None:
    older, newer = write(desk)
    assert "there is no proposal" in duplicates("confirm", "P9").err
    found = duplicates("group", "KLA-20260105-999999-0", newer)
    assert found.code == 1
    assert "There is no ticket" in found.out
    assert duplicates("group", older, older).code == 1
