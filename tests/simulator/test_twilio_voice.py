"""The pretended telephone: signatures against the official package, TwiML, time limits, callbacks, REST, the page."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web
from multidict import MultiDict
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

import simulator
from simulator import Account, Ports, Simulation, Weather
from simulator.twilio_voice import SERVICE, HangUp, Key, Silence, Speech, TwilioVoice

SID = "AC" + "a" * 32
TOKEN = "auth-token"
BUDI = "+6281234567890"
WORDS = Speech(b"ID3 words", 3.0, words="Dana belum cair")
SPECS = Path(__file__).parents[3] / "shared" / "specs" / "twilio" / "twilio_api_v2010.json"
needs_specs = pytest.mark.skipif(not SPECS.is_file(), reason="the official contracts do not lie beside the repository")


class Office:
    """A business with a small menu, written with the official TwiML builder."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, MultiDict[str], str]] = []
        #: Instead of the menu: status, text, content type, and how long it takes.
        self.instead: tuple[int, str, str, float] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """TwiML by the path; every call is remembered with its form and signature."""
        form = MultiDict(parse_qsl(await request.text(), keep_blank_values=True))
        path = request.raw_path
        self.calls.append((path, form, request.headers.get("X-Twilio-Signature", "")))
        if self.instead is not None and path != "/fallback":
            status, text, type_, seconds = self.instead
            await asyncio.sleep(seconds)
            return web.Response(status=status, text=text, content_type=type_)
        twiml = VoiceResponse()
        if path == "/start?a=%20b":
            gather = Gather(num_digits=1, action="/key?x=1")
            gather.say("Press one", language="en-US")
            twiml.append(gather)
            twiml.redirect("/silent")
        elif path == "/key?x=1":
            twiml.say("Speak")
            twiml.record(
                action="/said",
                recording_status_callback="/recorded",
                recording_status_callback_event="completed absent",
            )
            twiml.say("Nothing heard")
        elif path == "/said":
            twiml.play(form["RecordingUrl"])
            twiml.pause(length=1)
            twiml.say("Thank you")
            twiml.hangup()
        return web.Response(text=str(twiml), content_type="text/xml")

    def paths(self) -> list[str]:
        """The paths that were called, in their order."""
        return [path for path, _, _ in self.calls]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", office.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    office.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield office
    await runner.cleanup()


@pytest.fixture
async def line(office: Office) -> AsyncIterator[TwilioVoice]:
    account = TwilioVoice(
        account_sid=SID, auth_token=TOKEN, number="+622150000001", webhook_url=f"{office.url}/start?a=%20b"
    )
    async with await simulator.start([account]):
        yield account


async def test_a_whole_call_with_signatures(line: TwilioVoice, office: Office) -> None:
    """Every request carries the call and a signature that the official package accepts."""
    call = await line.dial(BUDI, [Key("1"), WORDS])
    await line.settled()
    assert office.paths()[:3] == ["/start?a=%20b", "/key?x=1", "/said"]
    assert sorted(office.paths()[3:]) == ["/recorded", "/start?a=%20b"]
    for path, form, signature in office.calls:
        assert RequestValidator(TOKEN).validate(office.url + path, form, signature)
        assert not RequestValidator("other").validate(office.url + path, form, signature)
        assert form["CallSid"] == call.sid
    by_path = {path: form for path, form, _ in office.calls[1:]}
    assert by_path["/key?x=1"]["Digits"] == "1"
    assert (by_path["/said"]["Digits"], by_path["/said"]["RecordingDuration"]) == ("#", "3")
    assert by_path["/recorded"]["RecordingSid"] == call.recordings[0].sid
    assert "From" not in by_path["/recorded"], "a recording's callback does not name the caller"
    assert by_path["/start?a=%20b"]["CallStatus"] == "completed"
    assert "Speak\n▶ Dana belum cair\nThank you" in call.heard
    assert call.status == "completed"


async def test_no_key_falls_through_and_no_words_report_an_absence(line: TwilioVoice, office: Office) -> None:
    """No input goes on to the next verb; the action of an empty recording is not called."""
    await line.dial(BUDI, [Silence()])
    assert office.paths()[:2] == ["/start?a=%20b", "/silent"]
    call = await line.dial(BUDI, [Key("1"), Silence()])
    await line.settled()
    assert "/said" not in office.paths()
    assert call.heard.endswith("Nothing heard")
    assert [form["RecordingStatus"] for path, form, _ in office.calls if path == "/recorded"] == ["absent"]


