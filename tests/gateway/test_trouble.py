"""When our own parts fail: the store is locked, the disk is full, a delivery is poisonous, a channel is gone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest

from connectors.errors import Misconfigured
from gateway.app import Running
from gateway.config_load import load
from gateway.journal import Parked
from harness import Aduan, start_aduan, until, write_config
from harness.customer import drained, post_meta, ticket
from harness.meta import body_of, signed, text_message
from harness.settings import only
from normalizer.message import Raw
from web_samples import png

CHANNELS = ("klikacc-whatsapp", "klikacc-twilio", "klikacc-form")


@contextmanager
def database(aduan: Aduan, name: str) -> Iterator[sqlite3.Connection]:
    """Another connection to one of the installation's databases."""
    db = sqlite3.connect(aduan.installation.data_dir / name, isolation_level=None, timeout=10)
    try:
        yield db
    finally:
        db.close()


def parked_in(aduan: Aduan) -> list[Parked]:
    """What was set aside, read from outside."""
    with database(aduan, "journal.db") as db:
        rows = db.execute("select seq, raw, reason, parked_at from inbox where parked_at is not null").fetchall()
        (epoch,) = db.execute("select value from meta where name = 'epoch'").fetchone()
    decode = msgspec.msgpack.Decoder(Raw).decode
    return [
        Parked(id=f"{epoch}-{seq}", raw=decode(raw), reason=reason, parked_at=datetime.fromisoformat(at))
        for seq, raw, reason, at in rows
    ]


async def say(aduan: Aduan, count: int, prefix: str, text: str = "Dana saya hilang") -> list[int]:
    """The answers to `count` messages of as many customers."""
    return [
        await post_meta(aduan, "klikacc", [text_message(f"wamid.{prefix}.{n}", f"62820{n:08}", f"{text} {prefix}")])
        for n in range(count)
    ]


async def test_a_poisonous_delivery_is_parked_and_its_neighbours_go_on(tmp_path: Path) -> None:
    """P7: what can never be recorded is set aside after five tries with its bytes; put back, it is recorded."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        with database(aduan, "tickets.db") as db:
            db.execute(
                "create trigger poison before insert on messages when new.key like '%.poison.0%' "
                "begin select raise(abort, 'poison'); end"
            )
            assert await say(aduan, 3, "before") == [200] * 3
            answers = await asyncio.gather(say(aduan, 1, "poison"), say(aduan, 5, "with"))
            assert list(answers) == [[200], [200] * 5]
            await until(lambda: len(aduan.ticket_numbers()) == 5)
            (parked,) = await until(lambda: parked_in(aduan))
            assert b"wamid.poison.0" in parked.raw.body
            assert "IntegrityError" in parked.reason
            assert "Dana" not in parked.reason
            assert (await aduan.running.journal.depth()) == {"waiting": 0, "parked": 1}
            await aduan.restart()
            assert [each.id for each in await aduan.running.journal.parked()] == [parked.id]
            db.execute("drop trigger poison")
        assert await aduan.running.journal.unpark([parked.id]) == 1
        aduan.running.worker.wake()
        await drained(aduan)
        texts = {message.text for n in aduan.ticket_numbers() for message in ticket(aduan, n).messages}
        assert "Dana saya hilang poison" in texts


async def test_a_channel_that_is_gone_keeps_its_deliveries(tmp_path: Path) -> None:
    """P7: deliveries of a channel that was taken out of the configuration wait for a person and are in nobody's way."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        with database(aduan, "journal.db") as db:
            assert await say(aduan, 1, "template") == [200]
            await drained(aduan)
            await aduan.running.aclose()
            body = body_of("100000000001", [text_message("wamid.late", "6282100000001", "Terlambat")])
            raw = Raw(channel_id="klikacc-whatsapp", received_at=datetime.now(UTC), body=body)
            db.execute("insert into inbox (raw) values (?)", (msgspec.msgpack.encode(raw),))
        whole = aduan.installation
        channels = {id_: channel for id_, channel in whole.channels.items() if id_ != "klikacc-whatsapp"}
        aduan.running = await Running.start(replace(whole, channels=channels))
        (parked,) = await until(lambda: parked_in(aduan))
        assert parked.raw.body == body
        await aduan.restart()
        await aduan.running.journal.unpark([parked.id])
        aduan.running.worker.wake()
        await until(lambda: len(aduan.ticket_numbers()) == 2)


