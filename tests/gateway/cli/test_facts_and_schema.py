"""`aduan channels` and `aduan schema`: printed from facts and from types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.config_load import load

Run = Callable[..., Any]
CONFIG = Path(__file__).parents[3] / "config"


def test_channels_are_described_from_their_facts(run: Run, config: Path) -> None:
    installation = load(config)
    found = {each["id"]: each for each in run("channels", "--json", "--config", config).json}
    assert set(found) == set(installation.channels)
    for id_, channel in installation.channels.items():
        facts = channel.spec.facts
        assert found[id_]["facts"]["max_text"] == facts.max_text.value
        if facts.private_reply.value != "never":
            assert f"{facts.max_text.value:,}" in found[id_]["answers"]
    said = run("channels", "--config", config)
    assert said.code == 0
    assert f"{installation.config.public_url}/in/klikacc-whatsapp" in said.out
    assert f"{installation.config.public_url}/klikacc/" in said.out


@pytest.mark.parametrize("what", ["complaint", "config", "policy"])
def test_schemas_are_schemas(run: Run, what: str) -> None:
    schema = run("schema", what).json
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")


def test_the_demo_and_the_policies_fit_their_schema(run: Run) -> None:
    for what, files in (
        ("config", [CONFIG / "demo.yaml"]),
        ("policy", [CONFIG / "policies" / f"{name}.yaml" for name in ("akseleran", "klikacc", "klikumkm")]),
    ):
        validator = jsonschema.Draft202012Validator(run("schema", what).json)
        for file in files:
            data = json.loads(
                json.dumps(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), default=str)
            )
            assert [error.message for error in validator.iter_errors(data)] == [], file.name


def test_the_schema_of_the_configuration_refuses_what_loading_refuses(run: Run) -> None:
    validator = jsonschema.Draft202012Validator(run("schema", "config").json)
    data = YAML(typ="safe", pure=True).load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    data["channels"]["klikacc-whatsapp"]["fone"] = "x"
    assert list(validator.iter_errors(data))


def test_an_unknown_schema_is_wrong_usage(run: Run) -> None:
    assert run("schema", "complaints").code == 2
