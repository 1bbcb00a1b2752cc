"""WhatsApp Cloud against the simulator: sends, files, check, and what each kind of trouble means (P13, P14)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.whatsapp_cloud import WhatsAppCloud
from harness.serving import MakeSetup, Serve
from normalizer.message import Attachment, Delivery, File, Message, Outgoing, Raw, Unreadable
from simulator.app import Simulation, start
from simulator.whatsapp_cloud import WhatsAppCloud as Meta
from simulator.whatsapp_cloud import inbound, payloads

SARI = "6281200000001"


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    """Meta, pretended; nothing is delivered until a test asks for it."""
    account = Meta(
        app_secret="invented-app-secret",
        access_token="invented-system-user-token",
        phone_number_id="106540352242922",
        waba_id="102290129340398",
        verify_token="invented-verify-token",
        statuses=False,
    )
    simulation: Simulation = await start([account])
    yield account
    await simulation.aclose()


@pytest.fixture
async def connector(meta: Meta, make_setup: MakeSetup) -> AsyncIterator[WhatsAppCloud]:
    """The connector of that account, impatient."""
    setup = make_setup(
        "whatsapp_cloud",
        api_base=meta.base_url,
        waba_id="102290129340398",
        timeout_seconds=0.5,
        templates={"notice": {"name": "kabar_pengaduan"}, "plain": {"name": "balas_buka", "variable": False}},
    )
    connector = WhatsAppCloud(setup)
    yield connector
    await connector.aclose()


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r-17.1", "recipient": f"+{SARI}", "text": "Nomor pengaduan Anda: KLA-1", **changes})


def said(connector: WhatsAppCloud, meta: Meta, words: str = "Halo", from_: str | None = SARI, **sender: Any) -> Message:
    """A customer's text as our parse reads it; it opens the window at Meta."""
    update = meta.update(from_, inbound.text(words), **sender)
    body = payloads.encode(payloads.envelope([update]))
    found = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))[0]
    assert isinstance(found, Message)
    return found


async def test_a_receipt_quotes_the_customer_and_carries_our_key(meta: Meta, connector: WhatsAppCloud) -> None:
    """`to` with a plus, context, biz_opaque_callback_data; an answer to what we sent finds the complaint by its ref."""
    first = said(connector, meta)
    assert first.reply is not None
    assert first.account == connector.account
    sent = await connector.send(out(recipient=first.reply.recipient, in_reply_to=first.reply.in_reply_to))
    kept = meta.sent[0]
    assert sent.provider_id == kept.id
    body = kept.payload
    assert body["to"] == f"+{SARI}"
    assert body["context"] == {"message_id": first.external_id}
    assert body["biz_opaque_callback_data"] == "r-17.1"
    answer = said(connector, meta, "terima kasih", reply_to=sent.provider_id)
    assert answer.thread_refs[0] == sent.registers[0]


async def test_a_customer_without_number_is_answered(meta: Meta, connector: WhatsAppCloud) -> None:
    """Pain 3: only a user id; the answer goes to `recipient`."""
    found = said(connector, meta, from_=None, user_id="ID.13491208655302741918", username="sari")
    assert found.sender.key == "wa:ID.13491208655302741918"
    assert found.sender.phone is None
    assert found.reply is not None
    await connector.send(out(recipient=found.reply.recipient))
    assert meta.sent[0].payload["recipient"] == "ID.13491208655302741918"
    assert "to" not in meta.sent[0].payload


async def test_templates_go_outside_the_window(meta: Meta, connector: WhatsAppCloud) -> None:
    """P14: free text outside 24 hours is WindowClosed; the named template goes, its variable on one line."""
    with pytest.raises(WindowClosed):
        await connector.send(out())
    await connector.send(out(template="notice", text="Kabar pengaduan\n\tKLA-1"))
    await connector.send(out(template="plain"))
    first, second = (each.payload["template"] for each in meta.sent)
    assert first["components"] == [{"type": "body", "parameters": [{"type": "text", "text": "Kabar pengaduan KLA-1"}]}]
    assert (second["name"], second["components"]) == ("balas_buka", [])
    with pytest.raises(Refused):
        await connector.send(out(template="unknown"))


