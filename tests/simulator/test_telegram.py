"""The pretended Bot API: one queue for both modes, retries chat by chat, 24 hours of memory, refusals, files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import simulator
from simulator.telegram import Limits, Telegram

TOKEN = "7123456789:invented-bot-token-of-the-simulator"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_767_582_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bot() -> AsyncIterator[Telegram]:
    account = Telegram(bot_token=TOKEN, clock=Clock(), time_scale=0.001)
    async with await simulator.start([account]):
        yield account


async def ask(http: aiohttp.ClientSession, bot: Telegram, method: str, token: str = TOKEN, **given: Any) -> Any:
    """(status, answer) of one method."""
    async with http.post(f"{bot.base_url}/bot{token}/{method}", json=given) as answer:
        return answer.status, await answer.json()


async def updates(http: aiohttp.ClientSession, bot: Telegram, **given: Any) -> list[dict[str, Any]]:
    """The result of getUpdates."""
    status, found = await ask(http, bot, "getUpdates", **given)
    assert status == 200, found
    result: list[dict[str, Any]] = found["result"]
    return result


async def test_an_offset_confirms_and_only_then_an_update_is_gone(bot: Telegram, http: aiohttp.ClientSession) -> None:
    first = await bot.inject_text("sari", "satu")
    second = await bot.inject_text("budi", "dua")
    assert [each["update_id"] for each in await updates(http, bot)] == [first, second]
    assert [each["update_id"] for each in await updates(http, bot)] == [first, second]
    assert [each["update_id"] for each in await updates(http, bot, offset=first + 1)] == [second]
    assert [each["update_id"] for each in await updates(http, bot)] == [second]
    assert await updates(http, bot, offset=second + 1) == []
    assert len(bot.queue) == 0


async def test_a_long_poll_waits_for_what_comes(bot: Telegram, http: aiohttp.ClientSession) -> None:
    asked = asyncio.create_task(updates(http, bot, timeout=20))
    await asyncio.sleep(0.05)
    await bot.inject_text("sari", "halo")
    (update,) = await asked
    assert update["message"]["text"] == "halo"
    assert update["message"]["chat"] == update["message"]["chat"] | {"type": "private", "username": "sari"}


async def test_updates_are_kept_for_24_hours(bot: Telegram, http: aiohttp.ClientSession) -> None:
    await bot.inject_text("sari", "kemarin")
    clock = bot.clock
    assert isinstance(clock, Clock)
    clock.now += 86_399
    assert len(await updates(http, bot)) == 1
    clock.now += 1
    assert await updates(http, bot) == []
    assert bot.queue.dropped == 1


async def test_webhook_and_getupdates_exclude_each_other(
    bot: Telegram, http: aiohttp.ClientSession, business: Any
) -> None:
    assert (await ask(http, bot, "setWebhook", url=business.url, secret_token="s3cret"))[0] == 200
    status, found = await ask(http, bot, "getUpdates")
    assert (status, found["error_code"]) == (409, 409)
    assert "webhook is active" in found["description"]
    await bot.inject_text("sari", "halo")
    (call,) = business.calls
    assert call.headers["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"
    assert json.loads(call.body)["message"]["text"] == "halo"
    assert (await ask(http, bot, "deleteWebhook"))[0] == 200
    assert await updates(http, bot) == []


async def test_two_pollers_end_each_other(bot: Telegram, http: aiohttp.ClientSession) -> None:
    first = asyncio.create_task(ask(http, bot, "getUpdates", timeout=20))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(ask(http, bot, "getUpdates", timeout=20))
    status, found = await first
    assert status == 409
    assert "terminated by other getUpdates" in found["description"]
    await bot.inject_text("sari", "halo")
    assert (await second)[0] == 200


async def test_a_refused_update_holds_back_its_chat_and_no_other(
    bot: Telegram, http: aiohttp.ClientSession, business: Any
) -> None:
    business.statuses += [500, 503]
    bot.set_webhook(business.url, "s")
    await bot.inject_text("sari", "satu")
    await bot.inject_text("sari", "dua")
    await bot.inject_text("budi", "tiga")
    await bot.settled()
    texts = [json.loads(call.body)["message"]["text"] for call in business.calls]
    assert texts.count("satu") >= 2
    assert texts.index("dua") > max(n for n, text in enumerate(texts) if text == "satu")
    assert len(bot.queue) == 0
    assert sorted(set(texts)) == ["dua", "satu", "tiga"]


async def test_what_waited_comes_when_the_webhook_is_set(
    bot: Telegram, http: aiohttp.ClientSession, business: Any
) -> None:
    for number in range(5):
        await bot.inject_text("sari", f"pesan {number}")
    _, info = await ask(http, bot, "getWebhookInfo")
    assert info["result"] == {"url": "", "has_custom_certificate": False, "pending_update_count": 5}
    await ask(http, bot, "setWebhook", url=business.url)
    await business.wait(5)
    await bot.settled()
    assert [json.loads(call.body)["message"]["text"] for call in business.calls] == [f"pesan {n}" for n in range(5)]


async def test_410_for_23_hours_closes_the_webhook(bot: Telegram, business: Any) -> None:
    clock = bot.clock
    assert isinstance(clock, Clock)
    business.statuses += [410] * 1_000
    bot.set_webhook(business.url, "s")
    await bot.inject_text("sari", "halo")
    clock.now += 23 * 3_600
    await bot.settled()
    assert bot.webhook_url == ""
    assert len(bot.queue) == 1


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"text": "halo", "chat_id": 999}, 400, "chat not found"),
        ({"text": " "}, 400, "text is empty"),
        ({"text": "x" * 4_097}, 400, "too long"),
        ({"text": "😡" * 2_049}, 400, "too long"),
        ({"text": "halo", "reply_parameters": {"message_id": 77}}, 400, "replied not found"),
    ],
)
async def test_sends_that_are_refused(
    bot: Telegram, http: aiohttp.ClientSession, given: dict[str, Any], code: int, words: str
) -> None:
    await bot.inject_text("sari", "halo")
    chat = bot.received[0].person.id
    status, found = await ask(http, bot, "sendMessage", **({"chat_id": chat} | given))
    assert (status, found["error_code"]) == (code, code)
    assert words in found["description"]
    assert len(bot.sent) == 0


async def test_blocked_deactivated_and_limited(bot: Telegram, http: aiohttp.ClientSession) -> None:
    await bot.inject_text("sari", "halo")
    chat = bot.received[0].person.id
    await bot.block("sari")
    assert (await ask(http, bot, "sendMessage", chat_id=chat, text="halo"))[1]["description"].endswith("by the user")
    await bot.block("sari", again=True)
    bot.limits = Limits(chat_burst=1.0)
    assert (await ask(http, bot, "sendMessage", chat_id=chat, text="halo"))[0] == 200
    status, found = await ask(http, bot, "sendMessage", chat_id=chat, text="halo")
    assert (status, found["parameters"]) == (429, {"retry_after": 1})
    bot.deactivated.add(chat)
    assert (await ask(http, bot, "sendMessage", chat_id=chat, text="halo"))[0] == 403
    kinds = [next(k for k in each if k != "update_id") for each in await updates(http, bot)]
    assert kinds == ["message", "my_chat_member", "my_chat_member"]


async def test_files_have_a_path_for_an_hour(bot: Telegram, http: aiohttp.ClientSession) -> None:
    await bot.inject_file("sari", "document", b"%PDF-1.7", "application/pdf", filename="bukti.pdf")
    (update,) = await updates(http, bot)
    file_id = update["message"]["document"]["file_id"]
    _, found = await ask(http, bot, "getFile", file_id=file_id)
    url = f"{bot.base_url}/file/bot{TOKEN}/{found['result']['file_path']}"
    async with http.get(url) as answer:
        assert await answer.read() == b"%PDF-1.7"
    bot.files.expire_paths()
    async with http.get(url) as answer:
        assert answer.status == 404
    await bot.inject_file("sari", "video", b"x", "video/mp4", size=20 * 1024 * 1024 + 1)
    too_big = (await updates(http, bot))[1]["message"]["video"]["file_id"]
    assert "too big" in (await ask(http, bot, "getFile", file_id=too_big))[1]["description"]


async def test_wrong_tokens_and_unknown_methods(bot: Telegram, http: aiohttp.ClientSession) -> None:
    assert (await ask(http, bot, "getMe", token="7123456789:revoked"))[0] == 401
    assert (await ask(http, bot, "getMe", token="nonsense"))[0] == 404
    assert (await ask(http, bot, "flyAway"))[0] == 404
    assert (await ask(http, bot, "getMe"))[1]["result"]["id"] == 7123456789


async def test_the_page_plays_a_customer(bot: Telegram, http: aiohttp.ClientSession) -> None:
    (talk,) = bot.talks()
    assert (talk.asks, talk.address) == ("handle", "@aduan_bot")
    await talk.say("budi.santoso", "Saldo saya hilang")
    chat = bot.received[0].person.id
    markup = {"inline_keyboard": [[{"text": "Ya", "callback_data": "y"}]]}
    await ask(http, bot, "sendMessage", chat_id=chat, text="Benar?", reply_markup=markup)
    lines = talk.conversation("budi.santoso")
    assert [(line.mine, line.text) for line in lines] == [(True, "Saldo saya hilang"), (False, "Benar?")]
    await talk.choose("budi.santoso", lines[1].choices[0])
    tap = (await updates(http, bot))[-1]["callback_query"]
    assert (tap["data"], tap["message"]["text"]) == ("y", "Benar?")
