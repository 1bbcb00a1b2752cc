"""A report and its letter as tagged PDF (PDF/UA-1), with small charts that need no colour; the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import typst

from gateway.installation import Organisation
from gateway.reports.printed import Cell, Printed, PrintedSheet, day_words, fill
from receipts.letter import printable
from tickets.policy_clocks import ReportFallback
from tickets.reports_snapshot import LayoutUsed

_FOLDER = Path(__file__).parent
#: A table of more columns than this needs the page turned.
_NARROW = 8
#: Columns are as wide as their longest word or this share of their longest text, in characters.
_LONGEST = 24
#: As long as a ticket number, which is never broken.
_ENDLESS = re.compile(r"(\S{21})(?=\S)")
#: Where a line may end without a blank.
_BREAK = "\u200b"
#: The space around a text, in characters.
_MARGIN = 5
_WORDS: Mapping[str, Mapping[str, str]] = {
    "id": {
        "note": "Tata letak {layout} versi {version}. Angka {counted}.",
        "now": "dihitung dari catatan saat berkas ini dibuat",
        "frozen": "dibekukan, SHA-256 {sha256}",
        "chart": "Diagram batang: {bars}",
        "subject": "Penyampaian laporan pengaduan periode {period}",
        "to": "Kepada",
        "cc": "Tembusan",
        "about": "Perihal",
        "body": "Bersama surat ini kami, {organisation}, menyampaikan {title} untuk periode {first} s.d. {last}.",
        "why": "Laporan ini kami sampaikan melalui surat karena sistem elektronik tidak dapat digunakan.",
        "basis": "Dasar: {legal_basis}.",
        "closing": "Demikian kami sampaikan. Atas perhatian Bapak/Ibu, kami ucapkan terima kasih.",
        "sign": "Nama dan jabatan:",
        "annex": "Lampiran",
    },
    "en": {
        "note": "Layout {layout} version {version}. Figures {counted}.",
        "now": "counted from the records when this file was made",
        "frozen": "frozen, SHA-256 {sha256}",
        "chart": "Bar chart: {bars}",
        "subject": "Complaint report for {period}",
        "to": "To",
        "cc": "Copy to",
        "about": "Subject",
        "body": "With this letter we, {organisation}, submit {title} for {first} to {last}.",
        "why": "We submit this report by letter because the electronic system cannot be used.",
        "basis": "Basis: {legal_basis}.",
        "closing": "Thank you for your attention.",
        "sign": "Name and position:",
        "annex": "Annex",
    },
}


def report_pdf(printed: Printed, layout: LayoutUsed, sha256: str | None = None) -> bytes:
    """The report on A4; `sha256` is that of its snapshot when it was frozen."""
    words = _WORDS[printed.language]
    counted = words["now"] if sha256 is None else fill(words["frozen"], {"sha256": sha256})
    said = {"layout": layout.id, "version": layout.version, "counted": counted}
    data = {
        "title": printed.title,
        "organisation": printed.organisation,
        "language": printed.language,
        "period": printed.period,
        "lines": _lines(printed),
        "wide": any(len(sheet.headings) > _NARROW for sheet in printed.sheets),
        "sheets": [_sheet(sheet, words) for sheet in printed.sheets],
        "note": fill(words["note"], said),
    }
    return _compiled("report.typ", data)


def letter_pdf(
    printed: Printed, names: Mapping[str, str], organisation: Organisation, fallback: ReportFallback, on: date
) -> bytes:
    """The letter that carries the report when the regulator's electronic system fails (K21), with its annex (K22)."""
    words = _WORDS[printed.language]
    said = {**names, "title": printed.title}
    subject = fill(words["subject"], said)
    head = [(words["to"], fallback.to), (words["about"], subject)]
    if fallback.cc is not None:
        head.insert(1, (words["cc"], fallback.cc))
    data = {
        "subject": subject,
        "organisation": organisation.name,
        "language": printed.language,
        "date": day_words(on, printed.language),
        "head": head,
        "paragraphs": [fill(words[key], said) for key in ("body", "why", "basis")],
        "closing": words["closing"],
        "signature": words["sign"],
        "annex": f"{words['annex']}: {printed.title}",
        "wide": any(len(sheet.headings) > _NARROW for sheet in printed.sheets),
        "sheets": [_sheet(sheet, words) for sheet in printed.sheets],
    }
    return _compiled("letter.typ", data)


def _compiled(template: str, data: Mapping[str, Any]) -> bytes:
    pdf = typst.Compiler(str(_FOLDER / template), root=str(_FOLDER), ignore_system_fonts=True).compile(
        format="pdf",
        sys_inputs={"data": msgspec.json.encode(_on_paper(data)).decode()},
        pdf_standards=["ua-1"],
        timestamp=0,
    )
    if not isinstance(pdf, bytes):
        raise TypeError("a report is one PDF")
    return pdf


def _on_paper(value: Any) -> Any:
    """The same data with a square for each sign that the fonts lack: one of them, and there would be no report."""
    if isinstance(value, str):
        return _BREAK.join(map(printable, value.split(_BREAK)))
    if isinstance(value, Mapping):
        return {name: _on_paper(each) for name, each in value.items()}
    return [_on_paper(each) for each in value] if isinstance(value, list | tuple) else value


def _lines(printed: Printed) -> list[str]:
    """What stands above the tables, once: every sheet of a workbook repeats it."""
    said = [text for sheet in printed.sheets for _, _, text in sheet.texts]
    return [text for text in dict.fromkeys(said) if text not in {printed.title, printed.organisation}]


def _sheet(sheet: PrintedSheet, words: Mapping[str, str]) -> dict[str, Any]:
    rows = [[_shown(cell) for cell in row] for row in sheet.rows]
    top = max((bar.value for bar in sheet.bars), default=0)
    return {
        "name": sheet.name,
        "headings": sheet.headings,
        "rows": rows,
        "widths": [_width([row[n] for row in (list(sheet.headings), *rows)]) for n in range(len(sheet.headings))],
        "numbers": [
            n for n in range(len(sheet.headings)) if sheet.rows and all(isinstance(row[n], int) for row in sheet.rows)
        ],
        "total": sheet.has_total,
        "nil": sheet.nil or "-",
        # Without any number there is nothing to compare.
        "chart": sheet.chart if top else None,
        "alt": fill(words["chart"], {"bars": "; ".join(f"{bar.label}: {bar.value}" for bar in sheet.bars)}),
        "bars": [
            {"label": _shown(bar.label), "value": str(bar.value), "share": bar.value / top if top else 0}
            for bar in sheet.bars
        ],
    }


def _shown(cell: Cell) -> str:
    if isinstance(cell, str):
        # A word that is longer than its column may be broken anywhere.
        return _ENDLESS.sub(f"\\1{_BREAK}", cell)
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)


def _width(texts: list[str]) -> int:
    longest = max(len(text) for text in texts)
    word = max(len(part) for text in texts for part in re.split(r"[\s\u200b]", text))
    return max(word, min(longest, _LONGEST)) + _MARGIN
