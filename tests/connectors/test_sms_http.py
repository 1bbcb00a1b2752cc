"""SMS through an aggregator that the connector was not written for: sends, reports, refusals, check (P13, P18)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.contract import Lookup, Reconcile
from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
)
from connectors.sms_http import SmsHttp, build
from harness.serving import MakeSetup, Serve
from harness.webhook import Webhook
from normalizer.message import Delivery, File, Ignored, Message, Outgoing, Permission, Raw
from simulator.app import start
from simulator.sms import Sms

SARI = "+6281200000001"
FIXTURE = Path(__file__).parents[1] / "fixtures" / "sms_http" / "settings.json"
#: How the invented aggregator is described.
MAPPING: dict[str, Any] = {
    name: value
    for name, value in json.loads(FIXTURE.read_bytes()).items()
    if name not in {"kind", "organisation", "send_url"}
}


@pytest.fixture
async def sms() -> AsyncIterator[Sms]:
    """The aggregator, pretended."""
    account = Sms(
        api_key="invented-sending-key",
        webhook_secret="invented-webhook-secret-new",
        sender="+6281190009000",
        status_delays={"ACCEPTD": 0.0, "ENROUTE": 0.0, "DELIVRD": 0.0},
        time_scale=0.001,
    )
    async with await start([account]):
        yield account


@pytest.fixture
async def ours(serve: Serve, sms: Sms, make_setup: MakeSetup) -> AsyncIterator[Webhook]:
    """Our webhook at the address that the aggregator is told."""
    ours = Webhook()
    public_url = await serve(ours.answer)
    mapping = {**MAPPING, "outgoing": {**MAPPING["outgoing"], "check_url": f"{sms.base_url}/v1/account"}}
    setup = make_setup(
        "sms_http", public_url=public_url, send_url=f"{sms.base_url}/v1/messages", timeout_seconds=0.5, **mapping
    )
    connector = build(setup)
    assert isinstance(connector, SmsHttp)
    ours.connector = connector
    sms.webhook_url = f"{public_url}/in/akseleran-sms_http"
    yield ours
    await connector.aclose()


@pytest.fixture
def connector(ours: Webhook) -> SmsHttp:
    """The connector behind our webhook."""
    assert isinstance(ours.connector, SmsHttp)
    return ours.connector


def out(**changes: Any) -> Outgoing:
    """A receipt on its way."""
    return Outgoing(**{"key": "r 17/1&é", "recipient": SARI, "text": "Nomor: KLA-1", **changes})


async def test_a_text_is_answered_and_its_report_finds_the_receipt(ours: Webhook, sms: Sms, connector: SmsHttp) -> None:
    """Message in, receipt out, reports back with our key, all signed, all by the mapping alone."""
    id_ = await sms.inject_text(SARI, "Dana belum cair — 🙏")
    await sms.settled()
    message = ours.events[0]
    assert isinstance(message, Message)
    assert (message.external_id, message.text, message.account) == (id_, "Dana belum cair — 🙏", connector.account)
    assert (message.sender.key, message.sender.verified) == (f"tel:{SARI}", False)
    assert message.reply is not None
    sent = await connector.send(out(recipient=message.reply.recipient, text="“Nomor”: KLA\u00a01"))
    await sms.settled()
    kept = sms.sent[0]
    assert (kept.text, kept.to, kept.client_ref) == ('"Nomor": KLA 1', "6281200000001", "r 17/1&é")
    told = [event for event in ours.events if isinstance(event, Delivery)]
    assert [(event.state, event.outbox_key, event.provider_id) for event in told] == [
        ("delivered", "r 17/1&é", sent.provider_id)
    ]
    assert told[0].pricing == "IDR 350"
    assert all(isinstance(event, Message | Delivery | Ignored) for event in ours.events)


async def test_one_sender_is_one_conversation_and_two_are_two(ours: Webhook, sms: Sms) -> None:
    """T21: the thread is the pair of numbers; what one customer wrote never finds another's complaint."""
    for number, text in ((SARI, "Satu"), (SARI, "Dua"), ("+6281200000002", "Tiga")):
        await sms.inject_text(number, text)
    first, second, other = (event for event in ours.events if isinstance(event, Message))
    assert first.registers[0] in second.thread_refs
    assert not {*first.registers, *second.registers} & {*other.thread_refs}
    assert len({first.key, second.key, other.key}) == 3


