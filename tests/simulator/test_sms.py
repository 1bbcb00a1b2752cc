"""The pretended SMS aggregator: signatures, retries, limits, STOP, reports; and plain numbers at Twilio."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

import simulator
from simulator import Twilio, Weather
from simulator.place import Account
from simulator.services import providers
from simulator.sms import Sms, digits_of
from simulator.sms.records import segments_of

BUDI = "+6281234567890"
SECRET = "webhook-secret"
KEY = {"Authorization": "Bearer sending-key"}


@pytest.fixture
async def sms(business: Any) -> AsyncIterator[Sms]:
    account = Sms(
        api_key="sending-key",
        webhook_secret=SECRET,
        sender="+62 811-9000-9000",
        webhook_url=business.url + "/in/sms",
        time_scale=0.001,
        status_delays={"ACCEPTD": 0.0, "DELIVRD": 0.0},
    )
    async with await simulator.start([account]):
        yield account


async def send(http: aiohttp.ClientSession, sms: Sms, **changes: Any) -> tuple[int, Any]:
    """The answer to one send."""
    body = {"to": "6281234567890", "from": sms.sender, "content": {"text": "Halo", "unicode": False}} | changes
    async with http.post(f"{sms.base_url}/v1/messages", json=body, headers=KEY) as answer:
        return answer.status, await answer.json()


def events_of(call: Any) -> list[dict[str, Any]]:
    """What one webhook says, once its proof is good."""
    stamp = call.headers["X-Contoh-Timestamp"]
    proof = hmac.new(SECRET.encode(), stamp.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert call.headers["X-Contoh-Signature"] == f"v1={proof}"
    found: list[dict[str, Any]] = json.loads(call.body)["events"]
    return found


async def test_a_customer_writes(sms: Sms, business: Any) -> None:
    id_ = await sms.inject_text(BUDI, "Tagihan saya salah 🙏", at=1767582000.0)
    (call,) = business.calls
    assert events_of(call) == [
        {"type": "sms.received", "id": id_, "from": "6281234567890", "to": "6281190009000",
         "text": "Tagihan saya salah 🙏", "received_at": "2026-01-05T10:00:00.000+07:00"}
    ]  # fmt: skip


async def test_long_texts_come_in_parts_or_in_base64(sms: Sms, business: Any) -> None:
    text = "a" * 200
    await sms.inject_text(BUDI, text, in_parts=True)
    parts = [event for call in business.calls for event in events_of(call)]
    assert [part["udh"]["part"] for part in parts] == [2, 1]
    assert "".join(part["text"] for part in reversed(parts)) == text
    assert len({part["id"] for part in parts}) == 1
    await sms.inject_text(BUDI, text, as_base64=True)
    assert events_of(business.calls[-1])[0]["text"].startswith("YWFh")


async def test_a_refused_webhook_is_signed_anew_until_it_is_accepted(sms: Sms, business: Any) -> None:
    business.statuses = [500, 503, 204]
    clock = iter(range(1_767_582_000, 1_767_592_000))
    sms.clock = lambda: float(next(clock))
    await sms.inject_text(BUDI, "halo")
    await sms.settled()
    assert [attempt.status for attempt in sms.deliveries[0].attempts] == [500, 503, 204]
    assert len({call.headers["X-Contoh-Timestamp"] for call in business.calls}) == 3
    assert all(events_of(call) for call in business.calls)


async def test_a_send_is_reported(sms: Sms, business: Any, http: aiohttp.ClientSession) -> None:
    status, body = await send(http, sms, client_ref="r-1", content={"text": "a" * 161, "unicode": False})
    assert (status, body["message"]["segments"]) == (202, 2)
    await sms.settled()
    told = [event for call in business.calls for event in events_of(call)]
    assert [(event["status"], event["client_ref"], event["price"]) for event in told] == [
        ("ACCEPTD", "r-1", "IDR 700"), ("DELIVRD", "r-1", "IDR 700"),
    ]  # fmt: skip
    assert {event["message_id"] for event in told} == {body["message"]["id"]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "+6281234567890"}, 1201),
        ({"to": "12"}, 1201),
        ({"from": "628000"}, 1304),
        ({"content": {"text": "Halo"}}, 1303),
        ({"content": "Halo"}, 1303),
        ({"content": {"text": "", "unicode": False}}, 1303),
        ({"content": {"text": "x" * 1531, "unicode": False}}, 1301),
        ({"content": {"text": "Anda menang undian", "unicode": False}}, 1302),
        ({"to": "62215099000"}, 1203),
    ],
)
async def test_refusals(sms: Sms, http: aiohttp.ClientSession, changes: dict[str, Any], code: int) -> None:
    sms.landlines.add("62215099000")
    status, body = await send(http, sms, **changes)
    assert (status, body["error"]["code"]) == (422, code)
    assert len(sms.sent) == 0


async def test_who_says_stop_is_left_alone_until_start(sms: Sms, http: aiohttp.ClientSession) -> None:
    await sms.inject_text(BUDI, " berhenti ")
    assert (await send(http, sms))[1]["error"]["code"] == 1202
    sms.honours_stop = False
    assert (await send(http, sms))[0] == 202
    sms.honours_stop = True
    await sms.inject_text(BUDI, "Mulai")
    assert (await send(http, sms))[0] == 202


async def test_limits_and_keys(sms: Sms, http: aiohttp.ClientSession) -> None:
    sms.clock = lambda: 1_767_582_000.0
    sms.per_second = 2
    assert [(await send(http, sms))[0] for _ in range(3)] == [202, 202, 429]
    for path, method in (("messages", "POST"), ("account", "GET")):
        async with http.request(method, f"{sms.base_url}/v1/{path}", headers={"Authorization": "Bearer x"}) as answer:
            assert answer.status == 401
    async with http.get(f"{sms.base_url}/v1/account", headers=KEY) as answer:
        assert (await answer.json())["sender"] == "6281190009000"


async def test_weather(sms: Sms, business: Any, http: aiohttp.ClientSession) -> None:
    for name, statuses in (("rate-limit", {429}), ("expired-token", {401}), ("window-closed", {202})):
        sms.weather = Weather.named(name, seed=1)
        assert {(await send(http, sms))[0] for _ in range(4)} - {202} == statuses - {202}
    sms.weather = Weather.named("batches", seed=1)
    business.calls.clear()
    for number in range(6):
        await sms.inject_text(BUDI, f"pesan {number}")
    await sms.settled()
    received = [event for call in business.calls for event in events_of(call) if event["type"] == "sms.received"]
    assert len(received) == 6
    assert len(business.calls) < 6


async def test_faults(sms: Sms, http: aiohttp.ClientSession) -> None:
    sms.faults.code(1502)
    sms.faults.code(1302, status=200)
    sms.faults.stall(0.01, accepted=True)
    sms.faults.reset(accepted=True)
    assert [(await send(http, sms))[0] for _ in range(3)] == [503, 200, 202]
    with pytest.raises(aiohttp.ClientError):
        await send(http, sms)
    assert len(sms.sent) == 2


async def test_a_visitor_plays_the_customer(sms: Sms, http: aiohttp.ClientSession) -> None:
    (talk,) = sms.talks()
    await talk.say(BUDI, "Halo")
    await send(http, sms)
    lines = talk.conversation(BUDI)
    assert [(line.mine, line.text) for line in lines] == [(True, "Halo"), (False, "Halo")]
    assert (talk.channel, talk.address, talk.asks) == ("SMS", "+6281190009000", "number")


@pytest.mark.parametrize(
    ("text", "segments"),
    [("a" * 160, 1), ("a" * 161, 2), ("€" * 81, 2), ("í" * 70, 1), ("í" * 71, 2), ("🙏" * 36, 2), ("", 1)],
)
def test_parts(text: str, segments: int) -> None:
    assert segments_of(text) == segments


def test_numbers() -> None:
    assert [digits_of(each) for each in ("+62 812-34", "62812", "KLIK1")] == ["6281234", "62812", "KLIK1"]


async def test_an_operator_of_twilios_profile_gets_twilio(business: Any, http: aiohttp.ClientSession) -> None:
    sid = "AC" + "a" * 32
    url = f"https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages.json"
    settings = {"profile": "twilio", "send_url": url, "secrets": ["auth-token"], "sender": "+15005550006"}
    (twilio,) = providers([Account("sms_http", "KlikACC", f"{business.url}/in/sms", settings)])
    assert isinstance(twilio, Twilio)
    assert (twilio.channel, twilio.address) == ("SMS (Twilio)", "+15005550006")
    async with await simulator.start([twilio]):
        await twilio.inject_text(BUDI, "Halo", name="Budi")
        form = parse_qs(business.calls[0].body.decode())
        assert (form["From"], form["FromCountry"]) == ([BUDI], ["ID"])
        assert not {"ProfileName", "WaId", "ChannelPrefix"} & set(form)
        await twilio.inject_text(BUDI, "stop")
        login = {"Authorization": aiohttp.encode_basic_auth(sid, "auth-token")}
        address = f"{twilio.base_url}/2010-04-01/Accounts/{sid}/Messages.json"
        data = {"To": BUDI, "From": "+15005550006", "Body": "Halo"}
        async with http.post(address, data=data, headers=login) as answer:
            assert (await answer.json())["code"] == 21610
        await twilio.inject_text(BUDI, "START")
        async with http.post(address, data=data, headers=login) as answer:
            assert answer.status == 201
