"""What people type keeps no report from being made, and does nothing in it (P27, K18, K19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader

from gateway.cli.place import data_dir_at
from harness.installation import CONFIG
from report_tickets import keep, recorded, wib
from tickets.store import Store

Run = Callable[..., Any]


@pytest.fixture
def store(config: Path) -> Iterator[Store]:
    """The store of an installation whose server is not running."""
    if not (config.parent / "reports").exists():
        (config.parent / "reports").symlink_to(CONFIG / "reports", target_is_directory=True)
    folder = data_dir_at(config)
    folder.mkdir()
    opened = Store.open(f"sqlite:///{folder / 'tickets.db'}")
    yield opened
    opened.close()


@pytest.mark.parametrize("period", ["9999-12", "0001-01"])
def test_a_period_at_the_end_of_time_is_refused(period: str, run: Run, config: Path, store: Store) -> None:
    answer = run("report", "klikacc", "monthly", period, "--config", config)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_k18_a_period_that_is_not_over_says_so(run: Run, config: Path, tmp_path: Path, store: Store) -> None:
    """K18: figures of a running month are a look ahead, and no report to hand in."""
    this_month, last = date.today().strftime("%Y-%m"), "2026-01"  # noqa: DTZ011  # the WIB day may be the next one
    answer = run("report", "klikacc", "monthly", this_month, "--out", tmp_path / "x.xlsx", "--config", config)
    assert answer.code == 0
    assert "belum berakhir / is not over" in answer.err
    assert "is not over" not in run("report", "klikacc", "monthly", last, "--config", config).err


def test_p27_no_piece_of_a_csv_is_a_formula_where_semicolons_separate(
    run: Run, config: Path, tmp_path: Path, store: Store
) -> None:
    """P27: with Indonesian settings a spreadsheet separates by semicolon, and takes our quotes for text."""
    keep(store, [recorded(1, wib(date(2026, 1, 5)), product='Kredit";=HYPERLINK("http://x")', issue="fraud")])
    for report, organisation, period in (("quarterly", "klikacc", "2026-Q1"), ("monthly", "klikacc", "2026-01")):
        out = tmp_path / f"{report}.csv"
        assert run("report", organisation, report, period, "--out", out, "--config", config).code == 0
        text = out.read_text(encoding="utf-8")
        assert "HYPERLINK" in text
        pieces = [piece for line in text.splitlines() for piece in line.split(";")]
        assert [piece for piece in pieces if piece.strip('" ').startswith("=")] == []


@pytest.mark.parametrize("form", ["xlsx", "csv", "pdf"])
def test_any_product_that_somebody_typed_is_reported(
    form: str, run: Run, config: Path, tmp_path: Path, store: Store
) -> None:
    """K19: a report is made whatever stands in it; what the fonts of the PDF lack is shown as a square."""
    typed = (
        "Pinjaman 😀 cepat",
        "贷款",
        "قرض",
        "a\u0300\u202etxt.exe",
        "Kredit\x00\x07",
        "p" * 3_000,
        "@SUM(A1)",
        "-2+3",
    )
    keep(
        store,
        [recorded(n, wib(date(2026, 1, n)), product=text, issue="fraud") for n, text in enumerate(typed, start=1)],
    )
    out = tmp_path / f"q1.{form}"
    answer = run("report", "klikacc", "quarterly", "2026-Q1", "--out", out, "--config", config)
    assert (answer.code, answer.out) == (0, f"{out}: quarterly 2026-Q1\n")
    letter = run("report", "letter", "klikacc", "quarterly", "2026-Q1", "--out", tmp_path / "l.pdf", "--config", config)
    assert letter.code == 0
    if form == "xlsx":
        sheet = openpyxl.load_workbook(out)["I Produk dan Permasalahan"]
        rows = {str(row[0].value): row[-1].value for row in sheet.iter_rows(min_row=7)}
        assert rows["Jumlah"] == len(typed)
        assert {"'@SUM(A1)", "'-2+3", "Pinjaman 😀 cepat"} <= set(rows)
    if form == "pdf":
        assert "Pinjaman □ cepat" in " ".join(page.extract_text() for page in PdfReader(out).pages)
