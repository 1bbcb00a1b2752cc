"""Finds every connector: a folder beside this file, or an entry point `aduan.connectors` of another package."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.contract import Spec
from connectors.errors import Misconfigured

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "aduan.connectors"


def kinds() -> list[str]:
    """Names of every connector that is installed, ours first, each group sorted."""
    here = Path(__file__).parent
    ours = sorted(p.parent.name for p in here.glob("*/facts.yaml"))
    theirs = sorted(e.name for e in _offered() if e.name not in ours)
    return ours + theirs


def find(kind: str) -> Spec:
    """The connector named `kind`; its libraries are imported only now. Raises Misconfigured when there is none."""
    if (Path(__file__).parent / kind / "facts.yaml").is_file() and kind.isidentifier():
        spec = importlib.import_module(f"connectors.{kind}").CONNECTOR
    else:
        found = [e for e in _offered() if e.name == kind]
        if not found:
            raise Misconfigured(f"no connector {kind!r}; there are: {', '.join(kinds())}")
        if len(found) > 1:
            raise Misconfigured(f"{len(found)} packages offer a connector {kind!r}; remove all but one")
        spec = found[0].load()
    if not isinstance(spec, Spec):
        raise Misconfigured(f"connector {kind!r} ends with {type(spec).__name__}, not with a Spec")
    return spec


def _offered() -> list[EntryPoint]:
    """What other packages offer. Reads the metadata of every package that is installed, so only when ours end."""
    from importlib.metadata import entry_points

    return list(entry_points(group=GROUP))
