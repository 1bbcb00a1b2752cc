"""`aduan records`, `aduan tickets evidence` and `aduan verify` of a bag, over a real store."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace

from gateway.cli.place import data_dir_at
from gateway.evidence import Gone, Made, make, verify
from receipts.signature import open_key, public_keys
from records_values import CLOSED, CONTENT, RECEIVED, SECRETS, Closed, deletion, found_in, put_file
from store_values import Build
from tickets.life import Hold
from tickets.model import Records
from tickets.store import Store

Run = Callable[..., Any]
MADE = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.fixture
def case(config: Path) -> Closed:
    """A closed complaint in a store whose server is not running."""
    data = data_dir_at(config)
    data.mkdir()
    store = Store.open(f"sqlite:///{data / 'tickets.db'}", clock=lambda: MADE)
    closed = Closed(Build())
    closed.add(store)
    with store.begin() as tx:
        tx.delete("klikacc", deletion(closed, 1))
    store.close()
    put_file(data / "attachments")
    return closed


@pytest.fixture
def store(config: Path, case: Closed) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{data_dir_at(config) / 'tickets.db'}", clock=lambda: MADE)
    yield opened
    opened.close()


@pytest.mark.parametrize("command", ["receipt", "letter"])
def test_of_an_erased_complaint_nothing_is_issued(
    run: Run, config: Path, case: Closed, store: Store, tmp_path: Path, command: str
) -> None:
    with store.begin() as tx:
        tx.records.erase(case.number, "retention", "siti")
    found = run(command, case.number, "--out", tmp_path / "x.pdf", "--config", config)
    assert found.code == 1
    assert "were erased" in found.err
    assert not (tmp_path / "x.pdf").exists()


@pytest.fixture
def bag(config: Path, case: Closed, store: Store, tmp_path: Path) -> Path:
    out = tmp_path / "bag.zip"
    with out.open("w+b") as file:
        made(config, store, case.number, file)
    return out


def made(config: Path, store: Store, number: str, out: BinaryIO) -> Made:
    """The bag of a complaint, as the command makes it."""
    return make(store, number, out, data_dir=data_dir_at(config), names={"klikacc": "KlikACC"}, actor="dewi", now=MADE)


def test_a_bag_holds_all_of_the_complaint_as_it_was(bag: Path, case: Closed) -> None:
    """T22, T35: what was said first, what it was changed to, what was deleted, and the bytes that came."""
    with zipfile.ZipFile(bag) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}
    first, second = json.loads(content["messages/0001.json"]), json.loads(content["messages/0002.json"])
    assert [version["text"] for version in first["versions"]] == [
        "Dana saya hilang sejak kemarin",
        "kutipan yang diubah",
    ]
    assert second["deleted_by_sender_at"] == "2026-01-05T03:09:00Z"
    assert b"wamid.SITI1" in content["messages/0001.raw"]
    assert first["delivery"]["sha256"] == hashlib.sha256(content["messages/0001.raw"]).hexdigest()
    (attachment,) = (name for name in content if name.startswith("attachments/"))
    assert content[attachment] == CONTENT
    (sent,) = json.loads(content["sent.json"])
    assert sent["text"]["body_hash"] == hashlib.sha256(b"teks surat untuknya").hexdigest()
    assert [part["state"] for part in sent["parts"]] == ["delivered"]
    assert json.loads(content["deadlines.json"])["explained"] == {"first_response": {"due": "2026-01-08"}}
    assert [event["type"] for event in json.loads(content["decisions.json"])] == [
        "complaint.received",
        "ticket.rejected",
    ]
    assert b"right-hash" not in b"".join(content.values())
    page = content["summary.html"].decode()
    for said in ("Siti Rahmawati", "kutipan yang diubah", "teks surat untuknya"):
        assert said in page
    assert "<script" not in page
    for words in ("Cara memeriksa", "How to check it"):
        assert words in content["README.txt"].decode()


def test_the_chain_of_a_bag_can_be_checked_by_anybody(bag: Path) -> None:
    """As its README says: the hash before, then the text; neighbours follow from each other."""
    with zipfile.ZipFile(bag) as opened:
        lines = [json.loads(line) for line in opened.read("audit.jsonl").splitlines()]
        log = json.loads(opened.read("audit-log.json"))
    assert len(lines) >= 4
    for line in lines:
        assert hashlib.sha256(bytes.fromhex(line["prev_hash"]) + line["hashed"].encode()).hexdigest() == line["hash"]
        assert json.loads(line["hashed"])["seq"] == line["seq"]
    for one, two in itertools.pairwise(lines):
        if two["seq"] == one["seq"] + 1:
            assert two["prev_hash"] == one["hash"]
    assert log["intact"] is True
    assert log["head"] == lines[-1]["hash"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_signature_of_a_bag_is_checked_without_us(bag: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bag) as opened:
        for name in ("manifest.json", "manifest.sig", "public-key.pem"):
            (tmp_path / name).write_bytes(opened.read(name))
    words = "pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig"
    done = subprocess.run(["openssl", *words.split()], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in done.stdout


def test_making_a_bag_is_an_event_and_verify_knows_its_own(
    run: Run, config: Path, case: Closed, tmp_path: Path
) -> None:
    bag = tmp_path / "bag.zip"
    said = run("tickets", "evidence", case.number, "--out", bag, "--actor", "dewi", "--config", config)
    assert (said.code, case.number in said.out) == (0, True)
    assert bag.stat().st_mode & 0o077 == 0
    found = run("verify", bag, "--json", "--config", config)
    assert (found.code, found.json["reason"], found.json["manifest"]["ticket_number"]) == (0, "genuine", case.number)
    assert "Asli" in run("verify", bag, "--config", config).out
    shown = run("tickets", "show", case.number, "--json", "--config", config)
    (event,) = (event for event in shown.json["audit"] if event["type"] == "evidence.made")
    assert event["actor"] == "dewi"
    with zipfile.ZipFile(bag) as opened:
        assert event["data"]["manifest"] == hashlib.sha256(opened.read("manifest.json")).hexdigest()
    assert run("tickets", "verify", "--config", config).code == 0


def test_one_changed_byte_anywhere_is_seen(run: Run, config: Path, bag: Path) -> None:
    """A byte in each part of the file: what a name, a time or a gap says is under the signature too."""
    keys, content = public_keys(data_dir_at(config) / "keys"), bag.read_bytes()
    assert verify(io.BytesIO(content), keys).valid
    places = {*range(0, len(content), max(1, len(content) // 250)), *range(60), *range(len(content) - 80, len(content))}
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= 0x04
        assert not verify(io.BytesIO(bytes(changed)), keys).valid, place
    for other in (content + b"\n", b"\n" + content, content[:-1]):
        assert not verify(io.BytesIO(other), keys).valid
    bag.write_bytes(content[:3000] + b"?" + content[3001:])
    found = run("verify", bag, "--config", config)
    assert found.code == 1
    assert "Asli" not in found.out


def test_what_is_added_left_out_or_packed_anew_is_no_bag_of_ours(config: Path, bag: Path, tmp_path: Path) -> None:
    keys = public_keys(data_dir_at(config) / "keys")
    with zipfile.ZipFile(bag) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}

    def packed(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> io.BytesIO:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", how) as packing:
            for name, data in files.items():
                packing.writestr(name, data)
        return out

    def reason(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> tuple[str, str | None]:
        verdict = verify(packed(files, how), keys)
        assert not verdict.valid
        return verdict.reason, verdict.place

    assert reason(content) == ("changed", "zip")
    assert reason({**content, "messages/0003.json": b"{}"}) == ("changed", "zip")
    assert reason({name: data for name, data in content.items() if name != "sent.json"}) == ("changed", "zip")
    assert reason({**content, "sent.json": b"[]"}) == ("changed", "sent.json")
    assert reason(content, zipfile.ZIP_DEFLATED) == ("changed", "zip")
    forged = content["manifest.json"].replace(b"KlikACC", b"KlikAAA")
    assert reason({**content, "manifest.json": forged}) == ("changed", "manifest.json")
    assert reason({"a.txt": b""}) == ("not_a_bag", None)
    cut = verify(io.BytesIO(bag.read_bytes()[:5000]), keys)
    assert (cut.reason, cut.place) == ("changed", "zip")
    assert verify(io.BytesIO(b"PK\x03\x04 no zip"), keys).reason == "not_a_bag"
    assert verify(io.BytesIO(bag.read_bytes()), {}).reason == "unknown_key"


def test_the_same_state_gives_the_same_bytes(config: Path, case: Closed, store: Store) -> None:
    """Fixed times and order; only the event of making one lies between two bags."""
    one = io.BytesIO()
    first = made(config, store, case.number, one)
    copy = Path(str(data_dir_at(config)) + "-copy")
    shutil.copytree(data_dir_at(config), copy)
    again = [io.BytesIO(), io.BytesIO()]
    made(config, store, case.number, again[0])
    other = Store.open(f"sqlite:///{copy / 'tickets.db'}", clock=lambda: MADE)
    made(config, other, case.number, again[1])
    other.close()
    assert again[0].getvalue() == again[1].getvalue() != one.getvalue()
    assert first.missing == ()


def test_other_peoples_words_are_withheld_and_what_is_lost_is_named(config: Path, case: Closed, store: Store) -> None:
    other = case.build.complaint_records("KLA-20260105-000002-6", "other", ref="other", sender_key="wa:other")
    with store.begin() as tx:
        tx.add(replace(other, messages=[replace(other.messages[0], raw_id=case.raw_ids[0])]))
    put_file(data_dir_at(config) / "attachments").write_bytes(b"changed on the disk")
    store.purge_raws(RECEIVED - timedelta(days=1))
    out = io.BytesIO()
    found = made(config, store, case.number, out)
    assert [each.partition(": ")[2] for each in found.missing] == [
        "withheld: the same delivery holds messages of other people",
        "lost or changed on our disk",
    ]
    assert verify(out, public_keys(data_dir_at(config) / "keys")).valid
    with zipfile.ZipFile(out) as opened:
        assert "messages/0001.raw" not in opened.namelist()
        assert "messages/0002.raw" in opened.namelist()


def test_nobody_types_the_name_of_a_file_or_a_script(config: Path, case: Closed, store: Store) -> None:
    attack = '"><script>alert(1)</script>\u202e../../etc/passwd'
    complaint = replace(case.complaint(), complainant=replace(case.complaint().complainant, full_name=attack))
    with store.begin() as tx:
        tx.add(Records(updated=[complaint]))
    out = io.BytesIO()
    made(config, store, case.number, out)
    with zipfile.ZipFile(out) as opened:
        page = opened.read("summary.html").decode()
        assert all(".." not in name and not name.startswith("/") for name in opened.namelist())
    assert "<script" not in page
    assert "\u202e" not in page


def test_erase_says_what_went_and_leaves_nothing(run: Run, config: Path, case: Closed, tmp_path: Path) -> None:
    """UU 27/2022: a person may have the own data erased; the copy in another ticket store is named."""
    assert run("records", "erase", case.number, "--reason", "whim", "--yes", "--config", config).code == 2
    kept = run("records", "erase", case.number, "--reason", "request", "--config", config, given="n\n")
    assert (kept.code, "nothing was erased" in kept.err) == (1, True)
    words = ("records", "erase", case.number.lower(), "--reason", "request", "--actor", "dewi", "--yes")
    done = run(*words, "--config", config)
    assert done.code == 0, done.err
    assert "rt RT-12" in done.out
    assert "data pribadi dihapus / personal data erased" in done.out
    assert list(found_in(data_dir_at(config), SECRETS)) == []
    again = run(*words, "--config", config)
    assert (again.code, "was erased on" in again.err) == (1, True)
    (listed,) = run("records", "list", "--json", "--config", config).json
    assert (listed["ticket_number"], listed["reason"]) == (case.number, "request")
    assert case.number in run("records", "list", "--organisation", "klikacc", "--config", config).out
    assert run("records", "list", "--json", "--organisation", "akseleran", "--config", config).json == []
    bag = run("tickets", "evidence", case.number, "--out", tmp_path / "late.zip", "--config", config)
    assert (bag.code, (tmp_path / "late.zip").exists()) == (1, False)
    assert run("tickets", "verify", "--config", config).code == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": "in_progress", "closed_at": None}, "belum ditutup / the complaint is not closed"),
        ({"state": "objection_review"}, "keberatan masih ditinjau"),
        ({"state": "referred"}, "pengadilan atau LAPS"),
        ({"hold": Hold(reason="sengketa", since=CLOSED, by="dewi")}, "ditahan untuk keperluan hukum"),
    ],
)
def test_erase_refuses_and_says_why(
    run: Run, config: Path, case: Closed, store: Store, changes: dict[str, Any], says: str
) -> None:
    """D6: never while open, under objection, referred, or under a legal hold."""
    hold = changes.pop("hold", None)
    ticket = replace(case.ticket(), **changes, life=replace(case.ticket().life, hold=hold))
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[ticket]))
    refused = run("records", "erase", case.number, "--reason", "order", "--yes", "--config", config)
    assert refused.code == 1
    assert says in refused.err
    assert store.records.erasure(case.number) is None


def test_due_is_a_dry_run_and_purge_does_it(run: Run, config: Path, case: Closed, store: Store) -> None:
    assert run("records", "due", "--json", "--config", config).json == []
    (due,) = run("records", "due", "--json", "--on", "2031-02-21", "--config", config).json
    assert (due["ticket_number"], due["erase_on"], due["obstacle"]) == (case.number, "2031-02-20", None)
    hold = Hold(reason="sengketa", since=CLOSED, by="dewi")
    with store.begin() as tx:
        tx.add(Records(updated_tickets=[replace(case.ticket(), life=replace(case.ticket().life, hold=hold))]))
    shown = run("records", "due", "--on", "2031-02-21", "--config", config)
    assert "legal hold" in shown.out
    assert (
        run("records", "due", "--on", "2031-02-21", "--organisation", "akseleran", "--config", config).out.count("\n")
        == 1
    )
    assert "sengketa" in run("records", "holds", "--config", config).out
    (held,) = run("records", "holds", "--json", "--config", config).json
    assert (held["ticket_number"], held["hold"]["by"]) == (case.number, "dewi")
    old = replace(case.ticket(), closed_at=CLOSED - timedelta(days=3000), opened_at=RECEIVED - timedelta(days=3000))
    received = replace(case.complaint(), received_at=RECEIVED - timedelta(days=3000))
    with store.begin() as tx:
        tx.add(Records(updated=[received], updated_tickets=[old]))
    assert "0 pengaduan" not in run("records", "purge", "--config", config).out
    assert list(found_in(data_dir_at(config), SECRETS)) == []
    assert run("records", "purge", "--json", "--config", config).json["complaints"] == 0


@pytest.mark.parametrize("module", ["gateway.evidence", "tickets.records_evidence", "tickets.store.erasure"])
def test_each_module_can_be_the_first_that_is_read(module: str) -> None:
    """Commands import what they need when they run: no module may lean on one that others happened to import."""
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_bag_of_an_erased_complaint_is_none(config: Path, case: Closed, store: Store) -> None:
    with store.begin() as tx:
        tx.records.erase(case.number, "mistake", "dewi")
    open_key(data_dir_at(config) / "keys")
    with pytest.raises(Gone):
        made(config, store, case.number, io.BytesIO())
    with pytest.raises(LookupError):
        made(config, store, "KLA-20260105-000999-9", io.BytesIO())
