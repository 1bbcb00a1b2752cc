"""The generated pages say what the code says today; `make docs` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors import registry
from gateway.config_load import load
from gateway.generate import outputs

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted(path.relative_to(ROOT).as_posix() for path in outputs(ROOT)))
def test_a_generated_file_is_fresh(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == outputs(ROOT)[ROOT / path], f"{path}: run `make docs`"


def test_the_example_shows_every_connector_and_loads() -> None:
    file = ROOT / "config" / "aduan.yaml"
    found = load(file, _environ(file.read_text(encoding="utf-8")))
    assert [channel.spec.kind for channel in found.channels.values()] == registry.kinds()
    assert found.config.environment == "production"


def _environ(example: str) -> dict[str, str]:
    """A value for every variable of the example: what the connector's own fixtures give for the same key."""
    environ: dict[str, str] = {"ADUAN_PUBLIC_URL": "https://aduan.example.co.id"}
    data: Mapping[str, Any] = YAML(typ="safe", pure=True).load(example)
    for channel in data["channels"].values():
        settings = json.loads((ROOT / "tests" / "fixtures" / channel["kind"] / "settings.json").read_bytes())
        environ |= _values(channel, settings)
    return environ


def _values(shown: Any, given: Any) -> dict[str, str]:
    if isinstance(shown, dict):
        inner = given if isinstance(given, dict) else {}
        return {k: v for key, value in shown.items() for k, v in _values(value, inner.get(key)).items()}
    if isinstance(shown, list):
        return _values(shown[0], given[0] if isinstance(given, list) and given else None)
    match = re.fullmatch(r"\$\{(\w+)\}", str(shown))
    return {match[1]: str(given) if given is not None else "a-long-enough-value"} if match else {}
