"""Refuses to run when one of our plainly named packages is somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("connectors", "gateway", "normalizer", "receipts", "simulator", "tickets", "web")


def problem(find: Callable[[str], ModuleSpec | None] = find_spec) -> str | None:
    """Why this installation must not run (a package is missing or lies apart from the others), or None.

    `connectors`, `normalizer`, `receipts` and `tickets` are also names of other people's packages, and pip overwrites
    silently.
    """
    places: dict[Path, list[str]] = {}
    for name in PACKAGES:
        spec = find(name)
        if spec is None or spec.origin is None:
            return f"the package `{name}` is missing: install aduan again, into an environment of its own"
        places.setdefault(Path(spec.origin).resolve().parent.parent, []).append(name)
    if len(places) == 1:
        return None
    found = "; ".join(f"{', '.join(names)} in {place}" for place, names in places.items())
    return (
        f"our packages lie in {len(places)} folders ({found}): another package has the name of one of ours. "
        "Install aduan into an environment of its own"
    )
