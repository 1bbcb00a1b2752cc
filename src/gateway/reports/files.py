"""A printed report as a workbook and as CSV; no spreadsheet takes a cell of it for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any

from gateway.reports.printed import Cell, Printed, PrintedSheet
from tickets.policy_labels import Labels
from tickets.reports_layout import FigureSheet, Layout
from tickets.reports_values import Report
from tickets.store.export import XLSX_ROWS, csv_text, safe_text

#: The same report gives the same bytes: the file says nothing about when it was written.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_OPTIONS: Mapping[str, object] = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
#: A cell of a workbook has room for no more characters.
_LONGEST = 32_767
#: Widest column, in characters; longer texts wrap.
_WIDEST = 60


def workbook(report: Printed) -> bytes:
    """The report as XLSX, each table at the cells of its layout.

    Raises ValueError when a list does not fit into one sheet, or when two tables of a sheet would overlap.
    """
    import xlsxwriter  # only who writes a workbook needs it loaded

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, dict(_OPTIONS)) as book:
        book.set_properties({"title": report.title, "author": report.organisation, "created": _CREATED})
        forms = {
            "text": book.add_format({"text_wrap": True, "valign": "top", "border": 1}),
            "number": book.add_format({"valign": "top", "border": 1}),
            "date": book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "border": 1}),
            "heading": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1}),
            "title": book.add_format({"bold": True}),
        }
        for name in dict.fromkeys(sheet.name for sheet in report.sheets):
            tables = [sheet for sheet in report.sheets if sheet.name == name]
            _must_fit(tables)
            worksheet = book.add_worksheet(name)
            for table in tables:
                _table(worksheet, table, forms)
            _page(worksheet, tables)
    return out.getvalue()


def csv_file(report: Report, layout: Layout, printed: Printed, labels: Labels) -> bytes:
    """The report as CSV (RFC 4180, UTF-8): a line for each complaint where its layout lists them, else for each figure.

    A line of figures names the section, the row and the column by their keys, with their printed words beside them.
    """
    from gateway.reports.printed import label_of

    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    listed = next((sheet for sheet in printed.sheets if sheet.section == "complaints"), None)
    if listed is not None:
        writer.writerow([csv_text(heading) for heading in listed.headings])
        writer.writerows([_plain(cell) for cell in row] for row in listed.rows)
        return out.getvalue().encode()
    writer.writerow(("section", "row", "row_label", "column", "column_label", "value"))
    for table in report.tables:
        sheet = next((s for s in layout.sheets if isinstance(s, FigureSheet) and s.section == table.section), None)
        if sheet is None:
            continue
        for row in table.rows:
            for column in table.columns:
                said = (
                    table.section, row, label_of(table.section, row, sheet, layout, labels, column=False), column,
                    label_of(table.section, column, sheet, layout, labels, column=True),
                )  # fmt: skip
                writer.writerow([*map(csv_text, said), table.value(row, column)])
    return out.getvalue().encode()


def _table(sheet: Any, printed: PrintedSheet, forms: Mapping[str, Any]) -> None:
    for row, column, text in printed.texts:
        sheet.write_string(row, column, _safe(text), forms["title"])
    top, left = printed.at
    for offset, heading in enumerate(printed.headings):
        sheet.write_string(top, left + offset, _safe(heading), forms["heading"])
    for index, cells in enumerate(printed.rows, start=top + 1):
        for offset, cell in enumerate(cells):
            _write(sheet, index, left + offset, cell, forms)
    if not printed.rows and printed.nil is not None:
        sheet.write_string(top + 1, left, _safe(printed.nil), forms["text"])


def _page(sheet: Any, tables: Sequence[PrintedSheet]) -> None:
    """Columns as wide as their texts; the headings of a table that is alone stay in sight."""
    widths: dict[int, int] = {}
    for table in tables:
        for offset in range(len(table.headings)):
            column = table.at[1] + offset
            widths[column] = max(widths.get(column, 0), _width(table, offset))
    for column, width in widths.items():
        sheet.set_column(column, column, width)
    if len(tables) == 1:
        sheet.freeze_panes(tables[0].at[0] + 1, 0)
        sheet.repeat_rows(tables[0].at[0])
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _must_fit(tables: Sequence[PrintedSheet]) -> None:
    for table in tables:
        if table.at[0] + 1 + len(table.rows) > XLSX_ROWS:
            raise ValueError(f"{table.name}: more complaints than a sheet has rows: report on a shorter period")
    for one, other in combinations(tables, 2):
        if all(_meet(one, other, axis) for axis in (0, 1)):
            raise ValueError(
                f"{one.name}: the tables of {one.section} and {other.section} overlap: move one of them in the layout"
            )


def _meet(one: PrintedSheet, other: PrintedSheet, axis: int) -> bool:
    """Whether two tables have a row (axis 0) or a column (axis 1) in common."""
    (first, last), (begin, end) = (
        (table.at[axis], table.at[axis] + (max(1, len(table.rows)) if axis == 0 else len(table.headings) - 1))
        for table in (one, other)
    )
    return first <= end and begin <= last


def _write(sheet: Any, row: int, column: int, cell: Cell, forms: Mapping[str, Any]) -> None:
    match cell:
        case None:
            sheet.write_blank(row, column, None, forms["text"])
        case int():
            sheet.write_number(row, column, cell, forms["number"])
        case date():
            moment = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  # a date
            sheet.write_datetime(row, column, moment, forms["date"])
        case str():
            sheet.write_string(row, column, _safe(cell), forms["text"])


def _safe(text: str) -> str:
    """Shown and never computed, without the control characters that XML 1.0 cannot carry, as long as a cell holds."""
    return safe_text("".join(char for char in text if char >= " " or char in "\t\n\r"))[:_LONGEST]


def _width(printed: PrintedSheet, column: int) -> int:
    cells: Sequence[Cell] = (printed.headings[column], *(row[column] for row in printed.rows))
    return min(_WIDEST, 2 + max(len(str(cell)) for cell in cells if cell is not None))


def _plain(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    return csv_text(cell) if isinstance(cell, str) else cell
