"""Telegram against the simulator: sends, files, check, webhook, and what each kind of trouble means (P13, P14)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import json

from connectors.contract import Push, Reconcile, Request
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    ConnectorError,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
)
from connectors.telegram import Telegram, TelegramWebhook
from normalizer.message import Attachment, Edit, File, Message, Outgoing, Permission, Raw
from simulator import Weather
from simulator.telegram import Limits
from simulator.telegram import Telegram as Bot
from telegram_bot import PUBLIC_URL, SECRET, TOKEN, connected, running_bot

WEBHOOK = f"{PUBLIC_URL}/in/akseleran-telegram"


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    """Telegram, pretended."""
    async with running_bot() as found:
        yield found


@pytest.fixture
async def connector(bot: Bot) -> AsyncIterator[TelegramWebhook]:
    """The connector of that bot, in webhook mode."""
    async with connected(bot.base_url) as found:
        assert isinstance(found, TelegramWebhook)
        yield found


async def said(connector: Telegram, bot: Bot, words: str = "Halo", **how: Any) -> Message:
    """A customer's text as our parse reads it; from now on the bot may write to the chat."""
    await bot.inject_text("sari", words, **how)
    (found,) = connector.parse(raw_of(bot.queue.first(100)[-1]))
    assert isinstance(found, Message)
    return found


def raw_of(update: dict[str, Any]) -> Raw:
    """An update as it is kept."""
    return Raw(channel_id="akseleran-telegram", received_at=datetime.now(UTC), body=json.encode(update))


def out(message: Message, **changes: Any) -> Outgoing:
    """A receipt on its way to who wrote."""
    assert message.reply is not None
    to = {"recipient": message.reply.recipient, "in_reply_to": message.reply.in_reply_to}
    return Outgoing(**{"key": "r-17.1", "text": "Nomor pengaduan Anda: KLA-1", **to, **changes})


async def test_a_receipt_quotes_the_customer_and_its_answer_finds_the_complaint(
    bot: Bot, connector: TelegramWebhook
) -> None:
    """reply_parameters name the message; the ref of what we sent is what an answer to it looks for first."""
    first = await said(connector, bot)
    sent = await connector.send(out(first))
    assert bot.sent[0].text == "Nomor pengaduan Anda: KLA-1"
    assert bot.sent[0].in_reply_to == int(first.external_id)
    assert sent.provider_id == f"{first.sender.key.removeprefix('tg:')}:{bot.sent[0].message_id}"
    answer = await said(connector, bot, "terima kasih", reply_to=bot.sent[0].message_id)
    assert answer.thread_refs == (sent.registers[0], f"tg:{connector.account}:{first.sender.key}")
    assert answer.thread_refs[1] in first.registers


async def test_a_quoted_message_that_is_gone_costs_no_receipt(bot: Bot, connector: TelegramWebhook) -> None:
    """The customer deleted the complaint meanwhile: the receipt goes out without the quotation."""
    first = await said(connector, bot)
    await connector.send(out(first, in_reply_to="999"))
    assert bot.sent[0].in_reply_to is None


async def test_markup_stays_text(bot: Bot, connector: TelegramWebhook) -> None:
    """P27: what a customer wrote is never read as HTML or Markdown."""
    text = "*tebal* _miring_ <b>x</b> [a](http://x.invalid) {{7*7}} \\"
    await connector.send(out(await said(connector, bot), text=text))
    assert bot.sent[0].text == text
    assert "parse_mode" not in bot.sent[0].payload