async def test_a_long_text_in_parts_and_in_base64(ours: Webhook, sms: Sms) -> None:
    """Parts come the last first and are kept one by one, each under a key of its own; Base64 is read."""
    text = "Saya sudah membayar cicilan lewat transfer bank, tetapi di aplikasi masih tertulis menunggak. " * 3
    await sms.inject_text(SARI, text.strip(), in_parts=True)
    parts = [event for event in ours.events if isinstance(event, Message)]
    assert [part.flags for part in parts] == [("part_2_of_2",), ("part_1_of_2",)]
    assert "".join(part.text for part in reversed(parts)) == text.strip()
    assert len({part.key for part in parts}) == 2
    assert {part.thread_refs for part in parts} == {parts[0].thread_refs}
    await sms.inject_text(SARI, text.strip(), as_base64=True)
    whole = ours.events[-1]
    assert isinstance(whole, Message)
    assert (whole.text, whole.flags) == (text.strip(), ("was_base64",))


async def test_stop_is_no_complaint_and_is_remembered(ours: Webhook, sms: Sms, connector: SmsHttp) -> None:
    """Sheet A13: STOP and START are words about a number; the aggregator's refusal is Unreachable."""
    await sms.inject_text(SARI, "Berhenti", at=1767582000.0)
    await sms.inject_text(SARI, " mulai! ", at=1767582001.0)
    at = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    assert ours.events == [
        Permission(account="+6281190009000", recipient=SARI, allowed=False, at=at),
        Permission(account="+6281190009000", recipient=SARI, allowed=True, at=at + timedelta(seconds=1)),
    ]
    with pytest.raises(Unreachable):
        await connector.send(out())
    await sms.inject_text(SARI, "MULAI")
    await connector.send(out())
    assert len(sms.sent) == 1


@pytest.mark.parametrize(
    ("code", "name"),
    [(1001, "AuthFailed"), (1002, "AuthFailed"), (1101, "Throttled"), (1201, "Unreachable"), (1202, "Unreachable"),
     (1203, "Unreachable"), (1204, "Unreachable"), (1301, "Refused"), (1302, "Refused"), (1303, "Refused"),
     (1304, "Refused"), (1501, "Unavailable"), (1502, "Unavailable")],
)  # fmt: skip
@pytest.mark.parametrize("status", [None, 200])
async def test_codes_of_the_settings(sms: Sms, connector: SmsHttp, code: int, name: str, status: int | None) -> None:
    """P13: the aggregator's code decides, also inside a 200; one that nobody listed is Refused."""
    sms.faults.code(code, status=status)
    with pytest.raises(CLASSES[name]) as caught:
        await connector.send(out())
    assert "invented" not in str(caught.value)
    assert "628" not in str(caught.value)


async def test_trouble_on_the_way(sms: Sms, connector: SmsHttp) -> None:
    """P13: 429 with and without Retry-After, 5xx with and without JSON, silence, a break, an answer without an id."""
    sms.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 7
    sms.faults.http(429, b"{}")
    with pytest.raises(Throttled) as throttled:
        await connector.send(out())
    assert throttled.value.after == 10
    for status, body in ((500, b'{"error":{"code":1}}'), (502, b"<html>"), (500, b'{"code":'), (503, b"")):
        sms.faults.http(status, body)
        with pytest.raises(Unavailable):
            await connector.send(out())
    for body in (b"{}", b"<html>", b'{"message":{"id":""}}', b'{"message":[', b'{"message":{"id":{}}}'):
        sms.faults.http(202, body)
        with pytest.raises(Ambiguous):
            await connector.send(out())
    sms.faults.stall(2)
    sms.faults.reset(accepted=True)
    sms.faults.http(504, b"")
    for _ in range(3):
        with pytest.raises(Ambiguous):
            await connector.send(out())
    for status, kind in ((401, AuthFailed), (404, Refused), (302, Unavailable)):
        sms.faults.http(status, b"<html>")
        with pytest.raises(kind):
            await connector.send(out())


async def test_a_failed_report_names_its_class(ours: Webhook, sms: Sms, connector: SmsHttp) -> None:
    """An unknown subscriber is told of later: Unreachable, with the aggregator's code."""
    sms.unknown.add("6281200000001")
    sent = await connector.send(out())
    await sms.settled()
    (told,) = (event for event in ours.events if isinstance(event, Delivery))
    assert (told.state, told.error_code, told.error_class) == ("failed", "1204", "Unreachable")
    assert told.provider_id == sent.provider_id


async def test_what_is_no_text_is_not_sent(sms: Sms, connector: SmsHttp) -> None:
    """Empty, too long by the unit of the facts, with a file, public: refused before the network; nothing goes out."""
    file = File(name="bukti.pdf", mime="application/pdf", content=b"%PDF")
    for wrong in (out(text=""), out(text="🙏" * 331), out(files=(file,)), out(public=True), out(template="notice")):
        with pytest.raises(Refused):
            await connector.send(wrong)
    await connector.send(out(text="🙏" * 330))
    assert [text.segments for text in sms.sent] == [10]


