"""`aduan report`: from the store of an institution to the file that is handed in (K18-K22, A23)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from gateway.cli.place import data_dir_at
from gateway.reports.files import workbook
from gateway.reports.printed import Printed, PrintedSheet
from harness.installation import CONFIG
from normalizer.complaint import Outcome
from report_tickets import Recorded, keep, recorded, wib
from tickets.model import Records
from tickets.store import Store
from tickets.store.export import XLSX_ROWS

Run = Callable[..., Any]
FORMULA = '=HYPERLINK("http://x.example")'


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


@pytest.fixture
def tickets(store: Store) -> list[Recorded]:
    """Three complaints of the first quarter of 2026: settled, late and open, and one of the year before."""
    made = [
        recorded(
            1, wib(date(2026, 1, 5)), state="resolved", closed=wib(date(2026, 1, 20)), product=FORMULA, issue="fraud",
            outcome=Outcome(root_cause=170),
        ),
        recorded(
            2, wib(date(2026, 1, 5)), state="resolved", closed=wib(date(2026, 3, 25)), product="Pendanaan",
            issue="fraud", said=[wib(date(2026, 2, 1))],
        ),
        recorded(3, wib(date(2026, 3, 30)), issue="credit_record"),
        recorded(4, wib(date(2025, 12, 30)), product="Pendanaan", issue="fraud"),
    ]  # fmt: skip
    keep(store, made)
    return made


def cells(path: Path) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


def words(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_k22_the_quarterly_report_as_a_workbook(
    run: Run, config: Path, tmp_path: Path, tickets: list[Recorded]
) -> None:
    """K19, K22: four sections with codes and sums, at the cells of the layout; nothing in it computes."""
    out = tmp_path / "q1.xlsx"
    answer = run("report", "klikacc", "quarterly", "2026-Q1", "--out", out, "--config", config)
    assert (answer.code, answer.out) == (0, f"{out}: quarterly 2026-Q1\n")
    assert "KLA-00000003: product" in answer.err
    assert "KLA-00000002: cause" in answer.err
    sheets = cells(out)
    assert list(sheets) == [
        "Ringkasan",
        "I Produk dan Permasalahan",
        "II Penyelesaian",
        "III Penyebab",
        "IV Publikasi Negatif",
    ]
    assert sheets["Ringkasan"][1][0] == "KlikACC"
    assert sheets["Ringkasan"][2][0] == "Periode 1 Januari 2026 s.d. 31 Maret 2026"
    assert [row[:2] for row in sheets["Ringkasan"][6:]] == [
        ["Belum selesai pada awal periode", 1], ["Diterima dalam periode", 3], ["Diselesaikan dalam periode", 2],
        ["Belum selesai pada akhir periode", 2],
    ]  # fmt: skip
    assert sheets["I Produk dan Permasalahan"][5:] == [
        ["Jenis produk dan/atau layanan", "Catatan kredit (SLIK)", "Penipuan", "Jumlah"],
        [f"'{FORMULA}", 0, 1, 1],
        ["Pendanaan", 0, 1, 1],
        ["(belum diisi)", 1, 0, 1],
        ["Jumlah", 1, 2, 3],
    ]
    settlement = {row[0]: row[2] for row in sheets["II Penyelesaian"][6:]}
    assert settlement == {
        "101": 0, "102": 0, "103": 0, "104": 1, "201": 1, "202": 0, "203": 1, "204": 1, None: 4,
    }  # fmt: skip
    causes = {row[0] or row[1]: row[2] for row in sheets["III Penyebab"][6:]}
    assert {key: value for key, value in causes.items() if value} == {"170": 1, "(belum diisi)": 1, "Jumlah": 2}
    published = {row[0]: row[1] for row in sheets["IV Publikasi Negatif"][6:]}
    assert {key: value for key, value in published.items() if value} == {"Media sosial": 1, "Jumlah": 1}


def test_k18_k19_the_monthly_report_as_csv(run: Run, config: Path, tmp_path: Path, tickets: list[Recorded]) -> None:
    """K18, K19: the same sections for a month; a product that looks like a formula stays text."""
    out = tmp_path / "january.csv"
    assert run("report", "klikacc", "monthly", "2026-01", "--out", out, "--config", config).code == 0
    lines = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    found = {(line["section"], line["row"], line["column"]): int(line["value"]) for line in lines}
    assert found["product_problem", f"'{FORMULA}", "fraud"] == 1
    assert found["settled_in_period", "201", "count"] == 1
    assert found["settled_in_period", "204", "count"] == 1
    assert {line["section"] for line in lines} == {
        "standing", "product_problem", "settled_in_period", "causes", "negative_publication",
    }  # fmt: skip


def test_the_report_as_pdf_is_accessible_and_says_its_numbers_in_words(
    run: Run, config: Path, tmp_path: Path, tickets: list[Recorded]
) -> None:
    out = tmp_path / "q1.pdf"
    assert run("report", "klikacc", "quarterly", "2026-Q1", "--out", out, "--config", config).code == 0
    root: Any = PdfReader(out).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert root["/Lang"] == "id"
    assert "Laporan Triwulanan Pelayanan dan Penyelesaian Pengaduan Konsumen" in words(out)
    alternatives = list(_alternatives(root["/StructTreeRoot"]))
    assert any("Diagram batang:" in text and "170 Kelalaian penyelenggara: 1" in text for text in alternatives)


def _alternatives(node: Any) -> Iterator[str]:
    found = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(found, list):
        for each in found:
            yield from _alternatives(each)
    elif isinstance(found, dict):
        if "/Alt" in found:
            yield str(found["/Alt"])
        if "/K" in found:
            yield from _alternatives(found["/K"])


def test_the_same_report_is_the_same_file(run: Run, config: Path, tmp_path: Path, tickets: list[Recorded]) -> None:
    for form in ("xlsx", "csv", "pdf"):
        both = [tmp_path / f"{n}.{form}" for n in (1, 2)]
        for out in both:
            assert run("report", "klikacc", "quarterly", "2026-Q1", "--out", out, "--config", config).code == 0
        assert both[0].read_bytes() == both[1].read_bytes()


@pytest.mark.parametrize("form", ["xlsx", "csv", "pdf", "json"])
def test_a_nil_report_is_a_report(run: Run, config: Path, tmp_path: Path, store: Store, form: str) -> None:
    """K18, K20: a period without complaints is reported as well."""
    out = tmp_path / f"nil.{form}"
    answer = run("report", "klikacc", "monthly", "2026-02", "--out", out, "--config", config)
    assert (answer.code, answer.err) == (0, "")
    assert "nihil / nil" in answer.out
    assert out.stat().st_size > 0


def test_a23_every_complaint_has_a_row(run: Run, config: Path, tmp_path: Path, store: Store) -> None:
    """A23: the report of every complaint, for the days that the operator gives; what came later is not in it."""
    keep(
        store,
        [
            recorded(
                n, wib(date(2026, 1, n)), organisation="akseleran", state="resolved", closed=wib(date(2026, 3, n)),
                category="withdrawal", product="Pendanaan", issue="fraud", outcome=Outcome(finding="fault"),
            )
            for n in range(5, 9)
        ],
    )  # fmt: skip
    out = tmp_path / "all.xlsx"
    words_ = ("report", "akseleran", "periodic", "2026-01-05..2026-03-06", "--out", out, "--config", config)
    answer = run(*words_)
    assert answer.code == 0
    sheet = cells(out)["Pengaduan"]
    headings, rows = sheet[5], [dict(zip(sheet[5], row, strict=True)) for row in sheet[6:]]
    assert headings[:2] == ["Nomor registrasi", "Tanggal diterima"]
    assert [row["Nomor registrasi"] for row in rows] == [f"KLA-{n:08d}" for n in range(5, 9)]
    assert [row["Status"] for row in rows] == ["terselesaikan", "terselesaikan", "dalam proses", "dalam proses"]
    assert [row["Hasil pemeriksaan"] for row in rows] == ["Terdapat kesalahan"] * 2 + [None] * 2
    assert [row["Kategori"] for row in rows] == ["Penarikan dana"] * 4
    assert [row["Sandi penyebab"] for row in rows] == ["(belum diisi)"] * 2 + [None] * 2
    assert rows[0]["Tanggal selesai"].date() == date(2026, 3, 5)
    text = out.with_suffix(".csv")
    assert run(*words_[:5], text, *words_[6:]).code == 0
    assert len(text.read_bytes().decode().splitlines()) == 5
    pdf = out.with_suffix(".pdf")
    assert run(*words_[:5], pdf, *words_[6:]).code == 0
    assert "KLA-00000008" in words(pdf)


def test_a23_the_list_speaks_to_the_regulator_and_ends_with_its_period(
    run: Run, config: Path, tmp_path: Path, store: Store
) -> None:
    """A23: no word that is meant for the customer, and no answer that was given after the last day."""
    keep(
        store,
        [
            recorded(
                n, wib(date(2026, 2, 2)), organisation="akseleran", state="responded", category="withdrawal",
                first_response_at=wib(date(2026, 2, answered)),
            )
            for n, answered in ((1, 10), (2, 11))
        ],
    )  # fmt: skip
    out = tmp_path / "all.csv"
    asked = ("report", "akseleran", "periodic", "2026-02-01..2026-02-10", "--out", out, "--config", config)
    assert run(*asked).code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert [row["Tanggal tanggapan pertama"] for row in rows] == ["2026-02-10", ""]
    assert "menunggu tanggapan konsumen" in rows[0]["Status"]
    assert not any("Anda" in cell for row in rows for cell in row.values())


def test_a_nil_report_of_every_complaint_says_so(run: Run, config: Path, tmp_path: Path, store: Store) -> None:
    """A23: without complaints the list says Nihil."""
    out = tmp_path / "all.xlsx"
    assert run("report", "akseleran", "periodic", "2026-02", "--out", out, "--config", config).code == 0
    assert cells(out)["Pengaduan"][6][0] == "Nihil"


def test_k21_the_letter_when_the_electronic_system_fails(
    run: Run, config: Path, tmp_path: Path, tickets: list[Recorded]
) -> None:
    """K21: to OJK cq. the head of supervision, with a copy to consumer protection. K22: the report goes with it."""
    out = tmp_path / "letter.pdf"
    answer = run("report", "letter", "klikacc", "quarterly", "2026-Q1", "--date", "2026-04-10", "--out", out,
                 "--config", config)  # fmt: skip
    assert answer.code == 0
    text = words(out)
    for said in (
        "10 April 2026",
        "OJK cq. Kepala Eksekutif Bidang Pengawasan",
        "satuan kerja Bidang Edukasi dan Perlindungan Konsumen",
        "sistem elektronik tidak dapat digunakan",
        "SEOJK 2/SEOJK.07/2014",
        "II Penyelesaian",
        "Kelalaian penyelenggara",
    ):
        assert said in text
    refused = run("report", "letter", "klikacc", "monthly", "2026-01", "--out", out, "--config", config)
    assert (refused.code, "states no letter" in refused.err) == (1, True)


def test_any_figure_leads_to_its_tickets(run: Run, config: Path, tickets: list[Recorded]) -> None:
    def behind(*cell: str) -> list[str]:
        answer = run("report", "klikacc", "quarterly", "2026-Q1", "--explain", *cell, "--json", "--config", config)
        assert answer.code == 0
        assert answer.json["value"] == len(answer.json["behind"])
        return [each["item"] for each in answer.json["behind"]]

    assert behind("settled_in_period", "203", "count") == ["KLA-00000002"]
    assert behind("product_problem", "total", "fraud") == ["KLA-00000001", "KLA-00000002"]
    assert behind("product_problem", "missing", "total") == ["KLA-00000003"]
    assert behind("causes", "missing", "count") == ["KLA-00000002"]
    assert behind("negative_publication", "social_media", "count") == ["KLA-00000002#C00000002-1"]
    assert behind("negative_publication", "print", "count") == []
    plain = run("report", "klikacc", "quarterly", "2026-Q1", "--explain", "causes", "170", "count", "--config", config)
    assert "causes (170, count): 1" in plain.out
    assert "KLA-00000001" in plain.out
    wrong = run("report", "klikacc", "quarterly", "2026-Q1", "--explain", "causes", "171", "count", "--config", config)
    assert (wrong.code, "has no figure (171, count)" in wrong.err) == (1, True)


def test_what_was_frozen_stays_and_later_corrections_are_listed(
    run: Run, config: Path, tmp_path: Path, store: Store, tickets: list[Recorded]
) -> None:
    asked = ("klikacc", "quarterly", "2026-Q1", "--config", config)
    assert run("report", "show", *asked).code == 1
    made = run("report", *asked, "--out", tmp_path / "q1.pdf", "--freeze", "--as", "siti")
    assert made.code == 0
    frozen = run("report", "show", *asked, "--json").json
    assert (frozen["frozen_by"], frozen["edition"], frozen["corrections"]) == ("siti", 1, [])
    assert frozen["sha256"] in words(tmp_path / "q1.pdf").replace(" ", "")
    assert run("report", "freeze", *asked).code == 1
    third = tickets[2]
    with store.begin() as tx:
        tx.add(Records(updated=[replace(third.complaint, product="Pendanaan")]))
    shown = run("report", "show", *asked, "--json").json
    assert shown["report"] == frozen["report"]
    assert [(c["row"], c["column"], c["item"], c["counted"]) for c in shown["corrections"]] == [
        ("", "credit_record", "KLA-00000003", False), ("Pendanaan", "credit_record", "KLA-00000003", True),
    ]  # fmt: skip
    assert shown["corrections"][0]["why"] == [{"what": "product", "then": "", "now": "Pendanaan"}]
    plain = run("report", "show", *asked, "--out", tmp_path / "frozen.xlsx")
    assert "product: - -> Pendanaan" in plain.out
    assert cells(tmp_path / "frozen.xlsx")["I Produk dan Permasalahan"][8][:2] == ["(belum diisi)", 1]
    assert run("report", "freeze", *asked, "--again", "--json").json["edition"] == 2
    assert run("report", "show", *asked, "--json").json["corrections"] == []
    assert run("report", "show", *asked, "--edition", "1", "--json").json["sha256"] == frozen["sha256"]
    assert run("report", "show", *asked, "--edition", "3").code == 1


def test_publications_are_entered_listed_and_taken_back(run: Run, config: Path, store: Store) -> None:
    """K19 (4): what a person found in print is counted as often as it appeared."""
    add = ("report", "publication", "add", "klikacc", "--type", "print", "--date", "2026-02-03", "--config", config)
    first = run(*add, "--count", "4", "--url", "https://news.example/1", "--json").json
    second = run(*add, "--as", "siti", "--json").json
    report = run("report", "klikacc", "monthly", "2026-02", "--json", "--config", config).json
    (table,) = (table for table in report["tables"] if table["section"] == "negative_publication")
    assert [(f["row"], f["value"]) for f in table["figures"]] == [("*", 5), ("print", 5)]
    assert run("report", "publication", "withdraw", "klikacc", first["id"], "--config", config).code == 0
    assert run("report", "publication", "withdraw", "klikacc", first["id"], "--config", config).code == 1
    listed = run("report", "publication", "list", "klikacc", "--json", "--config", config).json
    assert [(each["id"], each["withdrawn_at"] is None) for each in listed] == [
        (first["id"], False),
        (second["id"], True),
    ]
    for wrong in (
        ("--type", "paper"), ("--url", "javascript:1"), ("--url", "https://x.example/\x1b[2J"), ("--date", "3 Feb"),
        ("--date", "2062-02-03"), ("--count", "0"),
    ):  # fmt: skip
        assert run(*add[:-2], *wrong, *add[-2:]).code == 2


def test_words_that_ask_for_nothing_are_refused_with_a_hint(
    run: Run, config: Path, store: Store, tmp_path: Path
) -> None:
    def refused(*given: object) -> str:
        answer = run("report", *given, "--config", config)
        assert answer.code in {1, 2}
        return " ".join((answer.err + answer.out).split())

    assert "is not known; did you mean `klikacc`" in refused("klikac", "monthly", "2026-02")
    assert "known are monthly, quarterly" in refused("klikacc", "weekly", "2026-02")
    assert "promises no report" in refused("klikumkm", "monthly", "2026-02")
    assert "made for a quarter: write 2026-Q1" in refused("klikacc", "quarterly", "2026-02")
    assert "is no form of a report" in refused("klikacc", "monthly", "2026-02", "--out", tmp_path / "x.doc")
    assert "needs a file" in refused("klikacc", "monthly", "2026-02", "--format", "csv")
    assert "cannot be written" in refused("klikacc", "monthly", "2026-02", "--out", tmp_path / "no" / "x.csv")
    assert "is not over" in refused("freeze", "klikacc", "monthly", "2099-01")


def test_d8_a_mistake_in_a_layout_is_named_with_its_line(run: Run, config: Path, store: Store) -> None:
    """D8: `report check` looks at every mapping file; a report with a broken one is not made."""
    assert run("report", "check", "--config", config).code == 0
    reports = config.parent / "reports"
    text = (reports / "monthly.yaml").read_text(encoding="utf-8")
    reports.unlink()
    reports.mkdir()
    for name in ("quarterly", "periodic"):
        (reports / f"{name}.yaml").symlink_to(CONFIG / "reports" / f"{name}.yaml")
    (reports / "monthly.yaml").write_text(text.replace("row_heading", "row_headng", 1), encoding="utf-8")
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "row_heading" in each)
    for words_ in (("check",), ("klikacc", "monthly", "2026-02")):
        answer = run("report", *words_, "--config", config)
        assert answer.code == 1
        assert f"monthly.yaml:{line}: sheets[0].row_headng: unknown key; did you mean `row_heading`?" in answer.err


def test_a_list_that_does_not_fit_into_a_sheet_is_refused_and_not_cut() -> None:
    """A23: every complaint, or a clear word; never a workbook that silently ends."""
    sheet = PrintedSheet(
        name="x", section="complaints", texts=(), at=(XLSX_ROWS - 2, 0), headings=("a",), rows=(("1",),)
    )
    whole = Printed(title="t", organisation="o", language="id", period="p", sheets=(sheet,))
    assert workbook(whole)
    with pytest.raises(ValueError, match="more complaints than a sheet has rows"):
        workbook(replace(whole, sheets=(replace(sheet, rows=(("1",), ("2",))),)))
