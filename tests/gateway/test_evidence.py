"""An evidence bag of a complaint that others were merged into tells their whole life too."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zipfile

from desk_at_work import DeskAtWork
from gateway.evidence import make, verify
from receipts.signature import public_keys
from tickets import lifecycle_events as events


def test_a_bag_holds_what_was_merged_with_receipts_events_and_numbers(desk: DeskAtWork) -> None:
    """What was promised and answered under the other number is part of the same case."""
    one = desk.whatsapp("klikacc", "6281200000001", "Saldo saya terpotong dua kali")
    two = desk.email("klikacc", "siti@example.com", "Dana saya hilang sejak kemarin")
    three = desk.email("klikacc", "siti@example.net", "Pinjaman saya belum cair")
    desk.pass_time(hours=1)
    desk.done(two, events.FirstResponse(text="Kami sedang memeriksa surat Anda."))
    desk.done(three, events.Merged(into=two))
    desk.done(two, events.Merged(into=one))
    out = io.BytesIO()
    data = desk.installation.data_dir
    names = {slug: each.name for slug, each in desk.installation.organisations.items()}
    make(desk.store, one, out, data_dir=data, names=names, actor="dewi", now=desk.now)
    verdict = verify(out, public_keys(data / "keys"))
    assert verdict.manifest is not None
    assert verdict.manifest.ticket_number == one
    assert sorted(verdict.manifest.merged) == sorted([two, three])
    with zipfile.ZipFile(out) as bag:
        content = {name: bag.read(name) for name in bag.namelist()}
    sent = json.loads(content["sent.json"])
    assert {each["ticket_number"] for each in sent} == {one, two, three}
    assert {each["outbox"]["template"] for each in sent if each["ticket_number"] == two} >= {"receipt"}
    decisions = json.loads(content["decisions.json"])
    assert "ticket.first_response" in [each["type"] for each in decisions]
    assert [each["type"] for each in decisions].count("complaint.received") == 3
    lines = [json.loads(line) for line in content["audit.jsonl"].splitlines()]
    assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)
    for line in lines:
        assert hashlib.sha256(bytes.fromhex(line["prev_hash"]) + line["hashed"].encode()).hexdigest() == line["hash"]
    for before, after in itertools.pairwise(lines):
        assert after["seq"] > before["seq"] + 1 or after["prev_hash"] == before["hash"]
    tickets = [json.loads(content[f"merged/{place:04d}-ticket.json"]) for place in (1, 2)]
    assert sorted(each["ticket_number"] for each in tickets) == sorted([two, three])
    assert all(each["access_code_hash"] is None for each in tickets)
    texts = [json.loads(content[f"messages/{place:04d}.json"])["versions"][0]["text"] for place in (1, 2, 3)]
    assert len(set(texts)) == 3
    page = content["summary.html"].decode()
    for said in (one, two, three, "Kami sedang memeriksa surat Anda.", "Pinjaman saya belum cair"):
        assert said in page
