"""A report as it is printed: sheets of headings and cells, the same for every form of file. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from babel.dates import format_date
from msgspec import Struct

from gateway.installation import Organisation
from tickets.calendar import Due
from tickets.policy_clocks import ReportRule
from tickets.policy_labels import Group, Labels
from tickets.reports_layout import ROWS, Entry, FigureSheet, Layout, ListSheet
from tickets.reports_values import MISSING, SETTLED, TOTAL, Handled, Report, Span, Table

Cell = str | int | date | None
_CELL = re.compile(r"([A-Z]+)([0-9]+)")
#: What is known of a complaint only when it is settled.
_OF_THE_END = frozenset({"settled", "days", "timely", "resolution_type", "finding", "compensation_idr", "cause"})
_ROMAN = ("", "I", "II", "III", "IV")
#: The words of policies/labels.yaml that a field is printed with.
_GROUPS: Mapping[str, Group] = {
    "channel": "channel", "form": "form", "tier": "tier", "category": "category", "issue": "issue", "state": "state",
    "forum": "forum",
}  # fmt: skip


class Bar(Struct, frozen=True, kw_only=True):
    """One bar of a chart."""

    label: str
    value: int


class PrintedSheet(Struct, frozen=True, kw_only=True):
    """One table with the texts around it; places count rows and columns from 0."""

    name: str
    section: str
    texts: tuple[tuple[int, int, str], ...]
    at: tuple[int, int]
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    #: The last row and, in `product_problem`, the last column are sums.
    has_total: bool = False
    #: Said instead of rows when there are none.
    nil: str | None = None
    chart: str | None = None
    bars: tuple[Bar, ...] = ()


class Printed(Struct, frozen=True, kw_only=True):
    """A whole report."""

    title: str
    organisation: str
    language: str
    period: str
    sheets: tuple[PrintedSheet, ...]


def printed(
    report: Report, layout: Layout, labels: Labels, organisation: Organisation, rule: ReportRule, due: Due | None
) -> Printed:
    """The report in the words and at the places of its layout."""
    names = names_of(layout.language, report.span, organisation, rule, due)
    sheets: list[PrintedSheet] = []
    for sheet in layout.sheets:
        texts = tuple((*place(text.cell), fill(text.text, names)) for text in sheet.texts)
        if isinstance(sheet, ListSheet):
            sheets.append(_list(sheet, texts, report, layout, labels))
        elif any(table.section == sheet.section for table in report.tables):
            sheets.append(_figures(sheet, texts, report.table(sheet.section), layout, labels))
    return Printed(
        title=fill(layout.title, names),
        organisation=organisation.name,
        language=layout.language,
        period=names["period"],
        sheets=tuple(sheets),
    )


def names_of(
    language: str, span: Span, organisation: Organisation, rule: ReportRule, due: Due | None
) -> Mapping[str, str]:
    """What a layout or a letter may name in braces, in words."""
    return {
        "organisation": organisation.name,
        "period": period_words(span, language),
        "first": day_words(span.first, language),
        "last": day_words(span.last, language),
        "due": "-" if due is None else day_words(due.due, language),
        "to": rule.to or "OJK",
        "legal_basis": "; ".join(organisation.policy.legal_basis) or "-",
    }


def fill(text: str, names: Mapping[str, str]) -> str:
    """The text with its names filled in; what they say is never read as a name."""
    return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], text)


def place(cell: str) -> tuple[int, int]:
    """Row and column of a cell such as B6, counted from 0. Raises ValueError for anything else."""
    found = _CELL.fullmatch(cell)
    if found is None:
        raise ValueError(f"{cell} is no cell")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1


def day_words(day: date, language: str) -> str:
    """The date with the month's name."""
    return format_date(day, "d MMMM y", locale=language)


def period_words(span: Span, language: str) -> str:
    """A month or quarter by its name, other days as from and to."""
    if "Q" in span.label:
        quarter = (span.first.month + 2) // 3
        return f"Q{quarter} {span.first.year}" if language == "en" else f"triwulan {_ROMAN[quarter]} {span.first.year}"
    if ".." in span.label:
        to = "to" if language == "en" else "s.d."
        return f"{day_words(span.first, language)} {to} {day_words(span.last, language)}"
    return format_date(span.first, "MMMM y", locale=language)


