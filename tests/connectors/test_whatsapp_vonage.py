"""WhatsApp by Vonage against the simulator: messages, statuses, windows, files, forgeries (P13, P14, P18, P19)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from pydantic import ValidationError

from connectors.contract import Request
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Rejected,
    Throttled,
    Unavailable,
    Unreachable,
)
from connectors.whatsapp_vonage import WhatsAppVonage
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from normalizer.message import Attachment, Delivery, Ignored, Message, Outgoing
from simulator import whatsapp_vonage
from simulator.app import start
from simulator.place import Attachment as File
from simulator.weather import Weather

SARI = "6281200000001"
APPLICATION = "78d335fa-323d-0114-9c3d-d6f0d48968cf"


@pytest.fixture
async def vonage() -> AsyncIterator[whatsapp_vonage.WhatsAppVonage]:
    """Vonage, pretended."""
    account = whatsapp_vonage.WhatsAppVonage(
        api_key="a1b2c3d4",
        api_secret="invented-api-secret",
        signature_secret="invented-signature-secret",
        number="+622150996000",
        application_id=APPLICATION,
        time_scale=0.001,
        status_delays={"submitted": 0.0, "delivered": 0.0, "read": 0.0},
    )
    simulation = await start([account])
    yield account
    await simulation.aclose()


@pytest.fixture
async def ours(serve: Serve, vonage: whatsapp_vonage.WhatsAppVonage, make_setup: MakeSetup) -> AsyncIterator[Webhook]:
    """Our webhook at the address that Vonage is told."""
    ours = Webhook()
    public_url = await serve(ours.answer)
    setup = make_setup(
        "whatsapp_vonage",
        api_base=vonage.base_url,
        public_url=public_url,
        timeout_seconds=0.5,
        application_id=APPLICATION,
        templates={"notice": "aduan_notice"},
    )
    connector = ours.connector = WhatsAppVonage(setup)
    vonage.webhook_url = f"{public_url}/in/akseleran-whatsapp_vonage"
    yield ours
    await connector.aclose()


@pytest.fixture
def connector(ours: Webhook) -> WhatsAppVonage:
    """The connector behind our webhook."""
    assert isinstance(ours.connector, WhatsAppVonage)
    return ours.connector


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r 17/1&é", "recipient": f"+{SARI}", "text": "Nomor: KLA-1", **changes})


async def test_a_text_is_answered_and_its_statuses_find_the_receipt(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage
) -> None:
    """Message in, receipt out, statuses back with our key, all signed; the next message may quote the receipt."""
    id_ = await vonage.inject_text(SARI, "Dana belum cair — 🙏")
    message = ours.events[0]
    assert isinstance(message, Message)
    assert (message.key, message.text) == (f"vo:a1b2c3d4:{id_}", "Dana belum cair — 🙏")
    assert message.account == connector.account
    assert message.reply is not None
    sent = await connector.send(out(recipient=message.reply.recipient))
    await vonage.settled()
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert [event.state for event in told] == ["sent", "delivered", "read"]
    assert {(event.outbox_key, event.provider_id, event.account) for event in told} == {
        ("r 17/1&é", sent.provider_id, connector.account)
    }
    assert told[1].pricing == "service/1"
    await vonage.inject_text(SARI, "terima kasih", context={"message_uuid": sent.provider_id})
    answer = ours.events[-1]
    assert isinstance(answer, Message)
    assert answer.thread_refs[0] == sent.registers[0]
    assert not [event for event in ours.events if isinstance(event, Ignored)]


async def test_who_hides_the_number_is_answered_at_the_user_id(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage
) -> None:
    """Sheet A0.1: the business-scoped id alone is enough."""
    await vonage.inject_text("ID.1349", "Saya ditagih dua kali")
    message = ours.events[0]
    assert isinstance(message, Message)
    assert message.reply is not None
    assert (message.sender.key, message.sender.phone) == ("wa:ID.1349", None)
    await connector.send(out(recipient=message.reply.recipient))
    assert vonage.sent[0].to == "ID.1349"


async def test_a_closed_window_is_told_by_a_status_and_a_template_goes(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage
) -> None:
    """P14: free text outside 24 hours fails with the class that leads to the next route; a template is delivered."""
    await connector.send(out())
    await vonage.settled()
    (failed,) = ours.events
    assert isinstance(failed, Delivery)
    assert (failed.state, failed.error_code, failed.error_class) == ("failed", "1340", "WindowClosed")
    await connector.send(out(template="notice", text="Kabar\nKLA-1"))
    assert (vonage.sent[1].template, vonage.sent[1].text) == ("aduan_notice", "Kabar KLA-1")
    for wrong in (out(template="other"), out(text="x" * 4_097), out(text="")):
        with pytest.raises(Refused):
            await connector.send(wrong)
    await connector.send(out(text="x" * 4_096))


@pytest.mark.parametrize(
    ("code", "name"),
    [(401, "AuthFailed"), (402, "AuthFailed"), (1000, "Throttled"), (1030, "Unavailable"), (1060, "AuthFailed"),
     (1070, "AuthFailed"), (1170, "Unreachable"), (1240, "Unreachable"), (1300, "Unreachable"), (1331, "Unavailable"),
     (1340, "WindowClosed"), (1420, "AuthFailed"), (1430, "Unreachable"), (1460, "Throttled"), (1022, "Refused"),
     (1282, "Refused"), (1999, "Refused"), (404, "Refused")],
)  # fmt: skip
async def test_codes_in_the_providers_own_shape(
    vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage, code: int, name: str
) -> None:
    """P13: each number of the simulator's API gives the class of codes.yaml, and so does a status without one."""
    vonage.faults.code(code)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out())
    assert "invented" not in str(caught.value)
    assert SARI not in str(caught.value)