async def test_check_asks_with_the_key(sms: Sms, connector: SmsHttp, make_setup: MakeSetup, serve: Serve) -> None:
    """Good credentials pass; wrong ones are AuthFailed, a wrong address is a setting's fault; nothing is sent."""
    await connector.check()
    login = {"scheme": "bearer", "secret": "another-key"}
    outgoing = {**MAPPING["outgoing"], "check_url": f"{sms.base_url}/v1/account", "login": login}
    wrong = SmsHttp(make_setup("sms_http", **{**MAPPING, "outgoing": outgoing}))
    with pytest.raises(AuthFailed):
        await wrong.check()
    statuses = [403, 404, 503]

    async def answer(_called: web.Request) -> web.StreamResponse:
        return web.Response(status=statuses.pop(0))

    elsewhere = SmsHttp(make_setup("sms_http", outgoing={"check_url": await serve(answer)}))
    for kind in (AuthFailed, Misconfigured, Unavailable):
        with pytest.raises(kind):
            await elsewhere.check()
    await SmsHttp(make_setup("sms_http")).check()  # nowhere to ask
    assert len(sms.sent) == 0


async def test_a_refused_webhook_comes_again_signed_anew(ours: Webhook, sms: Sms) -> None:
    """A retry after hours carries a new time of signing: an honest one is no replay."""
    ours.statuses = [503, 500]
    await sms.inject_text(SARI, "Halo")
    await sms.settled()
    assert [attempt.status for attempt in sms.deliveries[0].attempts] == [500, 503, 200]
    assert [type(event) for event in ours.events] == [Message]


async def test_forged_and_replayed_webhooks(ours: Webhook, sms: Sms) -> None:
    """P18: wrong secret, no signature, signed ten minutes ago or ahead, a time that is none: refused, nothing kept."""
    body = b'{"events":[{"type":"sms.received","id":"1","from":"628120000001","to":"6281190009000","text":"x"}]}'
    now = int(time.time())
    for wrong in (
        {"secret": "wrong"}, {"signature": ""}, {"signature": "v1="}, {"stamp": str(now - 600)},
        {"stamp": str(now + 600)}, {"stamp": "-1"}, {"stamp": "9" * 20}, {"stamp": ""}, {"stamp": f"{now}.0"},
    ):  # fmt: skip
        assert (await sms.inject_raw(body, **wrong)).status == 401
    assert (await sms.inject_raw(body, stamp=str(now * 1000))).status == 200
    assert len(ours.events) == 1


def test_only_twilio_has_a_history(connector: SmsHttp) -> None:
    """The gateway asks no aggregator for a list that it has not."""
    assert not isinstance(connector, Lookup | Reconcile)


def test_a_large_hostile_body_is_read_at_once(connector: SmsHttp) -> None:
    """P29: time grows with the size, not with its square: 200 kB of each shape, in one go."""
    shapes = [b"[" * 200_000, b'{"events":[' + b"{}," * 60_000 + b"{}]}", b'{"events":{"a":' * 12_000, b"A" * 200_000,
              b'{"events":[{"type":"sms.received","id":"1","from":"6281","text":"' + b"A" * 199_999 + b'"}]}',
              b'{"events":[{"type":"sms.received","id":"1","from":"6281","text":"' + b"QUFB" * 49_000 + b'"}]}',
              b'{"events":[{"type":"' + b"\\ud83d" * 30_000 + b'"}]}']  # fmt: skip
    for shape in shapes:
        raw = Raw(channel_id="x", received_at=datetime.now(UTC), body=shape)
        try:
            assert connector.parse(raw)
        except Exception as error:
            assert type(error).__name__ == "Malformed"  # noqa: PT017 - each shape may or may not be read


def test_times_of_every_kind(connector: SmsHttp) -> None:
    """Seconds, milliseconds, ISO with and without a zone; what is no time is the time of receipt, flagged."""
    at = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    for given, expected, flags in (
        ("2026-01-05T10:00:00", at, ()),
        ("2026-01-05 10:00:00", at, ()),
        ("2026-01-05T03:00:00Z", at, ()),
        (int(at.timestamp()), at, ()),
        (str(int(at.timestamp() * 1000)), at, ()),
        ("2026-01-05T10:20:00+07:00", at + timedelta(minutes=20), ("future_timestamp",)),
        ("0001-01-01T00:00:00", at, ("no_timestamp",)),
        ("besok", at, ("no_timestamp",)),
        (None, at, ("no_timestamp",)),
    ):
        item = {"type": "sms.received", "id": "1", "from": SARI, "text": "x", "received_at": given}
        raw = Raw(channel_id="x", received_at=at, body=json.dumps({"events": [item]}).encode())
        (message,) = connector.parse(raw)
        assert isinstance(message, Message)
        assert (message.sent_at, message.flags) == (expected, flags), given