def label_of(section: str, key: str, sheet: FigureSheet, layout: Layout, labels: Labels, *, column: bool) -> str:
    """What is printed for a row or column of a section."""
    if key == MISSING:
        return sheet.missing
    if key == TOTAL:
        return sheet.total or "-"
    entries: Mapping[str, Entry] = sheet.columns if column else sheet.rows
    if key in entries:
        return entries[key].label
    if section == "product_problem" and column:
        return _word(layout.problem, key, layout, labels)
    return key


def _word(fields: Sequence[str], word: str, layout: Layout, labels: Labels) -> str:
    for field in fields:
        known: Mapping[str, str] = layout.words.get(field, {})  # type: ignore[call-overload]  # a field as its name
        if word in known:
            return known[word]
        group = _GROUPS.get(field)
        if group is not None and word in labels.labels.get(group, {}):
            return labels.label(group, word, layout.language)
    return word


def _figures(
    sheet: FigureSheet, texts: tuple[tuple[int, int, str], ...], table: Table, layout: Layout, labels: Labels
) -> PrintedSheet:
    rows, columns = _order(table.rows, ROWS.get(sheet.section), sheet), table.columns
    if sheet.total is None:
        rows = tuple(key for key in rows if key != TOTAL)
        columns = tuple(key for key in columns if key != TOTAL)
    values = {(figure.row, figure.column): figure.value for figure in table.figures}
    # A row for what nobody filled in only where there is something.
    rows = tuple(row for row in rows if row != MISSING or any((row, column) in values for column in columns))

    def label(key: str, column: bool) -> str:
        return label_of(table.section, key, sheet, layout, labels, column=column)

    code = (sheet.code_heading,) if sheet.code_heading is not None else ()
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        entry = sheet.rows.get(row)
        codes = ((entry.code if entry else None),) if code else ()
        cells.append((*codes, label(row, False), *(values.get((row, column), 0) for column in columns)))
    last = columns[-1]
    return PrintedSheet(
        name=sheet.name,
        section=table.section,
        texts=texts,
        at=place(sheet.at),
        headings=(*code, sheet.row_heading, *(label(column, True) for column in columns)),
        rows=tuple(cells),
        has_total=TOTAL in rows,
        chart=sheet.chart,
        bars=tuple(
            Bar(label=_short(sheet, row, label(row, False)), value=values.get((row, last), 0))
            for row in rows
            if row != TOTAL
        ),
    )


def _short(sheet: FigureSheet, row: str, label: str) -> str:
    entry = sheet.rows.get(row)
    return f"{entry.code} {label}" if entry is not None and entry.code else label


def _order(found: tuple[str, ...], fixed: tuple[str, ...] | None, sheet: FigureSheet) -> tuple[str, ...]:
    """Fixed rows stand as the layout lists them; words that occur stand as they were sorted."""
    if fixed is None:
        return found
    return (*sheet.rows, *(key for key in found if key not in fixed))


def _list(
    sheet: ListSheet, texts: tuple[tuple[int, int, str], ...], report: Report, layout: Layout, labels: Labels
) -> PrintedSheet:
    fields = [column.field for column in sheet.columns]
    missing = {each.number: each.missing for each in report.incomplete}
    return PrintedSheet(
        name=sheet.name,
        section="complaints",
        texts=texts,
        at=place(sheet.at),
        headings=tuple(column.heading for column in sheet.columns),
        rows=tuple(
            tuple(sheet.missing if field in absent else _value(each, field, report, layout, labels) for field in fields)
            for each in report.handled
            for absent in [missing.get(each.fact.number, ())]
        ),
        nil=sheet.nil,
    )


def _value(handled: Handled, field: str, report: Report, layout: Layout, labels: Labels) -> Cell:
    if field == "problem":
        return None if handled.problem is None else _word(layout.problem, handled.problem, layout, labels)
    if field == "code":
        return handled.code
    # What happened after the period is not part of its report.
    if not handled.settled and field in _OF_THE_END:
        return None
    value = getattr(handled.fact, field)
    if field == "answered" and value is not None and value > report.span.last:
        return None
    if field == "state" and not handled.settled and value in SETTLED:
        value = "in_progress"
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, bool):
        return _word([field], str(value).lower(), layout, labels)
    return value if isinstance(value, int) else _word([field], value, layout, labels)
