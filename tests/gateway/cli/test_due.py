"""The worked dates, asked of the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config" / "demo.yaml"
POLICIES = ROOT / "config" / "policies"
Run = Callable[..., Any]
COLD = """
import sys
from gateway.cli import main
try:
    main()
finally:
    print(sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def dates(year: int, text: str) -> list[str]:
    """The dates of "3: 3-6 9; 4: 1" in a year."""
    found = []
    for month in text.split(";"):
        number, days = month.split(":")
        for span in days.split():
            first, _, last = span.partition("-")
            found += [date(year, int(number), day).isoformat() for day in range(int(first), int(last or first) + 1)]
    return found


def ask(run: Run, policy: object, words: Sequence[str]) -> Any:
    answer = run("due", "--config", CONFIG, "--json", "--policy", policy, *words)
    assert answer.code == 0, answer.err
    return answer.json


def changed(folder: Path, policy: str, old: str, new: str) -> Path:
    """A policy file with one value of the operator's own."""
    text = (POLICIES / f"{policy}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / f"{policy}.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "due", "counted"),
    [
        pytest.param("whatsapp 2026-01-05T10:00", "2026-01-08", "1: 6-8", id="case 1"),
        pytest.param("whatsapp 2026-01-09T16:59", "2026-01-14", "1: 12-14", id="case 2"),
        pytest.param("email 2026-01-10T10:00", "2026-01-14", "1: 12-14", id="case 3"),
        pytest.param("email 2026-01-15T23:30", "2026-01-21", "1: 19-21", id="case 4"),
        pytest.param("email 2026-01-15T16:30Z", "2026-01-21", "1: 19-21", id="case 4 in UTC"),
        pytest.param("phone 2026-01-10T10:00", "2026-01-15", "1: 13-15", id="case 5"),
    ],
)
def test_k7_first_answer(run: Run, words: str, due: str, counted: str) -> None:
    channel, received = words.split()
    found = ask(run, "klikacc", ["--channel", channel, "--received", received])
    assert found["first_response"]["due"] == due
    assert found["first_response"]["counted"] == dates(2026, counted)


def test_k10_case_6_written_20_working_days(run: Run, tmp_path: Path) -> None:
    words = ["--channel", "email", "--received", "2026-03-02T10:00"]
    found = ask(run, "klikacc", words)["resolve"]
    assert found["due"] == "2026-04-07"
    assert found["counted"] == dates(2026, "3: 3-6 9-13 16 17 25-27 30 31; 4: 1 2 6 7")
    named = [skip["date"] for skip in found["skipped"] if skip["reason"] != "weekend"]
    assert named == dates(2026, "3: 18-20 23 24; 4: 3")
    strict = changed(tmp_path, "klikacc", "joint_leave: non_working", "joint_leave: working")
    assert ask(run, strict, words)["resolve"]["due"] == "2026-03-31"


def test_a10_case_8_single_unit_over_eid(run: Run, tmp_path: Path) -> None:
    words = ["--channel", "email", "--received", "2025-03-27T09:00", "--complete", "2025-03-27T09:00"]
    found = ask(run, "akseleran", words)["resolve"]
    assert (found["due"], found["counted"]) == ("2025-04-09", dates(2025, "4: 8 9"))
    strict = changed(tmp_path, "akseleran", "joint_leave: non_working", "joint_leave: working")
    assert ask(run, strict, words)["resolve"]["counted"] == ["2025-03-28", "2025-04-02"]


@pytest.mark.parametrize(
    ("tier", "due"),
    [pytest.param("cross_unit", "2026-06-22", id="case 9"), pytest.param("single_unit", "2026-06-18", id="case 10")],
)
def test_a8_a10_clocks_start_when_the_documents_are_complete(run: Run, tier: str, due: str) -> None:
    asked = ["--requested", "2026-06-08T11:00", "--complete", "2026-06-15T14:00", "--tier", tier]
    found = ask(run, "akseleran", ["--channel", "web_form", "--received", "2026-06-08T10:00", *asked])
    assert found["resolve"]["due"] == due
    assert found["first_response"]["due"] == "2026-06-18"


def test_a21_case_11_documents_never_come(run: Run) -> None:
    asked = ["--requested", "2026-06-08T11:00"]
    found = ask(run, "akseleran", ["--channel", "web_form", "--received", "2026-06-08T10:00", *asked])["documents"]
    assert (found["due"], found["extended"]["due"], found["reject_from"]) == ("2026-06-23", "2026-07-07", "2026-07-08")


