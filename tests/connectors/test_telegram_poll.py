"""Long polling with a cursor of our own: nothing is confirmed before it is stored, nothing is skipped (P1, P6, P7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json

from connectors.contract import Batch, Pull, Push, Reconcile
from connectors.errors import AuthFailed, ConnectorError, Misconfigured, Unavailable
from connectors.telegram import Telegram
from normalizer.message import Edit, Ignored, Message, Raw, Unreadable
from simulator.telegram import Telegram as Bot
from telegram_bot import PUBLIC_URL, connected, running_bot

POLL: dict[str, Any] = {"mode": "poll", "secret_token": None, "poll_seconds": 1}


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """Telegram, pretended."""
    async with running_bot() as found:
        yield found


@pytest.fixture
async def connector(bot: Bot) -> AsyncIterator[Telegram]:
    """The connector of that bot, in poll mode."""
    async with connected(bot.base_url, **POLL) as found:
        yield found


async def one(connector: Telegram, cursor: str | None) -> Batch:
    """The first batch after `cursor`, its pull closed at once, as a crash would."""
    assert isinstance(connector, Pull)
    async with asyncio.timeout(10), aclosing(connector.pull(cursor)) as pulled:
        async for batch in pulled:
            return batch
    raise AssertionError("a pull never ends by itself")


def texts(connector: Telegram, batch: Batch) -> list[str]:
    """What customers wrote in a batch."""
    return [event.text for raw in batch.keep for event in connector.parse(raw) if isinstance(event, Message)]


def test_each_mode_is_one_thing() -> None:
    """build gives a Push or a Pull, never both: the pump and the webhook would fight over one queue."""

    async def both() -> None:
        async with connected("http://127.0.0.1:9", **POLL) as poll, connected("http://127.0.0.1:9") as webhook:
            assert isinstance(poll, Pull)
            assert not isinstance(poll, Push | Reconcile)
            assert isinstance(webhook, Push)
            assert isinstance(webhook, Reconcile)
            assert not isinstance(webhook, Pull)

    asyncio.run(both())


async def test_a_pull_cut_anywhere_resumes_without_loss(bot: Bot, connector: Telegram) -> None:
    """P1: cut after every batch, stored or not: the same batch comes again, then the next; 250 of 250 arrive once."""
    for number in range(250):
        await bot.inject_text(f"pelanggan{number % 7}", f"pesan {number}")
    stored: list[str] = []
    cursor: str | None = None
    while len(stored) < 250:
        crashed, batch = await one(connector, cursor), await one(connector, cursor)
        assert [raw.ref for raw in crashed.keep] == [raw.ref for raw in batch.keep]
        assert all(raw.ref for raw in batch.keep)
        stored += texts(connector, batch)
        cursor = batch.cursor
    assert stored == [f"pesan {number}" for number in range(250)]


async def test_an_update_is_confirmed_only_after_it_was_stored(bot: Bot, connector: Telegram) -> None:
    """The offset leaves with the question after the one that brought the batch, and not before it is asked for."""
    assert isinstance(connector, Pull)
    await bot.inject_text("sari", "satu")
    async with aclosing(connector.pull(None)) as pulled:
        await anext(pulled)
        await bot.inject_text("sari", "dua")
        assert len(bot.queue) == 2
        batch = await anext(pulled)
        assert texts(connector, batch) == ["dua"]
        assert len(bot.queue) == 1


async def test_a_waiting_pull_ends_at_once(bot: Bot, connector: Telegram) -> None:
    """A pull that waits at Telegram ends within a second when it is told to."""
    assert isinstance(connector, Pull)
    waiting = asyncio.create_task(one(connector, None))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(1):
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_odd_updates_hold_nobody_up(bot: Bot, connector: Telegram) -> None:
    """P7, T1: what python-telegram-bot itself would stumble over goes to quarantine, its neighbours go on."""
    await bot.inject_text("sari", "sebelum")
    await bot.update("message", {"text": "tanpa tanggal dan nomor"}, 1)
    await bot.update("poll", {"id": "1"}, 2)
    await bot.update("message", {"message_id": 1, "chat": [], "date": "x"}, 3)
    await bot.inject_text("sari", "sesudah")
    batch = await one(connector, None)
    kinds = [type(event) for raw in batch.keep for event in connector.parse(raw)]
    assert kinds == [Message, Unreadable, Ignored, Unreadable, Message]
    assert texts(connector, batch) == ["sebelum", "sesudah"]


async def test_an_answer_that_cannot_be_read_is_asked_for_in_smaller_pieces(bot: Bot, connector: Telegram) -> None:
    """An answer that is cut off or too long does not stop the channel for ever."""
    for number in range(30):
        await bot.inject_text("sari", f"pesan {number}")
    bot.update_faults.http(200, b'{"ok":true,"result":[{"upd')
    bot.update_faults.http(200, b'{"ok":true}')
    batch = await one(connector, None)
    assert texts(connector, batch) == ["pesan 0"]
    assert len((await one(connector, batch.cursor)).keep) == 29
    bot.update_faults.http(200, b"<html>", times=3)
    with pytest.raises(Unavailable):
        await one(connector, batch.cursor)


async def test_a_position_older_than_six_days_is_not_used(bot: Bot) -> None:
    """After a week without updates Telegram counts on from a random number: an old offset would delete unseen ones."""
    later = datetime.now(UTC) + timedelta(days=7)
    await bot.inject_text("sari", "nomor kecil", at=later.timestamp())
    async with connected(bot.base_url, now=lambda: later, **POLL) as connector:
        high = f"{connector.account}:{10**9}@{int(datetime.now(UTC).timestamp())}"
        assert texts(connector, await one(connector, high)) == ["nomor kecil"]


@pytest.mark.parametrize("cursor", ["7000000001:999999999@9999999999", "999999999", "", "x:y@z"])
async def test_a_position_of_another_bot_is_not_used(bot: Bot, connector: Telegram, cursor: str) -> None:
    """The operator gave the channel another bot: the old bot's offset would delete what the new one holds."""
    await bot.inject_text("sari", "bot baru")
    assert texts(connector, await one(connector, cursor)) == ["bot baru"]


