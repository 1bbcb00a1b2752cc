"""What providers bill for single calls stands in /metrics (sheet A0.4)."""

from __future__ import annotations

from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from harness import Aduan, start_aduan, until
from harness.settings import only
from simulator.x import X


async def costs(aduan: Aduan) -> dict[tuple[str, str], float]:
    """Dollars by channel and call, as Prometheus reads them."""
    async with aiohttp.ClientSession() as session, session.get(f"{aduan.url}/metrics") as response:
        text = await response.text()
    (family,) = (f for f in text_string_to_metric_families(text) if f.name == "aduan_provider_costs_dollars")
    return {(sample.labels["channel"], sample.labels["call"]): sample.value for sample in family.samples}


async def test_a_message_on_x_costs_what_x_bills_for_it(tmp_path: Path) -> None:
    async with start_aduan(tmp_path, only("akseleran-x", "akseleran-form")) as aduan:
        (account,) = (each for each in aduan.simulation.providers if isinstance(each, X))
        before = await costs(aduan)
        await account.inject_text("sari_w", "Dana saya belum cair")
        await until(lambda: account.sent)
        await until(lambda: aduan.running.store.counts()["outbox_sending"] == 0)
        after = await costs(aduan)
        assert {channel for channel, _ in after} == {"akseleran-x"}
        assert round(after["akseleran-x", "dm_send"] - before["akseleran-x", "dm_send"], 6) == 0.015
