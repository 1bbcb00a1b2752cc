"""Facebook in trouble: what each code and each broken answer means, and what a check finds (P13, A0.7)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from connectors.errors import (
    CLASSES,
    Ambiguous,
    AuthFailed,
    ConnectorError,
    Misconfigured,
    Refused,
    Throttled,
    Unavailable,
    Unreachable,
    WindowClosed,
)
from connectors.facebook import Facebook
from harness.facebook_page import SARI, Ours, out, page_of
from harness.serving import MakeSetup, Serve
from normalizer.message import File
from simulator import Weather
from simulator.facebook import Facebook as Page


@pytest.fixture
async def ours() -> Ours:
    """Our side."""
    return Ours()


@pytest.fixture
async def page(ours: Ours, serve: Serve, make_setup: MakeSetup) -> AsyncIterator[Page]:
    """Meta's side, with one person who wrote."""
    async with page_of(ours, serve, make_setup) as page:
        page.reports = False
        await page.inject_text(SARI, "Halo")
        yield page


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "Unavailable"), (2, "Unavailable"), (1545133, "Unavailable"), (4, "Throttled"), (17, "Throttled"),
     (32, "Throttled"), (613, "Throttled"), (80001, "Throttled"), (80006, "Throttled"), (0, "AuthFailed"),
     (3, "AuthFailed"), (10, "AuthFailed"), (190, "AuthFailed"), (463, "AuthFailed"), (200, "AuthFailed"),
     (299, "AuthFailed"), (368, "AuthFailed"), (1893063, "AuthFailed"), (2018278, "WindowClosed"),
     (2534022, "WindowClosed"), (551, "Unreachable"), (230, "Unreachable"), (100, "Refused"), (33, "Refused"),
     (2018001, "Unreachable"), (2534013, "Unreachable"), (2534014, "Unreachable"), (2534025, "Unreachable")],
)  # fmt: skip
async def test_codes_in_the_providers_own_shape(page: Page, ours: Ours, number: int, name: str) -> None:
    """P13: each number of sheet A6 gives its class; no word of the answer is repeated."""
    page.faults.code(number)
    with pytest.raises(CLASSES[name]) as caught:
        await ours.facebook.send(out())
    assert type(caught.value).__name__ == name
    assert "allowed window" not in str(caught.value)
    assert "trace" not in str(caught.value)


async def test_a_contested_code_waits_for_a_person(page: Page, ours: Ours) -> None:
    """Sheet A6: 1545041 is "window closed" in one source and "unavailable" in another: neither is guessed."""
    page.faults.http(
        400,
        json.dumps({"error": {"code": 551, "error_subcode": 1545041}}).encode(),
        content_type="application/json",
    )
    with pytest.raises(Refused):
        await ours.facebook.send(out())


@pytest.mark.parametrize(
    ("status", "body", "class_"),
    [(500, b"{}", Unavailable), (502, b"<html>", Unavailable), (503, b"", Unavailable), (504, b"", Ambiguous),
     (408, b"", Unavailable), (401, b"", AuthFailed), (302, b"", Unavailable), (418, b"", Refused),
     (200, b'{"error":{"code":190}}', AuthFailed), (200, b'{"error":{"code":2}}', Unavailable),
     (200, b"<html>ok</html>", Ambiguous), (200, b'{"recipient_id":"1","mess', Ambiguous), (200, b"{}", Ambiguous),
     (400, b'{"error":{"code":10,"error_subcode":2018108}}', Unreachable),
     (400, b'{"error":{"code":10,"error_subcode":2018065}}', WindowClosed),
     (400, b'{"error":{"code":"190"}}', AuthFailed), (400, b'{"error":{"code":10,"error_subcode":33}}', AuthFailed),
     (400, b'{"error":{"code":' + b"9" * 400 + b"}}", Refused), (400, b"[" * 10_000, Refused)],
)  # fmt: skip
async def test_answers_of_any_kind(
    page: Page, ours: Ours, status: int, body: bytes, class_: type[ConnectorError]
) -> None:
    """P13: a proxy's page, half an answer, a success with an error in it, numbers as text, subcodes of another code."""
    page.faults.http(status, body, content_type="application/json")
    with pytest.raises(class_) as caught:
        await ours.facebook.send(out())
    assert type(caught.value) is class_