def test_k9_case_12_an_oral_case_turns_written(run: Run) -> None:
    turned = ["--answered", "2026-05-11T10:10", "--written-since", "2026-05-25T10:00", "--documents", "yes"]
    found = ask(run, "klikacc", ["--channel", "phone", "--received", "2026-05-11T10:00", *turned])["resolve"]
    assert (found["track"], found["due"]) == ("written", "2026-06-26")
    assert found["counted"] == dates(2026, "5: 26 29; 6: 2-5 8-12 15 17-19 22-26")


def test_k8_an_oral_case_counts_from_its_answer(run: Run) -> None:
    words = ["--channel", "phone", "--received", "2026-01-05T10:00"]
    assert ask(run, "klikacc", words)["resolve"]["due"] is None
    assert ask(run, "klikacc", [*words, "--answered", "2026-01-06T10:00"])["resolve"]["due"] == "2026-01-13"


def test_u5_case_13_a_question(run: Run, tmp_path: Path) -> None:
    words = ["--channel", "email", "--received", "2025-08-14T10:00", "--kind", "information"]
    found = ask(run, "klikumkm", words)
    assert found["first_response"] is None
    assert (found["resolve"]["earliest"], found["resolve"]["due"]) == ("2025-08-15", "2025-08-19")
    strict = changed(tmp_path, "klikumkm", "joint_leave: non_working", "joint_leave: working")
    assert ask(run, strict, words)["resolve"]["due"] == "2025-08-18"


@pytest.mark.parametrize(
    ("effect", "due"), [("none", "2026-10-05"), ("pause", "2026-10-14"), ("start_on_complete", "2026-10-19")]
)
def test_r9_case_16_what_a_request_for_documents_does(run: Run, tmp_path: Path, effect: str, due: str) -> None:
    policy = changed(tmp_path, "klikacc", "clock: none", f"clock: {effect}")
    asked = ["--requested", "2026-09-10T10:00", "--complete", "2026-09-21T10:00"]
    found = ask(run, policy, ["--channel", "email", "--received", "2026-09-07T10:00", *asked])
    assert found["resolve"]["due"] == due


def test_people_read_indonesian_first(run: Run) -> None:
    words = ["--policy", "klikacc", "--channel", "whatsapp", "--received", "2026-01-05T10:00"]
    answer = run("due", "--config", CONFIG, *words)
    assert answer.code == 0
    assert "Jawaban pertama / first response: Kamis 2026-01-08" in answer.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--channel", "whatsap"], "did you mean `whatsapp`?"),
        (["--kind", "complain"], "did you mean `complaint`?"),
        (["--tier", "crossunit"], "did you mean `cross_unit`?"),
        (["--received", "yesterday"], "is no ISO time"),
        (["--policy", "nobody"], "akseleran"),
        (["--form", "sung"], "--form"),
        (["--channel", "phone", "--received", "2026-01-05"], "give the time of day too"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_meant(run: Run, words: list[str], says: str) -> None:
    good = {"--policy": "klikacc", "--channel": "whatsapp", "--received": "2026-01-05T10:00"}
    given = good | dict(zip(words[::2], words[1::2], strict=True))
    answer = run("due", "--config", CONFIG, *[word for pair in given.items() for word in pair])
    assert answer.code == 2
    assert says in answer.err


def test_a_year_without_calendar_is_a_bad_answer(run: Run) -> None:
    words = ["--policy", "klikacc", "--channel", "email", "--received", "2031-01-05T10:00"]
    answer = run("due", "--config", CONFIG, *words)
    assert answer.code == 1
    assert "2031" in answer.err


def test_a_broken_policy_is_a_bad_answer(run: Run, tmp_path: Path) -> None:
    broken = changed(tmp_path, "klikacc", "prefix: KLA", "prefix: 7")
    answer = run("due", "--config", CONFIG, "--policy", broken, "--channel", "email", "--received", "2026-01-05")
    assert answer.code == 1
    assert "prefix" in answer.err


def test_deadlines_start_cold_without_server_providers_and_database() -> None:
    words = ["due", "--policy", "klikacc", "--channel", "whatsapp", "--received", "2026-01-05T10:00", "--json"]
    environ = {name: value for name, value in os.environ.items() if name not in {"ADUAN_CONFIG"}}
    done = subprocess.run(
        [sys.executable, "-c", COLD, *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["first_response"]["due"] == "2026-01-08"
    heavy = {"aiohttp", "sqlalchemy", "alembic", "connectors", "simulator", "web", "twilio", "telegram", "tweepy"}
    loaded = set(done.stderr.strip().strip("[]").replace("'", "").split(", "))
    assert "tickets" in loaded
    assert not heavy & loaded
