"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.plain import DEFAULT_CONFIG

__all__ = ["DEFAULT_CONFIG", "ConfigOption", "JsonOption"]

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="ADUAN_CONFIG", metavar="PATH", help="The configuration file."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
