"""`aduan serve` and `aduan simulate`: the real process, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from ruamel.yaml import YAML

Run = Callable[..., Any]
START = "from gateway.cli import main; main()"


def start(*words: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"HOST", "PORT", "DATA_DIR"}}
    return subprocess.Popen(
        [sys.executable, "-c", START, *words], env=kept, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def lines_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """What the process printed up to a line with this word."""
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        found.append(line)
        if word in line:
            return found
    raise AssertionError(f"ended with {process.wait()} before it said {word!r}: {found}")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_what_to_try_and_stops_cleanly(config: Path, sent: signal.Signals) -> None:
    public_url = YAML(typ="safe").load(config.read_text(encoding="utf-8"))["public_url"]
    with start("serve", "--config", str(config)) as process:
        try:
            said = lines_until(process, "Try: ")
            assert f"{public_url}/klikacc/" in "".join(said)
            assert said[-2].startswith("Coba: ")
            with urlopen(f"{public_url}/healthz", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(sent)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


def test_simulate_runs_alone(config: Path) -> None:
    port = YAML(typ="safe").load(config.read_text(encoding="utf-8"))["simulator"]["port"]
    with start("simulate", "--weather", "duplicates", "--config", str(config)) as process:
        try:
            said = "".join(lines_until(process, "Webhook: "))
            assert f"http://127.0.0.1:{port}/" in said
            with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("role", ["front", "worker", "pull", "outbox"])
def test_other_roles_need_what_this_version_does_not_have(run: Run, config: Path, role: str) -> None:
    answer = run("serve", "--role", role, "--config", config)
    assert answer.code == 2
    assert "needs the distributed journal" in answer.err


@pytest.mark.parametrize(
    ("words", "says"),
    [(["serve", "--role", "fornt"], "did you mean `front`?"), (["simulate", "--weather", "rain"], "known are calm")],
)
def test_unknown_words_are_wrong_usage(run: Run, config: Path, words: list[str], says: str) -> None:
    answer = run(*words, "--config", config)
    assert answer.code == 2
    assert says in answer.err


def test_a_configuration_with_mistakes_does_not_start(run: Run, config: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("public_url:", "public_ulr:"), encoding="utf-8")
    answer = run("serve", "--config", config)
    assert answer.code == 1
    assert "did you mean `public_url`?" in answer.err