async def test_who_hangs_up_while_speaking_hears_nothing_more(line: TwilioVoice, office: Office) -> None:
    """The action is still called, with `Digits=hangup`; what it answers is not heard."""
    call = await line.dial(BUDI, [Key("1"), Speech(b"ID3 x", 2.0, "hangup")])
    said = next(form for path, form, _ in office.calls if path == "/said")
    assert (said["Digits"], said["CallStatus"]) == ("hangup", "completed")
    assert "Thank you" not in call.heard
    assert (await line.dial(BUDI, [HangUp()])).status == "completed"


async def test_a_callback_may_overtake_the_action(line: TwilioVoice, office: Office) -> None:
    line.callback_first = True
    await line.dial(BUDI, [Key("1"), WORDS])
    assert office.paths().index("/recorded") < office.paths().index("/said")


@pytest.mark.parametrize(
    ("instead", "code"),
    [
        ((500, "", "text/xml", 0.0), 11200),
        ((200, "<Response/>", "text/xml", 5.0), 11200),
        ((200, "<Response/>", "application/json", 0.0), 12300),
        ((200, "<Response><Say>", "text/xml", 0.0), 12100),
        ((200, "<Response><Shout>x</Shout></Response>", "text/xml", 0.0), 12200),
        ((200, "<!DOCTYPE x><Response/>", "text/xml", 0.0), 11750),
        ((200, "<Response><Redirect>/round</Redirect></Response>", "text/xml", 0.0), 12200),
    ],
)
async def test_what_is_no_twiml_ends_the_call(
    line: TwilioVoice, office: Office, instead: tuple[int, str, str, float], code: int
) -> None:
    """The caller hears an error, and the debugger says which; too late is an error too."""
    office.instead = instead
    line.webhook_seconds = 2.0 if instead[-1] else 10.0
    line.status_url = ""
    call = await line.dial(BUDI, [Key("1")])
    assert "application error" in call.heard
    assert [alert.code for alert in line.alerts] == [code]


async def test_the_fallback_address_takes_over(line: TwilioVoice, office: Office) -> None:
    """When the first address fails, the second is told why."""
    office.instead = (503, "", "text/plain", 0.0)
    line.fallback_url = f"{office.url}/fallback"
    await line.dial(BUDI, [])
    form = next(form for path, form, _ in office.calls if path == "/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"]) == ("11200", line.webhook_url)


async def test_recordings_that_need_a_login_cannot_be_played(line: TwilioVoice, office: Office) -> None:
    """The strict side: Twilio's player has no credentials."""
    line.media_needs_login = True
    call = await line.dial(BUDI, [Key("1"), WORDS])
    assert "application error" in call.heard
    assert line.alerts[0].code == 11200


async def test_duplicates_come_to_every_step(line: TwilioVoice, office: Office) -> None:
    line.weather = Weather.named("duplicates", seed=2)
    await line.dial(BUDI, [Key("1"), WORDS])
    await line.settled()
    assert set(office.paths()) == {"/start?a=%20b", "/key?x=1", "/said", "/recorded"}
    assert len(office.calls) > 5


async def test_forgeries(line: TwilioVoice, office: Office) -> None:
    for more in ({"secret": "wrong"}, {"signature": "x"}):
        sent = await line.inject_raw([("CallSid", "CA1")], **more)
        assert sent.status == 200
        path, form, signature = office.calls[-1]
        assert not RequestValidator(TOKEN).validate(office.url + path, form, signature)


async def get(http: aiohttp.ClientSession, line: TwilioVoice, path: str, *, secret: str = TOKEN) -> tuple[int, Any]:
    """Status and content of one call of the REST API."""
    headers = {"Authorization": aiohttp.encode_basic_auth(SID, secret)}
    async with http.get(f"{line.base_url}/2010-04-01/Accounts/{SID}{path}", headers=headers) as answer:
        body = await answer.read()
        return answer.status, json.loads(body) if "json" in answer.content_type else body


