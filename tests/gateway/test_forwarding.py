"""A running Aduan hands its tickets to other stores; people see how that goes, and steer it by `aduan forwards`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner

from gateway.cli.commands import app
from gateway.config_load import load
from harness import Aduan, start_aduan, until, write_config
from harness.settings import only
from simulator.ticket_stores import Receiver, Zammad
from tickets.store import TicketView
from tickets.yaml_lines import InvalidFile

SECRET = "whsec_" + "YWJj" * 8
TOKEN = "zammad-token-of-the-agent"
Aduans = tuple[Aduan, Receiver, Zammad]


def forwarding(folder: Path, receiver: Receiver, zammad: Zammad) -> Callable[[dict[str, Any]], None]:
    (folder / "whsec").write_text(SECRET, encoding="utf-8")
    (folder / "token").write_text(TOKEN, encoding="utf-8")

    def change(config: dict[str, Any]) -> None:
        only("klikacc-whatsapp", "akseleran-whatsapp")(config)
        shared = {"inside": True, "timeout_seconds": 2, "look_seconds": 1, "tell_after_seconds": 0}
        config["forward"] = [
            {"kind": "webhook", "name": "erp", "url": receiver.url, "secrets": ["file:whsec"], **shared},
            {"kind": "zammad", "name": "zammad", "url": zammad.url, "token": "file:token", "group": "Pengaduan",
             "organisations": ["klikacc"], **shared},
        ]  # fmt: skip

    return change


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Aduans]:
    receiver, zammad = Receiver(), Zammad(TOKEN)
    await receiver.start()
    await zammad.start()
    try:
        async with start_aduan(tmp_path, forwarding(tmp_path, receiver, zammad)) as aduan:
            yield aduan, receiver, zammad
    finally:
        await zammad.stop()
        await receiver.stop()


async def command(aduan: Aduan, *words: str) -> tuple[int, str]:
    """Exit code and output of `aduan forwards`, beside the running server."""
    return await any_command(aduan, "forwards", *words)


async def any_command(aduan: Aduan, *words: str) -> tuple[int, str]:
    """The same for any command of `aduan`."""
    given = [*words, "--config", str(aduan.config_path)]
    result = await asyncio.to_thread(CliRunner().invoke, app, given)
    return result.exit_code, result.output


async def ready(aduan: Aduan) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{aduan.url}/readyz") as response:
        return await response.json()


async def todo(aduan: Aduan, start: str) -> list[str]:
    return [line for line in (await ready(aduan))["todo"] if line.startswith(start)]


def view(aduan: Aduan) -> TicketView:
    found = aduan.running.store.ticket(aduan.ticket_numbers()[-1])
    assert found is not None
    return found


async def test_what_comes_in_goes_to_every_target_of_its_organisation(running: Aduans) -> None:
    aduan, receiver, zammad = running
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: len(receiver.received) == 1 and len(zammad.tickets) == 1)
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Nomor pinjaman 12345.")
    await until(lambda: len(receiver.received) == 2 and len(zammad.articles) == 2)
    await aduan.clouds["akseleran"].inject_text("6281234567891", "Halo, dana saya?")
    await until(lambda: len(receiver.received) == 3)
    first, second, other = (got.json for got in receiver.received)
    assert (first["type"], second["type"]) == ("complaint.received", "message.added")
    assert second["data"]["text"] == "Nomor pinjaman 12345."
    assert first["data"]["complaint"]["complaint_id"] == second["data"]["complaint"]["complaint_id"]
    assert other["data"]["complaint"]["tenant"] == "akseleran"
    assert len(zammad.tickets) == 1
    # The receiver has it a moment before we know that it has.
    await until(lambda: not aduan.running.store.forwards.lines(state="open"))
    body = await ready(aduan)
    assert {name: (state["state"], state["waiting"]) for name, state in body["forward"].items()} == {
        "erp": ("good", 0), "zammad": ("good", 0),
    }  # fmt: skip

    code, out = await command(aduan, "list", "--target", "zammad", "--json")
    assert code == 0
    assert [(line["seq"], line["type"], line["state"]) for line in json.loads(out)] == [
        (2, "message.added", "done"), (1, "complaint.received", "done"),
    ]  # fmt: skip
    assert "12345" not in out
    code, out = await command(aduan, "targets")
    assert code == 0
    assert "akseleran, klikacc" in out


async def test_a_restart_goes_on_where_it_was(running: Aduans) -> None:
    aduan, receiver, zammad = running
    await zammad.stop()
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: len(receiver.received) == 1)
    await until(lambda: any(line.attempts for line in aduan.running.store.forwards.lines(target="zammad", state="due")))
    (told,) = await todo(aduan, "forward target zammad")
    assert "does not take anything (Unavailable); 1 hand-overs wait" in told
    await aduan.restart()
    await zammad.start()
    await until(lambda: len(zammad.tickets) == 1)
    await until(lambda: not aduan.running.store.forwards.lines(state="open"))
    assert len(receiver.received) == 1


async def test_a_change_there_is_found_shown_and_released(running: Aduans) -> None:
    aduan, _, zammad = running
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: aduan.ticket_numbers() and view(aduan).complaint.forwards[-1].state == "done")
    # The pretended Zammad's clock stands in the past: the next look must reach back to it.
    real = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    zammad.change(1, state="closed")
    zammad.tickets[1]["updated_at"] = real
    await until(lambda: "changed_elsewhere" in [task.kind for task in view(aduan).tasks])
    number = view(aduan).ticket.ticket_number
    code, out = await command(aduan, "list", "--state", "changed")
    assert (code, number in out, "`closed`" in out) == (0, True, True)
    assert any("tasks are open" in line for line in (await ready(aduan))["todo"])

    code, out = await command(aduan, "release", "zammad", number)
    assert (code, number in out) == (0, True)
    await until(lambda: zammad.tickets[1]["state"] == "new")
    code, out = await command(aduan, "release", "zammad", number)
    assert code == 1


async def test_a_halted_target_is_told_and_nothing_is_lost(running: Aduans) -> None:
    """410: it wants nothing any more, until a person resumes it."""
    aduan, _, zammad = running
    zammad.always = "gone"
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: aduan.running.store.forwards.targets()["zammad"].halted == "Disabled")
    (told,) = await todo(aduan, "forward target zammad")
    assert "1 hand-overs wait" in told
    code, out = await command(aduan, "targets")
    assert (code, "Disabled" in out) == (1, True)
    code, out = await command(aduan, "check")
    assert (code, "BAD   forward zammad: Disabled" in out) == (1, True)
    zammad.always = None
    code, out = await command(aduan, "check")
    assert (code, "good  forward zammad: it takes tickets" in out) == (0, True)
    assert (await command(aduan, "resume", "zammad"))[0] == 0
    await until(lambda: len(zammad.tickets) == 1)
    assert (await command(aduan, "resume", "zammad"))[0] == 1


async def test_replay_and_backfill_by_hand(running: Aduans) -> None:
    aduan, receiver, _ = running
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: len(receiver.received) == 1)
    await until(lambda: not aduan.running.store.forwards.lines(state="open"))
    sent = receiver.ids()[0]
    number = view(aduan).ticket.ticket_number
    for word in (sent, number):
        code, out = await command(aduan, "replay", "erp", word)
        assert (code, out.startswith("erp: 1 to be")) == (0, True), out
        await until(lambda: not aduan.running.store.forwards.lines(state="open"))
    code, out = await command(aduan, "replay", "erp", "--since", "2026-01-01")
    assert code == 0
    await until(lambda: receiver.ids() == [sent] * 4)
    code, out = await command(aduan, "backfill", "erp")
    assert (code, out.startswith("erp: 0 tickets")) == (0, True)
    assert (await command(aduan, "replay", "erp"))[0] == 2
    code, out = await command(aduan, "replay", "erpp", sent)
    assert (code, "did you mean `erp`?" in out) == (2, True)


async def test_what_the_desk_does_is_heard_everywhere(running: Aduans) -> None:
    """An event recorded from the command line, by another process than the server's, reaches every target."""
    aduan, receiver, zammad = running
    await aduan.clouds["klikacc"].inject_text("6281234567890", "Dana saya belum cair sejak kemarin.")
    await until(lambda: len(receiver.received) == 1)
    number = view(aduan).ticket.ticket_number
    words = ("tickets", "do", number, "first_response", "text=Kami sedang memeriksa.", "--actor", "sari")
    code, out = await any_command(aduan, *words)
    assert code == 0, out
    await until(lambda: len(receiver.received) == 2 and zammad.tickets and zammad.tickets[1]["state"] == "open")
    told = receiver.received[1].json
    assert (told["type"], told["data"]["text"]) == ("ticket.first_response", "Kami sedang memeriksa.")
    assert told["data"]["ticket"]["state"] == "in_progress"
    assert zammad.articles[-1]["body"] == "Kami sedang memeriksa."


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "erp"}, "two targets have the name `erp`"),
        ({"organisations": ["klikac"]}, "forward target `second`: there is no organisation `klikac`"),
        ({"url": "https://user:pass@erp.example.co.id"}, "without a user or password"),
        ({"url": "https://erp.example.co.id/?token=1"}, "secrets never stand in an address"),
        ({"url": "http://erp.example.co.id"}, "url must begin with https://"),
        ({"name": "ERP 2"}, "match pattern"),
        ({"secrets": ["whsec_abc"]}, "a secret must not stand in this file"),
        ({"colour": "red"}, "unknown key"),
    ],
)
def test_a_mistake_in_a_target_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    (tmp_path / "whsec").write_text(SECRET, encoding="utf-8")
    first = {"kind": "webhook", "name": "erp", "url": "https://erp.example.co.id", "secrets": ["file:whsec"]}

    def add(config: dict[str, Any]) -> None:
        config["forward"] = [first, {**first, "name": "second", **change}]

    with pytest.raises(InvalidFile) as caught:
        load(write_config(tmp_path, add))
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