async def test_a_server_that_does_not_wait_is_not_hammered(bot: Bot, connector: Telegram) -> None:
    """A proxy that answers "nothing" at once is asked about once a second."""
    bot.update_faults.http(200, b'{"ok":true,"result":[]}', content_type="application/json", times=1_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await one(connector, None)
    left = sum(1 for _ in iter(bot.update_faults.next, None))
    assert 1_000 - left <= 3


async def test_an_outage_of_six_hours_is_filled(bot: Bot, connector: Telegram) -> None:
    """P6: what customers wrote meanwhile waits at Telegram, edits after their messages, and comes complete."""
    now = datetime.now(UTC).timestamp()
    for number in range(120):
        await bot.inject_text(f"pelanggan{number}", f"pesan {number}", at=now - 6 * 3_600 + number)
    await bot.edit("pelanggan0", 1, "pesan 0, diperbaiki")
    first = await one(connector, None)
    second = await one(connector, first.cursor)
    said = [f"pesan {n}" for n in range(120)]
    assert texts(connector, first) + texts(connector, second) == [*said, "pesan 0, diperbaiki"]
    message, edit = connector.parse(second.keep[-1])
    assert isinstance(message, Message)
    assert isinstance(edit, Edit)
    assert message.key == edit.message_key, "the store knows the key, so this is no second complaint"
    assert connector.parse(first.keep[0])[0] == _message_of(connector, first.keep[0], edit.message_key)


def _message_of(connector: Telegram, raw: Raw, key: str) -> Message:
    (found,) = connector.parse(raw)
    assert isinstance(found, Message)
    assert found.key == key
    return found


async def test_the_own_webhook_is_dropped_before_polling(bot: Bot, connector: Telegram) -> None:
    """From webhook to poll: the webhook of this channel goes, what waited comes; another system's stays."""
    bot.set_webhook(f"{PUBLIC_URL}/in/akseleran-telegram")
    bot.queue.pushing = False
    await bot.inject_text("sari", "menunggu")
    assert texts(connector, await one(connector, None)) == ["menunggu"]
    assert bot.webhook_url == ""
    await connector.check()
    bot.set_webhook("https://other.invalid/hook")
    with pytest.raises(Misconfigured):
        await connector.check()
    with pytest.raises(Misconfigured):
        await one(connector, None)
    assert bot.webhook_url == "https://other.invalid/hook"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (lambda bot: bot.update_faults.code(401), AuthFailed),
        (lambda bot: bot.update_faults.code(409), Unavailable),
        (lambda bot: bot.update_faults.http(502), Unavailable),
        (lambda bot: bot.update_faults.reset(), Unavailable),
        (lambda bot: bot.update_faults.stall(30), Unavailable),
    ],
)
async def test_trouble_while_polling(bot: Bot, connector: Telegram, script: Any, kind: type[ConnectorError]) -> None:
    """P13: the pump learns what to do; nothing was sent, so nothing is ambiguous, and the next pull goes on."""
    await bot.inject_text("sari", "halo")
    script(bot)
    with pytest.raises(kind):
        await one(connector, None)
    assert texts(connector, await one(connector, None)) == ["halo"]


async def test_taps_and_starts_are_answered_after_they_were_stored(bot: Bot) -> None:
    """The button stops waiting and START is greeted; trouble with either costs nothing."""
    async with connected(bot.base_url, greeting="Silakan tulis.", **POLL) as connector:
        assert isinstance(connector, Pull)
        await bot.inject_start("sari")
        async with aclosing(connector.pull(None)) as pulled:
            await anext(pulled)
            assert len(bot.sent) == 0
            await bot.inject_text("sari", "halo")
            await anext(pulled)
        assert [sent.text for sent in bot.sent] == ["Silakan tulis."]
        await bot.tap("sari", bot.sent[0], "y")
        batch = await one(connector, None)
        tap = json.decode(batch.keep[-1].body)["callback_query"]["id"]
        async with aclosing(connector.pull(None)) as pulled:
            await anext(pulled)
            await bot.inject_text("sari", "lagi")
            await anext(pulled)
        assert list(bot.answered_taps) == [tap]


async def test_courtesies_never_hold_up_the_poll(bot: Bot) -> None:
    """Telegram is silent to what we send: of a batch of STARTs one call waits, then the next batch is asked for."""
    async with connected(bot.base_url, greeting="Silakan tulis.", **POLL) as connector:
        assert isinstance(connector, Pull)
        for number in range(20):
            await bot.inject_start(f"orang{number}")
        bot.faults.stall(30, times=20)
        async with asyncio.timeout(5), aclosing(connector.pull(None)) as pulled:
            await anext(pulled)
            await bot.inject_text("sari", "halo")
            await anext(pulled)
