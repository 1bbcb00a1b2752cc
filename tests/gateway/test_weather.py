"""Providers in bad weather: nothing is lost, nothing is doubled unless the row says so, and the channel recovers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.app import Running
from harness import Aduan, start_aduan, until
from harness.customer import views
from harness.settings import impatient
from simulator import Weather

KINDS = {"whatsapp": "62817", "twilio": "62818"}
CUSTOMERS = {kind: [f"{start}{n:08}" for n in range(6)] for kind, start in KINDS.items()}
EVERYBODY = dict.fromkeys([phone for phones in CUSTOMERS.values() for phone in phones], 1)


IMPATIENT = impatient("klikacc-whatsapp", "klikacc-twilio")


def providers(aduan: Aduan, weather: Callable[[], Weather]) -> dict[str, Any]:
    """Both providers in this weather, with quick retries."""
    found: dict[str, Any] = {"whatsapp": aduan.clouds["klikacc"], "twilio": aduan.twilios["klikacc"]}
    for each in found.values():
        each.time_scale = 0.001
        each.weather = weather()
    return found


async def complain(pretended: dict[str, Any]) -> None:
    for kind, phones in CUSTOMERS.items():
        for phone in phones:
            await pretended[kind].inject_text(f"+{phone}" if kind == "twilio" else phone, "Saldo saya hilang")


def copies(pretended: dict[str, Any]) -> Counter[str]:
    """How many receipts each customer got."""
    sent = [str(each.to) for provider in pretended.values() for each in provider.sent]
    return Counter(to.removeprefix("whatsapp:").removeprefix("+") for to in sent)


def all_arrived(aduan: Aduan) -> bool:
    return all(view.complaint.receipts[0].state in ("delivered", "read") for view in views(aduan))


async def test_an_approved_template_is_the_way_when_the_window_has_closed(tmp_path: Path) -> None:
    """P14, sheet A13: the next lawful way is taken at once, without a person; the receipt holds the same number."""

    def with_templates(config: dict[str, Any]) -> None:
        IMPATIENT(config)
        config["channels"]["klikacc-whatsapp"]["templates"] = {"receipt": {"name": "tanda_terima"}}
        config["channels"]["klikacc-twilio"]["templates"] = {"receipt": "HX" + "0" * 32}

    async with start_aduan(tmp_path, with_templates) as aduan:
        pretended = providers(aduan, lambda: Weather.named("window-closed"))
        await complain(pretended)
        await until(lambda: len(aduan.ticket_numbers()) == len(EVERYBODY))
        await until(lambda: all_arrived(aduan), seconds=40)
        assert not aduan.running.store.open_tasks()
        for view in views(aduan):
            row = view.outbox[0]
            assert row.routes[row.route].template == "receipt"


async def test_what_the_webhook_missed_is_fetched_from_a_history_or_said_aloud(tmp_path: Path) -> None:
    """P6: six hours without webhooks. Twilio lists what was written; Meta lists nothing, so a person is told."""

    def often(config: dict[str, Any]) -> None:
        IMPATIENT(config)
        config["limits"] |= {"reconcile_seconds": 1, "check_seconds": 1}

    async with start_aduan(tmp_path, often) as aduan:
        pretended = providers(aduan, lambda: Weather.named("unsubscribed"))
        last_look = (datetime.now(UTC) - timedelta(hours=6)).isoformat()
        await until(lambda: aduan.running.health.state("klikacc-twilio") == "good")
        await aduan.running.journal.keep((), ("reconcile:klikacc-twilio", last_look))
        await aduan.running.aclose()
        for n, phone in enumerate(CUSTOMERS["twilio"]):
            at = time.time() - 6 * 3600 + n * 3600
            await pretended["twilio"].inject_text(f"+{phone}", "Saldo saya hilang", at=at)
        await pretended["whatsapp"].inject_text(CUSTOMERS["whatsapp"][0], "Saldo saya hilang")
        count = len(CUSTOMERS["twilio"])
        aduan.running = await Running.start(aduan.installation)
        await until(lambda: len(aduan.ticket_numbers()) == count)
        await until(lambda: aduan.running.health.state("klikacc-whatsapp") == "broken")
        assert aduan.running.health.state("klikacc-twilio") == "good"
        assert "subscribed" in str(aduan.running.health.states["klikacc-whatsapp"].reason)
        await until(lambda: missed(aduan) == count)

        # Webhooks come again: what they bring was not missed, and nothing is recorded a second time.
        pretended["twilio"].weather = Weather.named("duplicates", seed=3)
        await pretended["twilio"].inject_text("+6281899999999", "Saldo saya hilang")
        await until(lambda: len(aduan.ticket_numbers()) == count + 1)
        await asyncio.sleep(1.5)  # one more look at the history
        assert missed(aduan) == count
        assert len(aduan.ticket_numbers()) == count + 1


def missed(aduan: Aduan) -> float:
    """How many messages only the history brought, as the metric says."""
    value = aduan.running.metrics.registry.get_sample_value(
        "aduan_messages_missed_total", {"channel": "klikacc-twilio"}
    )
    return value or 0.0