async def test_trouble_on_the_way(vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage) -> None:
    """P13: 429 with and without Retry-After, 5xx with and without JSON, silence, an answer without a name."""
    vonage.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 7
    vonage.faults.http(429, b"")
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 15
    for status, body in ((500, b'{"type":1}'), (502, b"<html>"), (500, b'{"type":'), (503, b"")):
        vonage.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out())
    for body in (b"{}", b"<html>", b'{"message_uuid":"'):
        vonage.faults.http(202, body)
        with pytest.raises(Ambiguous):
            await connector.send(out())
    vonage.faults.http(401, b"<html>")
    with pytest.raises(AuthFailed):
        await connector.send(out())


async def test_an_ambiguous_send_is_known_by_its_status(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage
) -> None:
    """Sheet A13: no answer, and there is no list; what was taken brings our key back, what was not stays silent."""
    await vonage.inject_text(SARI, "Halo")
    vonage.faults.stall(2, accepted=True)
    with pytest.raises(Ambiguous):
        await connector.send(out(key="taken"))
    vonage.faults.reset()
    with pytest.raises(Ambiguous):
        await connector.send(out(key="lost"))
    await vonage.settled()
    assert {event.outbox_key for event in ours.events if isinstance(event, Delivery)} == {"taken"}


async def fetched(connector: WhatsAppVonage, attachment: Attachment) -> bytes:
    """The bytes of an attachment."""
    async with aclosing(connector.open(attachment)) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize(
    ("media_type", "kind"), [("image/jpeg", "image"), ("audio/ogg", "audio"), ("application/pdf", "document")]
)
async def test_files_are_fetched(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage, media_type: str, kind: str
) -> None:
    """P22: from the listed hosts and our own base alone, and nobody is shown the API secret."""
    content = bytes(range(256)) * 100
    await vonage.inject_file(SARI, File("bukti", media_type, content), "Bukti")
    message = ours.events[0]
    assert isinstance(message, Message)
    (attachment,) = message.attachments
    assert (message.text, attachment.kind, attachment.name) == ("Bukti", kind, "bukti")
    assert await fetched(connector, attachment) == content
    for url in ("https://evil.example/v3/media/1", "http://api.nexmo.com/v3/media/1", "http://127.0.0.1:22/", None):
        with pytest.raises(Unreachable):
            await fetched(connector, Attachment(url=url))


async def test_a_file_is_asked_for_without_credentials(serve: Serve, make_setup: MakeSetup) -> None:
    """Its address is the secret; secure inbound media asks for a token that we lack: the operator hears of it."""
    seen: list[str | None] = []

    async def answer(called: web.Request) -> web.StreamResponse:
        seen.append(called.headers.get("Authorization"))
        return web.Response(status=401)

    base = await serve(answer)
    connector = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=base))
    with pytest.raises(AuthFailed):
        await fetched(connector, Attachment(url=f"{base}/v3/media/1"))
    assert seen == [None]
    await connector.aclose()


async def test_check_asks_for_the_application(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, connector: WhatsAppVonage, make_setup: MakeSetup
) -> None:
    """Good credentials pass, wrong ones do not; webhooks that go elsewhere are named; nothing is sent."""
    await connector.check()
    ours_at = vonage.webhook_url
    vonage.webhook_url = "https://aduan.somebody-else.example/in/akseleran-whatsapp_vonage"
    with pytest.raises(Misconfigured, match="inbound address"):
        await connector.check()
    vonage.webhook_url = ours_at.replace("/in/", "/invoices/")
    with pytest.raises(Misconfigured, match="inbound address"):
        await connector.check()
    vonage.webhook_url = ours_at
    vonage.weather = Weather.named("unsubscribed")
    with pytest.raises(Misconfigured, match="inbound address"):
        await connector.check()
    plain = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=vonage.base_url))
    await plain.check()
    wrong = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=vonage.base_url, api_secret="another-secret"))
    with pytest.raises(AuthFailed):
        await wrong.check()
    assert len(vonage.sent) == 0


