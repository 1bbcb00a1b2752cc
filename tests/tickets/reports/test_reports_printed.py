"""What the words and places of a layout become in a workbook."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from msgspec.structs import replace

from gateway.reports.files import workbook
from gateway.reports.printed import Printed, PrintedSheet, day_words, fill, period_words, place
from tickets.reports_values import Span

TABLE = PrintedSheet(
    name="Satu",
    section="causes",
    texts=((0, 0, "Judul"),),
    at=place("B3"),
    headings=("Sandi", "Jumlah"),
    rows=(("110", 4), ("=1+1", 0)),
)


def opened(*sheets: PrintedSheet) -> Any:
    whole = Printed(title="t", organisation="o", language="id", period="p", sheets=sheets)
    return openpyxl.load_workbook(io.BytesIO(workbook(whole)))


@pytest.mark.parametrize(("cell", "row", "column"), [("A1", 0, 0), ("B6", 5, 1), ("Z10", 9, 25), ("AA1", 0, 26)])
def test_a_cell_is_a_place(cell: str, row: int, column: int) -> None:
    assert place(cell) == (row, column)


@pytest.mark.parametrize("cell", ["6B", "", "a1", "B"])
def test_what_is_no_cell_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="is no cell"):
        place(cell)


@pytest.mark.parametrize(
    ("span", "indonesian", "english"),
    [
        ("2026-02", "Februari 2026", "February 2026"),
        ("2026-Q3", "triwulan III 2026", "Q3 2026"),
        ("2026-05-01..2026-08-17", "1 Mei 2026 s.d. 17 Agustus 2026", "1 May 2026 to 17 August 2026"),
    ],
)
def test_a_period_in_words(span: str, indonesian: str, english: str) -> None:
    found = Span.parse(span)
    assert (period_words(found, "id"), period_words(found, "en")) == (indonesian, english)
    assert day_words(found.first, "id").endswith("2026")


def test_a_name_that_is_filled_in_is_never_read_as_a_name() -> None:
    assert fill("{organisation} {period}", {"organisation": "{period}", "period": "x"}) == "{period} x"


def test_d8_a_table_stands_where_the_layout_puts_it() -> None:
    """D8: an annex that wants its table elsewhere needs no code; what looks like a formula is text."""
    sheet = opened(TABLE)["Satu"]
    assert [[cell.value for cell in row] for row in sheet["B3:C5"]] == [["Sandi", "Jumlah"], ["110", 4], ["'=1+1", 0]]
    assert sheet["A1"].value == "Judul"
    assert sheet["B5"].data_type == "s"


def test_d8_tables_may_share_a_sheet_and_must_not_overlap() -> None:
    """D8: an annex on one sheet; a table that would write over another one is refused, not printed half."""
    below = replace(TABLE, at=place("B6"), texts=())
    beside = replace(TABLE, at=place("D3"), texts=())
    book = opened(TABLE, below, beside)
    assert book.sheetnames == ["Satu"]
    assert [book["Satu"][cell].value for cell in ("B3", "B6", "D3")] == ["Sandi"] * 3
    for cell in ("B5", "C4", "A2"):
        with pytest.raises(ValueError, match="the tables of causes and causes overlap"):
            opened(TABLE, replace(TABLE, at=place(cell)))
