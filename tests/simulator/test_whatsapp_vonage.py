"""The pretended Vonage: tokens as its own kind of library reads them, repeats, refusals, files, the application."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest

import simulator
from simulator import Weather
from simulator.place import Account, Attachment, Choice
from simulator.services import providers, services
from simulator.whatsapp_vonage import SERVICE, WhatsAppVonage

BUDI = "6281234567890"
SECRET = "a signature secret of at least 32 bytes"
LOGIN = {"Authorization": aiohttp.encode_basic_auth("a1b2c3d4", "s")}


@pytest.fixture
async def vonage(business: Any) -> AsyncIterator[WhatsAppVonage]:
    account = WhatsAppVonage(
        api_key="a1b2c3d4",
        api_secret="s",
        signature_secret=SECRET,
        number="+622150996000",
        application_id="78d335fa-323d-0114-9c3d-d6f0d48968cf",
        webhook_url=business.url + "/in/vonage",
        time_scale=0.001,
        status_delays={"submitted": 0.0, "delivered": 0.0},
    )
    async with await simulator.start([account]):
        yield account


def said(call: Any) -> dict[str, Any]:
    """What one webhook says, once its token is good."""
    claims = jwt.decode(call.headers["Authorization"].removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    assert (claims["iss"], claims["api_key"]) == ("Vonage", "a1b2c3d4")
    assert claims["payload_hash"] == hashlib.sha256(call.body).hexdigest()
    found: dict[str, Any] = json.loads(call.body)
    return found


async def send(http: aiohttp.ClientSession, vonage: WhatsAppVonage, **changes: Any) -> tuple[int, Any]:
    """The answer to one send."""
    body = {"message_type": "text", "text": "Halo", "to": BUDI, "from": "622150996000", "channel": "whatsapp",
            "client_ref": "r-1"} | changes  # fmt: skip
    async with http.post(f"{vonage.base_url}/v1/messages", json=body, headers=LOGIN) as answer:
        return answer.status, await answer.json()


def test_a_single_module_is_a_provider() -> None:
    """A further provider is one file: it is found by the name of its module."""
    assert SERVICE in services()
    settings = {"api_key": "k", "api_secret": "s", "signature_secrets": ["t"], "number": "+62", "application_id": None}
    account = Account(kind="whatsapp_vonage", name="klikUMKM", webhook_url="http://x/in/v", settings=settings)
    (found,) = providers([account])
    assert isinstance(found, WhatsAppVonage)
    assert (found.name, found.address, found.webhook_url) == ("klikUMKM", "+62", "http://x/in/v")


async def test_a_customer_writes(vonage: WhatsAppVonage, business: Any) -> None:
    vonage.clock = lambda: 1_767_582_000.0
    id_ = await vonage.inject_text(f"+{BUDI}", "Tagihan saya salah 🙏")
    # The clock of the token is the account's.
    call = business.calls[0]
    claims = jwt.decode(call.headers["Authorization"][7:], SECRET, algorithms=["HS256"])
    assert claims["iat"] == 1_767_582_000
    assert said(call) == {
        "channel": "whatsapp", "message_uuid": id_, "to": "622150996000", "from": BUDI,
        "timestamp": "2026-01-05T03:00:00.000000Z", "profile": {"name": "Budi"}, "context_status": "none",
        "message_type": "text", "text": "Tagihan saya salah 🙏",
    }  # fmt: skip


@pytest.mark.parametrize(("answers", "attempts"), [([503, 429, 200], 3), ([401], 1), ([404], 1), ([200], 1)])
async def test_only_429_and_5xx_are_repeated(
    vonage: WhatsAppVonage, business: Any, answers: list[int], attempts: int
) -> None:
    business.statuses = answers
    await vonage.inject_text(BUDI, "Halo")
    await vonage.settled()
    assert len(business.calls) == attempts
    assert len({call.headers["Authorization"] for call in business.calls}) == 1, "repeated with its first token"


async def test_a_send_is_reported_with_its_reference(
    vonage: WhatsAppVonage, business: Any, http: aiohttp.ClientSession
) -> None:
    await vonage.inject_text(BUDI, "Halo")
    status, body = await send(http, vonage, webhook_url=business.url + "/in/own", webhook_version="v1")
    assert status == 202
    await vonage.settled()
    told = [(call.path, said(call)) for call in business.calls[1:]]
    assert [(path, one["status"], one["client_ref"], one["message_uuid"]) for path, one in told] == [
        ("/in/own", "submitted", "r-1", body["message_uuid"]), ("/in/own", "delivered", "r-1", body["message_uuid"]),
    ]  # fmt: skip
    assert vonage.sent[0].status == "delivered"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"from": "628"}, 1420), ({"channel": "sms"}, 1400), ({"to": "+6281"}, 1430), ({"text": ""}, 1020),
     ({"text": "x" * 4_097}, 1020), ({"message_type": "template"}, 1010), ({"client_ref": "x" * 101}, 1450),
     ({"to": 628}, 1010), ({"text": ["Halo"]}, 1010), ({"client_ref": 1}, 1010), ({"webhook_url": 1}, 1010)],
)  # fmt: skip
async def test_what_cannot_be_sent_is_refused(
    vonage: WhatsAppVonage, http: aiohttp.ClientSession, changes: dict[str, Any], code: int
) -> None:
    status, body = await send(http, vonage, **changes)
    assert (status, body["type"]) == (422, f"https://developer.vonage.com/api-errors/messages#{code}")
    assert len(vonage.sent) == 0


@pytest.mark.parametrize("reason", ["closed", "unreachable"])
async def test_some_refusals_come_later(
    vonage: WhatsAppVonage, business: Any, http: aiohttp.ClientSession, reason: str
) -> None:
    await vonage.inject_text(BUDI, "Halo")
    if reason == "closed":
        vonage.close_window(f"+{BUDI}")
    else:
        vonage.unreachable.add(BUDI)
    assert (await send(http, vonage))[0] == 202
    template = {"template": {"name": "n", "parameters": ["a"]}, "whatsapp": {"locale": "id"}}
    assert (await send(http, vonage, message_type="template", **template))[0] == 202
    await vonage.settled()
    rejected = [one["error"]["title"] for call in business.calls[1:] if (one := said(call))["status"] == "rejected"]
    assert rejected == (["1340"] if reason == "closed" else ["1300", "1300"])


async def test_limits_and_logins(vonage: WhatsAppVonage, http: aiohttp.ClientSession) -> None:
    vonage.clock = lambda: 1_767_582_000.0
    assert [(await send(http, vonage))[0] for _ in range(31)] == [202] * 30 + [429]
    async with http.post(f"{vonage.base_url}/v1/messages", json={}) as answer:
        assert answer.status == 401
        assert (await answer.json())["type"].endswith("api-errors#unauthorized")


async def test_the_application_says_where_webhooks_go(vonage: WhatsAppVonage, http: aiohttp.ClientSession) -> None:
    url = f"{vonage.base_url}/v2/applications"
    async with http.get(url, headers=LOGIN) as answer:
        assert (await answer.json())["total_items"] == 1
    async with http.get(f"{url}/{vonage.application_id}", headers=LOGIN) as answer:
        messages = (await answer.json())["capabilities"]["messages"]
        assert messages["webhooks"]["inbound_url"]["address"] == vonage.webhook_url
    vonage.weather = Weather.named("unsubscribed")
    async with http.get(f"{url}/{vonage.application_id}", headers=LOGIN) as answer:
        assert (await answer.json())["capabilities"] == {}
    vonage.weather = Weather.named("expired-token")
    for path in (url, f"{url}/other"):
        async with http.get(path, headers=LOGIN) as answer:
            assert answer.status == 401


async def test_the_page_shows_both_sides(vonage: WhatsAppVonage, business: Any, http: aiohttp.ClientSession) -> None:
    await vonage.say(f"+{BUDI}", "Bukti", Attachment("bukti.pdf", "application/pdf", b"%PDF"))
    part = said(business.calls[0])["file"]
    assert (part["name"], part["caption"]) == ("bukti.pdf", "Bukti")
    async with http.get(part["url"]) as answer:
        assert await answer.read() == b"%PDF"
    async with http.get(part["url"] + "x") as answer:
        assert answer.status == 404
    vonage.media_faults.http(503)
    async with http.get(part["url"]) as answer:
        assert answer.status == 503
    await vonage.choose(f"+{BUDI}", Choice("ya", "Ya"))
    await send(http, vonage, text="Nomor: KLA-1")
    await vonage.settled()
    lines = vonage.conversation(f"+{BUDI}")
    assert [(line.mine, line.text, len(line.attachments)) for line in lines] == [
        (True, "Bukti", 1), (True, "Ya", 0), (False, "Nomor: KLA-1", 0),
    ]  # fmt: skip
    assert vonage.talks() == [vonage]
