"""Mapping files (D8): a mistake is named with its line; what the annex says otherwise needs no code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.reports_layout import find_layout, load_layout
from tickets.yaml_lines import InvalidFile

SHIPPED = Path(__file__).parents[3] / "config" / "reports"


def changed(folder: Path, old: str, new: str) -> Path:
    """The shipped quarterly layout with one text replaced by another."""
    text = (SHIPPED / "quarterly.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "quarterly.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_layouts_are_good(file: Path) -> None:
    layout, used = load_layout(file)
    assert (layout.id, used.id, len(used.version)) == (file.stem, file.stem, 12)


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        (
            "row_heading: Penyebab",
            "row_headings: Penyebab",
            "row_headings:",
            "did you mean `row_heading`?",
        ),
        ('      "203": {code', '      "205": {code', '"205"', "unknown key; did you mean"),
        (
            '      "203": {code',
            '      "205": {code',
            "rows:",
            "figures would be lost: 203",
        ),
        ("problem: [issue, category]", "problem: [subject]", "problem:", "wrong value"),
        ("{organisation}", "{organization}", "{organization}", "no `{organization}` is known here; did you mean"),
        ("    at: A6", "    at: 6A", "at: 6A", "wrong value"),
        ("name: III Penyebab", "name: ringkasan", "name: ringkasan", "write it as above, `Ringkasan`"),
        ("name: II Penyelesaian", 'name: "II: Penyelesaian"', "II: Penyelesaian", "wrong value"),
        ("id: quarterly", "id: yearly", "id: yearly", "must be the name of the file, `quarterly`"),
        ("section: causes", "section: reasons", "section: reasons", "wrong value"),
        ("language: id", "language: jv", "language: jv", "wrong value"),
        (
            "      other: {label: Lainnya}",
            "      other: {labels: Lainnya}",
            "other:",
            "did you mean `label`?",
        ),
        ("layout: 1", "layout: 2", "layout: 2", "wrong value"),
    ],
)
def test_d8_a_mistake_in_a_mapping_file_names_its_line(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(InvalidFile) as caught:
        load_layout(path)
    lines = [n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if at in line]
    assert any(problem.line in lines and said in problem.message for problem in caught.value.problems), caught.value


def test_d8_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    path = changed(tmp_path, "language: id", "language: jv")
    path.write_text(path.read_text().replace("layout: 1", "layout: 3", 1))
    with pytest.raises(InvalidFile) as caught:
        load_layout(path)
    assert [problem.line for problem in caught.value.problems] == [
        line_of(path, "layout: 3"),
        line_of(path, "language"),
    ]


def test_a_policy_may_have_its_own_layout(tmp_path: Path) -> None:
    changed(tmp_path, "at: A6", "at: B9")
    own = (tmp_path / "quarterly.yaml").read_text().replace("id: quarterly", "id: klikacc-quarterly")
    (tmp_path / "klikacc-quarterly.yaml").write_text(own)
    assert find_layout(tmp_path, "klikacc", "quarterly")[0].id == "klikacc-quarterly"
    assert find_layout(tmp_path, "another", "quarterly")[0].id == "quarterly"
    with pytest.raises(InvalidFile, match="there is no layout for the report `yearly`"):
        find_layout(tmp_path, "klikacc", "yearly")
