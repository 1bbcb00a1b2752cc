"""Plain package names are safe only with a guard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gateway.cli import guard

ROOT = Path(__file__).parents[3]
START = "from gateway.cli import main; main()"


def start(*words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", START, *words], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_all_packages_of_this_installation_lie_together() -> None:
    assert guard.problem() is None


def test_a_package_of_somebody_else_keeps_us_from_starting(tmp_path: Path) -> None:
    (tmp_path / "tickets").mkdir()
    (tmp_path / "tickets" / "__init__.py").write_text("", encoding="utf-8")
    done = start("schema", "complaint", path=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "tickets in " in done.stderr
    assert "into an environment of its own" in done.stderr


def test_a_missing_package_keeps_us_from_starting() -> None:
    assert "`connectors` is missing" in (guard.problem(lambda _: None) or "")


def test_the_console_script_starts() -> None:
    done = start("--help")
    assert done.returncode == 0
    for command in ("serve", "check", "init", "channels", "due", "inbox", "tickets", "receipt", "verify", "schema"):
        assert command in done.stdout
