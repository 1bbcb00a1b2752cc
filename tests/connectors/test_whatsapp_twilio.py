"""WhatsApp by Twilio against the simulator: sends, callbacks, looking before a retry, filling gaps, files (P6, P13)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.whatsapp_twilio import WhatsAppTwilio
from harness.serving import MakeSetup, Serve
from harness.twilio import tells_what_went
from harness.webhook import Webhook
from normalizer.message import Attachment, Delivery, Ignored, Message, Outgoing
from simulator.app import start
from simulator.twilio import Twilio

SARI = "whatsapp:+6281200000001"
ACCOUNT = "ACd1a0b1c2d3e4f5061728394a5b6c7d8e"


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    """Twilio, pretended; it refuses at once rather than by a later status."""
    account = Twilio(
        account_sid=ACCOUNT,
        auth_token="invented-auth-token",
        number="whatsapp:+622150996000",
        refuse_by="call",
        status_delays={"queued": 0.0, "sent": 0.0, "delivered": 0.0, "read": 0.0},
    )
    simulation = await start([account])
    yield account
    await simulation.aclose()


@pytest.fixture
async def ours(serve: Serve, twilio: Twilio, make_setup: MakeSetup) -> AsyncIterator[Webhook]:
    """Our webhook at the address that Twilio is told."""
    ours = Webhook()
    public_url = await serve(ours.answer)
    setup = make_setup(
        "whatsapp_twilio",
        api_base=twilio.base_url,
        public_url=public_url,
        timeout_seconds=0.5,
        page_size=2,
        templates={"notice": "HX00000000000000000000000000000001"},
    )
    connector = ours.connector = WhatsAppTwilio(setup)
    twilio.webhook_url = f"{public_url}/in/akseleran-whatsapp_twilio"
    yield ours
    await connector.aclose()


@pytest.fixture
def connector(ours: Webhook) -> WhatsAppTwilio:
    """The connector behind our webhook."""
    assert isinstance(ours.connector, WhatsAppTwilio)
    return ours.connector


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r 17/1&é", "recipient": "+6281200000001", "text": "Nomor: KLA-1", **changes})


async def test_a_text_is_answered_and_its_statuses_find_the_receipt(
    ours: Webhook, twilio: Twilio, connector: WhatsAppTwilio
) -> None:
    """Message in, receipt out, callbacks back with our key, all signed."""
    sid = await twilio.inject_text(SARI, "Dana belum cair — 🙏", name="Sari", user_id="ID.1349")
    await twilio.settled()
    message = ours.events[0]
    assert isinstance(message, Message)
    assert (message.key, message.text) == (f"tw:{ACCOUNT}:{sid}", "Dana belum cair — 🙏")
    assert message.sender.key == "wa:ID.1349"
    assert message.reply is not None
    assert message.account == connector.account
    sent = await connector.send(out(recipient=message.reply.recipient))
    await twilio.settled()
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert {event.state for event in told} >= {"sent", "delivered"}
    assert {event.outbox_key for event in told} == {"r 17/1&é"}
    assert {event.provider_id for event in told} == {sent.provider_id}
    assert all(isinstance(event, Message | Delivery | Ignored) for event in ours.events)
    assert not twilio.alerts, "Twilio understood every answer"
    reply_to = await twilio.inject_text(SARI, "terima kasih", reply_to=sent.provider_id)
    await twilio.settled()
    answer = next(e for e in ours.events if isinstance(e, Message) and e.external_id == reply_to)
    assert answer.thread_refs[0] == sent.registers[0]


async def test_templates_go_outside_the_window(twilio: Twilio, connector: WhatsAppTwilio) -> None:
    """P14: free text outside 24 hours is WindowClosed; the template of that purpose goes."""
    with pytest.raises(WindowClosed):
        await connector.send(out())
    await connector.send(out(template="notice", text="Kabar\nKLA-1"))
    assert twilio.sent[0].content_variables == {"1": "Kabar KLA-1"}
    for wrong in (out(template="other"), out(text="x" * 1_601), out(text="")):
        with pytest.raises(Refused):
            await connector.send(wrong)


@pytest.mark.parametrize(
    ("code", "name"),
    [(20003, "AuthFailed"), (30002, "AuthFailed"), (63016, "WindowClosed"), (21211, "Unreachable"),
     (21610, "Unreachable"), (63003, "Unreachable"), (63024, "Unreachable"), (63033, "Unreachable"),
     (20429, "Throttled"), (14107, "Throttled"), (63018, "Throttled"), (20500, "Unavailable"), (20503, "Unavailable"),
     (30001, "Unavailable"), (21617, "Refused"), (63005, "Refused"), (63013, "Refused"), (21656, "Refused")],
)  # fmt: skip
async def test_codes_in_the_providers_own_shape(
    twilio: Twilio, connector: WhatsAppTwilio, code: int, name: str
) -> None:
    """Each code of the simulator's REST API gives the class of codes.yaml."""
    twilio.faults.code(code)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out())
    assert "invented" not in str(caught.value)
    assert "+62" not in str(caught.value)


async def test_trouble_on_the_way(twilio: Twilio, connector: WhatsAppTwilio) -> None:
    """P13: 429 with and without Retry-After, 5xx with and without JSON, an answer without a name."""
    twilio.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 7
    for status, body in ((500, b'{"code":1}'), (502, b"<html>"), (500, b'{"code":'), (503, b"")):
        twilio.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out())
    for body in (b"{}", b"<html>", b'{"sid":"SM'):
        twilio.faults.http(201, body)
        with pytest.raises(Ambiguous):
            await connector.send(out())
    twilio.faults.http(401, b"<html>")
    with pytest.raises(AuthFailed):
        await connector.send(out())


