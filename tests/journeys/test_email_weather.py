"""Email in bad weather: copies, late mail, a server that refuses, drops or hangs (K5, A5)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness import Aduan, start_aduan, until
from harness.customer import drained, ticket
from harness.settings import only
from simulator import Climate, Weather
from simulator.weather import CLIMATES

MAILBOX = "support@klikacc.demo"
CUSTOMERS = [f"nasabah{n}@pelanggan.example" for n in range(4)]
#: Mail knows no reply window, and the mailbox's own login is another matter.
#: Where the server may leave it open twice whether it took a mail.
DOUBTFUL = ("stall", "server-errors")
PASSING = sorted(set(CLIMATES) - {"expired-token", "window-closed"})


def impatient(config: dict[str, Any]) -> None:
    """KlikACC by email alone, not waiting long for the server."""
    only("klikacc-email")(config)
    config["channels"]["klikacc-email"]["smtp"]["timeout_seconds"] = 2
    config["outbox"]["ambiguous_wait_seconds"] = 0.3


def mild(name: str) -> Climate:
    """The named climate with one trouble at a time and short silence: retries double, and tests must end."""
    climate = CLIMATES[name]
    if climate.trouble is None:
        return climate
    return Climate(trouble=climate.trouble, chance=0.4, spell=1, stall_seconds=3)


def all_sent(aduan: Aduan) -> bool:
    return all(
        ticket(aduan, number).complaint.receipts[0].state in ("sent", "delivered") for number in aduan.ticket_numbers()
    )


def all_answered_for(aduan: Aduan) -> bool:
    """Whether every receipt went out, or stayed open twice whether it did and is now a person's task."""
    views = [ticket(aduan, number) for number in aduan.ticket_numbers()]
    return all(
        view.complaint.receipts[0].state in ("sent", "delivered")
        or [task.kind for task in view.tasks] == ["check_possible_duplicate"]
        for view in views
    )


@pytest.mark.parametrize("name", PASSING)
async def test_nothing_is_lost_or_doubled(tmp_path: Path, name: str) -> None:
    """P8, P10, P11, P13: one complaint for each mail; a receipt sent again carries the same Message-ID (A13)."""
    async with start_aduan(tmp_path, impatient) as aduan:
        aduan.mail.weather = Weather(name=name, climate=mild(name), seed=3)
        for customer in CUSTOMERS:
            await aduan.mail.write(customer, MAILBOX, "Saldo belum masuk", "Saldo saya hilang sejak kemarin.")
        await until(lambda: len(aduan.ticket_numbers()) == len(CUSTOMERS), seconds=30)
        await until(lambda: all_answered_for(aduan), seconds=60)
        await aduan.mail.settled()
        await drained(aduan)
        got = Counter((mail.recipients[0], mail.message["Message-ID"]) for mail in aduan.mail.outbox)
        receivers = sorted(recipient for recipient, _ in got)
        assert receivers == CUSTOMERS or (name in DOUBTFUL and set(receivers) <= set(CUSTOMERS))
        assert len(receivers) == len(set(receivers)), "a copy has another Message-ID"
        assert len(aduan.ticket_numbers()) == len(CUSTOMERS)
        assert not aduan.running.store.quarantine()


async def test_a_refused_login_halts_sending_and_nothing_else(tmp_path: Path) -> None:
    """P13, T7: complaints go on being recorded; what is owed goes out once the password is good again."""
    async with start_aduan(tmp_path, impatient) as aduan:
        aduan.mail.weather = Weather.named("expired-token")
        for customer in CUSTOMERS:
            await aduan.mail.write(customer, MAILBOX, "Saldo belum masuk", "Saldo saya hilang sejak kemarin.")
        await until(lambda: len(aduan.ticket_numbers()) == len(CUSTOMERS), seconds=30)
        await until(lambda: aduan.running.outbox.halted == {"klikacc-email": "AuthFailed"})
        assert not aduan.mail.outbox
        aduan.mail.weather = Weather()
        aduan.running.outbox.resume("klikacc-email")
        await until(lambda: all_sent(aduan))
        assert sorted(mail.recipients[0] for mail in aduan.mail.outbox) == CUSTOMERS
