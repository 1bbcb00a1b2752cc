"""Providers in bad weather: nothing is lost, nothing is doubled unless the row says so, and the channel recovers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Running
from harness import Aduan, start_aduan, until
from harness.customer import drained, ticket
from harness.settings import only
from simulator import Climate, Weather
from simulator.weather import CLIMATES
from tickets.store import TicketView

KINDS = {"whatsapp": "62817", "twilio": "62818"}
CUSTOMERS = {kind: [f"{start}{n:08}" for n in range(6)] for kind, start in KINDS.items()}
EVERYBODY = dict.fromkeys([phone for phones in CUSTOMERS.values() for phone in phones], 1)
#: Where a provider may ask for a minute's patience, or leave it open twice whether it sent.
WAITING = ("rate-limit", "server-errors")
PASSING = sorted(set(CLIMATES) - {"expired-token", "window-closed", "unsubscribed"})


def impatient(config: dict[str, Any]) -> None:
    """KlikACC by WhatsApp through Meta and through Twilio, not waiting long for an answer."""
    only("klikacc-whatsapp", "klikacc-twilio")(config)
    for channel in config["channels"].values():
        channel["timeout_seconds"] = 1
    config["outbox"]["ambiguous_wait_seconds"] = 0.3


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


def views(aduan: Aduan) -> list[TicketView]:
    return [ticket(aduan, number) for number in aduan.ticket_numbers()]


def all_arrived(aduan: Aduan) -> bool:
    return all(view.complaint.receipts[0].state in ("delivered", "read") for view in views(aduan))


def all_answered_for(aduan: Aduan) -> bool:
    """Whether every receipt arrived, became somebody's task, or waits as long as the provider asked."""
    return all(_answered_for(view) for view in views(aduan))


def _answered_for(view: TicketView) -> bool:
    row = view.outbox[0]
    if view.complaint.receipts[0].state in ("delivered", "read"):
        return True
    if row.state == "failed":
        return [task.kind for task in view.tasks] == ["check_possible_duplicate"]
    # While a channel rests, rows that were never tried wait for it too.
    return row.state == "due" and (row.error_class == "Throttled" or row.attempts == 0)


def mild(name: str) -> Climate:
    """The named climate with one trouble at a time and silence of two seconds: retries double, and tests must end."""
    climate = CLIMATES[name]
    if climate.trouble is None:
        return climate
    return Climate(trouble=climate.trouble, chance=0.4, spell=1, stall_seconds=2)


@pytest.mark.parametrize("name", PASSING)
async def test_nothing_is_lost_and_doubles_are_flagged(tmp_path: Path, name: str) -> None:
    """P8, P10, P11, P13: every customer has one complaint and its receipt, or a person knows; doubles are flagged."""
    async with start_aduan(tmp_path, impatient) as aduan:
        pretended = providers(aduan, lambda: Weather(name=name, climate=mild(name), seed=7))
        await complain(pretended)
        await until(lambda: len(aduan.ticket_numbers()) == len(EVERYBODY), seconds=30)
        await until(lambda: copies(pretended))
        await until(lambda: all_answered_for(aduan) if name in WAITING else all_arrived(aduan), seconds=60)
        await drained(aduan)
        found = copies(pretended)
        assert set(found) == set(EVERYBODY) or name in WAITING
        flagged = {view.complaint.complainant.phone for view in views(aduan) if view.outbox[0].possible_duplicate}
        for phone, count in found.items():
            assert count == 1 or f"+{phone}" in flagged, "a second receipt that nobody flagged"
            assert count <= 2
        assert len(aduan.ticket_numbers()) == len(EVERYBODY)
        assert not aduan.running.store.quarantine()


async def test_refused_credentials_halt_sending_and_nothing_else(tmp_path: Path) -> None:
    """P13, T7: complaints go on being recorded, what is owed waits, a person is told; it goes out when it is mended."""
    async with start_aduan(tmp_path, impatient) as aduan:
        pretended = providers(aduan, lambda: Weather.named("expired-token"))
        await complain(pretended)
        await until(lambda: len(aduan.ticket_numbers()) == len(EVERYBODY))
        channels = ("klikacc-whatsapp", "klikacc-twilio")
        await until(lambda: aduan.running.outbox.halted == dict.fromkeys(channels, "AuthFailed"))
        assert not copies(pretended)
        providers(aduan, Weather)
        for channel in channels:
            aduan.running.outbox.resume(channel)
        await until(lambda: all_arrived(aduan), seconds=30)
        assert copies(pretended) == EVERYBODY


async def test_a_closed_window_is_a_persons_task(tmp_path: Path) -> None:
    """P14: never silently "sent": the receipt failed, and somebody has the task to reach the customer otherwise."""
    async with start_aduan(tmp_path, impatient) as aduan:
        pretended = providers(aduan, lambda: Weather.named("window-closed"))
        await complain(pretended)
        await until(lambda: len(aduan.running.store.open_tasks()) == len(EVERYBODY))
        assert {view.complaint.receipts[0].state for view in views(aduan)} == {"failed"}
        assert {view.ticket.state for view in views(aduan)} == {"received"}


async def test_an_approved_template_is_the_way_when_the_window_has_closed(tmp_path: Path) -> None:
    """P14, sheet A13: the next lawful way is taken at once, without a person; the receipt holds the same number."""

    def with_templates(config: dict[str, Any]) -> None:
        impatient(config)
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
        impatient(config)
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