async def test_what_the_caller_must_not_send(meta: Meta, connector: WhatsAppCloud) -> None:
    """T31: too long, empty, with files: refused before Meta sees it."""
    for wrong in (out(text="x" * 4_097), out(text=""), out(files=(File(name="a.pdf", mime="a/b", content=b""),))):
        with pytest.raises(Refused):
            await connector.send(wrong)
    assert len(meta.sent) == 0


@pytest.mark.parametrize(
    ("code", "name"),
    [(190, "AuthFailed"), (10, "AuthFailed"), (131031, "AuthFailed"), (368, "AuthFailed"), (131042, "AuthFailed"),
     (131047, "WindowClosed"), (131026, "Unreachable"), (131050, "Unreachable"), (130429, "Throttled"),
     (131056, "Throttled"), (80007, "Throttled"), (4, "Throttled"), (131016, "Unavailable"), (131000, "Unavailable"),
     (2, "Unavailable"), (131057, "Unavailable"), (132001, "Refused"), (131009, "Refused"), (100, "Refused")],
)  # fmt: skip
async def test_codes_in_the_providers_own_shape(meta: Meta, connector: WhatsAppCloud, code: int, name: str) -> None:
    """Each code of the simulator's Graph API gives the class of codes.yaml, and no word of the answer is repeated."""
    said(connector, meta)
    meta.faults.code(code)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out())
    assert str(caught.value).endswith(f"code {code}") or f"(code {code})" in str(caught.value)
    assert "invented" not in str(caught.value)


async def test_trouble_on_the_way(meta: Meta, connector: WhatsAppCloud) -> None:
    """P13: 429, 500, 502 HTML, truncated JSON, silence, reset, 200 with an error, 200 without an id."""
    said(connector, meta)
    meta.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 7
    for status, body in ((500, b'{"error":{"code":1}}'), (502, b"<html>"), (500, b'{"error":{"mess'), (503, b"")):
        meta.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out())
    meta.faults.http(200, b'{"error":{"code":131047}}', content_type="application/json")
    with pytest.raises(WindowClosed):
        await connector.send(out())
    for body in (b"{}", b'{"messages":[]}', b"<html>", b'{"messages":[{"id":"wamid'):
        meta.faults.http(200, body)
        with pytest.raises(Ambiguous):
            await connector.send(out())
    meta.faults.http(401, b"<html>")
    with pytest.raises(AuthFailed):
        await connector.send(out())


async def test_silence_and_resets_are_ambiguous(meta: Meta, connector: WhatsAppCloud) -> None:
    """Sheet A13: the message may have gone; its status brings our key back, so that it is found."""
    said(connector, meta)
    meta.faults.stall(2, accepted=True)
    meta.faults.reset(accepted=True)
    meta.faults.reset(accepted=True, after_headers=True)
    meta.faults.reset()
    for _ in range(4):
        with pytest.raises(Ambiguous):
            await connector.send(out())
    assert {each.payload["biz_opaque_callback_data"] for each in meta.sent} == {"r-17.1"}


async def test_check_asks_and_changes_nothing(meta: Meta, connector: WhatsAppCloud, make_setup: MakeSetup) -> None:
    """Good credentials pass once an app listens; a bad token is AuthFailed, a wrong number is told."""
    with pytest.raises(Misconfigured, match="waba_id"):
        await connector.check()
    meta.subscribed = True
    await connector.check()
    for settings, error in (
        ({"access_token": "another-token"}, AuthFailed),
        ({"phone_number_id": "999"}, (AuthFailed, Refused, Misconfigured)),
    ):
        wrong = WhatsAppCloud(make_setup("whatsapp_cloud", api_base=meta.base_url, **settings))
        with pytest.raises(error):
            await wrong.check()
    assert len(meta.sent) == 0