async def test_an_ambiguous_send_is_looked_for_before_a_retry(twilio: Twilio, connector: WhatsAppTwilio) -> None:
    """Sheet A13: the list tells whether it went: the accepted one is found, the lost one is not, nor anybody else's."""
    await twilio.inject_text(SARI, "Halo")
    await tells_what_went(twilio, connector, out, said="taken", kept="taken", other="+6281200000002")


async def test_what_the_webhook_missed_is_listed(ours: Webhook, twilio: Twilio, connector: WhatsAppTwilio) -> None:
    """P6: while we were away five messages came, one with a file; all are found, each under the webhook's own key."""
    before = datetime.now(UTC)
    address, twilio.webhook_url = twilio.webhook_url, ""
    await twilio.inject_text(SARI, "sebelum", at=(before - timedelta(hours=30)).timestamp())
    sids = [await twilio.inject_text(SARI, f"pesan {number}") for number in range(5)]
    sids.append(await twilio.inject_media(SARI, b"bukti", "image/jpeg"))
    await connector.send(out())
    twilio.webhook_url = address
    async with aclosing(connector.since(before - timedelta(minutes=1))) as listed:
        batches = [batch async for batch in listed]
    raws = [raw for batch in batches for raw in batch.keep]
    events = [event for raw in raws for event in connector.parse(raw)]
    messages = [event for event in events if isinstance(event, Message)]
    assert sorted(event.key for event in messages) == sorted(f"tw:{ACCOUNT}:{sid}" for sid in sids)
    assert len(messages) == len(events), "only inbound messages are listed"
    assert len(batches) > 1
    assert {batch.cursor for batch in batches[:-1]} == {(before - timedelta(minutes=1)).isoformat()}
    assert datetime.fromisoformat(batches[-1].cursor) >= before.replace(microsecond=0)
    with_file = next(event for event in messages if event.attachments)
    assert await fetched(connector, with_file.attachments[0]) == b"bukti"
    again = await twilio.inject_text(SARI, "langsung")
    await twilio.settled()
    assert any(isinstance(event, Message) and event.external_id == again for event in ours.events)


async def fetched(connector: WhatsAppTwilio, attachment: Attachment) -> bytes:
    """The bytes of an attachment."""
    found = bytearray()
    async with aclosing(connector.open(attachment)) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)


async def test_files_are_fetched_and_credentials_stay_at_twilio(
    ours: Webhook, twilio: Twilio, connector: WhatsAppTwilio
) -> None:
    """The redirect to the media host is followed without the Authorization header."""
    content = bytes(range(256)) * 100
    await twilio.inject_media(SARI, content, "audio/ogg")
    await twilio.settled()
    message = ours.events[0]
    assert isinstance(message, Message)
    assert message.flags == ("has_audio",)
    assert await fetched(connector, message.attachments[0]) == content
    assert list(twilio.leaked) == []
    for url in ("https://evil.example/2010-04-01/Accounts/AC/x", "http://127.0.0.1:22/", None, f"{twilio.base_url}/x"):
        with pytest.raises(Unreachable):
            await fetched(connector, Attachment(url=url))


async def test_check_asks_for_the_account(twilio: Twilio, connector: WhatsAppTwilio, make_setup: MakeSetup) -> None:
    """Good credentials pass; wrong ones are AuthFailed; nothing is sent."""
    await connector.check()
    wrong = WhatsAppTwilio(make_setup("whatsapp_twilio", api_base=twilio.base_url, auth_tokens=["another-token"]))
    with pytest.raises(AuthFailed):
        await wrong.check()
    assert len(twilio.sent) == 0


async def test_shared_keys_sign_webhooks(serve: Serve, make_setup: MakeSetup) -> None:
    """An account whose webhooks are signed with a shared key (HMAC-SHA256) is understood."""
    ours = Webhook()
    public_url = await serve(ours.answer)
    account = Twilio(
        account_sid=ACCOUNT,
        auth_token="invented-auth-token",
        number="whatsapp:+622150996000",
        shared_key=("key_1", "invented-shared-key"),
        webhook_url=f"{public_url}/in/wa?a=b",
    )
    ours.connector = WhatsAppTwilio(
        make_setup("whatsapp_twilio", public_url=public_url, shared_keys={"key_1": "invented-shared-key"})
    )
    async with await start([account]):
        await account.inject_text(SARI, "Halo")
        await account.settled()
    assert [type(event) for event in ours.events] == [Message]


async def test_the_list_leads_nowhere_else(serve: Serve, make_setup: MakeSetup) -> None:
    """A next page at another host is not followed, for the credentials would go with it; the list is not whole then."""
    seen: list[str] = []

    async def answer(called: web.Request) -> web.StreamResponse:
        seen.append(called.path_qs)
        assert parse_qs(urlsplit(called.path_qs).query)["DateSent>"]
        return web.json_response({"messages": [{"sid": 5}], "next_page_uri": "//evil.example/x"})

    connector = WhatsAppTwilio(make_setup("whatsapp_twilio", api_base=await serve(answer)))
    async with aclosing(connector.since(datetime(2026, 1, 5, tzinfo=UTC))) as listed:
        assert len((await anext(listed)).keep) == 1, "an item that cannot be read is kept for quarantine"
        with pytest.raises(Unavailable):
            await anext(listed)
    assert len(seen) == 1
    await connector.aclose()
