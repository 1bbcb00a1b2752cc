"""Guards of our plain package names, and the import rule that import-linter cannot say with wildcards."""

from __future__ import annotations

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest

PACKAGES = ("connectors", "gateway", "normalizer", "receipts", "simulator", "tickets", "web")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_name_belongs_to_us_alone(package: str) -> None:
    """`connectors`, `normalizer`, `receipts`, `tickets` exist on PyPI: pip overwrites silently."""
    assert set(packages_distributions().get(package, ["aduan"])) == {"aduan"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lies_in_our_tree_and_is_typed(package: str) -> None:
    found = Path(str(importlib.import_module(package).__file__)).parent
    assert found == ROOT / "src" / package
    assert (found / "py.typed").is_file()


def test_no_connector_imports_another() -> None:
    """Adding a connector touches one folder: what two share stands beside them."""
    folders = {path.parent.name for path in (ROOT / "src" / "connectors").glob("*/facts.yaml")}
    graph = grimp.build_graph("connectors")
    crossed = [
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if (ours := importer.split(".")[1:2]) != (theirs := imported.split(".")[1:2])
        and {*ours} <= folders
        and {*theirs} <= folders
    ]
    assert len(folders) >= 5
    assert crossed == []
