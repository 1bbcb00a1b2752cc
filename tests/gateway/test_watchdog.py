"""What the watchdog says of channels: refused credentials, a silence that is not credible, and that both pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from gateway.app import Running
from gateway.watchdog import Watchdog
from harness import Aduan, start_aduan
from harness.customer import drained, post_meta
from harness.meta import text_message
from harness.settings import only
from normalizer.message import Raw
from simulator import Weather
from tickets.model import RawRow, Records

CHANNEL = "klikacc-whatsapp"


def watchdog(aduan: Aduan, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Watchdog:
    running: Running = aduan.running
    return Watchdog(
        aduan.installation, running.connectors, store=running.store, health=running.health, now=now, every_seconds=60
    )


async def ready(aduan: Aduan) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{aduan.url}/readyz") as response:
        return response.status, await response.json()


async def test_refused_credentials_are_seen_without_a_message(tmp_path: Path) -> None:
    """Broken as soon as it is looked at, good again without a restart."""
    async with start_aduan(tmp_path, only(CHANNEL, "klikacc-form")) as aduan:
        dog = watchdog(aduan)
        assert await dog.look()
        assert (await ready(aduan))[0] == 200
        aduan.clouds["klikacc"].weather = Weather.named("expired-token")
        assert not await dog.look()
        status, body = await ready(aduan)
        assert status == 503
        assert body["channels"][CHANNEL]["state"] == "broken"
        assert body["channels"]["klikacc-form"]["state"] == "good"
        assert any(CHANNEL in line for line in body["todo"])
        aduan.clouds["klikacc"].weather = Weather.named("calm")
        assert await dog.look()
        assert (await ready(aduan))[0] == 200


async def test_an_improbable_silence_is_a_persons_task_until_something_comes(tmp_path: Path) -> None:
    """Four weeks with messages in every hour, then none for a day: somebody must look at the provider."""
    async with start_aduan(tmp_path, only(CHANNEL, "klikacc-form")) as aduan:
        now = datetime.now(UTC)
        hours = [now - timedelta(hours=back) for back in range(24, 27 * 24)]
        raws = [
            RawRow(
                id=f"old-{n}",
                organisation="klikacc",
                raw=Raw(channel_id=CHANNEL, received_at=moment, body=b"{}"),
            )
            for n, moment in enumerate(hours)
        ]

        with aduan.running.store.begin() as tx:
            tx.add(Records(raws=raws))
        dog = watchdog(aduan)
        assert not await dog.look()
        _, body = await ready(aduan)
        (line,) = [line for line in body["todo"] if CHANNEL in line]
        assert "nothing came since" in line
        assert "WIB" in line
        assert body["channels"]["klikacc-form"]["state"] == "good"

        await post_meta(aduan, "klikacc", [text_message("wamid.1", "6282800000001", "Dana hilang")])
        await drained(aduan)
        assert await dog.look()
        status, body = await ready(aduan)
        assert status == 200, body
        assert body["channels"][CHANNEL]["last_event_at"] is not None
