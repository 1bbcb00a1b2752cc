"""Every cell of an export is what it says, whatever a customer wrote, and a life stands in columns (P27)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from msgspec.structs import replace

from normalizer.complaint import Complainant
from records_values import Closed
from store_values import Build
from tickets.life import Hold
from tickets.store import Store
from tickets.store.export import COLUMNS, write_csv, write_json, write_xlsx

#: What spreadsheets take for the beginning of a formula, or of a cell of its own.
STARTS = ("=", "+", "-", "@", "\t", "\r")
#: Columns that a customer or a person of the desk fills with free text.
FREE = (
    "complainant_name", "complainant_phone", "complainant_email", "customer_ref", "subject", "narrative", "product",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'tickets.db'}")
    yield opened
    opened.close()


def attacked(case: Closed, start: str) -> None:
    """Makes every free text of the complaint begin so."""
    attack = f"{start}cmd|' /C calc'!A0"
    person = Complainant(full_name=attack, phone=attack, email=attack, customer_ref=attack)
    changed = replace(case.complaint(), complainant=person, subject=attack, narrative=attack, product=attack)
    case.complaint = lambda: changed  # type: ignore[method-assign]  # the value of this one case


@pytest.fixture
def rows(store: Store) -> list[dict[str, object]]:
    build = Build()
    for place, start in enumerate(STARTS, 1):
        case = Closed(build, place, key=f"k{place}")
        attacked(case, start)
        case.add(store)
    return [dict(row) for row in store.export_rows()]


def test_p27_no_cell_of_a_csv_begins_like_a_formula(rows: list[dict[str, object]]) -> None:
    out = io.StringIO(newline="")
    assert write_csv(rows, out) == len(STARTS)
    found = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert tuple(found[0]) == COLUMNS
    assert [cell for line in found for cell in line if cell.startswith(STARTS)] == []
    for line, start in zip(found[1:], STARTS, strict=True):
        assert {line[COLUMNS.index(name)] for name in FREE} == {f"'{start}cmd|' /C calc'!A0"}


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("between", ["", " ", '"', '" "', "\n"])
@pytest.mark.parametrize("start", [*STARTS[:4], "＝"])
def test_p27_no_piece_of_a_csv_is_a_formula_for_other_separators(start: str, between: str, separator: str) -> None:
    """With Indonesian settings a spreadsheet separates by semicolon and takes our quotes for text."""
    attack = f"Dana saya{separator}{between}{start}cmd|' /C calc'!A0{separator}{between}{start}2\n{start}3"
    out = io.StringIO(newline="")
    write_csv([{"a": "x", "b": attack}], out, ("a", "b"))
    pieces = [piece for line in out.getvalue().splitlines() for piece in line.split(separator)]
    assert [piece for piece in pieces if piece.strip('" ').startswith(start)] == []
    assert "Rp500.000,-" in read_back("Rp500.000,-; sisanya besok")


def read_back(text: str) -> str:
    """What our own separator reads."""
    out = io.StringIO(newline="")
    write_csv([{"a": text}], out, ("a",))
    return list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1][0]


def test_p27_what_cannot_be_shown_hides_no_formula() -> None:
    out = io.BytesIO()
    write_xlsx([{"a": "\x01=1+1"}], out, ("a",))
    assert openpyxl.load_workbook(io.BytesIO(out.getvalue()))["tickets"]["A2"].value == "'=1+1"


def test_p27_every_cell_of_a_workbook_is_a_value(rows: list[dict[str, object]]) -> None:
    out = io.BytesIO()
    assert write_xlsx(rows, out) == len(STARTS)
    book = openpyxl.load_workbook(io.BytesIO(out.getvalue()))
    cells = [cell for line in book["tickets"].iter_rows() for cell in line]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}
    assert [cell for cell in cells if cell.hyperlink is not None] == []
    assert [cell for cell in cells if isinstance(cell.value, str) and cell.value.startswith(STARTS)] == []


def test_p27_json_has_texts_as_texts(rows: list[dict[str, object]]) -> None:
    out = io.BytesIO()
    assert write_json(rows, out) == len(STARTS)
    for line, start in zip(json.loads(out.getvalue()), STARTS, strict=True):
        assert {line[name] for name in FREE} == {f"{start}cmd|' /C calc'!A0"}


def test_what_a_life_remembers_stands_in_columns(store: Store) -> None:
    case = Closed(Build())
    hold = Hold(reason="sengketa", since=case.ticket().updated_at, by="dewi")
    case.add(store, life=replace(case.ticket().life, hold=hold))
    (row,) = store.export_rows()
    told = {name: row[name] for name in COLUMNS[COLUMNS.index("finding") : COLUMNS.index("policy_version")]}
    closed = case.ticket().closed_at
    assert told == {
        "finding": "partial",
        "resolution_type": "offer_implemented",
        "compensation_idr": 500_000,
        "relief": "monetary",
        "remedies": "apology, compensation",
        "acceptance": "objected",
        "rejection_ground": "unrelated",
        "root_cause": 170,
        "timely": True,
        "units": "cs",
        "extensions": 1,
        "extended_to": date(2026, 3, 4),
        "breaches": "resolve",
        "answers": 1,
        "objections": 1,
        "objected_at": closed,
        "objection_answered_at": closed,
        "referred_to": "laps_sjk",
        "referred_at": closed,
        "forum_decided_at": closed,
        "legal_hold": True,
    }
    assert row["level"] == 1


def test_an_erased_complaint_is_exported_without_its_person(store: Store) -> None:
    case = Closed(Build())
    case.add(store)
    with store.begin() as tx:
        tx.records.erase(case.number, "request", "dewi")
    (row,) = store.export_rows()
    assert {name: row[name] for name in FREE} == dict.fromkeys(FREE) | {
        "subject": "",
        "narrative": "",
        "product": "Pinjaman Modal",
    }
    assert (row["finding"], row["compensation_idr"], row["breaches"]) == ("partial", 500_000, "resolve")
