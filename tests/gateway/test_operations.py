"""What people who run it see: alive, ready or what to do, figures; and a stop that leaves nothing behind."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from harness import Aduan, start_aduan, until
from harness.customer import drained, post_meta, ticket
from harness.installation import CONFIG
from harness.meta import text_message
from harness.settings import only
from harness.wire import open_sockets
from simulator import Weather

CHANNELS = ("klikacc-whatsapp", "klikacc-email", "klikacc-form")


PASSWORD = (CONFIG / "demo" / "mail-password").read_text(encoding="utf-8").strip()


async def get(aduan: Aduan, path: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(aduan.url + path, headers=headers) as response:
        return response.status, await response.text()


async def ready(aduan: Aduan) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{aduan.url}/readyz") as response:
        return response.status, await response.json()


async def test_ready_says_what_a_person_must_do(tmp_path: Path) -> None:
    """Interface: 200 while nothing is open; 503 with a sentence for a halted channel, quarantine and tasks."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        await until(lambda: aduan.running.health.states["klikacc-email"].state == "good")
        status, body = await ready(aduan)
        assert (status, body["status"], body["todo"]) == (200, "ready", [])
        assert set(body["channels"]) == set(CHANNELS)
        assert (await get(aduan, "/healthz"))[0] == 200

        aduan.clouds["klikacc"].weather = Weather.named("expired-token")
        await post_meta(aduan, "klikacc", [text_message("wamid.1", "6282600000001", "Dana hilang")])
        await until(lambda: "klikacc-whatsapp" in aduan.running.outbox.halted)
        status, body = await ready(aduan)
        assert status == 503
        assert any("klikacc-whatsapp" in line and "credentials" in line for line in body["todo"])
        assert body["channels"]["klikacc-whatsapp"]["sending"] == "AuthFailed"

        await post_meta(aduan, "klikacc", [{"type": "text"}])
        await drained(aduan)
        status, body = await ready(aduan)
        assert any("quarantine" in line for line in body["todo"])
        assert (await get(aduan, "/healthz"))[0] == 200


async def test_a_mailbox_that_refuses_us_is_a_persons_task_and_recovers(tmp_path: Path) -> None:
    """Pain 23: a refused password is said at once, in words; the other channels go on."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        aduan.mail.imap.set_password("support@klikacc.demo", "another")
        aduan.mail.imap.drop_connections()
        await until(lambda: aduan.running.health.states["klikacc-email"].state == "broken", seconds=30)
        status, body = await ready(aduan)
        assert status == 503
        assert any("klikacc-email" in line and "renew" in line for line in body["todo"])
        assert await post_meta(aduan, "klikacc", [text_message("wamid.1", "6282700000001", "Dana hilang")]) == 200
        aduan.mail.imap.set_password("support@klikacc.demo", PASSWORD)
        await aduan.restart()
        await until(lambda: aduan.running.health.states["klikacc-email"].state == "good", seconds=30)
        assert (await ready(aduan))[0] == 200


async def test_metrics_are_for_this_machine_or_a_token(tmp_path: Path) -> None:
    """Interface: Prometheus can read it; from elsewhere only with the token."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        await post_meta(aduan, "klikacc", [text_message("wamid.1", "6282800000001", "Dana hilang")])
        await drained(aduan)
        status, text = await get(aduan, "/metrics")
        assert status == 200
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert {"aduan_deliveries_kept", "aduan_messages", "aduan_sends", "aduan_depth"} <= set(families)
        kept = {sample.labels["channel"]: sample.value for sample in families["aduan_deliveries_kept"].samples}
        assert kept["klikacc-whatsapp"] >= 1
        assert (await get(aduan, "/metrics", **{"X-Forwarded-For": "203.0.113.9"}))[0] == 403

    def with_token(config: dict[str, Any]) -> None:
        only(*CHANNELS)(config)
        (tmp_path / "metrics-token").write_text("a-long-enough-token-for-metrics\n", encoding="utf-8")
        config["metrics_token"] = "file:metrics-token"

    async with start_aduan(tmp_path, with_token) as aduan:
        assert (await get(aduan, "/metrics"))[0] == 401
        assert (await get(aduan, "/metrics", Authorization="Bearer wrong"))[0] == 401
        assert (await get(aduan, "/metrics", Authorization="Bearer a-long-enough-token-for-metrics"))[0] == 200


async def test_a_stop_under_load_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """P1: what was answered 200 before and during the stop is there after the restart; no socket, no task is left."""
    sockets, tasks = open_sockets(), len(asyncio.all_tasks())
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        # What Meta reports while we are away it reports again soon.
        aduan.clouds["klikacc"].time_scale = 0.001
        accepted: list[str] = []
        stopped = asyncio.Event()

        async def customer(who: int) -> None:
            for n in range(10_000):
                if stopped.is_set():
                    return
                wamid = f"wamid.stop.{who}.{n}"
                try:
                    status = await post_meta(
                        aduan, "klikacc", [text_message(wamid, f"62829{who:03}{n:05}", "Dana hilang")]
                    )
                except aiohttp.ClientError:
                    return
                if status == 200:
                    accepted.append(wamid)

        customers = [asyncio.create_task(customer(who)) for who in range(8)]
        await until(lambda: len(accepted) > 100)
        began = time.monotonic()
        await aduan.running.aclose()
        assert time.monotonic() - began < 15
        stopped.set()
        await asyncio.gather(*customers)
        at_stop = set(accepted)
        await aduan.restart()
        await drained(aduan)
        found = [
            message.row.message.external_id
            for number in aduan.ticket_numbers()
            for message in ticket(aduan, number).messages
        ]
        assert at_stop <= set(found)
        assert len(found) == len(set(found))
    assert len(asyncio.all_tasks()) == tasks
    assert open_sockets() <= sockets


async def test_a_start_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    """A port that is taken: the error says so, and the next start works, because nothing was left behind."""
    async with start_aduan(tmp_path, only("klikacc-form")) as aduan:
        await aduan.running.aclose()
        listen = aduan.installation.config.listen
        server = await asyncio.start_server(lambda _r, w: w.close(), listen.host, listen.port)
        sockets, tasks = open_sockets(), len(asyncio.all_tasks())
        try:
            await _fails(aduan)
        finally:
            assert open_sockets() == sockets
            assert len(asyncio.all_tasks()) == tasks
            server.close()
            await server.wait_closed()
        await aduan.restart()
        assert (await get(aduan, "/healthz"))[0] == 200


async def _fails(aduan: Aduan) -> None:
    try:
        await aduan.restart()
    except OSError:
        return
    raise AssertionError("it started on a port that is taken")
