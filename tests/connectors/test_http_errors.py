"""P13: which class an answer means, by code and by status, and what becomes of trouble on the line."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

import connectors
from connectors import http_errors
from connectors.codes import load
from connectors.errors import CLASSES, Ambiguous, ConnectorError, Throttled, Unavailable
from connectors.http_errors import call, retry_after
from connectors.meta_graph import deciding
from harness.serving import Serve

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
HERE = Path(connectors.__file__).parent
CLOUD = load(HERE / "whatsapp_cloud" / "codes.yaml")

#: Every code that the providers' pages name (sheets A1-A8), by what it means for us.
SHEET: dict[str, dict[str, list[int]]] = {
    "whatsapp_cloud": {
        "Unavailable": [131016, 131000, 131057, 2, 131053, 1],
        "Throttled": [130429, 131056, 4, 80007, 133016],
        "Unreachable": [131026, 131049, 131050, 131062, 137000],
        "Refused": [131051, 131008, 131009, 100, 132000, 132001, 132012, 132015, 132016],
        "WindowClosed": [131047],
        "AuthFailed": [190, 3, 10, 200, 250, 299, 131005, 131031, 368, 131042, 131048, 133010],
    },
    "whatsapp_twilio": {
        "Unavailable": [20500, 20503, 63009, 63010, 63012, 63017, 30001],
        "Throttled": [20429, 14107, 63018],
        "Unreachable": [21211, 21614, 21610, 63033, 63014, 63003, 63024, 63032],
        "Refused": [63005, 63013, 63026, 21617, 21656, 63027, 63028, 63041, 11751, 63019, 63021, 63034],
        "WindowClosed": [63016],
        "AuthFailed": [20003, 30002],
    },
    # Errors of Vonage's Messages API that a WhatsApp message can meet, and the two statuses that have no number.
    "whatsapp_vonage": {
        "Unavailable": [1030, 1100, 1180, 1230, 1331],
        "Throttled": [1000, 1241, 1460],
        "Unreachable": [1050, 1160, 1170, 1190, 1240, 1260, 1300, 1310, 1330, 1360, 1430, 1461],
        "Refused": [1010, 1020, 1022, 1040, 1282, 1320, 1400, 1410, 1440, 1450, 1451, 1470],
        "WindowClosed": [1340],
        "AuthFailed": [402, 403, 1060, 1070, 1120, 1140, 1420, 1484],
    },
    "sms_http": {
        "Unavailable": [20500, 20503, 30001],
        "Throttled": [20429, 14107],
        "Unreachable": [21211, 21614, 21610],
        "Refused": [21617],
        "AuthFailed": [20003, 30002],
    },
    "facebook": {
        "Unavailable": [1, 2, 1545133],
        "Throttled": [4, 17, 32, 613, 80006],
        "Unreachable": [551, 230],
        # 1545041: one source says window, another recipient; so no second try and a person looks.
        "Refused": [100, 1545041],
        "WindowClosed": [2018278, 2534022],
        "AuthFailed": [190, 3, 10, 200, 250, 299, 368, 1893063],
    },
    "instagram": {
        "Unavailable": [1, 2, 1545133],
        "Throttled": [4, 17, 32, 613, 80006],
        "Unreachable": [551, 230, 2534001, 2534014],
        "Refused": [100, 1545041],
        "WindowClosed": [2018278, 2534022],
        "AuthFailed": [190, 3, 10, 200, 250, 299, 368, 1893063],
    },
    # The Bot API's codes are statuses; what its descriptions add stands in its own test.
    "telegram": {
        "Unavailable": [500, 502, 503, 409],
        "Throttled": [429],
        "Unreachable": [403],
        "Refused": [400],
        "AuthFailed": [401, 404],
    },
}
TABLE = [(kind, name, code) for kind, classes in SHEET.items() for name, codes in classes.items() for code in codes]


@pytest.mark.parametrize(("kind", "name", "code"), TABLE)
def test_every_code_of_the_sheet(kind: str, name: str, code: int) -> None:
    """The code decides, whatever the HTTP status around it: 200, 400, 401, 429 or 500."""
    codes = load(HERE / kind / "codes.yaml")
    for status in (200, 400, 401, 403, 404, 429, 500, 503):
        error = http_errors.error("P", codes, status, code=code, now=NOW, writes=True)
        assert type(error) is CLASSES[name]
        if isinstance(error, Throttled):
            assert error.after == codes.after.get(code, codes.throttled_after)


@pytest.mark.parametrize(
    ("code", "subcode", "name"),
    [(10, 2018278, "WindowClosed"), (10, 2534022, "WindowClosed"), (10, 1893063, "AuthFailed"),
     (10, None, "AuthFailed"),
     (190, 458, "AuthFailed"), (190, 460, "AuthFailed"), (190, 463, "AuthFailed"), (190, 467, "AuthFailed"),
     (2, 1545133, "Unavailable"), (100, 33, "Refused"), (100, 9_999_999, "Refused"), (551, 1545041, "Refused")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["facebook", "instagram"])
def test_of_code_and_subcode_the_telling_one_decides(kind: str, code: int, subcode: int | None, name: str) -> None:
    """Sheet A6: a window that closed is told by the subcode of "permission denied"; token errors stay token errors."""
    codes = load(HERE / kind / "codes.yaml")
    error = http_errors.error("P", codes, 400, code=deciding(codes, code, subcode), now=NOW, writes=True)
    assert type(error) is CLASSES[name]


@pytest.mark.parametrize(
    ("status", "writes", "name"),
    [(401, True, "AuthFailed"), (429, True, "Throttled"), (500, True, "Unavailable"), (502, True, "Unavailable"),
     (503, True, "Unavailable"), (504, True, "Ambiguous"), (504, False, "Unavailable"), (408, False, "Unavailable"),
     (400, True, "Refused"), (403, True, "Refused"), (404, True, "Refused"), (418, True, "Refused"),
     (301, True, "Unavailable"), (599, True, "Unavailable")],
)  # fmt: skip
def test_without_a_known_code_the_status_decides(status: int, writes: bool, name: str) -> None:
    """Also with a code that no page lists."""
    for code in (None, 987_654):
        error: ConnectorError = http_errors.error("P", CLOUD, status, code=code, now=NOW, writes=writes)
        assert type(error).__name__ == name
        assert "P answered HTTP" in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("1.5", 1.5), ("Mon, 05 Jan 2026 03:01:00 GMT", 60.0),
     ("Mon, 05 Jan 2026 02:00:00 GMT", 0.0), ("", None), ("soon", None), ("nan", None), ("inf", 86_400.0),
     ("9" * 400, 86_400.0), ("Mon, 99 Jan 2026 03:01:00 GMT", None)],
)  # fmt: skip
def test_retry_after(text: str, seconds: float | None) -> None:
    """Numbers and dates are obeyed, up to a day; what cannot be read is as if it were not there."""
    assert retry_after({"Retry-After": text}, NOW) == seconds
    error = http_errors.error("P", CLOUD, 429, headers={"retry-after": text}, now=NOW)
    assert isinstance(error, Throttled)
    assert error.after == (CLOUD.throttled_after if seconds is None else seconds)


def test_a_wrong_table_is_named(tmp_path: Path) -> None:
    """codes.yaml with a class that does not exist is refused at start."""
    file = tmp_path / "codes.yaml"
    file.write_text("source: x\nread_on: 2026-01-01\nthrottled_after: 1\ncodes:\n  5: Perhaps\n")
    with pytest.raises(ValidationError, match=r"codes\.5"):
        load(file)


@pytest.mark.parametrize(
    ("writes", "expected"), [pytest.param(True, Ambiguous, id="send"), pytest.param(False, Unavailable, id="read")]
)
async def test_trouble_after_the_request_left(serve: Serve, writes: bool, expected: type[ConnectorError]) -> None:
    """Silence, a reset and half an answer: a send may have gone through, a question may be asked again."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        match request.path:
            case "/stall":
                await asyncio.sleep(30)
            case "/half":
                response = web.StreamResponse(headers={"Content-Length": "500"})
                await response.prepare(request)
                await response.write(b'{"a"')
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    base = await serve(answer)
    async with aiohttp.ClientSession() as session:
        for path in ("/stall", "/reset", "/half"):
            with pytest.raises(expected) as caught:
                await call(session, "P", "POST", base + path, within=0.5, writes=writes, data=b"secret text")
            assert "secret text" not in str(caught.value)
            assert base not in str(caught.value)