async def test_what_the_caller_must_not_send(bot: Bot, connector: TelegramWebhook) -> None:
    """T31: counted in UTF-16 units; groups, public lines and files are refused before Telegram sees anything."""
    first = await said(connector, bot)
    await connector.send(out(first, text="😡" * 2_048))
    wrong: list[tuple[dict[str, Any], type[ConnectorError]]] = [
        ({"text": "😡" * 2_049}, Refused),
        ({"text": "x" * 4_097}, Refused),
        ({"text": " \n"}, Refused),
        ({"public": True}, Refused),
        ({"files": (File(name="a.pdf", mime="a/b", content=b""),)}, Refused),
        ({"recipient": "-1001700000001"}, Unreachable),
        ({"recipient": "@sari"}, Unreachable),
    ]
    for changes, kind in wrong:
        with pytest.raises(kind):
            await connector.send(out(first, **changes))
    assert len(bot.sent) == 1


ERRORS = [
    (400, "Bad Request: chat not found", "Unreachable"),
    (400, "Bad Request: user not found", "Unreachable"),
    (400, "Bad Request: PEER_ID_INVALID", "Unreachable"),
    (400, "Bad Request: group chat was upgraded to a supergroup chat", "Unreachable"),
    (400, "Bad Request: message is too long", "Refused"),
    (400, "Bad Request: message text is empty", "Refused"),
    (400, "Bad Request: can't parse entities", "Refused"),
    (401, "Unauthorized", "AuthFailed"),
    (403, "Forbidden: bot was blocked by the user", "Unreachable"),
    (403, "Forbidden: user is deactivated", "Unreachable"),
    (403, "Forbidden: bot was kicked from the supergroup chat", "Unreachable"),
    (403, "Forbidden: bot can't initiate conversation with a user", "Unreachable"),
    (404, "Not Found", "AuthFailed"),
    (409, "Conflict: terminated by other getUpdates request", "Unavailable"),
    (409, "Conflict: can't use getUpdates method while webhook is active", "Misconfigured"),
    (413, "Request Entity Too Large", "Refused"),
    (429, "Too Many Requests: retry after 17", "Throttled"),
    (500, "Internal Server Error", "Unavailable"),
    (502, "Bad Gateway", "Unavailable"),
    (503, "Service Unavailable", "Unavailable"),
    (504, "Gateway Timeout", "Ambiguous"),
]


@pytest.mark.parametrize(("code", "description", "name"), ERRORS)
async def test_error_answers(bot: Bot, connector: TelegramWebhook, code: int, description: str, name: str) -> None:
    """Sheet A5, Errors: the class of each answer; no word of the answer is repeated."""
    first = await said(connector, bot)
    body = json.encode({"ok": False, "error_code": code, "description": description})
    bot.faults.http(code, body, content_type="application/json")
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out(first))
    assert type(caught.value) is CLASSES[name]
    assert description.partition(": ")[2] not in str(caught.value) or ": " not in description
    assert len(bot.sent) == 0


async def test_a_throttle_names_its_seconds(bot: Bot, connector: TelegramWebhook) -> None:
    """parameters.retry_after wins; without one the table's wait; nonsense is bounded."""
    first = await said(connector, bot)
    for parameters, after in (({"retry_after": 17}, 17.0), ({}, 30.0), ({"retry_after": 10**9}, 86_400.0)):
        body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": parameters}
        bot.faults.http(429, json.encode(body), content_type="application/json")
        with pytest.raises(Throttled) as caught:
            await connector.send(out(first))
        assert caught.value.after == after
    bot.limits = Limits(chat_burst=1.0)
    await connector.send(out(first))
    with pytest.raises(Throttled) as caught:
        await connector.send(out(first))
    assert caught.value.after == 1.0


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>captive portal</html>", Ambiguous),
        (200, b'{"ok":true,"resu', Ambiguous),
        (200, b'{"ok":true,"result":{}}', Ambiguous),
        (200, b'{"ok":true,"result":null}', Ambiguous),
        (200, b'{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}', Unreachable),
        (502, b"<html>Bad Gateway</html>", Unavailable),
        (504, b"", Ambiguous),
        (302, b"", Unavailable),
        (429, b"", Throttled),
        (418, b"[]", Refused),
    ],
)
async def test_odd_answers(
    bot: Bot, connector: TelegramWebhook, status: int, body: bytes, kind: type[ConnectorError]
) -> None:
    """P13: pages of proxies, truncated JSON, success with an error in it."""
    first = await said(connector, bot)
    bot.faults.http(status, body)
    with pytest.raises(kind):
        await connector.send(out(first))