async def test_an_application_of_the_older_version_is_named(serve: Serve, make_setup: MakeSetup) -> None:
    """Version v0.1 has another shape: better said by `aduan check --live` than by the quarantine; HTML says nothing."""
    answers = [web.Response(body=b"<html>")]
    inbound = {"address": "https://aduan.example.co.id/in/akseleran-whatsapp_vonage"}

    async def answer(_: web.Request) -> web.StreamResponse:
        messages = {"version": "v0.1", "webhooks": {"inbound_url": inbound}}
        return answers.pop(0) if answers else web.json_response({"capabilities": {"messages": messages}})

    connector = WhatsAppVonage(make_setup("whatsapp_vonage", api_base=await serve(answer), application_id=APPLICATION))
    with pytest.raises(Unavailable):
        await connector.check()
    with pytest.raises(Misconfigured, match="v1"):
        await connector.check()


@pytest.mark.parametrize(
    ("forged", "status"),
    [({"secret": "another"}, 503), ({"secret": ""}, 503), ({"alg": "none"}, 401), ({"alg": "RS256"}, 401),
     ({"alg": "hs256"}, 401), ({"claims": {"api_key": "other"}}, 503), ({"claims": {"api_key": None}}, 401),
     ({"claims": {"iat": 0}}, 401), ({"claims": {"iat": 1e300}}, 401), ({"claims": {"iat": "now"}}, 401),
     ({"claims": {"iat": True}}, 401), ({"claims": {"iat": float("nan")}}, 401), ({"claims": {"iat": 10**400}}, 401),
     ({"claims": {"iat": 9_999_999_999}}, 503), ({"claims": {"payload_hash": "0" * 64}}, 503),
     ({"claims": {"payload_hash": ""}}, 503)],
)  # fmt: skip
async def test_forged_webhooks_are_refused(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, forged: dict[str, Any], status: int
) -> None:
    """P18: none is believed; what a repeat can put right is asked for again, what it cannot is told so."""
    assert (await vonage.inject_raw(b"{}", **forged)).status == status
    assert ours.events == []


async def test_what_a_renewed_secret_signed_comes_in_when_we_have_it(
    ours: Webhook, vonage: whatsapp_vonage.WhatsAppVonage, make_setup: MakeSetup
) -> None:
    """P19, P1: the secret was renewed at Vonage first; what was refused meanwhile is repeated, and nothing is lost."""
    vonage.time_scale = 0.02
    vonage.signature_secret = "renewed-signature-secret"
    await vonage.inject_text(SARI, "Halo")
    assert ours.events == []
    secrets = ["renewed-signature-secret", "invented-signature-secret"]
    ours.connector = WhatsAppVonage(make_setup("whatsapp_vonage", signature_secrets=secrets))
    await vonage.settled()
    assert [type(event) for event in ours.events] == [Message]
    assert [attempt.status for attempt in vonage.deliveries[-1].attempts][-1] == 200


@pytest.mark.parametrize(("key", "value"), [("number", "622150996000"), ("api_key", ""), ("application_id", "x")])
def test_wrong_settings_are_named(make_setup: MakeSetup, key: str, value: str) -> None:
    """Each by its key."""
    with pytest.raises(ValidationError, match=key):
        make_setup("whatsapp_vonage", **{key: value})


def test_what_a_slow_clock_refused_is_good_when_it_is_repeated(make_setup: MakeSetup) -> None:
    """P1, P18: by our clock it is signed in the future, and Vonage repeats nothing after a 4xx; later it is too old."""
    secret, body, at = "an invented secret of at least 32 bytes", b"{}", datetime(2026, 1, 5, 3, tzinfo=UTC)
    digest = hashlib.sha256(body).hexdigest()
    claims = {"api_key": "a1b2c3d4", "iat": int(at.timestamp()), "payload_hash": digest}
    proof = ("authorization", f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}")
    connector = WhatsAppVonage(make_setup("whatsapp_vonage", signature_secrets=[secret]))

    def judged(late: timedelta) -> int:
        try:
            came = Request(method="POST", target="/in/a", headers=(proof,), body=body, received_at=at + late)
            return 200 if connector.receive(came).keep else 0
        except Rejected as rejected:
            return rejected.status

    minutes = (-60, -6, -5, 0, 24 * 60 + 5, 24 * 60 + 6)
    assert [judged(timedelta(minutes=late)) for late in minutes] == [503, 503, 200, 200, 200, 401]
