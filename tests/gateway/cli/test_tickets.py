"""`aduan tickets`, `receipt` and `verify`, over a real store that a replay filled."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.cli.place import data_dir_at
from normalizer.message import Raw
from tickets.model import RawRow, Records
from tickets.store import Store

Run = Callable[..., Any]
MAIL = """\
From: =?utf-8?q?Siti_Aminah?= <siti@example.com>
To: support@klikacc.demo
Subject: =HYPERLINK("http://x.example")
Message-ID: <{id}@example.com>
Date: Mon, 05 Jan 2026 03:00:00 +0000

Dana saya \x1b]0;owned\x07 hilang.
"""


@pytest.fixture
def numbers(run: Run, config: Path) -> list[str]:
    """The numbers of two tickets in a store whose server is not running."""
    folder = data_dir_at(config)
    folder.mkdir()
    store = Store.open(f"sqlite:///{folder / 'tickets.db'}")
    raws = [
        RawRow(
            id=f"k-{number}",
            organisation="klikacc",
            raw=Raw(
                channel_id="klikacc-email",
                received_at=datetime(2026, 1, 5, 3, number, tzinfo=UTC),
                body=MAIL.format(id=number).replace("\n", "\r\n").encode(),
                ref=f"1:{number}",
            ),
        )
        for number in (1, 2)
    ]
    with store.begin() as tx:
        tx.add(Records(raws=raws))
    store.close()
    found = run("inbox", "replay", "k-1", "k-2", "--json", "--config", config)
    assert found.code == 0, found.out
    return [number for each in found.json["deliveries"] for number in each["created"]]


def test_a_list_shows_the_newest_first_and_names_no_person(run: Run, config: Path, numbers: list[str]) -> None:
    answer = run("tickets", "list", "--config", config)
    assert [line.split()[0] for line in answer.out.splitlines()[1:]] == numbers[::-1]
    assert "siti" not in answer.out.lower()
    assert len(run("tickets", "list", "--json", "--limit", 1, "--config", config).json) == 1
    assert run("tickets", "list", "--json", "--organisation", "akseleran", "--config", config).json == []
    assert len(run("tickets", "list", "--json", "--state", "open", "--config", config).json) == 2


def test_the_desk_sees_everything_but_secrets_and_escapes(run: Run, config: Path, numbers: list[str]) -> None:
    typed = numbers[0].replace("-", "").lower()
    shown = run("tickets", "show", typed, "--config", config)
    assert shown.code == 0
    assert "siti@example.com" in shown.out
    assert "Siti Aminah" in shown.out
    assert "hilang" in shown.out
    assert "\x1b" not in shown.out
    found = run("tickets", "show", numbers[0], "--json", "--config", config)
    assert found.json["ticket"]["access_code_hash"] is None
    assert found.json["complaint"]["complainant"]["email"] == "siti@example.com"
    assert "\x9b" not in found.out


@pytest.mark.parametrize(("number", "says"), [("KLA-20260105-000999-9", ""), ("KLA-20260105-000001-9", "mistyped")])
def test_an_unknown_number_is_a_bad_answer(run: Run, config: Path, numbers: list[str], number: str, says: str) -> None:
    answer = run("tickets", "show", number, "--config", config)
    assert (answer.code, answer.out) == (1, "")
    assert number in answer.err
    assert says in answer.err


def test_tasks_are_listed_with_their_ticket(run: Run, config: Path, numbers: list[str]) -> None:
    found = run("tickets", "list", "--tasks", "--json", "--config", config).json
    listed = run("tickets", "list", "--tasks", "--config", config)
    assert len(listed.out.splitlines()) == 1 + len(found)
    assert {task["ticket_number"] for task in found} <= {None, *numbers}


def test_p27_exports_compute_nothing(run: Run, config: Path, tmp_path: Path, numbers: list[str]) -> None:
    as_csv = run("tickets", "export", "--format", "csv", "--config", config)
    rows = list(csv.DictReader(io.StringIO(as_csv.out, newline="")))
    assert [row["ticket_number"] for row in rows] == numbers
    assert rows[0]["subject"].startswith("'=HYPERLINK")
    as_json = run("tickets", "export", "--format", "json", "--config", config)
    assert [row["ticket_number"] for row in json.loads(as_json.out)] == numbers
    book = tmp_path / "tickets.xlsx"
    assert run("tickets", "export", "--format", "xlsx", "--out", book, "--config", config).code == 0
    sheet = openpyxl.load_workbook(book).active
    assert sheet is not None
    assert [sheet.cell(row, 1).value for row in (2, 3)] == numbers
    none = run("tickets", "export", "--format", "json", "--since", "2026-01-06", "--config", config)
    assert json.loads(none.out) == []
    nowhere = run("tickets", "export", "--format", "csv", "--out", tmp_path / "none" / "a.csv", "--config", config)
    assert nowhere.code == 1


def test_the_audit_chain_is_walked(run: Run, config: Path, numbers: list[str]) -> None:
    good = run("tickets", "verify", "--config", config)
    assert good.code == 0
    assert good.out.startswith("utuh / intact: ")
    with sqlite3.connect(data_dir_at(config) / "tickets.db") as db:
        db.execute("drop trigger audit_no_update")
        db.execute("update audit set actor = 'nobody' where seq = 2")
    bad = run("tickets", "verify", "--json", "--config", config)
    assert bad.code == 1
    assert (bad.json["intact"], bad.json["report"]["first_broken"]) == (False, 2)
    assert "BROKEN at event 2: it was changed" in run("tickets", "verify", "--config", config).out


def test_a_receipt_is_issued_and_verified_offline(run: Run, config: Path, tmp_path: Path, numbers: list[str]) -> None:
    out = tmp_path / "receipt.pdf"
    issued = run("receipt", numbers[0], "--out", out, "--config", config)
    assert issued.code == 0, issued.err
    assert out.stat().st_mode & 0o077 == 0
    found = run("verify", out, "--json", "--config", config)
    assert found.code == 0
    assert found.json["statement"]["ticket_number"] == numbers[0]
    (key,) = (data_dir_at(config) / "keys").glob("receipt-*.pub.pem")
    assert run("verify", out, "--key", key, "--config", tmp_path / "none.yaml").code == 0
    out.write_bytes(out.read_bytes().replace(b"%PDF-", b"%PDF-", 1) + b"\n")
    changed = run("verify", out, "--key", key)
    assert changed.code == 1
    assert "Genuine" not in changed.out
    out.write_bytes(b"%PDF-1.7 something else")
    assert run("verify", out, "--config", config).code == 1


def test_verify_names_a_key_that_is_none(run: Run, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-")
    assert run("verify", file, "--key", file).code == 2
    assert run("verify", tmp_path / "none.pdf", "--key", file).code == 2
    without = run("verify", file, "--config", config)
    assert without.code == 1
    assert "no public key" in without.err


def test_no_store_is_made_by_looking(run: Run, config: Path) -> None:
    for words in (["tickets", "list"], ["tickets", "verify"], ["inbox", "list"], ["receipt", "X", "--out", "a.pdf"]):
        answer = run(*words, "--config", config)
        assert answer.code == 1
        assert "`aduan serve` makes it" in answer.err
    assert not data_dir_at(config).exists()


def test_a_file_that_is_no_database_is_named(run: Run, config: Path) -> None:
    data_dir_at(config).mkdir()
    (data_dir_at(config) / "tickets.db").write_bytes(b"this is not a database, but long enough to be looked at" * 40)
    answer = run("tickets", "list", "--config", config)
    assert answer.code == 1
    assert "is it a database" in answer.err
