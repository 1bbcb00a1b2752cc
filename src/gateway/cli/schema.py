"""`aduan schema`: JSON Schema of what goes out and of what people type."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json


def schema(
    what: Annotated[Literal["complaint", "config", "policy"], typer.Argument(help="Which schema to print.")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = True,
) -> None:
    """Print the JSON Schema of the complaint as forwarded, of aduan.yaml, or of a policy file."""
    as_json({"complaint": _complaint, "config": config_schema, "policy": _policy}[what]())


def _complaint() -> dict[str, Any]:
    from normalizer.complaint import json_schema

    return json_schema()


def _policy() -> dict[str, Any]:
    from tickets.policy import Policy

    found: dict[str, Any] = {"$schema": _DIALECT, **Policy.model_json_schema(by_alias=True)}
    # What the loader also takes: one word instead of a list of one, a date instead of a named day.
    for key in found["$defs"]["When"]["properties"].values():
        key.get("anyOf", []).extend([choice["items"] for choice in key.get("anyOf", []) if "items" in choice])
    holidays = found["$defs"]["CalendarRule"]["properties"]["extra_holidays"]
    holidays["items"] = {"anyOf": [holidays["items"], {"type": "string", "format": "date"}]}
    return found


def config_schema() -> dict[str, Any]:
    """The schema of aduan.yaml with the settings of every connector that is installed."""
    from connectors import registry
    from gateway.config import Config

    found: dict[str, Any] = {"$schema": _DIALECT, **Config.model_json_schema(by_alias=True)}
    choices = []
    for kind in registry.kinds():
        own = registry.find(kind).settings.model_json_schema(by_alias=True, ref_template=f"#/$defs/{kind}.{{model}}")
        found["$defs"] |= {f"{kind}.{name}": part for name, part in own.pop("$defs", {}).items()}
        own["properties"]["kind"] = {"const": kind, "description": own["properties"]["kind"].get("description", "")}
        found["$defs"][kind] = own
        choices.append({"$ref": f"#/$defs/{kind}"})
    found["properties"]["channels"]["additionalProperties"] = {"oneOf": choices}
    return found


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