async def test_lists_and_downloads(line: TwilioVoice, http: aiohttp.ClientSession) -> None:
    """Pages, filters, a recording that is not ready yet, credentials."""
    calls = [await line.dial(f"+62812000000{n:02}", [Key("1"), WORDS]) for n in range(3)]
    status, page = await get(http, line, "/Calls.json?To=%2B622150000001&PageSize=2")
    assert (status, len(page["calls"])) == (200, 2)
    uri = page["next_page_uri"].partition(SID)[2]
    assert len((await get(http, line, uri))[1]["calls"]) == 1
    assert not (await get(http, line, "/Calls.json?StartTime%3E=2999-01-01"))[1]["calls"]
    assert not (await get(http, line, "/Calls.json?To=%2B62999"))[1]["calls"]
    (own,) = (await get(http, line, f"/Calls/{calls[0].sid}/Recordings.json"))[1]["recordings"]
    (kept,) = calls[0].recordings
    assert (own["sid"], own["status"], own["source"]) == (kept.sid, "completed", "RecordVerb")
    assert (await get(http, line, f"/Recordings/{kept.sid}.mp3")) == (200, WORDS.content)
    assert (await get(http, line, f"/Recordings/{kept.sid}.mp3", secret="wrong"))[0] == 401
    kept.ready_at = line.clock() + 60
    assert (await get(http, line, f"/Recordings/{kept.sid}.mp3"))[0] == 404
    assert (await get(http, line, f"/Recordings/{kept.sid}.json"))[1]["status"] == "processing"
    assert (await get(http, line, "/Calls.json", secret="wrong"))[1]["code"] == 20003
    assert (await get(http, line, "/Calls/CA0.json"))[1]["code"] == 20404
    line.faults.code(20429)
    assert (await get(http, line, "/Recordings.json"))[0] == 429


@needs_specs
async def test_answers_keep_the_official_contract(line: TwilioVoice, http: aiohttp.ClientSession) -> None:
    """Every field and every word of a status stands in Twilio's own description."""
    spec = json.loads(SPECS.read_text("utf-8"))
    schemas, root = spec["components"]["schemas"], "/2010-04-01/Accounts/{AccountSid}"
    call = await line.dial(BUDI, [Key("1"), WORDS])
    for list_, name, resource in (
        ("/Calls.json", "calls", "call"),
        ("/Recordings.json", "recordings", "recording"),
        ("/IncomingPhoneNumbers.json", "incoming_phone_numbers", "incoming_phone_number"),
    ):
        _, page = await get(http, line, list_)
        official = spec["paths"][root + list_]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(page) <= set(official["properties"])
        (one,) = page[name]
        assert set(one) <= set(schemas[f"api.v2010.account.{resource}"]["properties"])
    assert call.as_json()["status"] in schemas["call_enum_status"]["enum"]
    assert call.recordings[0].as_json(0)["status"] in schemas["recording_enum_status"]["enum"]


@pytest.fixture
async def page(office: Office) -> AsyncIterator[Simulation]:
    """The simulator as an operator's account starts it."""
    settings = {"account_sid": SID, "auth_tokens": [TOKEN], "number": "+622150000001", "play_back": True}
    url = f"{office.url}/start?a=%20b"
    accounts = [Account(kind="voice_twilio", name="Akseleran", webhook_url=url, settings=settings)]
    async with await simulator.start(SERVICE.providers(accounts, Ports())) as running:
        yield running


async def test_a_visitor_calls_by_writing(page: Simulation, office: Office, http: aiohttp.ClientSession) -> None:
    """What is written is what is said; the keys are buttons; the transcript shows both sides."""
    root, person = page.urls["page"].rstrip("/"), "%2B6281234567890"

    async def shown() -> str:
        async with http.get(f"{root}/talk/0?person={person}") as answer:
            return html.unescape(await answer.text())

    async def until(words: str) -> str:
        async with asyncio.timeout(10):
            while words not in (text := await shown()):
                await asyncio.sleep(0.02)
        return text

    form = {"talk": "0", "number": BUDI, "text": "Dana saya belum cair"}
    async with http.post(f"{root}/messages", data=form) as answer:
        assert answer.status == 200
    text = await until("press a key")
    assert "Press one" in text
    assert re.findall(r'class="choice">([^<]*)<', text) == ["1", "2", "3", "Tutup telepon / Hang up"]
    async with http.post(f"{root}/talk/0/choose", data={"person": BUDI, "id": "1", "title": "1"}) as answer:
        assert answer.status == 200
    text = await until("the call is over")
    assert "Thank you" in text
    assert text.count("Dana saya belum cair") >= 2, "said, and played back"
    file = re.findall(r'/talk/0/files/[^"]*', text)[0]
    async with http.get(f"{root}{file}") as answer:
        assert (await answer.read()).startswith(b"ID3")
    async with http.post(f"{root}/messages", data=form) as answer:
        assert answer.status == 200
    await until("press a key")
    async with http.post(f"{root}/talk/0/choose", data={"person": BUDI, "id": "hangup", "title": "x"}) as answer:
        assert answer.status == 200
    await until("the call is over")
    await page.settled()
