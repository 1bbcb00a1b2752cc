"""A connector in somebody else's package: installed beside us, found by its entry point, held to the same contract."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from connectors import registry
from connectors.errors import Misconfigured

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = HERE / "third_party"


def install(into: Path, name: str | None = None) -> None:
    """Lays the package down as an installer does: its files, and beside them the metadata of its pyproject.toml."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = name or project["name"]
    shutil.copytree(PACKAGE / "src", into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    info = into / f"{name.replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups]
    (info / "entry_points.txt").write_text("\n".join(lines))


def test_it_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown before it is installed, known afterwards, after ours; a second one under the same name is refused."""
    with pytest.raises(Misconfigured, match="loket"):
        registry.find("loket")
    install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.kinds()[-1] == "loket"
    assert registry.find("loket").kind == "loket"
    install(tmp_path, "aduan-loket-copy")
    with pytest.raises(Misconfigured, match="2 packages"):
        registry.find("loket")


def test_it_keeps_the_same_contract(tmp_path: Path) -> None:
    """Every test of the contract runs on it, with the fixtures that it brings along."""
    install(tmp_path)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "src")]),
        "CONNECTOR_FIXTURES": str(PACKAGE / "fixtures"),
    }
    contract = HERE / "test_connector_contract.py"
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(contract),
        "-k",
        "loket",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
    names = [
        each.name
        for each in ast.parse(contract.read_text()).body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    wanted = sum(name.startswith("test_") for name in names)
    assert f"{wanted} passed" in done.stdout