async def test_nothing_left_when_there_is_no_connection() -> None:
    """A refused connection and an unknown name are Unavailable, for a send too."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with aiohttp.ClientSession() as session:
        for url in (f"http://127.0.0.1:{port}/", "http://no-such-name.invalid/"):
            with pytest.raises(Unavailable):
                await call(session, "P", "POST", url, within=5, writes=True, data=b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_a_write_whose_connection_is_lost_is_not_repeated_by_itself(serve: Serve, method: str) -> None:
    """The HTTP client would send a PUT again when the connection goes: it may have been done (P11)."""
    methods: list[str] = []

    async def gone(request: web.Request) -> web.StreamResponse:
        await request.read()
        methods.append(request.method)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    url = await serve(gone)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Ambiguous):
            await call(session, "the provider", method, url, within=5, writes=True, data=b"{}")
    assert methods == [method]


async def test_redirects_are_not_followed(serve: Serve) -> None:
    """Credentials go to the configured address and nowhere else."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    base = await serve(answer)
    async with aiohttp.ClientSession() as session:
        found = await call(session, "P", "GET", base + "/here", within=5, writes=False)
    assert (found.status, seen) == (307, ["/here"])
    assert isinstance(http_errors.error("P", CLOUD, 307, now=NOW), Unavailable)


async def test_an_answer_is_read_whole_but_not_for_ever(serve: Serve) -> None:
    """In one piece, in several, empty; of an endless one no more than an answer may have, and a piece."""
    piece = b"x" * 65_536
    pieces = {"/none": 0, "/few": 3, "/endless": 10_000}

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/whole":
            return web.Response(body=b"whole")
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(pieces[request.path]):
                await response.write(piece)
                await asyncio.sleep(0)
        except ConnectionResetError:
            pass
        return response

    base = await serve(answer)
    async with aiohttp.ClientSession() as session:
        found = [
            await call(session, "P", "GET", base + path, within=30, writes=False)
            for path in ("/whole", "/none", "/few", "/endless", "/whole")
        ]
    whole, none, few, endless, again = (each.body for each in found)
    assert (whole, none, few, again) == (b"whole", b"", piece * 3, b"whole")
    assert http_errors.MOST_ANSWER_BYTES < len(endless) < 2 * http_errors.MOST_ANSWER_BYTES


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a', b"\xff", b"[" * 100_000, b"NaN"])
def test_bodies_that_are_no_json_survive(body: bytes) -> None:
    """A proxy's page, a truncated answer, nesting: None, never an exception."""
    assert http_errors.Answered(status=502, headers={}, body=body).json() is None
