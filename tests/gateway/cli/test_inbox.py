"""`aduan inbox`: what waits for a person is listed, read and replayed; a replay changes nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.place import data_dir_at
from gateway.journal.sqlite import SqliteJournal
from harness import Aduan, until
from normalizer.message import Raw
from tickets.model import QuarantineRow, RawRow, Records
from tickets.store import Store

Run = Callable[..., Any]
FIXTURES = Path(__file__).parents[2] / "fixtures"
ARRIVED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
PATH = "$.entry[0]"


def body(case: str) -> bytes:
    content = (FIXTURES / "whatsapp_cloud" / case / "request.http").read_bytes().partition(b"\r\n\r\n")[2]
    return content.replace(b"106540352242922", b"100000000001")


def delivery(content: bytes, channel_id: str = "klikacc-whatsapp") -> Raw:
    return Raw(channel_id=channel_id, received_at=ARRIVED, body=content, target=f"/in/{channel_id}")


def quarantine(store: Store, raw_id: str, content: bytes) -> None:
    """A delivery that an earlier version could not read."""
    row = QuarantineRow(
        id=f"{raw_id}.abc", raw_id=raw_id, organisation="klikacc", channel_id="klikacc-whatsapp", path=PATH,
        reason="an unknown field", at=ARRIVED,
    )  # fmt: skip
    with store.begin() as tx:
        raws = [RawRow(id=raw_id, organisation="klikacc", raw=delivery(content))]
        tx.add(Records(raws=raws, quarantine=[row]))


@pytest.fixture
def store(config: Path) -> Store:
    folder = data_dir_at(config)
    folder.mkdir()
    return Store.open(f"sqlite:///{folder / 'tickets.db'}")


def owed(store: Store, number: str) -> int:
    """How many answers the customer is owed, sent or not."""
    view = store.ticket(number)
    assert view is not None
    return len(view.outbox)


def park(config: Path, raw: Raw) -> str:
    async def work() -> str:
        journal = await SqliteJournal.open(data_dir_at(config) / "journal.db")
        (id_,) = await journal.keep([raw])
        await journal.take(1)
        await journal.park(id_, "could not be recorded: ValueError")
        await journal.aclose()
        return id_

    return asyncio.run(work())


def test_quarantined_and_parked_deliveries_are_listed_and_shown(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", body("text"))
    parked = park(config, delivery(body("media")))
    listed = run("inbox", "list", "--config", config)
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["k-1.abc", parked]
    assert "an unknown field" in listed.out
    found = run("inbox", "list", "--json", "--config", config).json
    assert found["quarantine"][0]["path"] == PATH
    assert found["parked"][0]["reason"] == "could not be recorded: ValueError"
    for id_ in ("k-1.abc", "k-1", parked):
        shown = run("inbox", "show", id_, "--config", config)
        assert shown.code == 0
        assert "klikacc-whatsapp" in shown.out
    assert "Dana saya belum cair" in run("inbox", "show", "k-1", "--config", config).out
    unknown = run("inbox", "show", "k-2", "--config", config)
    assert (unknown.code, unknown.out) == (1, "")


def test_a_dry_run_prints_the_difference_and_changes_nothing(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", body("text"))
    before = sorted(path.name for path in data_dir_at(config).rglob("*") if path.suffix not in {".db-shm", ".db-wal"})
    answer = run("inbox", "replay", "k-1.abc", "--dry-run", "--json", "--config", config)
    assert answer.code == 0
    (found,) = answer.json["deliveries"]
    assert len(found["created"]) == 1
    assert store.tickets() == []
    assert [item.state for item in store.quarantine()] == ["open"]
    assert store.counts()["outbox_due"] == 0
    assert store.verify_audit().events == 0
    after = sorted(path.name for path in data_dir_at(config).rglob("*") if path.suffix not in {".db-shm", ".db-wal"})
    assert after == before
    assert "Dana saya" not in answer.out
    assert "+62" not in answer.out


def test_a_replay_records_what_is_new_once(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", body("text"))
    first = run("inbox", "replay", "k-1.abc", "--config", config)
    assert first.code == 0, first.err
    (line,) = store.tickets()
    assert f"new {line.ticket_number}" in first.out
    assert store.quarantine() == []
    assert [item.state for item in store.quarantine(state=None)] == ["replayed"]
    assert owed(store, line.ticket_number) == 1
    again = run("inbox", "replay", "k-1", "--config", config)
    assert "1 already recorded" in again.out
    everything = run("inbox", "replay", "--since", "2026-01-05T10:00", "--config", config)
    assert "1 deliveries: 0 new, 0 added, 1 already recorded" in everything.out
    later = run("inbox", "replay", "--since", "2026-01-05T10:01", "--config", config)
    assert "0 deliveries" in later.out
    assert len(store.tickets()) == 1
    assert owed(store, line.ticket_number) == 1


def test_what_still_cannot_be_read_stays_with_its_path(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", b"{not json")
    answer = run("inbox", "replay", "k-1", "--json", "--config", config)
    assert answer.code == 1
    (found,) = answer.json["deliveries"]
    (where,) = found["unreadable"]
    assert where.startswith("$")
    assert {item.path for item in store.quarantine()} == {"$"}


def test_what_came_for_an_unknown_account_waits_until_it_is_configured(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", body("text").replace(b"100000000001", b"100000000099"))
    answer = run("inbox", "replay", "k-1", "--config", config)
    assert answer.code == 1
    assert "its account is not configured" in answer.out
    assert [item.path.partition("[")[0] for item in store.quarantine()] == ["$"]
    assert store.tickets() == []


def test_one_delivery_twice_is_one_complaint_in_a_dry_run_too(run: Run, config: Path, store: Store) -> None:
    quarantine(store, "k-1", body("text"))
    quarantine(store, "k-2", body("text"))
    found = run("inbox", "replay", "k-1", "k-2", "--dry-run", "--json", "--config", config).json["deliveries"]
    assert [(len(each["created"]), each["known"]) for each in found] == [(1, 0), (0, 1)]


def test_a_parked_delivery_is_recorded_and_leaves_the_journal(run: Run, config: Path, store: Store) -> None:
    parked = park(config, delivery(body("text")))
    dry = run("inbox", "replay", parked, "--dry-run", "--config", config)
    assert dry.code == 0
    assert len(run("inbox", "list", "--json", "--config", config).json["parked"]) == 1
    assert run("inbox", "replay", parked, "--config", config).code == 0
    assert len(store.tickets()) == 1
    assert run("inbox", "list", "--json", "--config", config).json == {"quarantine": [], "parked": []}


def test_a_delivery_of_a_channel_that_is_gone_is_not_tried(run: Run, config: Path, store: Store) -> None:
    parked = park(config, delivery(body("text"), "old-channel"))
    answer = run("inbox", "replay", parked, "--config", config)
    assert answer.code == 1
    assert "this channel is not configured any more" in answer.out
    assert len(run("inbox", "list", "--json", "--config", config).json["parked"]) == 1


@pytest.mark.parametrize("words", [[], ["k-1", "--since", "2026-01-05"]])
def test_ids_or_a_moment_but_not_both(run: Run, config: Path, words: list[str]) -> None:
    assert run("inbox", "replay", *words, "--config", config).code == 2


async def test_it_works_while_the_server_runs_and_the_receipt_goes_out(run: Run, aduan: Aduan) -> None:
    head = "From: Siti <siti@example.com>\nTo: support@klikacc.demo\nSubject: Dana\nMessage-ID: <a@example.com>\n"
    mail = f"{head}Date: Mon, 05 Jan 2026 03:00:00 +0000\n\nDana saya hilang.\n"
    # Now: the server deletes deliveries whose days have passed.
    content = mail.replace("\n", "\r\n").encode()
    raw = Raw(channel_id="klikacc-email", received_at=datetime.now(UTC), body=content, ref="1:1")
    with aduan.running.store.begin() as tx:
        tx.add(Records(raws=[RawRow(id="k-1", organisation="klikacc", raw=raw)]))
    answer = await asyncio.to_thread(run, "inbox", "replay", "k-1", "--config", aduan.config_path)
    assert answer.code == 0, answer.out
    (number,) = aduan.ticket_numbers()

    def state() -> bool:
        view = aduan.running.store.ticket(number)
        return view is not None and view.complaint.receipts[0].state == "sent"

    await until(state)


@pytest.mark.parametrize("source", ["beside the file", "the configuration"])
def test_parse_prints_what_a_request_would_become(run: Run, config: Path, tmp_path: Path, source: str) -> None:
    file = FIXTURES / "whatsapp_cloud" / "text" / "request.http"
    if source == "the configuration":
        answer = run("inbox", "parse", file, "--kind", "whatsapp_cloud", "--unsigned", "--json", "--config", config)
    else:
        none = tmp_path / "none.yaml"
        answer = run("inbox", "parse", file, "--kind", "whatsapp_cloud", "--json", "--config", none)
    assert answer.code == 0, answer.err
    (event,) = answer.json
    assert event["type"] == "Message"
    assert event["text"].startswith("Dana saya belum cair")


def test_parse_reads_a_mail_in_a_process_of_its_own(run: Run, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes(b"From: a@example.com\r\nTo: support@klikacc.demo\r\nSubject: \x1b[31mDana\r\n\r\nHilang.\r\n")
    answer = run("inbox", "parse", file, "--kind", "email", "--config", config)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("Message\n")
    assert "Hilang." in answer.out
    assert "\x1b" not in answer.out


@pytest.mark.parametrize(
    ("case", "code", "says"),
    [
        ("wrong_signature", 1, "would be refused with 401"),
        ("handshake", 0, "nothing would be kept"),
    ],
)
def test_parse_says_when_nothing_would_be_kept(run: Run, tmp_path: Path, case: str, code: int, says: str) -> None:
    file = FIXTURES / "whatsapp_cloud" / case / "request.http"
    answer = run("inbox", "parse", file, "--kind", "whatsapp_cloud", "--config", tmp_path / "none.yaml")
    assert answer.code == code
    assert says in answer.err


def test_parse_names_what_is_missing(run: Run, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.http"
    file.write_bytes(b"hello")
    assert run("inbox", "parse", file, "--kind", "whatsap_cloud", "--config", config).code == 2
    assert run("inbox", "parse", file, "--kind", "whatsapp_cloud", "--config", config).code == 2
    assert run("inbox", "parse", file, "--kind", "whatsapp_cloud", "--config", tmp_path / "none.yaml").code == 2
    assert run("inbox", "parse", tmp_path / "none.eml", "--kind", "email", "--config", config).code == 2