async def test_a_locked_store_holds_nobody_up(tmp_path: Path) -> None:
    """P3: while another process holds the store, webhooks are answered 200 and nothing is blamed; all comes after."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        assert await say(aduan, 1, "first") == [200]
        await drained(aduan)
        with database(aduan, "tickets.db") as lock:
            lock.execute("begin immediate")
            for n in range(8):
                assert await say(aduan, 5, f"locked{n}") == [200] * 5
                await asyncio.sleep(0.9)
            assert (await aduan.running.journal.depth())["waiting"] >= 40
            lock.execute("rollback")
        await drained(aduan)
        await until(lambda: len(aduan.ticket_numbers()) == 5)
        messages = [m for number in aduan.ticket_numbers() for m in ticket(aduan, number).messages]
        assert len(messages) == 41
        assert (await aduan.running.journal.depth()) == {"waiting": 0, "parked": 0}


async def test_a_full_disk_closes_the_door_and_nothing_is_half_kept(tmp_path: Path) -> None:
    """P5: below the reserve: 503 with Retry-After for webhooks and forms, /readyz says why; room again: open again."""
    async with start_aduan(tmp_path, only(*CHANNELS, free_disk_bytes=2**60)) as aduan:
        body = body_of("100000000001", [text_message("wamid.full", "6282200000001", "Halo")])
        async with aiohttp.ClientSession(aduan.url) as session:
            headers = signed(body, aduan.clouds["klikacc"].app_secret)
            async with session.post("/in/klikacc-whatsapp", data=body, headers=headers) as response:
                assert response.status == 503
                assert int(response.headers["Retry-After"]) > 0
            api = "/api/v1/organisations/klikacc/complaints"
            fields, key = {"narrative": "Halo"}, {"Idempotency-Key": "full-disk-1"}
            async with session.post(api, json=fields, headers=key) as response:
                assert response.status == 503
            async with session.get("/readyz") as response:
                assert response.status == 503
                assert any("disk" in line for line in (await response.json())["todo"])
            async with session.get("/healthz") as response:
                assert response.status == 200
        assert (await aduan.running.journal.depth()) == {"waiting": 0, "parked": 0}
        assert not aduan.ticket_numbers()
        roomy = aduan.installation.config.limits.model_copy(update={"free_disk_bytes": 0})
        config = aduan.installation.config.model_copy(update={"limits": roomy})
        aduan.installation = replace(aduan.installation, config=config)
        await aduan.restart()
        assert await say(aduan, 1, "room") == [200]
        await until(lambda: len(aduan.ticket_numbers()) == 1)


async def test_a_file_that_cannot_be_fetched_now_is_fetched_later(tmp_path: Path) -> None:
    """Pain 4: a passing fault of the provider never loses the file, and the receipt does not wait for it."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        cloud = aduan.clouds["klikacc"]
        cloud.media_faults.http(503)
        cloud.media_faults.http(500)
        await cloud.inject_image("6282300000001", png(7, 7))
        (sent,) = await cloud.sent.wait(1)
        (number,) = aduan.ticket_numbers()
        assert number in sent.text
        await until(lambda: ticket(aduan, number).attachments[0].status == "stored", seconds=60)


async def test_a_second_process_is_kept_off_the_data(tmp_path: Path) -> None:
    """Two servers on one folder would both be the single writer: the second one refuses to start."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        with pytest.raises(Misconfigured, match="another"):
            await Running.start(load(write_config(tmp_path, only(*CHANNELS))))
        assert await say(aduan, 1, "still") == [200]
