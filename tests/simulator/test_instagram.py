"""The pretended Instagram by itself: signatures, windows, limits and refusals, in the forms that Meta documents."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import simulator
from simulator.instagram import Instagram
from simulator.place import Account, Attachment
from simulator.services import providers
from simulator.weather import Weather

ACCOUNT, PAGE = "17841400000000001", "106540352249001"


@pytest.fixture
async def meta(business: Any) -> AsyncIterator[Instagram]:
    """An account with Instagram Login whose webhooks go to a business."""
    account = Instagram(
        account_id=ACCOUNT,
        access_token="t",
        app_secret="s",
        verify_token=business.verify_token,
        webhook_url=f"{business.url}/in/ig",
        time_scale=0.0,
    )
    async with await simulator.start([account]):
        yield account


async def post(http: aiohttp.ClientSession, meta: Instagram, path: str, body: Any) -> tuple[int, Any]:
    """Status and answer of a call with the right token."""
    headers = {"Authorization": f"Bearer {meta.access_token}"}
    async with http.post(f"{meta.base_url}/v26.0/{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def send(http: aiohttp.ClientSession, meta: Instagram, recipient: Any, text: str = "Halo") -> tuple[int, Any]:
    """Sends a private message."""
    return await post(http, meta, f"{meta.node}/messages", {"recipient": recipient, "message": {"text": text}})


async def test_webhooks_are_signed_over_their_bytes(meta: Instagram, business: Any) -> None:
    """X-Hub-Signature-256 over the raw body; changes stand as the login says."""
    await meta.inject_text("sari.w", "Halo 🙏")
    await meta.inject_comment("sari.w", "Halo")
    meta.page_id = PAGE
    await meta.inject_comment("sari.w", "Halo lagi")
    calls = await business.wait(3)
    for call in calls:
        proof = hmac.new(b"s", call.body, hashlib.sha256).hexdigest()
        assert call.headers["X-Hub-Signature-256"] == f"sha256={proof}"
    message, beside, listed = (json.loads(call.body)["entry"][0] for call in calls)
    assert message["messaging"][0]["recipient"] == {"id": ACCOUNT}
    assert (beside["field"], beside["value"]["text"]) == ("comments", "Halo")
    assert listed["changes"][0]["value"]["text"] == "Halo lagi"
    assert beside["value"]["from"]["id"] == message["messaging"][0]["sender"]["id"]


async def test_a_refused_webhook_is_tried_again(meta: Instagram, business: Any) -> None:
    """Only 200 counts as taken; after an hour of failed messages the account is unsubscribed and nothing comes."""
    business.statuses = [503, 201, 200]
    await meta.inject_text("sari.w", "Halo")
    await meta.settled()
    assert [attempt.status for attempt in meta.deliveries[0].attempts] == [503, 201, 200]
    business.statuses = [503] * 8
    await meta.inject_text("sari.w", "Ditolak terus")
    await meta.settled()
    assert meta.deliveries[1].given_up
    assert not meta.subscribed
    await meta.inject_text("sari.w", "Tidak sampai")
    assert len(business.calls) == 3 + 8


async def test_private_messages(meta: Instagram, http: aiohttp.ClientSession) -> None:
    """1,000 bytes, 24 hours, known people only; through the Page with Facebook Login."""
    await meta.inject_text("sari.w", "Halo")
    id_ = meta.received[0].person.id
    status, answer = await send(http, meta, {"id": id_})
    assert (status, answer["recipient_id"], answer["message_id"]) == (200, id_, meta.sent[0].id)
    for recipient, text, code, subcode in (
        ({"id": id_}, "é" * 501, 100, None),
        ({"id": id_}, "", 100, None),
        ({"id": "1"}, "Halo", 100, 2534014),
        ({}, "Halo", 100, None),
    ):
        error = (await send(http, meta, recipient, text))[1]["error"]
        assert (error["code"], error.get("error_subcode")) == (code, subcode)
    meta.close_window("sari.w")
    assert (await send(http, meta, {"id": id_}))[1]["error"]["error_subcode"] == 2534022
    meta.unreachable.add("sari.w")
    assert (await send(http, meta, {"id": id_}))[1]["error"]["code"] == 551
    meta.access_token, token = "u", meta.access_token
    async with http.get(f"{meta.base_url}/v26.0/{ACCOUNT}", headers={"Authorization": f"Bearer {token}"}) as refused:
        assert (refused.status, (await refused.json())["error"]["code"]) == (401, 190)


async def test_facebook_login_sends_through_the_page(business: Any, http: aiohttp.ClientSession) -> None:
    """With Facebook Login the account itself has no `messages`."""
    account = Instagram(account_id=ACCOUNT, page_id=PAGE, access_token="t", app_secret="s", verify_token="v")
    async with await simulator.start([account]):
        account.update("sari.w", {"text": "Halo"})
        id_ = account.received[0].person.id
        assert (await send(http, account, {"id": id_}))[0] == 200
        body = {"recipient": {"id": id_}, "message": {"text": "Halo"}}
        assert (await post(http, account, f"{ACCOUNT}/messages", body))[1]["error"]["code"] == 3


async def test_comments_are_answered_once_in_private(meta: Instagram, http: aiohttp.ClientSession) -> None:
    """Once, within seven days, at most 750 an hour; in public any number, at the top level, not on a live video."""
    comment = await meta.inject_comment("sari.w", "Halo")
    below = await meta.inject_comment("budi_s", "Sama", parent=comment)
    assert (await send(http, meta, {"comment_id": comment}))[0] == 200
    assert (await send(http, meta, {"comment_id": comment}))[1]["error"]["error_subcode"] == 2534025
    old = meta.commented("sari.w", "Lama", at=meta.clock() - 8 * 86_400)
    assert (await send(http, meta, {"comment_id": old.id}))[1]["error"]["error_subcode"] == 2534022
    meta.private_replies_per_hour = 1
    assert (await send(http, meta, {"comment_id": below}))[1]["error"]["code"] == 613
    assert (await post(http, meta, f"{below}/replies", {"message": "Lewat DM ya"}))[0] == 200
    assert meta.answers[0].parent_id == comment
    live = meta.commented("sari.w", "Live!", post=meta.publish("Siaran", live=True))
    assert (await post(http, meta, f"{live.id}/replies", {"message": "Halo"}))[1]["error"]["code"] == 100
    assert (await post(http, meta, "1780/replies", {"message": "Halo"}))[1]["error"]["error_subcode"] == 33


async def test_weather(meta: Instagram, business: Any, http: aiohttp.ClientSession) -> None:
    """Duplicates and shuffles of webhooks, refused tokens and closed windows of calls."""
    meta.weather = Weather.named("duplicates", seed=3)
    for number in range(20):
        await meta.inject_text("sari.w", f"pesan {number}")
    await meta.settled()
    bodies = [call.body for call in business.calls]
    assert len(set(bodies)) == 20 < len(bodies)
    id_ = meta.received[0].person.id
    for name, code in (("expired-token", 190), ("window-closed", 10)):
        meta.weather = Weather.named(name)
        assert (await send(http, meta, {"id": id_}))[1]["error"]["code"] == code


async def test_a_visitor_sees_both_answers(business: Any, http: aiohttp.ClientSession) -> None:
    """The page: a talk for messages, and one for comments that shows the public and the private answer."""
    given = Account(
        kind="instagram",
        name="PT Contoh",
        webhook_url=f"{business.url}/in/ig",
        settings={
            "account_id": ACCOUNT,
            "page_id": None,
            "access_token": "t",
            "app_secrets": ["s"],
            "verify_token": "v",
        },
    )
    (account,) = providers([given])
    assert isinstance(account, Instagram)
    async with await simulator.start([account]):
        messages, comments = account.talks()
        assert {messages.asks, comments.asks} == {"handle"}
        assert messages.address == "@ptcontoh"
        await messages.say("sari.w", "", Attachment("bukti.jpg", "image/jpeg", b"gambar"))
        await comments.say("sari.w", "Dana saya?")
        (comment,) = account.comments
        await post(http, account, f"{comment}/replies", {"message": "Lewat DM ya"})
        await send(http, account, {"comment_id": comment}, "Nomor tiket: AKS-1")
        shown = [(line.mine, line.text) for line in comments.conversation("sari.w")]
        assert shown == [(True, "Dana saya?"), (False, "Lewat DM ya"), (False, "Nomor tiket: AKS-1")]
        private = messages.conversation("sari.w")
        assert [line.attachments[0].content for line in private if line.attachments] == [b"gambar"]
        assert private[-1].text == "Nomor tiket: AKS-1"
        assert comments.conversation("budi_s") == []
