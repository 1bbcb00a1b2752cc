"""Worked dates that need more than a complaint's arrival: extensions and reports, asked of the real command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[3] / "config" / "demo.yaml"
Run = Callable[..., Any]
WRITTEN = ("due", "--config", CONFIG, "--policy", "klikacc", "--channel", "email", "--received", "2026-03-02T10:00")


def test_k11_r7_case_7_an_extension_counts_from_the_old_due_date(run: Run) -> None:
    answer = run(*WRITTEN, "--json", "--extended", "2026-04-07T16:00")
    assert answer.code == 0, answer.err
    assert answer.json["resolve"]["due"] == "2026-05-06"
    assert answer.json["resolve"]["counted"][-3:] == ["2026-05-04", "2026-05-05", "2026-05-06"]
    assert {"date": "2026-05-01", "reason": "Hari Buruh Internasional"} in answer.json["resolve"]["skipped"]


@pytest.mark.parametrize(
    ("notices", "rule"),
    [
        pytest.param(["2026-04-08T09:00"], "(R7)", id="a day late"),
        pytest.param(["2026-04-07T16:00", "2026-05-06T09:00"], "extend.times", id="a second time"),
    ],
)
def test_k11_case_7_what_is_refused_names_its_rule(run: Run, notices: list[str], rule: str) -> None:
    answer = run(*WRITTEN, *(word for notice in notices for word in ("--extended", notice)))
    assert answer.code == 1
    assert rule in answer.err


@pytest.mark.parametrize(
    ("period", "due"),
    [
        ("2025-Q4", "2026-01-12"), ("2026-Q1", "2026-04-10"), ("2026-Q2", "2026-07-10"), ("2025-Q1", "2025-04-10"),
        ("2025-12", "2026-01-15"), ("2026-02", "2026-03-13"), ("2026-03", "2026-04-15"), ("2026-05", "2026-06-15"),
    ],
)  # fmt: skip
def test_k18_k20_cases_14_and_15_reports(run: Run, period: str, due: str) -> None:
    answer = run("report", "calendar", "--config", CONFIG, "--policy", "klikacc", "--period", period, "--json")
    assert answer.code == 0, answer.err
    assert [(each["period"], each["due"]) for each in answer.json] == [(period, due)]


def test_a23_a_policy_without_dates_says_so(run: Run) -> None:
    answer = run("report", "calendar", "--config", CONFIG, "--policy", "akseleran", "--period", "2026-Q1")
    assert answer.code == 0
    assert "states no date" in answer.out
