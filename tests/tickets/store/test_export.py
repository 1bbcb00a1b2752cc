"""Exports that no spreadsheet takes for formulas (P27; ASVS 1.2.10)."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.complaint import Complainant
from store_values import Build
from tickets.store import Store
from tickets.store.export import COLUMNS, csv_text, safe_text, write_csv, write_json, write_xlsx

ATTACKS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＠x",
    '=HYPERLINK("http://evil","x")',
    "＋62812",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_a_formula_becomes_text(text: str) -> None:
    assert safe_text(text) == f"'{text}"


@given(st.text())
def test_no_cell_ever_begins_like_a_formula(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe.removeprefix("'") == text.removeprefix("'") or safe == text


def fill(store: Store, build: Build) -> None:
    for n, text in enumerate(ATTACKS):
        records = build.records(
            store, f"k{n}", narrative=text, subject=text, complainant=Complainant(full_name=text, phone="+62812")
        )
        with store.begin() as tx:
            tx.add(records)


def test_csv_shows_every_attack_as_text(store: Store, build: Build) -> None:
    fill(store, build)
    out = io.StringIO(newline="")
    assert write_csv(store.export_rows(), out) == len(ATTACKS)
    rows = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["narrative"] for row in rows] == [csv_text(text) for text in ATTACKS]
    assert [row["narrative"].replace("'", "") for row in rows] == [text.replace("'", "") for text in ATTACKS]
    assert all(row["narrative"].startswith("'") for row in rows)
    assert rows[0]["complainant_phone"] == "'+62812"
    assert rows[0]["received_at"] == "2026-01-05T03:04:05.678901+00:00"
    assert rows[0]["resolve_due"] == "2026-02-03"
    assert (rows[0]["needs_agent"], rows[0]["messages"], rows[0]["receipt_state"]) == ("false", "1", "queued")


def test_json_keeps_every_text_as_it_is(store: Store, build: Build) -> None:
    fill(store, build)
    out = io.BytesIO()
    assert write_json(store.export_rows(columns=["ticket_number", "narrative"]), out) == len(ATTACKS)
    rows = json.loads(out.getvalue())
    assert [row["narrative"] for row in rows] == ATTACKS
    assert set(rows[0]) == {"ticket_number", "narrative"}


def test_json_of_nothing_is_an_empty_list() -> None:
    out = io.BytesIO()
    assert write_json([], out) == 0
    assert json.loads(out.getvalue()) == []


def test_a_workbook_has_no_formula_and_no_link(store: Store, build: Build) -> None:
    pytest.importorskip("xlsxwriter", reason="the workbook writer is not installed")
    openpyxl = pytest.importorskip("openpyxl", reason="nothing here reads workbooks")
    fill(store, build)
    out = io.BytesIO()
    assert write_xlsx(store.export_rows(), out) == len(ATTACKS)
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue()))["tickets"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    column = COLUMNS.index("complainant_name")
    names = [row[column].value for row in list(sheet.iter_rows())[1:]]
    assert names[0] == f"'{ATTACKS[0]}"
    due = COLUMNS.index("resolve_due")
    assert sheet.cell(2, due + 1).value.date() == date(2026, 2, 3)


def test_rows_are_chosen_by_organisation_state_and_time(store: Store, build: Build) -> None:
    for n in range(3):
        with store.begin() as tx:
            tx.add(
                build.complaint_records(f"KLA-20260105-00000{n + 1}-0", f"k{n}", received_at=build.now + timedelta(n))
            )

    def count(**kwargs: object) -> int:
        return len(list(store.export_rows(**kwargs)))  # type: ignore[arg-type]  # the table below gives each its type

    assert count() == 3
    assert count(since=build.now + timedelta(1)) == 2
    assert count(since=build.now, until=build.now + timedelta(1)) == 1
    assert count(organisation="akseleran") == 0
    assert count(state="resolved") == 0


def test_a_column_that_is_not_on_the_list_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="access_code_hash"):
        store.export_rows(columns=["ticket_number", "access_code_hash"])
