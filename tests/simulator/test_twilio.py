"""The pretended Twilio: signatures against the official package, retries, REST, media, status callbacks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator, get_signature_algorithm

import simulator
from simulator import Twilio, Weather
from simulator.twilio import webhooks
from simulator.twilio.signing import sign

SID = "AC" + "a" * 32
TOKEN = "auth-token"
NUMBER = "whatsapp:+622150000000"
BUDI = "whatsapp:+6281234567890"


@pytest.fixture
async def twilio(business: Any) -> AsyncIterator[Twilio]:
    account = Twilio(
        account_sid=SID,
        auth_token=TOKEN,
        number=NUMBER,
        webhook_url=business.url + "/in/wa?tenant=a%20b&x=1",
        time_scale=0.001,
        messaging_service_sid="MG" + "b" * 32,
        api_keys={"SKkey": "key-secret"},
    )
    async with await simulator.start([account]):
        yield account


def login(user: str = SID, secret: str = TOKEN) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(user, secret)}


async def send(http: aiohttp.ClientSession, twilio: Twilio, **form: Any) -> Any:
    """The answer to one send: (status, JSON)."""
    form = {"To": BUDI, "From": NUMBER} | form
    url = f"{twilio.base_url}/2010-04-01/Accounts/{SID}/Messages.json"
    async with http.post(url, data=form, headers=login()) as answer:
        return answer.status, await answer.json()


def params_of(call: Any) -> MultiDict[str]:
    return MultiDict(parse_qsl(call.body.decode(), keep_blank_values=True))


async def test_official_validator_accepts_the_webhook(twilio: Twilio, business: Any) -> None:
    sid = await twilio.inject_text(BUDI, "Tagihan saya salah — 100% & lebih + é 🙏")
    (call,) = business.calls
    params = params_of(call)
    assert call.path == "/in/wa?tenant=a%20b&x=1"
    assert RequestValidator(TOKEN).validate(twilio.webhook_url, params, call.headers["X-Twilio-Signature"])
    assert not RequestValidator("other").validate(twilio.webhook_url, params, call.headers["X-Twilio-Signature"])
    assert params["MessageSid"] == params["SmsSid"] == params["SmsMessageSid"] == sid
    assert params["Body"] == "Tagihan saya salah — 100% & lebih + é 🙏"
    assert (params["From"], params["WaId"], params["NumMedia"]) == (BUDI, "6281234567890", "0")
    assert call.headers["I-Twilio-Idempotency-Token"]


async def test_official_validator_accepts_a_shared_key(twilio: Twilio, business: Any) -> None:
    twilio.shared_key = ("webhooks_sharedkey_1", "shared-secret")
    await twilio.inject_text(BUDI, "halo")
    (call,) = business.calls
    settings = call.headers["X-Twilio-Webhooks-Signature-Settings"]
    algorithm = get_signature_algorithm(settings)
    assert (settings, algorithm) == ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", "HMAC_SHA256")
    validator = RequestValidator("shared-secret")
    signature = call.headers["X-Twilio-Signature"]
    assert validator.validate(twilio.webhook_url, params_of(call), signature, algorithm)
    assert not validator.validate(twilio.webhook_url, params_of(call), signature)


@given(
    params=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=12)), max_size=8),
    port=st.sampled_from(["", ":8443", ":80"]),
    algorithm=st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]),
    keep=st.booleans(),
)
def test_signature_equals_the_official_one(
    params: list[tuple[str, str]], port: str, algorithm: Any, keep: bool
) -> None:
    params = [(a, b) for a, b in params if a.isprintable() and (a + b).encode("utf-8", "ignore").decode() == a + b]
    url = f"https://aduan.example{port}/in/x?a=1"
    ours = sign("secret", url + "#rc=2", params, algorithm=algorithm, keep_port=keep)
    assert RequestValidator("secret").validate(url, MultiDict(params), ours, algorithm)


async def test_forged_webhooks(twilio: Twilio, business: Any) -> None:
    params = [("MessageSid", "SM1"), ("Body", "halo")]
    await twilio.inject_raw(params)
    await twilio.inject_raw(params, secret="wrong")
    await twilio.inject_raw(params, signed_url="https://elsewhere.example/")
    await twilio.inject_raw(params, signature="")
    checked = [
        RequestValidator(TOKEN).validate(
            twilio.webhook_url, params_of(call), call.headers.get("X-Twilio-Signature", "")
        )
        for call in business.calls
    ]
    assert checked == [True, False, False, False]


async def test_failed_webhook_goes_to_the_fallback_and_is_never_repeated(twilio: Twilio, business: Any) -> None:
    twilio.fallback_url = business.url + "/fallback"
    business.statuses = [500, 500]
    await twilio.inject_text(BUDI, "halo")
    await twilio.settled()
    assert [call.path for call in business.calls] == ["/in/wa?tenant=a%20b&x=1", "/fallback"]
    fallback = params_of(business.calls[1])
    assert (fallback["ErrorCode"], fallback["ErrorUrl"]) == ("11200", twilio.webhook_url)
    assert len({call.headers["I-Twilio-Idempotency-Token"] for call in business.calls}) == 1
    assert [alert.code for alert in twilio.alerts] == [11200, 11200]


async def test_refused_connection_is_tried_once_more(twilio: Twilio) -> None:
    twilio.webhook_url = "http://127.0.0.1:9/in"
    await twilio.inject_text(BUDI, "halo")
    assert len(twilio.deliveries[0].attempts) == 2
    assert twilio.deliveries[0].given_up


async def test_retry_policy_in_the_fragment(twilio: Twilio, business: Any) -> None:
    twilio.webhook_url = business.url + "/in#rc=3&rp=5xx"
    business.statuses = [503, 500]
    await twilio.inject_text(BUDI, "halo")
    assert [call.path for call in business.calls] == ["/in"] * 3
    for call in business.calls:
        url = business.url + "/in"
        assert RequestValidator(TOKEN).validate(url, params_of(call), call.headers["X-Twilio-Signature"])


def test_budget_reads_the_overrides() -> None:
    budget = webhooks.budget("https://a/b#ct=50&rt=2000&tt=99999&rc=9&rp=4xx,rt")
    assert (budget.connect, budget.read, budget.total, budget.retries) == (0.1, 2.0, 15.0, 5)
    assert budget.retry_on == {"4xx", "rt"}
    assert webhooks.budget("https://a/b").retry_on == {"ct"}


async def test_user_id_only(twilio: Twilio, business: Any) -> None:
    await twilio.inject_text(None, "halo", user_id="ID.1349")
    params = params_of(business.calls[0])
    assert (params["From"], params["ExternalUserId"]) == ("whatsapp:ID.1349", "ID.1349")
    assert "WaId" not in params


async def test_location_and_button(twilio: Twilio, business: Any) -> None:
    await twilio.inject_location(BUDI, -6.2, 106.8, address="Jl. Sudirman", label="Kantor")
    await twilio.inject_button(BUDI, "Ya", "yes", reply_to="SM1")
    place, button = (params_of(call) for call in business.calls)
    assert (place["Latitude"], place["Label"], place["Body"]) == ("-6.2", "Kantor", "")
    assert (button["ButtonText"], button["ButtonPayload"], button["OriginalRepliedMessageSid"]) == ("Ya", "yes", "SM1")


async def test_media_redirects_and_credentials_must_not_follow(
    twilio: Twilio, business: Any, http: aiohttp.ClientSession
) -> None:
    await twilio.inject_media(BUDI, b"%PDF-1.7", "application/pdf", filename="bukti.pdf")
    params = params_of(business.calls[0])
    assert (params["NumMedia"], params["MediaContentType0"], params["Body"]) == ("1", "application/pdf", "")
    async with http.get(params["MediaUrl0"]) as answer:
        assert answer.status == 401
    async with http.get(params["MediaUrl0"], headers=login("SKkey", "key-secret"), allow_redirects=False) as answer:
        assert answer.status == 307
        location = answer.headers["Location"]
    assert location.split("/media/")[0] not in twilio.base_url
    async with http.get(location) as answer:
        assert (await answer.read(), answer.content_type) == (b"%PDF-1.7", "application/pdf")
    assert len(twilio.leaked) == 0
    async with http.get(location, headers=login()) as answer:
        assert answer.status == 400
    assert len(twilio.leaked) == 1


async def test_send_and_signed_status_callbacks(twilio: Twilio, business: Any, http: aiohttp.ClientSession) -> None:
    await twilio.inject_text(BUDI, "halo")
    callback = business.url + "/in/status?out=7"
    status, message = await send(http, twilio, Body="Laporan diterima", StatusCallback=callback)
    assert (status, message["status"], message["direction"]) == (201, "queued", "outbound-api")
    await twilio.settled()
    reports = business.calls[1:]
    assert [params_of(call)["MessageStatus"] for call in reports] == ["queued", "sent", "delivered", "read"]
    for call in reports:
        assert call.path == "/in/status?out=7"
        assert RequestValidator(TOKEN).validate(callback, params_of(call), call.headers["X-Twilio-Signature"])
    assert (twilio.sent[0].body, twilio.sent[0].status) == ("Laporan diterima", "read")


REFUSED: list[tuple[str, dict[str, str], int, int]] = [
    ("too long", {"Body": "x" * 1_601}, 400, 21617),
    ("no text", {}, 400, 21619),
    ("no recipient", {"To": "", "Body": "x"}, 400, 21604),
    ("no sender", {"From": "", "Body": "x"}, 400, 21603),
    ("other sender", {"From": "whatsapp:+1", "Body": "x"}, 400, 63007),
    ("other channel", {"To": "+6281234567890", "Body": "x"}, 400, 21910),
    ("bad number", {"To": "whatsapp:0812", "Body": "x"}, 400, 21211),
    ("bad variables", {"ContentSid": "HX" + "0" * 32, "ContentVariables": "{"}, 400, 21656),
    ("bad content", {"ContentSid": "HX1"}, 400, 21655),
]


@pytest.mark.parametrize(("form", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_refused_sends(
    twilio: Twilio, http: aiohttp.ClientSession, form: dict[str, str], status: int, code: int
) -> None:
    got, answer = await send(http, twilio, **form)
    assert (got, answer["code"], answer["status"]) == (status, code, status)
    assert answer["more_info"].endswith(str(code))
    assert len(twilio.sent) == 0


async def test_wrong_credentials(twilio: Twilio, http: aiohttp.ClientSession) -> None:
    url = f"{twilio.base_url}/2010-04-01/Accounts/{SID}"
    for path, method in ((".json", "GET"), ("/Messages.json", "GET"), ("/Messages.json", "POST")):
        async with http.request(method, url + path, headers=login(secret="wrong")) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 20003)
    async with http.get(url + ".json", headers=login()) as answer:
        assert (await answer.json())["status"] == "active"


async def test_closed_window_fails_later_and_a_template_goes(
    twilio: Twilio, business: Any, http: aiohttp.ClientSession
) -> None:
    status, message = await send(http, twilio, Body="halo", StatusCallback=business.url + "/status")
    await twilio.settled()
    assert status == 201
    report = params_of(business.calls[0])
    assert (report["MessageStatus"], report["ErrorCode"]) == ("failed", "63016")
    async with http.get(f"{twilio.base_url}{message['uri']}", headers=login()) as answer:
        assert (await answer.json())["error_code"] == 63016
    twilio.refuse_by = "call"
    assert (await send(http, twilio, Body="halo"))[1]["code"] == 63016
    twilio.templates = {"HX" + "0" * 32: "Laporan {{1}} diterima"}
    variables = json.dumps({"1": "KLA-1"})
    status, message = await send(http, twilio, ContentSid="HX" + "0" * 32, ContentVariables=variables)
    assert (status, message["body"]) == (201, "Laporan KLA-1 diterima")


async def test_history_has_what_the_webhook_missed(twilio: Twilio, http: aiohttp.ClientSession) -> None:
    twilio.webhook_url = ""
    start = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()
    sids = [await twilio.inject_text(BUDI, f"pesan {n}", at=start + n * 3600) for n in range(24)]
    await twilio.inject_text("whatsapp:+6289", "orang lain", at=start)
    path = (
        f"/2010-04-01/Accounts/{SID}/Messages.json?From=whatsapp%3A%2B6281234567890&DateSent%3E=2026-01-06&PageSize=3"
    )
    got: list[str] = []
    while path:
        async with http.get(twilio.base_url + path, headers=login()) as answer:
            page = await answer.json()
        got += [message["sid"] for message in page["messages"]]
        path = page["next_page_uri"]
    assert got == sids[:15:-1]
    assert {message.status for message in twilio.messages.values()} == {"received"}


async def test_official_client_lists_and_sends(twilio: Twilio, http: aiohttp.ClientSession) -> None:
    from twilio.http import AsyncHttpClient
    from twilio.http.response import Response
    from twilio.rest import Client

    class Local(AsyncHttpClient):  # type: ignore[misc]  # the twilio package ships no types
        async def request(self, method: str, url: str, params: Any = None, data: Any = None, **rest: Any) -> Any:
            async with http.request(method, url, params=params, data=data, headers=login()) as answer:
                return Response(answer.status, await answer.text())

    client = Client(SID, TOKEN, http_client=Local(None, True, None))
    client.api.base_url = twilio.base_url
    await twilio.inject_text(BUDI, "halo")
    message = await client.messages.create_async(to=BUDI, from_=NUMBER, body="terima kasih")
    assert message.sid == twilio.sent[0].sid
    listed = await client.messages.list_async(date_sent_after=datetime(2020, 1, 1, tzinfo=UTC), page_size=1)
    assert [each.body for each in listed] == ["terima kasih", "halo"]


async def test_delete_is_the_retention_tool(twilio: Twilio, business: Any, http: aiohttp.ClientSession) -> None:
    sid = await twilio.inject_media(BUDI, b"x", "image/jpeg")
    url = params_of(business.calls[0])["MediaUrl0"]
    async with http.delete(url + ".json", headers=login()) as answer:
        assert answer.status == 204
    async with http.get(url, headers=login()) as answer:
        assert answer.status == 404
    assert twilio.messages[sid].media == []


async def test_twiml_is_read(twilio: Twilio) -> None:
    answer = simulator.delivery.Attempt(
        200, b"<Response><Message>Hai</Message></Response>", {"Content-Type": "text/xml"}
    )
    assert webhooks.replies_in(answer) == ["Hai"]
    assert webhooks.complaint_about(answer) is None
    broken = simulator.delivery.Attempt(200, b"<Response>", {"Content-Type": "text/xml"})
    assert webhooks.complaint_about(broken) == 12100
    json_ = simulator.delivery.Attempt(200, b"{}", {"Content-Type": "application/json"})
    assert webhooks.complaint_about(json_) == 12300


async def test_weather(twilio: Twilio, business: Any, http: aiohttp.ClientSession) -> None:
    await twilio.inject_text(BUDI, "halo")
    twilio.weather = Weather.named("rate-limit", seed=2)
    codes = {(await send(http, twilio, Body="x"))[1].get("code") for _ in range(30)}
    assert codes == {20429, 14107, 63018, None}
    twilio.weather = Weather.named("duplicates", seed=2)
    for number in range(10):
        await twilio.inject_text(BUDI, str(number))
    await twilio.settled()
    bodies = [parse_qs(call.body.decode())["Body"][0] for call in business.calls[1:]]
    assert set(bodies) == {str(n) for n in range(10)}
    assert len(bodies) > 10
