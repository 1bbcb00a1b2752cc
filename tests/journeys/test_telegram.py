"""A complaint enters by Telegram, by webhook or long poll, and its receipt comes back into the chat (K2-K5, A3-A5)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan, until
from harness.customer import NUMBER, code_in, drained, number_in, ticket
from harness.settings import impatient
from harness.weather import quick
from simulator.telegram import Telegram
from simulator.telegram.people import person_named
from tickets.store import TicketView
from web_samples import png

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Institution -> the channels of its policy whose journey this is.
SHOWN = {"akseleran": ("telegram",)}
CHANNEL = "akseleran-telegram"
MODES = ("webhook", "poll")


def in_mode(mode: str) -> Callable[[dict[str, Any]], None]:
    """A change: only Akseleran's bot, in this mode, not waiting long for an answer."""

    def change(config: dict[str, Any]) -> None:
        impatient(CHANNEL)(config)
        config["channels"][CHANNEL] |= {"mode": mode, "poll_seconds": 1}

    return change


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=MODES)
async def akseleran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Akseleran on Telegram, shared by the tests of one mode."""
    async with start_aduan(tmp_path_factory.mktemp(request.param), in_mode(request.param)) as running:
        yield running


def of(aduan: Aduan, handle: str) -> list[TicketView]:
    """The tickets of a customer."""
    key = f"tg:{person_named(handle).id}"
    views = (ticket(aduan, number) for number in aduan.ticket_numbers())
    return [view for view in views if view.complaint.sender_key == key]


def heard(bot: Telegram, handle: str) -> list[str]:
    """What came back to a customer."""
    return [sent.text for sent in bot.sent if sent.chat_id == person_named(handle).id]


async def receipt(bot: Telegram, handle: str) -> str:
    """The first answer that names a ticket."""
    return (await until(lambda: [text for text in heard(bot, handle) if NUMBER.search(text)]))[0]


async def test_a_complaint_is_receipted_in_its_chat(akseleran: Aduan) -> None:
    """K2, K3, A3: at once a numbered complaint; the receipt quotes it and holds number, contact and "keep this"."""
    bot = quick(akseleran, "akseleran", Telegram)
    await bot.inject_text("sari_w", "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong.")
    text = await receipt(bot, "sari_w")
    view = ticket(akseleran, number_in(text))
    assert view.complaint.channel == "telegram"
    assert view.complaint.form == "written"
    assert view.complaint.narrative == "Dana saya belum cair sejak tanggal 3, padahal sudah dipotong."
    assert view.complaint.channel_account == bot.bot_token.partition(":")[0]
    for words in ("Akseleran", "Mohon simpan pesan ini", "PIN bank, OTP", code_in(text)):
        assert words in text
    assert bot.sent[-1].in_reply_to == 1
    await until(lambda: ticket(akseleran, number_in(text)).complaint.receipts[0].state == "sent")


async def test_an_album_and_what_follows_are_one_complaint(akseleran: Aduan) -> None:
    """Three pictures with one caption, then a text, an answer to the receipt and a file: one complaint, one receipt."""
    bot = quick(akseleran, "akseleran", Telegram)
    await bot.inject_album("budi", [png(8, 8), png(9, 9), png(10, 10)], caption="Ditagih dua kali, ini buktinya")
    number = number_in(await receipt(bot, "budi"))
    await bot.inject_text("budi", "Nama saya Budi Santoso", reply_to=bot.sent[-1].message_id)
    await bot.inject_file("budi", "document", b"%PDF-1.4\n%%EOF\n", "application/pdf", filename="bukti.pdf")
    await until(lambda: len(ticket(akseleran, number).messages) == 5)
    await until(lambda: {a.status for a in ticket(akseleran, number).attachments} == {"stored"})
    view = ticket(akseleran, number)
    assert len(view.attachments) == 4
    assert view.complaint.narrative == "Ditagih dua kali, ini buktinya"
    assert len(heard(bot, "budi")) == len(view.complaint.receipts) == 1


async def test_start_alone_is_greeted_and_a_deep_link_keeps_its_payload(akseleran: Aduan) -> None:
    """START is no complaint; a payload opens one, and the first words that follow stand in the same."""
    bot = quick(akseleran, "akseleran", Telegram)
    await bot.inject_start("dewi")
    (greeting,) = await until(lambda: heard(bot, "dewi"))
    assert greeting.startswith("Silakan tulis pengaduan Anda")
    await drained(akseleran)
    before = len(akseleran.ticket_numbers())
    await bot.inject_start("eka", "pinjaman_A-123")
    number = number_in(await receipt(bot, "eka"))
    await bot.inject_text("eka", "Saldo saya hilang setelah penarikan dana")
    await until(lambda: len(ticket(akseleran, number).messages) == 2)
    view = ticket(akseleran, number)
    assert view.complaint.narrative == "/start pinjaman_A-123\nSaldo saya hilang setelah penarikan dana"
    assert "deep_link" in view.complaint.flags
    assert len(akseleran.ticket_numbers()) == before + 1


async def test_edits_taps_groups_and_own_number(akseleran: Aduan) -> None:
    """T21, T23, T35: an edit is a version, also before its message; a group makes no ticket."""
    bot = quick(akseleran, "akseleran", Telegram)
    before = len(akseleran.ticket_numbers())
    await bot.inject_group_text("fajar", -1001700000001, "Siapa lagi yang ditagih dua kali?")
    await bot.edit("fajar", 1, "Saya ditagih TIGA kali")
    await bot.inject_text("fajar", "Saya ditagih dua kali")
    number = number_in(await receipt(bot, "fajar"))
    await until(lambda: ticket(akseleran, number).messages[0].text == "Saya ditagih TIGA kali")
    await bot.inject(
        "fajar",
        {"contact": {"phone_number": "6281200000001", "first_name": "F", "user_id": person_named("fajar").id}},
    )
    await until(lambda: ticket(akseleran, number).complaint.complainant.phone == "+6281200000001")
    assert len(akseleran.ticket_numbers()) == before + 1


async def test_who_blocked_the_bot_is_a_persons_task(akseleran: Aduan) -> None:
    """P14: 403 is Unreachable; without another address a person gets the task, and sending goes on for others."""
    bot = quick(akseleran, "akseleran", Telegram)
    bot.blocked.add(person_named("gita").id)
    await bot.inject_text("gita", "Akun saya dibekukan tanpa pemberitahuan")
    await until(lambda: [task.kind for view in of(akseleran, "gita") for task in view.tasks] == ["undeliverable"])
    (view,) = of(akseleran, "gita")
    assert (view.outbox[0].state, view.outbox[0].error_class) == ("failed", "Unreachable")
    await bot.block("gita", again=True)
    await bot.inject_text("hadi", "Saya juga")
    assert await receipt(bot, "hadi")
    assert not heard(bot, "gita")
    assert not akseleran.running.store.quarantine()


@pytest.mark.parametrize("mode", MODES)
async def test_an_outage_of_six_hours_is_filled_on_return(tmp_path: Path, mode: str) -> None:
    """P6: the gateway was away for six hours; what customers wrote waits at Telegram and comes complete, once."""
    async with start_aduan(tmp_path, in_mode(mode)) as aduan:
        bot = quick(aduan, "akseleran", Telegram)
        await aduan.running.aclose()
        began = time.time() - 6 * 3_600
        for number in range(40):
            await bot.inject_text(f"pelanggan{number}", f"Saldo saya hilang {number}", at=began + number * 500)
        await aduan.restart()
        await until(lambda: len(aduan.ticket_numbers()) == 40, seconds=40)
        await until(lambda: len(bot.sent) == 40, seconds=40)
        assert Counter(sent.chat_id for sent in bot.sent) == dict.fromkeys(
            (person_named(f"pelanggan{n}").id for n in range(40)), 1
        )
        assert len(bot.queue) == 0 or mode == "poll"
