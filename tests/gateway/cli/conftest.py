"""The command line as a person uses it: real files, a real store, no variables of the surrounding shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from harness import write_config


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `aduan` with these words in this process."""
    for name in ("HOST", "PORT", "DATA_DIR", "ADUAN_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def command(*words: object, given: str = "") -> Answer:
        result = CliRunner().invoke(app, [str(word) for word in words], input=given, catch_exceptions=False)
        return Answer(result.exit_code, result.stdout, result.stderr)

    return command


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of three institutions whose server is not running."""
    return write_config(tmp_path)
