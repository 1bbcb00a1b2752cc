"""The gateway was away for six hours: whatever a provider still knows of them comes in on return, once (P6)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.app import Running
from gateway.journal.sqlite import SqliteJournal
from harness import Aduan, start_aduan, until
from harness.customer import drained
from harness.lines import EACH, LINES, weather_channels
from harness.weather import Line, all_answered_for, set_weather
from simulator import Weather

AWAY = timedelta(hours=6)
#: Where the provider lists what was written, where it queues it, and where it lies in a mailbox.
LISTED = ("klikacc-twilio", "akseleran-facebook", "akseleran-instagram", "akseleran-x")
WAITING = ("akseleran-telegram", "klikumkm-telegram", "klikacc-email", "akseleran-email")
#: Meta lists no direct messages that could be told from those that came.
UNLISTED = ("facebook_dm", "instagram_dm")


def lines_with_a_past() -> list[Line]:
    """Every line whose provider has a history of some kind."""
    return [line for line in LINES if line.source in (*LISTED, *WAITING) and line.channel not in UNLISTED]


async def everybody_complains_meanwhile(aduan: Aduan, lines: Sequence[Line], began: datetime) -> None:
    """One customer of each line after the other, over the whole time; webhooks come nowhere."""
    providers: list[Any] = [line.provider(aduan) for line in lines]
    for line, provider in zip(lines, providers, strict=True):
        if line.source in LISTED:
            provider.weather = Weather.named("unsubscribed")
    try:
        for number in range(EACH):
            moment = (began + AWAY * (number + 0.5) / EACH).timestamp()
            for line, provider in zip(lines, providers, strict=True):
                provider.clock = lambda moment=moment: moment
                await line.complain(aduan, line.people[number])
    finally:
        for provider in providers:
            provider.clock = time.time
            provider.weather = Weather()


async def go_back(aduan: Aduan, moment: datetime) -> None:
    """Lets the last complete look at each list be the one at `moment`; the gateway is closed."""
    journal = await SqliteJournal.open(aduan.installation.data_dir / "journal.db")
    for source in LISTED:
        assert await journal.cursor(f"reconcile:{source}") is not None, source
        await journal.keep((), (f"reconcile:{source}", moment.isoformat()))
    await journal.aclose()


async def looked(aduan: Aduan) -> None:
    """Returns when every list was looked at once: what is older belongs to no gap."""
    async with asyncio.timeout(20):
        for source in LISTED:
            while await aduan.running.journal.cursor(f"reconcile:{source}") is None:
                await asyncio.sleep(0.02)


def missed(aduan: Aduan, source: str) -> float:
    """How many messages only the provider's list brought, as the metric says."""
    value = aduan.running.metrics.registry.get_sample_value("aduan_messages_missed_total", {"channel": source})
    return value or 0.0


async def test_six_hours_are_filled_completely_and_once(tmp_path: Path) -> None:
    """Twilio's list, X's lists, comments of Facebook and Instagram, Telegram's queue in both modes, mailboxes."""
    lines = lines_with_a_past()
    assert {line.source for line in lines} == {*LISTED, *WAITING}
    async with start_aduan(tmp_path, weather_channels) as aduan:
        set_weather(aduan, LINES, "calm", seed=5)
        await until(lambda: all(aduan.running.health.state(line.source) == "good" for line in lines))
        await looked(aduan)
        await aduan.running.aclose()
        began = datetime.now(UTC) - AWAY
        await go_back(aduan, began)
        await everybody_complains_meanwhile(aduan, lines, began)

        aduan.running = await Running.start(aduan.installation)
        count = EACH * len(lines)
        await until(lambda: len(aduan.ticket_numbers()) >= count, seconds=60)
        await until(lambda: not all_answered_for(aduan, lines, "calm"), seconds=60)
        await drained(aduan)
        for line in lines:
            views = line.views(aduan)
            assert len(views) == EACH, line.name
            # Each counts from when it was written, not from when it was found.
            late = [datetime.now(UTC) - view.complaint.received_at for view in views]
            assert max(late) > AWAY / 2, line.name
            assert all(count == 1 for count in line.got(aduan).values()), line.name
        for source in LISTED:
            assert missed(aduan, source) == EACH * len([line for line in lines if line.source == source]), source

        await asyncio.sleep(2.5)  # two further looks at every list
        assert len(aduan.ticket_numbers()) == count
        assert not aduan.running.store.quarantine()