async def test_silence_and_broken_connections_are_ambiguous(bot: Bot, connector: TelegramWebhook) -> None:
    """Sheet A13: no answer to a send may mean that it went out; a call that changes nothing is merely tried again."""
    first = await said(connector, bot)
    bot.faults.stall(5, accepted=True)
    bot.faults.reset(accepted=True)
    bot.faults.reset(after_headers=True)
    for _ in range(3):
        with pytest.raises(Ambiguous):
            await connector.send(out(first))
    assert len(bot.sent) == 2
    async with connected("http://127.0.0.1:9") as nowhere:
        with pytest.raises(Unavailable):
            await nowhere.send(out(first))


async def test_who_blocked_the_bot_is_unreachable(bot: Bot, connector: TelegramWebhook) -> None:
    """403 ends the route; unblocking opens it again."""
    first = await said(connector, bot)
    await bot.block("sari")
    with pytest.raises(Unreachable):
        await connector.send(out(first))
    await bot.block("sari", again=True)
    await connector.send(out(first))
    assert len(bot.sent) == 1


async def test_blocking_forbids_writing_to_exactly_this_chat(bot: Bot, connector: TelegramWebhook) -> None:
    """What blocks and unblocks names the recipient as replies do; groups and other changes say nothing."""
    first = await said(connector, bot)
    await bot.block("sari")
    await bot.block("sari", again=True)
    found = [event for each in bot.queue.first(100)[1:] for event in connector.parse(raw_of(each))]
    assert all(isinstance(event, Permission) for event in found)
    assert first.reply is not None
    assert [(getattr(event, "recipient", ""), getattr(event, "allowed", None)) for event in found] == [
        (first.reply.recipient, False), (first.reply.recipient, True)
    ]  # fmt: skip
    assert {getattr(event, "account", "") for event in found} == {connector.account}


async def test_an_edit_of_what_was_never_a_message_is_a_complaint(bot: Bot, connector: TelegramWebhook) -> None:
    """P10: START turned into a complaint, or a message that an outage of more than 24 hours swallowed."""
    await bot.inject_start("sari")
    number = int(bot.queue.first(1)[0]["message"]["message_id"])
    await bot.edit("sari", number, "Saldo saya hilang")
    message, edit = connector.parse(raw_of(bot.queue.first(100)[-1]))
    assert isinstance(message, Message)
    assert isinstance(edit, Edit)
    assert message.text == edit.text == "Saldo saya hilang"
    assert edit.message_key == message.key


async def test_ids_are_those_of_one_bot(bot: Bot, connector: TelegramWebhook) -> None:
    """T5: chats and messages are numbered alike at every bot; keys and threads are complete with the bot's id."""
    await bot.inject_text("sari", "Halo")
    raw = raw_of(bot.queue.first(1)[0])
    async with connected(bot.base_url, bot_token=f"8{TOKEN}") as other:
        (ours,), (theirs,) = connector.parse(raw), other.parse(raw)
    assert isinstance(ours, Message)
    assert isinstance(theirs, Message)
    assert ours.account != theirs.account
    assert ours.key != theirs.key
    assert not set(ours.registers) & set(theirs.registers)


# ---- files


