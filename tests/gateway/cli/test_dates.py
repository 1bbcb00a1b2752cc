"""`aduan tickets dates`, and what the regulatory profile says of a complaint: both only tell, nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from desk_at_work import DeskAtWork

Run = Callable[..., Any]
#: The calendar of 2026 after a decree that adds 9 January.
DECREE = """\
calendar: id_national
year: 2026
version: "2"
source: a decree
read_on: 2026-01-06
days:
  - {date: 2026-01-01, name: Tahun Baru, kind: holiday}
  - {date: 2026-01-07, name: Hari tambahan, kind: holiday}
"""


@pytest.fixture
def number(tmp_path: Path) -> str:
    """One complaint of Monday, 5 January 2026, in the store of the configuration that the commands read."""
    desk = DeskAtWork(tmp_path)
    number = desk.whatsapp("klikacc", "6281234567890", "Saldo saya terpotong dua kali.")
    desk.close()
    return number


def test_r6_nothing_differs_under_the_calendar_that_promised(run: Run, config: Path, number: str) -> None:
    answer = run("tickets", "dates", "--config", config)
    assert answer.code == 0
    assert "0 dates of 1 tickets would differ, none was changed" in answer.out
    assert number not in answer.out


def test_r6_another_calendar_file_would_give_other_dates(run: Run, config: Path, number: str, tmp_path: Path) -> None:
    decree = tmp_path / "id-2026.yaml"
    decree.write_text(DECREE)
    found = run("tickets", "dates", "--calendar", decree, "--json", "--config", config).json
    first = next(each for each in found["moved"] if each["clock"] == "first_response")
    assert first["ticket_number"] == number
    assert (first["promised"], first["otherwise"]) == ("2026-01-08", "2026-01-09")
    assert found["tickets"] == 1
    told = run("tickets", "dates", "--calendar", decree, "--config", config)
    assert number in told.out
    assert "2026-01-09" in told.out
    again = run("tickets", "show", number, "--json", "--config", config).json
    assert again["ticket"]["first_response_due"] == "2026-01-08"
    assert again["ticket"]["life"]["promised"]["first_response"]["due"] == "2026-01-08"


def test_only_the_tickets_of_one_organisation(run: Run, config: Path, number: str) -> None:
    assert run("tickets", "dates", "--organisation", "akseleran", "--json", "--config", config).json["tickets"] == 0
    assert run("tickets", "dates", "--organisation", "klikacc", "--json", "--config", config).json["tickets"] == 1
    wrong = run("tickets", "dates", "--organisation", "nobody", "--config", config)
    assert wrong.code == 2
    assert "akseleran" in wrong.err


def test_g11_d3_the_profile_warns_about_a_ticket_and_moves_nothing(run: Run, config: Path, number: str) -> None:
    """POJK 22/2023 gives 10 working days where KlikACC's page promises 20 (K10)."""
    answer = run("tickets", "show", number, "--config", config)
    assert "ojk_2023: penyelesaian / resolution 2026-01-20" in answer.out
    assert "our promise is later: 2026-02-03" in answer.out


@pytest.mark.parametrize(
    ("policy", "words", "due", "exceeds"),
    [
        ("klikacc", (), date(2026, 1, 20), True),
        ("akseleran", ("--complete", "2026-01-05T10:00"), date(2026, 1, 20), False),
        ("klikacc", ("--extended", "2026-02-02T10:00"), date(2026, 2, 3), True),
    ],
)
def test_g11_what_the_profile_gives_beside_a_promise(
    run: Run, config: Path, policy: str, words: tuple[str, ...], due: date, exceeds: bool
) -> None:
    given = ("--policy", policy, "--channel", "email", "--received", "2026-01-05T10:00", *words)
    found = run("due", *given, "--json", "--config", config).json["regulatory_profile"]
    assert [(each["clock"], each["due"], each["exceeds"]) for each in found] == [("resolve", due.isoformat(), exceeds)]
    told = run("due", *given, "--config", config).out
    assert ("! ojk_2023" in told) is exceeds


def test_g11_a_spoken_complaint_has_5_days_from_receipt(run: Run, config: Path) -> None:
    given = ("--policy", "klikacc", "--channel", "phone", "--received", "2026-01-05T10:00")
    (found,) = run("due", *given, "--answered", "2026-01-08T10:00", "--json", "--config", config).json[
        "regulatory_profile"
    ]
    assert (found["due"], found["promised"], found["exceeds"]) == ("2026-01-12", "2026-01-15", True)