async def test_waiting_as_told(page: Page, ours: Ours) -> None:
    """429 and throttling codes wait as long as the answer says, else as long as the table says."""
    page.faults.http(429, b"", headers={"Retry-After": "7"})
    with pytest.raises(Throttled) as caught:
        await ours.facebook.send(out())
    assert caught.value.after == 7
    page.faults.code(613)
    with pytest.raises(Throttled) as caught:
        await ours.facebook.send(out())
    assert caught.value.after == 600


async def test_silence_is_ambiguous_and_no_connection_is_not(page: Page, ours: Ours, make_setup: MakeSetup) -> None:
    """Sheet A13: what may have left is not repeated as if it had not."""
    page.faults.stall(2.0)
    page.faults.reset()
    for _ in range(2):
        with pytest.raises(Ambiguous):
            await ours.facebook.send(out())
    nowhere = Facebook(make_setup("facebook", api_base="http://127.0.0.1:1"))
    with pytest.raises(Unavailable):
        await nowhere.send(out())
    await nowhere.aclose()


async def test_what_the_caller_must_not_send(page: Page, ours: Ours) -> None:
    """T31: too long, empty, with files, as a template: refused before Meta sees it."""
    file = File(name="a.pdf", mime="a/b", content=b"")
    for wrong in (out(text="x" * 2_001), out(text=""), out(files=(file,)), out(template="notice")):
        with pytest.raises(Refused):
            await ours.facebook.send(wrong)
    assert len(page.sent) == 0
    await ours.facebook.send(out(text="x" * 2_000))


async def test_who_blocked_the_page_cannot_be_reached(page: Page, ours: Ours) -> None:
    """551: next route."""
    page.unreachable.add(SARI)
    with pytest.raises(Unreachable):
        await ours.facebook.send(out())


async def test_a_check_finds_what_is_wrong(page: Page, ours: Ours) -> None:
    """A0.7: after an hour of failed deliveries the subscription is gone, and nobody else says so."""
    await ours.facebook.check()
    page.subscribe(["messages", "message_echoes"])
    with pytest.raises(Misconfigured, match="feed"):
        await ours.facebook.check()
    page.subscribe([])
    with pytest.raises(Misconfigured, match="subscribe again"):
        await ours.facebook.check()
    page.subscribe()
    page.weather = Weather.named("unsubscribed")
    with pytest.raises(Misconfigured, match="subscribe again"):
        await ours.facebook.check()
    page.weather = Weather.named("expired-token")
    with pytest.raises(AuthFailed):
        await ours.facebook.check()


async def test_a_check_knows_our_own_app(page: Page, make_setup: MakeSetup) -> None:
    """Another app that listens is not ours; and what it sends is told apart."""
    other = Facebook(make_setup("facebook", api_base=page.base_url, app_id="42"))
    with pytest.raises(Misconfigured, match="subscribe again"):
        await other.check()
    own = Facebook(make_setup("facebook", api_base=page.base_url, app_id=page.app_id))
    await own.check()
    for each in (other, own):
        await each.aclose()


async def test_a_check_of_another_page(serve: Serve, make_setup: MakeSetup) -> None:
    """The id in the settings is not the token's."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response({"id": "1", "name": "Lain"})

    connector = Facebook(make_setup("facebook", api_base=await serve(answer)))
    with pytest.raises(Misconfigured, match="page_id"):
        await connector.check()
    await connector.aclose()


async def test_an_hour_of_failures_ends_the_subscription(page: Page, ours: Ours, serve: Serve) -> None:
    """The pretended page does what Meta does; the check then says it."""

    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    page.time_scale = 0.00001
    page.webhook_url = await serve(refuse)
    await page.inject_text(SARI, "hilang")
    await page.settled()
    assert page.deliveries[-1].given_up
    with pytest.raises(Misconfigured, match="subscribe again"):
        await ours.facebook.check()
