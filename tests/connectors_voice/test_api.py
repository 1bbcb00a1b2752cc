"""Recordings, lists, credentials and error classes against the simulator (P6, P13, P22)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from connectors.errors import CLASSES, AuthFailed, Misconfigured, Refused, Throttled, Unavailable, Unreachable
from connectors.voice_twilio import CODES, VoiceTwilio
from connectors_voice.kit import ACCOUNT, SARI, WORDS, Ours, everything_since, file_of, messages, setup_of
from normalizer.message import Attachment, Ignored, Outgoing
from simulator.twilio_voice import Key, TwilioVoice
from simulator.weather import Weather

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


async def test_the_recording_is_fetched_with_a_login(twilio: TwilioVoice, ours: Ours, connector: VoiceTwilio) -> None:
    """P22: fetched from our own address alone; not ready yet, away or refused says what happens next."""
    await twilio.dial(SARI, [Key("1"), Key("1"), WORDS])
    file = file_of(ours)
    assert b"".join([chunk async for chunk in connector.open(file)]) == WORDS.content
    faults = twilio.media_faults
    faults.http(404)
    faults.http(502)
    faults.code(20003)
    faults.code(20429)
    for expected in (Unavailable, Unavailable, AuthFailed, Throttled):
        with pytest.raises(expected):
            [chunk async for chunk in connector.open(file)]
    for ref in (None, "", "../../secret", "http://169.254.169.254/", "RE1", "RE" + "0" * 32 + "/../x"):
        with pytest.raises(Unreachable):
            [chunk async for chunk in connector.open(Attachment(ref=ref))]


async def test_what_the_webhook_missed_is_listed(twilio: TwilioVoice, ours: Ours, connector: VoiceTwilio) -> None:
    """P6, A0.6: recordings become the same complaints, calls without one are contacts; other numbers are not ours."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    await twilio.dial(SARI, [Key("1"), Key("1"), WORDS, Key("2"), WORDS, Key("1")])
    await twilio.settled()
    known = ours.keys()
    ours.refused = {"review", "recording"}
    for _ in range(3):
        await twilio.dial(SARI, [Key("1"), Key("1"), WORDS])
    ours.refused = set()
    await twilio.dial(SARI, [])
    other = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS])
    other.to = "+622150990000"
    listed = await everything_since(connector, began)
    keys = {each.key for each in messages(listed)}
    assert known <= keys
    assert len(keys) == len(known) + 3
    assert f"tw:{ACCOUNT}:{other.recordings[0].sid}" not in keys
    assert {each.sender.phone for each in messages(listed)} == {SARI}
    assert [each.reason for each in listed if isinstance(each, Ignored)] == ["call without a recording"]
    webhook = {each.key: each for each in messages(ours.events)}
    for each in messages(listed):
        if each.key in webhook:
            assert each.thread_refs == webhook[each.key].thread_refs
            assert each.sender == webhook[each.key].sender


async def test_a_recording_that_is_not_ready_is_listed_later(
    twilio: TwilioVoice, ours: Ours, connector: VoiceTwilio
) -> None:
    """Twilio lists a recording before it can be downloaded."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    call = await twilio.dial(SARI, [Key("1"), Key("1"), WORDS])
    (kept,) = call.recordings
    kept.ready_at = twilio.clock() + 60
    assert not messages(await everything_since(connector, began))
    kept.ready_at = twilio.clock()
    assert len(messages(await everything_since(connector, began))) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [(20003, AuthFailed), (30002, AuthFailed), (20429, Throttled), (20500, Unavailable), (20503, Unavailable)],
)
async def test_codes_say_what_happens_next(
    twilio: TwilioVoice, connector: VoiceTwilio, code: int, expected: type[Exception]
) -> None:
    """Sheet A2: Twilio's own code first, in `check` and in `since`."""
    twilio.faults.code(code, times=2)
    with pytest.raises(expected):
        await connector.check()
    with pytest.raises(expected):
        await everything_since(connector, datetime.now(UTC))
    await connector.check()
    assert CLASSES[CODES.codes[code]] is expected


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b'{"code":20500,"status":500}',
        b'{"calls":[{"sid"',
        b"<html>Bad Gateway</html>",
        b"[]",
        b"\xff\xfe",
        b"null",
    ],
)
@pytest.mark.parametrize("status", [200, 502, 404])
async def test_answers_that_are_none(twilio: TwilioVoice, connector: VoiceTwilio, broken: bytes, status: int) -> None:
    """P13: a proxy's page, half an answer, a success that is none: tried again, or the operator hears of it."""
    twilio.faults.http(status, broken, times=2)
    with pytest.raises((Unavailable, Misconfigured, Refused)):
        await connector.check()
    twilio.faults.clear()
    twilio.faults.http(status, broken)
    with pytest.raises((Unavailable, Refused)):
        await everything_since(connector, datetime.now(UTC))


@pytest.mark.parametrize("next_page", ["itself", "https://elsewhere.example/page", "//elsewhere.example/page"])
async def test_a_list_that_goes_round_or_away_is_not_taken_for_whole(serve: Serve, next_page: str) -> None:
    """P6: it ends by an error, so that the next look begins where the last whole one did; no login leaves the host."""
    asked: list[str] = []

    async def answer(called: web.Request) -> web.StreamResponse:
        asked.append(called.raw_path)
        assert len(asked) < 10
        return web.json_response(
            {"calls": [], "next_page_uri": called.raw_path if next_page == "itself" else next_page}
        )

    base = await serve(answer)
    async with aiohttp.ClientSession() as session:
        connector = VoiceTwilio(setup_of(base, base, lambda: session))
        with pytest.raises(Unavailable):
            await everything_since(connector, datetime.now(UTC))
        await connector.aclose()
    assert len(asked) == 1


async def test_no_answer_at_all(twilio: TwilioVoice, connector: VoiceTwilio) -> None:
    """P13: silence and broken connections are tried again later."""
    for after_headers in (False, True):
        # The client itself asks once more where a connection that it had kept is closed.
        twilio.faults.reset(after_headers=after_headers, times=2)
        with pytest.raises(Unavailable):
            await connector.check()
        twilio.faults.clear()
    twilio.faults.stall(5)
    with pytest.raises(Unavailable):
        await everything_since(connector, datetime.now(UTC))


async def test_the_number_calls_us(twilio: TwilioVoice, connector: VoiceTwilio) -> None:
    """A0.7: a number that was pointed elsewhere says nothing by itself; `check` finds it."""
    ours = twilio.webhook_url
    twilio.webhook_url = f"{ours}#rc=2&rp=ct,5xx"
    await connector.check()
    for elsewhere in ("", "https://elsewhere.example/voice", f"{ours}/more"):
        twilio.webhook_url = elsewhere
        with pytest.raises(Misconfigured, match="Voice configuration"):
            await connector.check()
    twilio.number = "+622150990000"
    await connector.check()


async def test_a_login_that_is_refused_and_a_suspended_account(twilio: TwilioVoice, connector: VoiceTwilio) -> None:
    """`check` says so before a customer calls."""
    twilio.suspended = True
    with pytest.raises(AuthFailed):
        await connector.check()
    twilio.weather = Weather.named("expired-token")
    with pytest.raises(AuthFailed):
        await connector.check()


async def test_nothing_is_sent_by_telephone(connector: VoiceTwilio) -> None:
    """P13: the receipt takes another route, without a task for the operator."""
    for text in ("x", "x" * 5_000):
        with pytest.raises(Unreachable):
            await connector.send(Outgoing(key="r-1", recipient=SARI, text=text))
    assert not issubclass(Unreachable, Refused)
