"""How a report is laid out (config/reports/*.yaml): sheets, cells, headings and codes are data.

The columns of the official annexes were not seen here (D8): a person who has them corrects the file, not the program.
Every mistake in a file is named with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from tickets.policy_part import Part, Text
from tickets.reports_snapshot import LayoutUsed
from tickets.reports_values import (
    CAUSES,
    COUNT,
    PUBLICATION_TYPES,
    SETTLEMENT_ROWS,
    STANDING_ROWS,
    ProblemField,
    Section,
)
from tickets.yaml_lines import InvalidFile, Key, Problem, Read, load_model, nearest, read_document, unknown

#: What a text of a layout may name in braces.
NAMES = ("organisation", "period", "first", "last", "due", "to", "legal_basis")
#: Rows that a section always has; the rows and columns of `product_problem` are the words that occur.
ROWS: Mapping[Section, tuple[str, ...]] = {
    "standing": STANDING_ROWS,
    "settled_in_period": SETTLEMENT_ROWS,
    "causes": CAUSES,
    "negative_publication": PUBLICATION_TYPES,
}
ListField = Literal[
    "number", "received", "channel", "form", "role", "product", "sub_product", "problem", "category", "issue", "tier",
    "answered", "answer_due", "state", "settled", "settle_due", "days", "extended", "timely", "resolution_type",
    "finding", "compensation_idr", "forum", "cause", "code",
]  # fmt: skip
Cell = Annotated[str, Field(pattern=r"^[A-Z]{1,2}[1-9][0-9]{0,4}$", description="such as B6")]
SheetName = Annotated[
    str, Field(pattern=r"^[^\[\]:*?/\\']+$", min_length=1, max_length=31, description="as a workbook allows it")
]
_BRACES = re.compile(r"\{([^{}]*)\}")


def _only_known_names(text: str) -> str:
    for name in _BRACES.findall(text):
        if name not in NAMES:
            raise ValueError(f"no `{{{name}}}` is known here{nearest(name, NAMES) or ': ' + ', '.join(NAMES)}")
    return text


class PlacedText(Part):
    """One text in one cell; names in braces are filled in."""

    cell: Cell
    text: Text

    @field_validator("text")
    @classmethod
    def _names(cls, value: str) -> str:
        return _only_known_names(value)


class Entry(Part):
    """A row or column as it is printed."""

    code: Text | None = None
    label: Text


class FigureSheet(Part):
    """A table with the figures of one section; tables of the same name share a sheet."""

    name: SheetName
    section: Section
    texts: tuple[PlacedText, ...] = ()
    at: Annotated[Cell, Field(description="the upper left corner of the table, headings included")]
    code_heading: Annotated[Text | None, Field(description="null: the codes have no column of their own")] = None
    row_heading: Text
    rows: dict[Text, Entry] = Field(default_factory=dict)
    columns: dict[Text, Entry] = Field(default_factory=dict)
    missing: Annotated[Text, Field(description="what stands where nobody filled anything in")]
    total: Annotated[Text | None, Field(description="null: no sums")] = None
    chart: Annotated[Text | None, Field(description="the caption of its chart in the PDF; null: none")] = None


class ListColumn(Part):
    """One column of the list of complaints."""

    field: ListField
    heading: Text


class ListSheet(Part):
    """A sheet with a row for each complaint (A23)."""

    name: SheetName
    section: Literal["complaints"]
    texts: tuple[PlacedText, ...] = ()
    at: Cell
    columns: Annotated[tuple[ListColumn, ...], Field(min_length=1)]
    missing: Annotated[Text, Field(description="what stands where nobody filled in what the report asks for")]
    nil: Annotated[Text, Field(description="what stands there when there was no complaint")]


def _kind_of_sheet(value: object) -> str:
    section = value.get("section") if isinstance(value, dict) else getattr(value, "section", None)
    return "list" if section == "complaints" else "figures"


Sheet = Annotated[
    Annotated[FigureSheet, Tag("figures")] | Annotated[ListSheet, Tag("list")], Discriminator(_kind_of_sheet)
]


class Layout(Part):
    """One mapping file."""

    layout: Annotated[Literal[1], Field(description="the version of this grammar")]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="the name of the file")]
    language: Literal["id", "en"]
    title: Text
    source: Annotated[Text, Field(description="which official form it follows, or that it follows none")]
    problem: Annotated[
        tuple[ProblemField, ...], Field(min_length=1, description="fields that name the problem, the first filled one")
    ]
    words: dict[ListField, dict[Text, Text]] = Field(
        default_factory=dict, description="printed words for words of a field, before those of policies/labels.yaml"
    )
    sheets: Annotated[tuple[Sheet, ...], Field(min_length=1)]

    @field_validator("title")
    @classmethod
    def _names(cls, value: str) -> str:
        return _only_known_names(value)

    def used(self, sha256: str) -> LayoutUsed:
        """What a snapshot keeps of the layout."""
        return LayoutUsed(id=self.id, version=sha256[:12])


def load_layout(path: Path, read: Read = read_document) -> tuple[Layout, LayoutUsed]:
    """The layout of a file with its version. Raises InvalidFile with every problem of the file, each with its line."""
    document = read(path)
    layout = load_model(document, Layout)
    problems = [document.problem(key, message) for key, message in _contradictions(layout, path)]
    if problems:
        raise InvalidFile(sorted(problems, key=lambda problem: problem.line or 0))
    return layout, layout.used(document.sha256)


def find_layout(folder: Path, policy: str, report: str, read: Read = read_document) -> tuple[Layout, LayoutUsed]:
    """The layout of a report: `<policy>-<report>.yaml` where there is one, else `<report>.yaml`. Raises InvalidFile."""
    own = folder / f"{policy}-{report}.yaml"
    path = own if own.is_file() else folder / f"{report}.yaml"
    if not path.is_file():
        raise InvalidFile([Problem(str(path), None, "", f"there is no layout for the report `{report}`: write one")])
    return load_layout(path, read)


def _contradictions(layout: Layout, path: Path) -> list[tuple[Key, str]]:
    found: list[tuple[Key, str]] = []
    if layout.id != path.stem:
        found.append((("id",), f"must be the name of the file, `{path.stem}`"))
    seen: dict[str, str] = {}
    for index, sheet in enumerate(layout.sheets):
        # The same name puts several tables on one sheet; a workbook does not tell capitals from small letters.
        first = seen.setdefault(sheet.name.casefold(), sheet.name)
        if first != sheet.name:
            found.append((("sheets", index, "name"), f"write it as above, `{first}`, or give it another name"))
        if isinstance(sheet, FigureSheet):
            found += _rows(sheet, index)
    return found


def _rows(sheet: FigureSheet, index: int) -> list[tuple[Key, str]]:
    """A row that a fixed section does not have, and one that the layout forgot: its figure would be lost."""
    rows = ROWS.get(sheet.section)
    if rows is None:
        return []
    place: Key = ("sheets", index, "rows")
    found: list[tuple[Key, str]] = [((*place, key), unknown(key, rows)) for key in sheet.rows if key not in rows]
    absent = [key for key in rows if key not in sheet.rows]
    if absent:
        found.append((place, f"these rows are missing, their figures would be lost: {', '.join(absent)}"))
    found += [(("sheets", index, "columns", key), unknown(key, (COUNT,))) for key in sheet.columns if key != COUNT]
    return found
