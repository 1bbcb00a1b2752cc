"""The pretended WhatsApp Cloud API: signatures, shapes, windows, limits, statuses, media."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

import simulator
from simulator import Weather, WhatsAppCloud
from simulator.whatsapp_cloud import Limits, Number, inbound, payloads

BUDI = "+6281234567890"


@pytest.fixture
async def cloud(business: Any) -> AsyncIterator[WhatsAppCloud]:
    account = WhatsAppCloud(
        app_secret="app-secret",
        access_token="token-1",
        phone_number_id="106540352242922",
        waba_id="102290129340398",
        verify_token=business.verify_token,
        webhook_url=business.url + "/in/wa",
        time_scale=0.001,
    )
    async with await simulator.start([account]):
        yield account


async def send(http: aiohttp.ClientSession, cloud: WhatsAppCloud, token: str = "token-1", **body: Any) -> Any:
    """The answer to one send: (status, JSON)."""
    body = {"messaging_product": "whatsapp", "recipient_type": "individual"} | body
    url = f"{cloud.base_url}/v26.0/{cloud.phone_number_id}/messages"
    async with http.post(url, json=body, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, await answer.json()


def text(to: str = BUDI, body: str = "Halo", **more: Any) -> dict[str, Any]:
    return {"to": to, "type": "text", "text": {"body": body}} | more


@pytest.mark.parametrize(
    ("body", "hex_"),
    [
        (
            b'{"object":"whatsapp_business_account","entry":[]}',
            "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756",
        ),
        (
            b'{"object": "whatsapp_business_account", "entry": []}',
            "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a",
        ),
    ],
)
def test_signature_vectors(body: bytes, hex_: str) -> None:
    assert payloads.sign("test_app_secret", body) == f"sha256={hex_}"


async def test_webhook_is_signed_over_escaped_bytes(cloud: WhatsAppCloud, business: Any) -> None:
    wamid = await cloud.inject_text(BUDI, "Uang saya belum kembali — tolong! https://x.id/ä", name="Sri Wahyuni")
    (call,) = business.calls
    expected = "sha256=" + hmac.new(b"app-secret", call.body, hashlib.sha256).hexdigest()
    assert call.headers["X-Hub-Signature-256"] == expected
    assert call.headers["Content-Type"] == "application/json"
    assert call.body.isascii()
    assert rb"https:\/\/x.id\/\u00e4" in call.body
    value = json.loads(call.body)["entry"][0]["changes"][0]["value"]
    assert value["messages"][0]["id"] == wamid
    assert value["messages"][0]["text"]["body"] == "Uang saya belum kembali — tolong! https://x.id/ä"
    assert value["contacts"][0]["profile"]["name"] == "Sri Wahyuni"
    assert value["contacts"][0]["user_id"] == value["messages"][0]["from_user_id"]
    assert cloud.deliveries[-1].status == 200


async def test_sender_known_by_user_id_only(cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(None, "halo", user_id="ID.1349", username="budi")
    value = json.loads(business.calls[0].body)["entry"][0]["changes"][0]["value"]
    assert "from" not in value["messages"][0]
    assert "wa_id" not in value["contacts"][0]
    status, answer = await send(http, cloud, recipient="ID.1349", type="text", text={"body": "ya"})
    assert (status, answer["contacts"]) == (200, [{"input": "ID.1349", "user_id": "ID.1349"}])
    assert cloud.sent[0].to == "ID.1349"


async def test_handshake(cloud: WhatsAppCloud) -> None:
    assert (await cloud.handshake()).ok
    refused = await cloud.handshake(verify_token="wrong")
    assert (refused.status, refused.ok) == (403, False)


async def test_refused_webhook_is_tried_again(cloud: WhatsAppCloud, business: Any) -> None:
    business.statuses = [503, 500, 202]
    await cloud.inject_text(BUDI, "satu")
    await cloud.settled()
    assert [each.status for each in cloud.deliveries[0].attempts] == [503, 500, 202, 200]
    assert len({call.body for call in business.calls}) == 1


async def test_webhook_that_never_answers_is_given_up(cloud: WhatsAppCloud) -> None:
    cloud.time_scale = 0
    cloud.webhook_url = "http://127.0.0.1:9/in"
    await cloud.inject_text(BUDI, "satu")
    await cloud.settled()
    sending = cloud.deliveries[0]
    assert sending.given_up
    assert all(each.status is None and not each.connected for each in sending.attempts)


async def test_batch_mixes_numbers_and_accounts(cloud: WhatsAppCloud, business: Any) -> None:
    other = Number("999", "6221000", "888")
    updates = [
        cloud.update("+62811", inbound.text("a")),
        cloud.update("+62812", inbound.text("b")),
        cloud.update("+62813", inbound.text("c"), number=other),
    ]
    (sending,) = await cloud.inject_batch(updates)
    entries = json.loads(sending.body)["entry"]
    assert [entry["id"] for entry in entries] == [cloud.waba_id, "888"]
    assert len(entries[0]["changes"][0]["value"]["messages"]) == 2
    assert entries[1]["changes"][0]["value"]["metadata"]["phone_number_id"] == "999"
    assert len(business.calls) == 1


async def test_batch_keeps_metas_limits(cloud: WhatsAppCloud) -> None:
    sent = await cloud.inject_batch([cloud.update("+62811", inbound.text("x" * 4000)) for _ in range(1_500)])
    sizes = [len(json.loads(each.body)["entry"][0]["changes"][0]["value"]["messages"]) for each in sent]
    assert sum(sizes) == 1_500
    assert max(sizes) <= 1_000
    assert all(len(each.body) <= 3_000_000 for each in sent)


async def test_send_is_accepted_and_reported(cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession) -> None:
    wamid = await cloud.inject_text(BUDI, "halo")
    status, answer = await send(
        http, cloud, **text(body="Laporan diterima", context={"message_id": wamid}, biz_opaque_callback_data="out-7")
    )
    assert status == 200
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"][0]["input"] == BUDI
    assert answer["contacts"][0]["wa_id"] == "6281234567890"
    (sent,) = await cloud.sent.wait()
    assert (sent.text, sent.in_reply_to, sent.callback_data) == ("Laporan diterima", wamid, "out-7")
    await cloud.settled()
    reports = [json.loads(c.body)["entry"][0]["changes"][0]["value"]["statuses"][0] for c in business.calls[1:]]
    assert [each["status"] for each in reports] == ["sent", "delivered", "read"]
    assert {each["id"] for each in reports} == {answer["messages"][0]["id"]}
    assert {each["biz_opaque_callback_data"] for each in reports} == {"out-7"}
    assert reports[1]["pricing"] == {
        "billable": False,
        "pricing_model": "PMP",
        "type": "free_customer_service",
        "category": "service",
    }


REFUSED: list[tuple[str, dict[str, Any], int, int]] = [
    ("no product", text(messaging_product="sms"), 400, 100),
    ("nobody", {"type": "text", "text": {"body": "x"}}, 400, 100),
    ("too long", text(body="x" * 4_097), 400, 100),
    ("empty", text(body=" "), 400, 131008),
    ("no text", {"to": BUDI, "type": "text"}, 400, 131008),
    ("unknown type", {"to": BUDI, "type": "fax", "fax": {}}, 400, 100),
    ("media without id", {"to": BUDI, "type": "image", "image": {}}, 400, 131008),
    ("media id unknown", {"to": BUDI, "type": "image", "image": {"id": "1"}}, 400, 131009),
    ("caption too long", {"to": BUDI, "type": "image", "image": {"id": "1", "caption": "x" * 1_025}}, 400, 100),
    ("bad context", text(context={}), 400, 131009),
    ("template without language", {"to": BUDI, "type": "template", "template": {"name": "a"}}, 400, 131008),
    ("number without plus", text(to="081234567890"), 400, 131047),
    ("window never opened", text(to="+6281999"), 400, 131047),
    (
        "four buttons",
        {
            "to": BUDI,
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": str(n), "title": str(n)}} for n in range(4)]},
            },
        },
        400,
        131009,
    ),
]


@pytest.mark.parametrize(("body", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_refused_sends(
    cloud: WhatsAppCloud, http: aiohttp.ClientSession, body: dict[str, Any], status: int, code: int
) -> None:
    await cloud.inject_text(BUDI, "halo")
    got, answer = await send(http, cloud, **body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert set(answer["error"]) >= {"message", "type", "code", "fbtrace_id"}
    assert len(cloud.sent) == 0


async def test_wrong_token(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    status, answer = await send(http, cloud, token="other", **text())
    assert (status, answer["error"]["code"]) == (401, 190)


async def test_window_closes_after_24_hours_and_a_template_still_goes(
    cloud: WhatsAppCloud, http: aiohttp.ClientSession
) -> None:
    now = 1_800_000_000.0
    cloud.clock = lambda: now
    await cloud.inject_text(BUDI, "halo")
    now += 24 * 3600 - 1
    assert (await send(http, cloud, **text()))[0] == 200
    await cloud.inject_reaction(BUDI, cloud.sent[0].id)
    now += 2
    assert (await send(http, cloud, **text()))[1]["error"]["code"] == 131047
    template = {"name": "keluhan_diterima", "language": {"code": "id"}}
    assert (await send(http, cloud, to=BUDI, type="template", template=template))[0] == 200
    await cloud.inject_text(BUDI, "lagi")
    assert (await send(http, cloud, **text()))[0] == 200


async def test_refusal_can_come_as_a_status(cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession) -> None:
    cloud.refuse_by = "status"
    status, _ = await send(http, cloud, **text(to="+628000"))
    await cloud.settled()
    assert status == 200
    value = json.loads(business.calls[0].body)["entry"][0]["changes"][0]["value"]
    assert value["statuses"][0]["status"] == "failed"
    assert value["statuses"][0]["errors"][0]["code"] == 131047
    assert "contacts" not in value


async def test_templates_are_checked_when_given(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    cloud.templates = {("diterima", "id"): 1}
    wrong = {"name": "lain", "language": {"code": "id"}}
    assert (await send(http, cloud, to=BUDI, type="template", template=wrong))[1]["error"]["code"] == 132001
    bare = {"name": "diterima", "language": {"code": "id"}}
    assert (await send(http, cloud, to=BUDI, type="template", template=bare))[1]["error"]["code"] == 132000
    full = bare | {"components": [{"type": "body", "parameters": [{"type": "text", "text": "KLA-1"}]}]}
    assert (await send(http, cloud, to=BUDI, type="template", template=full))[0] == 200
    assert cloud.sent[0].text == "[diterima] KLA-1"


async def test_unreachable(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    cloud.unreachable.add("6281234567890")
    assert (await send(http, cloud, **text()))[1]["error"]["code"] == 131026


async def test_limits(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    cloud.limits, cloud.clock = Limits(), lambda: 1_800_000_000.0
    await cloud.inject_text(BUDI, "halo")
    codes = [(await send(http, cloud, **text()))[1].get("error", {}).get("code") for _ in range(46)]
    assert codes == [None] * 45 + [131056]


async def test_media_needs_the_token_and_expires(
    cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession
) -> None:
    now = 1_800_000_000.0
    cloud.clock = lambda: now
    await cloud.inject_image(BUDI, b"\xff\xd8photo", caption="bukti")
    image = json.loads(business.calls[0].body)["entry"][0]["changes"][0]["value"]["messages"][0]["image"]
    assert base64.b64decode(image["sha256"]) == hashlib.sha256(b"\xff\xd8photo").digest()
    assert image["caption"] == "bukti"
    bearer = {"Authorization": "Bearer token-1"}
    async with http.get(image["url"]) as answer:
        assert answer.status == 401
    async with http.get(image["url"], headers=bearer) as answer:
        assert (answer.status, await answer.read(), answer.content_type) == (200, b"\xff\xd8photo", "image/jpeg")
    now += 301
    async with http.get(image["url"], headers=bearer) as answer:
        assert answer.status == 404
    async with http.get(f"{cloud.base_url}/v26.0/{image['id']}", headers=bearer) as answer:
        again = await answer.json()
    assert again["sha256"] == hashlib.sha256(b"\xff\xd8photo").hexdigest()
    assert again["file_size"] == "7"
    async with http.get(again["url"], headers=bearer) as answer:
        assert await answer.read() == b"\xff\xd8photo"


async def test_upload_and_send_a_document(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", b"%PDF-1.7", filename="tanda-terima.pdf", content_type="application/pdf")
    url = f"{cloud.base_url}/v26.0/{cloud.phone_number_id}/media"
    async with http.post(url, data=form, headers={"Authorization": "Bearer token-1"}) as answer:
        media_id = (await answer.json())["id"]
    document = {"id": media_id, "filename": "tanda-terima.pdf", "caption": "Tanda terima"}
    assert (await send(http, cloud, to=BUDI, type="document", document=document))[0] == 200
    line = cloud.conversation(BUDI)[-1]
    assert (line.text, line.attachments[0].content) == ("Tanda terima", b"%PDF-1.7")


async def test_token_health_and_subscription(cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession) -> None:
    bearer = {"Authorization": "Bearer token-1"}
    async with http.get(f"{cloud.base_url}/debug_token?input_token=token-1", headers=bearer) as answer:
        assert (await answer.json())["data"]["is_valid"] is True
    apps = f"{cloud.base_url}/v26.0/{cloud.waba_id}/subscribed_apps"
    async with http.get(apps, headers=bearer) as answer:
        assert (await answer.json())["data"] == []
    override = {"override_callback_uri": business.url + "/in/new", "verify_token": business.verify_token}
    async with http.post(apps, json=override, headers=bearer) as answer:
        assert await answer.json() == {"success": True}
    async with http.get(apps, headers=bearer) as answer:
        assert len((await answer.json())["data"]) == 1
    assert cloud.webhook_url == business.url + "/in/new"
    async with http.get(f"{cloud.base_url}/v26.0/{cloud.phone_number_id}", headers=bearer) as answer:
        assert (await answer.json())["id"] == cloud.phone_number_id
    async with http.get(f"{cloud.base_url}/v26.0/{cloud.phone_number_id}") as answer:
        assert answer.status == 401


async def test_read_mark(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    status, answer = await send(http, cloud, status="read", message_id="wamid.1")
    assert (status, answer) == (200, {"success": True})
    assert list(cloud.read_marks) == ["wamid.1"]


async def test_scripted_faults(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    cloud.faults.code(130429)
    cloud.faults.code(4, status=429, headers={"Retry-After": "7"})
    cloud.faults.reset(accepted=True)
    assert (await send(http, cloud, **text()))[1]["error"]["code"] == 130429
    assert (await send(http, cloud, **text()))[0] == 429
    with pytest.raises(aiohttp.ClientConnectionError):
        await send(http, cloud, **text(body="diterima tanpa jawaban"))
    assert [each.text for each in cloud.sent] == ["diterima tanpa jawaban"]
    assert (await send(http, cloud, **text()))[0] == 200


async def test_duplicates_arrive_again(cloud: WhatsAppCloud, business: Any) -> None:
    cloud.weather = Weather.named("duplicates", seed=1)
    ids = [await cloud.inject_text(BUDI, str(number)) for number in range(20)]
    await cloud.settled()
    got = [
        message["id"]
        for call in business.calls
        for message in json.loads(call.body)["entry"][0]["changes"][0]["value"]["messages"]
    ]
    assert set(got) == set(ids)
    assert len(got) > len(ids)


async def test_batches_hold_many(cloud: WhatsAppCloud, business: Any) -> None:
    cloud.weather = Weather.named("batches", seed=1)
    ids = [await cloud.inject_text(f"+6281{number}", str(number)) for number in range(60)]
    await cloud.settled()
    got = [
        message["id"]
        for call in business.calls
        for message in json.loads(call.body)["entry"][0]["changes"][0]["value"]["messages"]
    ]
    assert got == ids
    assert len(business.calls) < 20


async def test_weather_of_calls_is_seeded_and_ends(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    runs = []
    for _ in range(2):
        cloud.weather = Weather.named("rate-limit", seed=3)
        runs.append([(await send(http, cloud, **text()))[1].get("error", {}).get("code") for _ in range(40)])
    assert runs[0] == runs[1]
    assert {131056, 130429, None} <= set(runs[0])
    assert "xxxx" not in "".join("x" if code else "." for code in runs[0])
    cloud.weather = Weather.named("expired-token")
    assert (await send(http, cloud, **text()))[1]["error"]["code"] == 190


async def test_memory_is_bounded(business: Any) -> None:
    account = WhatsAppCloud(
        app_secret="s", access_token="t", phone_number_id="1", waba_id="2", verify_token="v", keep=10
    )
    async with await simulator.start([account]):
        for number in range(30):
            await account.inject_text(f"+62{number:08}", "x")
        assert len(account.received) == 10
        assert account.received.total == 30


async def test_download_faults_do_not_touch_sends(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    media = cloud.add_media(b"x" * 3_000_000, "video/mp4")
    address = cloud.media_address(media)
    assert address is not None
    cloud.media_faults.http(502)
    bearer = {"Authorization": "Bearer token-1"}
    assert (await send(http, cloud, **text()))[0] == 200
    async with http.get(address, headers=bearer) as answer:
        assert answer.status == 502
    async with http.get(address, headers=bearer) as answer:
        assert len(await answer.read()) == 3_000_000


async def test_every_weather_can_be_suffered(cloud: WhatsAppCloud, http: aiohttp.ClientSession) -> None:
    await cloud.inject_text(BUDI, "halo")
    seen: dict[str, set[object]] = {}
    for name in simulator.CLIMATES:
        cloud.weather = Weather.named(name, seed=4)
        cloud.weather.climate = dataclasses.replace(cloud.weather.climate, stall_seconds=0.01)
        seen[name] = set()
        for _ in range(25):
            url = f"{cloud.base_url}/v26.0/{cloud.phone_number_id}/messages"
            body = {"messaging_product": "whatsapp"} | text()
            try:
                async with http.post(url, json=body, headers={"Authorization": "Bearer token-1"}) as answer:
                    seen[name].add(answer.status)
            except aiohttp.ClientConnectionError:
                seen[name].add("broken")
    assert seen["calm"] == seen["duplicates"] == seen["shuffle"] == {200}
    assert {200, 500, 502, 503, "broken"} <= seen["server-errors"]
    assert seen["stall"] == {200, 504}
    assert seen["expired-token"] == {401}
    assert seen["window-closed"] == {400}


async def test_shuffle_changes_the_order_only(cloud: WhatsAppCloud, business: Any) -> None:
    cloud.weather = Weather.named("shuffle", seed=1)
    ids = [await cloud.inject_text(BUDI, str(number)) for number in range(30)]
    await cloud.settled()
    got = [json.loads(call.body)["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for call in business.calls]
    assert got != ids
    assert sorted(got) == sorted(ids)


async def test_linked_document_is_fetched_or_fails(
    cloud: WhatsAppCloud, business: Any, http: aiohttp.ClientSession
) -> None:
    await cloud.inject_text(BUDI, "halo")
    good = {"link": business.url + "/tanda-terima.pdf", "filename": "tanda-terima.pdf"}
    assert (await send(http, cloud, to=BUDI, type="document", document=good))[0] == 200
    outside = {"link": "https://example.com/a.pdf"}
    assert (await send(http, cloud, to=BUDI, type="document", document=outside))[0] == 200
    await cloud.settled()
    first, second = cloud.sent
    assert first.media is not None
    assert (first.media.filename, first.status) == ("tanda-terima.pdf", "read")
    assert (second.media, second.status, second.errors) == (None, "failed", [131053])


async def test_numbers_of_one_business_account(business: Any, http: aiohttp.ClientSession) -> None:
    accounts = [
        WhatsAppCloud(
            app_secret="s", access_token=f"t{n}", phone_number_id=str(n), waba_id="9", verify_token="v", statuses=False
        )
        for n in range(2)
    ]
    async with await simulator.start(accounts):
        for account in accounts:
            apps = f"{account.base_url}/v26.0/9/subscribed_apps"
            async with http.post(apps, headers={"Authorization": f"Bearer {account.access_token}"}) as answer:
                assert answer.status == 200
            await account.inject_text(BUDI, "halo")
            await send(http, account, token=account.access_token, **text(body=account.phone_number_id))
        assert [each.sent[0].text for each in accounts] == ["0", "1"]
        assert (await send(http, accounts[0], token="t1", **text()))[0] == 401


def test_unknown_weather_names_the_known() -> None:
    with pytest.raises(ValueError, match="duplicates"):
        Weather.named("hurricane")