async def test_files_are_fetched_with_the_token(meta: Meta, connector: WhatsAppCloud) -> None:
    """Media id -> address -> bytes with the same token; an unknown or odd id is gone."""
    content = bytes(range(256)) * 1_000
    media = meta.add_media(content, "image/jpeg", "bukti.jpg")
    assert await fetched(connector, media.id) == content
    for wrong in ("999", "../../me", ""):
        with pytest.raises((Unreachable, Refused)):
            await fetched(connector, wrong)


@pytest.mark.parametrize(("stale", "addresses"), [(0, 1), (1, 2), (2, 2)])
async def test_a_stale_address_is_asked_anew_once(
    serve: Serve, make_setup: MakeSetup, stale: int, addresses: int
) -> None:
    """An address lives five minutes: after a 404 a new one is asked for, once."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer invented-system-user-token"
        if not request.path.startswith("/file"):
            asked.append(request.path)
            return web.json_response({"url": f"http://{request.host}/file/{len(asked)}", "id": "77"})
        return web.Response(body=b"bukti") if len(asked) > stale else web.Response(status=404)

    connector = WhatsAppCloud(make_setup("whatsapp_cloud", api_base=await serve(answer)))
    if stale < 2:
        assert await fetched(connector, "77") == b"bukti"
    else:
        with pytest.raises(Unreachable):
            await fetched(connector, "77")
    assert asked == ["/v26.0/77"] * addresses
    await connector.aclose()


async def fetched(connector: WhatsAppCloud, ref: str) -> bytes:
    """The bytes of an attachment."""
    found = bytearray()
    async with aclosing(connector.open(Attachment(kind="image", ref=ref))) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)


def test_a_thousand_updates_in_one_post(make_setup: MakeSetup) -> None:
    """P9: 1,000 updates near 3 MB, half of them broken, mixed numbers: the sound half is read, the rest is located."""
    connector = WhatsAppCloud(make_setup("whatsapp_cloud"))

    def message(number: int) -> dict[str, Any]:
        body: Any = "x" * 2_500 if number % 2 else number
        return {
            "from": SARI,
            "id": f"wamid.{number}",
            "timestamp": "1767582000",
            "type": "text",
            "text": {"body": body},
        }

    changes = [
        {
            "field": "messages",
            "value": {
                "metadata": {"phone_number_id": str(100 + part)},
                "messages": [message(part * 100 + each) for each in range(100)],
            },
        }
        for part in range(10)
    ]
    body = json.dumps({"entry": [{"id": "1", "changes": changes}]}).encode()
    found = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))
    read = [event for event in found if isinstance(event, Message)]
    broken = [event for event in found if isinstance(event, Unreadable)]
    assert (len(read), len(broken)) == (500, 500)
    assert {event.account for event in read} == {str(100 + part) for part in range(10)}
    assert broken[0].path == "$.entry[0].changes[0].value.messages[0].text.body"
    assert broken[-1].path == "$.entry[0].changes[9].value.messages[98].text.body"


def test_statuses_in_any_order_stay_what_they_are(make_setup: MakeSetup) -> None:
    """P10, T28: parse reports each state with its time; it invents no order."""
    connector = WhatsAppCloud(make_setup("whatsapp_cloud"))
    words = ("read", "sent", "failed", "delivered")
    statuses = [{"id": "wamid.1", "status": word, "timestamp": int(time.time())} for word in words]
    value = {"metadata": {"phone_number_id": "1"}, "statuses": statuses}
    body = json.dumps({"entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}).encode()
    found = connector.parse(Raw(channel_id="x", received_at=datetime.now(UTC), body=body))
    assert [event.state for event in found if isinstance(event, Delivery)] == list(words)
