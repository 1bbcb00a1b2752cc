"""Doubles, batches and mixtures as providers really send them: each message counts once, and only where it belongs."""

from __future__ import annotations

import asyncio
import io
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from harness import Aduan, start_aduan, until
from harness.customer import drained, post_meta, ticket
from harness.meta import body_of, signed, text_message
from harness.settings import only

MESSAGES = 1000
COPIES = 10
CONNECTIONS = 64


async def storm(aduan: Aduan, bodies: list[bytes]) -> Counter[int]:
    """The answers to these POSTs, made over 64 connections at once."""
    cloud = aduan.clouds["klikacc"]
    cloud.enforce_window = False
    answers: Counter[int] = Counter()
    queue = iter(bodies)
    url = f"{aduan.url}/in/klikacc-whatsapp"

    async def one(session: aiohttp.ClientSession) -> None:
        for body in queue:
            async with session.post(url, data=io.BytesIO(body), headers=signed(body, cloud.app_secret)) as response:
                answers[response.status] += 1

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(one(session) for _ in range(CONNECTIONS)))
    return answers


async def test_a_storm_of_doubles_is_one_complaint_and_one_receipt_each(tmp_path: Path) -> None:
    """P8: 1,000 messages, ten deliveries of each, shuffled, over 64 connections: 1,000 complaints, 1,000 receipts."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp")) as aduan:
        cloud = aduan.clouds["klikacc"]
        number = cloud.phone_number_id
        bodies = [
            body_of(number, [text_message(f"wamid.storm.{n}", f"62813{n:08}", f"Saldo saya hilang ke-{n}")])
            for n in range(MESSAGES)
        ] * COPIES
        random.Random(8).shuffle(bodies)
        assert await storm(aduan, bodies) == {200: MESSAGES * COPIES}
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == MESSAGES
        await until(lambda: cloud.sent.total >= MESSAGES, seconds=90)
        await until(lambda: aduan.running.outbox.outstanding == 0)
        assert Counter(sent.to for sent in cloud.sent) == {f"62813{n:08}": 1 for n in range(MESSAGES)}
        assert aduan.running.store.verify_audit().intact


async def test_one_post_of_a_thousand_updates_half_of_them_broken(tmp_path: Path) -> None:
    """P9, T1, T2: close to 3 MB, 1,000 updates, half malformed, the same wamid twice: the good half is recorded."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp", "akseleran-whatsapp")) as aduan:
        cloud = aduan.clouds["klikacc"]
        cloud.enforce_window = False
        broken: list[Any] = [
            {"type": "text"}, 7, None, "text", [], {"id": 5, "timestamp": []}, {"id": "x", "from": {}, "type": "text"},
            {"id": "", "from": "62811", "timestamp": "1", "type": "text", "text": {"body": "a"}},
        ]  # fmt: skip
        updates: list[Any] = []
        for n in range(500):
            good = text_message(f"wamid.batch.{n % 499}", f"62814{n % 499:08}", f"Keluhan {n % 499} " + "x" * 5400)
            updates += [good, broken[n % len(broken)]]
        body = body_of(cloud.phone_number_id, updates)
        assert 2_500_000 < len(body) < 3_000_000
        assert await storm(aduan, [body]) == {200: 1}
        await drained(aduan)
        assert len(aduan.ticket_numbers()) == 499
        aside = aduan.running.store.quarantine(limit=1000)
        assert len(aside) == 500
        assert {item.path.partition(".messages[")[0] for item in aside} == {"$.entry[0].changes[0].value"}
        assert {item.raw_id for item in aside} == {aside[0].raw_id}
        raw = aduan.running.store.raw(aside[0].raw_id)
        assert raw is not None
        assert raw.raw.body == body
        await until(lambda: cloud.sent.total >= 499, seconds=60)


async def test_one_post_for_two_institutions(tmp_path: Path) -> None:
    """T1, P9: one app serves several numbers: each message, status and edit goes to whom its number belongs."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp", "akseleran-whatsapp")) as aduan:
        entries: list[Any] = []
        for slug, phone in (("klikacc", "6281500000001"), ("akseleran", "6281500000002")):
            aduan.clouds[slug].enforce_window = False
            message = text_message(f"wamid.{slug}", phone, "Dana saya belum cair")
            entries += json.loads(body_of(aduan.clouds[slug].phone_number_id, [message]))["entry"]
        stranger = text_message("wamid.stranger", "6281500000003", "Halo")
        entries += json.loads(body_of("999999999999", [stranger]))["entry"]
        body = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
        assert await storm(aduan, [body]) == {200: 1}
        await drained(aduan)
        lines = aduan.running.store.tickets()
        assert {(line.organisation, line.channel_id) for line in lines} == {
            ("klikacc", "klikacc-whatsapp"),
            ("akseleran", "akseleran-whatsapp"),
        }
        (unknown,) = aduan.running.store.quarantine()
        assert "not configured" in unknown.reason
        for slug in ("klikacc", "akseleran"):
            (sent,) = await aduan.clouds[slug].sent.wait(1)
            assert sent.text.startswith("Terima kasih")
        await _status_by_the_other_door(aduan)


async def _status_by_the_other_door(aduan: Aduan) -> None:
    """Statuses and an edit of Akseleran's number come to KlikACC's address."""
    cloud = aduan.clouds["akseleran"]
    (sent,) = cloud.sent
    (line,) = aduan.running.store.tickets(organisation="akseleran")
    await until(lambda: ticket(aduan, line.ticket_number).complaint.receipts[0].state == "read")
    edit = text_message("wamid.edit", "6281500000002", "") | {
        "type": "edit",
        "edit": {"original_message_id": "wamid.akseleran", "message": {"type": "text", "text": {"body": "Sudah cair"}}},
    }
    entries = json.loads(body_of(cloud.phone_number_id, [edit]))
    assert await storm(aduan, [json.dumps(entries).encode()]) == {200: 1}
    await until(lambda: ticket(aduan, line.ticket_number).messages[0].text == "Sudah cair")
    assert sent.status == "read"


async def test_every_message_of_a_burst_by_one_customer_is_kept_in_order(tmp_path: Path) -> None:
    """T4, pain 11, pain 16: "?" "?" and an album are messages of their own in one complaint, in their order."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp")) as aduan:
        words = ["Dana belum cair", "?", "?", *(f"foto {n}" for n in range(20))]
        for place, text in enumerate(words):
            assert await post_meta(aduan, "klikacc", [text_message(f"wamid.{place}", "6281600000001", text)]) == 200
        await drained(aduan)
        (number,) = aduan.ticket_numbers()
        await until(lambda: len(ticket(aduan, number).messages) == len(words))
        assert [message.text for message in ticket(aduan, number).messages] == words
        await asyncio.sleep(0.3)
        assert aduan.clouds["klikacc"].sent.total == 1