async def fetched(connector: Telegram, attachment: Attachment) -> bytes:
    """The bytes of an attachment."""
    async with aclosing(connector.open(attachment)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def sent_file(connector: Telegram, bot: Bot, content: bytes, **how: Any) -> Attachment:
    """A document as our parse reads it."""
    await bot.inject_file("sari", "document", content, "application/pdf", filename="bukti.pdf", **how)
    (found,) = connector.parse(raw_of(bot.queue.first(100)[-1]))
    assert isinstance(found, Message)
    return found.attachments[0]


async def test_files_are_fetched_and_a_stale_path_is_asked_for_again(bot: Bot, connector: TelegramWebhook) -> None:
    """getFile, then the download; name and type are those of the message."""
    attachment = await sent_file(connector, bot, b"%PDF-1.7" * 9_000)
    assert (attachment.name, attachment.mime) == ("bukti.pdf", "application/pdf")
    assert await fetched(connector, attachment) == b"%PDF-1.7" * 9_000
    bot.media_faults.http(200, _file_answer(attachment, "documents/stale"), content_type="application/json")
    assert await fetched(connector, attachment) == b"%PDF-1.7" * 9_000


def _file_answer(attachment: Attachment, path: str) -> bytes:
    result = {"file_id": attachment.ref, "file_unique_id": "x", "file_path": path}
    return json.encode({"ok": True, "result": result})


async def test_files_that_cannot_be_had(bot: Bot, connector: TelegramWebhook) -> None:
    """T14, P22: too large, no id, unknown or an address that leads elsewhere; trouble is tried again."""
    large = await sent_file(connector, bot, b"x", size=20 * 1024 * 1024 + 1)
    assert large.ref is None
    assert large.error is not None
    attachment = await sent_file(connector, bot, b"x")
    with pytest.raises(Unreachable):
        await fetched(connector, large)
    for path in ("../../../etc/passwd", "//169.254.169.254/x", "a/../b", "http://10.0.0.1/", "a?b", "a%2fb", ""):
        bot.media_faults.http(200, _file_answer(attachment, path), content_type="application/json")
        with pytest.raises(Unreachable):
            await fetched(connector, attachment)
    with pytest.raises(Unavailable):
        await fetched(connector, Attachment(ref="unknown"))
    bot.media_faults.http(400, b'{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}')
    with pytest.raises(Unreachable):
        await fetched(connector, attachment)
    bot.media_faults.http(502)
    with pytest.raises(Unavailable):
        await fetched(connector, attachment)


# ---- the webhook


async def test_check_compares_the_webhook(bot: Bot, connector: TelegramWebhook) -> None:
    """getMe and getWebhookInfo: ours, not yet set, somebody else's, and one that Telegram cannot reach."""
    with pytest.raises(Unavailable):
        await connector.check()
    async with connected(bot.base_url, register_webhook=False) as manual:
        with pytest.raises(Misconfigured):
            await manual.check()
    bot.set_webhook(WEBHOOK, SECRET)
    await connector.check()
    bot.last_error = (bot.clock(), "Wrong response from the webhook: 502 Bad Gateway")
    await connector.check()
    bot.queue.pushing = False
    await bot.inject_text("sari", "menunggu")
    with pytest.raises(Unavailable, match=r"1 updates wait.*502 Bad Gateway"):
        await connector.check()
    bot.set_webhook("https://other.invalid/hook")
    with pytest.raises(Misconfigured, match="elsewhere"):
        await connector.check()


async def test_check_knows_refused_tokens(bot: Bot, connector: TelegramWebhook) -> None:
    """401 and 404 are refused credentials."""
    bot.weather = Weather.named("expired-token")
    with pytest.raises(AuthFailed):
        await connector.check()
    async with connected(bot.base_url, bot_token=TOKEN[:-1] + "x") as other:
        with pytest.raises(AuthFailed):
            await other.check()


async def look(connector: Telegram) -> list[Any]:
    """What the reconciler would keep."""
    assert isinstance(connector, Reconcile)
    async with aclosing(connector.since(datetime.now(UTC))) as batches:
        return [batch async for batch in batches]


async def test_the_webhook_is_set_once_and_never_taken_from_another(bot: Bot, connector: TelegramWebhook) -> None:
    """A webhook that nobody set, or that Telegram dropped, is set; one that leads elsewhere is told and left alone."""
    assert await look(connector) == []
    assert (bot.webhook_url, bot.secret_token) == (WEBHOOK, SECRET)
    assert bot.allowed_updates == ("message", "edited_message", "callback_query", "my_chat_member")
    await look(connector)
    assert list(bot.calls).count("setWebhook") == 1
    bot.delete_webhook()
    await look(connector)
    assert bot.webhook_url == WEBHOOK
    bot.set_webhook("https://other.invalid/hook")
    with pytest.raises(Misconfigured):
        await look(connector)
    assert bot.webhook_url == "https://other.invalid/hook"
    bot.delete_webhook()
    async with connected(bot.base_url, register_webhook=False) as manual:
        with pytest.raises(Misconfigured):
            await look(manual)
    assert bot.webhook_url == ""


async def test_a_new_secret_reaches_telegram_at_the_start(bot: Bot) -> None:
    """P19: the webhook stands, but Telegram may still know the old secret; both are accepted meanwhile."""
    bot.set_webhook(WEBHOOK, "old-secret")
    async with connected(bot.base_url, old_secret_tokens=["old-secret"]) as connector:
        assert isinstance(connector, Push)
        for secret in ("old-secret", SECRET):
            assert connector.receive(post(b"{}", secret)).keep
        await look(connector)
    assert bot.secret_token == SECRET


def post(body: bytes, secret: str = SECRET) -> Request:
    """A webhook as it comes."""
    headers = (("x-telegram-bot-api-secret-token", secret), ("content-type", "application/json"))
    return Request(
        method="POST", target="/in/akseleran-telegram", headers=headers, body=body, received_at=datetime.now(UTC)
    )


async def test_courtesies_go_back_in_the_answer(bot: Bot) -> None:
    """A tap ends its waiting, START and /help are greeted; anything else is answered with nothing but 200."""
    async with connected(bot.base_url, greeting="Silakan tulis. / Please write.") as connector:
        assert isinstance(connector, Push)
        await bot.inject_text("sari", "Halo /start")
        await bot.inject_start("sari")
        await bot.inject_start("sari", "pinjaman-1")
        await bot.inject_group_text("sari", -100, "/start")
        sent = await connector.send(Outgoing(key="r", recipient=str(bot.received[0].person.id), text="Benar?"))
        assert sent.provider_id
        await bot.tap("sari", bot.sent[0], "y")
        answers = [connector.receive(post(json.encode(each))).answer for each in bot.queue.first(100)]
        escaped = json.encode(bot.queue.first(100)[1]).replace(b'"/start', b'"\\/start')
        assert connector.receive(post(escaped)).answer == answers[1]
    assert [answer.status for answer in answers] == [200] * 5
    found = [json.decode(answer.body) if answer.body else None for answer in answers]
    greeting = {"method": "sendMessage", "chat_id": bot.received[0].person.id, "text": "Silakan tulis. / Please write."}
    tap = {"method": "answerCallbackQuery", "callback_query_id": bot.queue.first(100)[4]["callback_query"]["id"]}
    assert found == [None, greeting, None, None, tap]


async def test_no_secret_in_any_log(bot: Bot, connector: TelegramWebhook, caplog: pytest.LogCaptureFixture) -> None:
    """P30: the token stands in every address; neither log nor error shows it, at any level."""
    caplog.set_level(logging.DEBUG)
    first = await said(connector, bot)
    shown = []
    bot.faults.http(401)
    bot.faults.reset()
    bot.media_faults.http(404)
    for call in (connector.send(out(first)), connector.send(out(first)), fetched(connector, Attachment(ref="x"))):
        with pytest.raises(ConnectorError) as caught:
            await call
        shown.append(f"{caught.value!r} {caught.value.__cause__!r}")
    await connector.send(out(first))
    secret = TOKEN.partition(":")[2]
    assert secret not in caplog.text
    assert not any(secret in text for text in shown)
    assert SECRET not in caplog.text
