"""Requests that no provider makes: each gets its answer, and nothing is kept of what is refused (P18, P20, P32)."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan
from harness.hostile import API, GOOD, META, TWILIO, kept, secret_of
from harness.meta import signed
from harness.settings import only
from harness.wire import answer, connected, exchange, head

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    change = only("klikacc-whatsapp", "klikacc-twilio", "klikacc-form", "klikacc-app", header_seconds=1, body_seconds=1)
    async with start_aduan(tmp_path_factory.mktemp("aduan"), change) as running:
        yield running


def forged(secret: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Ways not to be Meta."""
    right = signed(GOOD, secret)["X-Hub-Signature-256"]
    one_off = right[:-1] + ("0" if right[-1] != "0" else "1")
    name = "X-Hub-Signature-256"
    return [
        ("no header", []),
        ("empty header", [(name, "")]),
        ("empty secret", [(name, signed(GOOD, "")[name])]),
        ("another tenant's secret", [(name, signed(GOOD, "other")[name])]),
        ("one digit off", [(name, one_off)]),
        ("truncated", [(name, right[:-2])]),
        ("upper case", [(name, "sha256=" + right[7:].upper())]),
        ("other algorithm", [(name, "sha1=" + right[7:])]),
        ("old header only", [("X-Hub-Signature", right)]),
        ("not hexadecimal", [(name, "sha256=" + "z" * 64)]),
        ("not ASCII", [(name, "sha256=" + "é" * 64)]),
        ("body of another", [(name, signed(GOOD + b" ", secret)[name])]),
    ]


async def test_forged_requests_are_401_and_leave_nothing(gateway: Aduan) -> None:
    """P18: no header, empty or foreign secret, other algorithm, one digit off: 401, and no row anywhere."""
    before = await kept(gateway)
    for what, headers in forged(secret_of(gateway)):
        request = head(META, [*headers, ("Content-Length", str(len(GOOD)))]) + GOOD
        status, _, said = await exchange(gateway.url, request)
        assert status == 401, what
        assert secret_of(gateway).encode() not in said
        assert signed(GOOD, secret_of(gateway))["X-Hub-Signature-256"][7:].encode() not in said
    for signature in ("", "AAAA", "%FF"):
        body = urlencode({"MessageSid": "SM" + "0" * 32, "Body": "halo", "From": "whatsapp:+62811"}).encode()
        form = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", str(len(body)))]
        sign = [("X-Twilio-Signature", signature)] if signature else []
        assert (await exchange(gateway.url, head(TWILIO, [*form, *sign]) + body))[0] == 401
    assert await kept(gateway) == before


async def test_a_doubled_signature_is_a_forgers_trick(gateway: Aduan) -> None:
    """P18: two signature headers, one of them good, are refused: which one is meant is not ours to guess."""
    before = await kept(gateway)
    right = ("X-Hub-Signature-256", signed(GOOD, secret_of(gateway))["X-Hub-Signature-256"])
    wrong = ("X-Hub-Signature-256", "sha256=" + "0" * 64)
    for order in ([right, wrong], [wrong, right], [right, right]):
        status, _, _ = await exchange(gateway.url, head(META, [*order, ("Content-Length", str(len(GOOD)))]) + GOOD)
        assert status in (400, 401)
    assert await kept(gateway) == before


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
async def test_other_methods(gateway: Aduan, method: str) -> None:
    """Only what the provider uses is answered; unknown channels and pages are 404."""
    status, _, _ = await exchange(gateway.url, head(META, [("Content-Length", "0")], method))
    assert status in (400, 403, 405)
    status, _, _ = await exchange(gateway.url, head("/in/nobody", [("Content-Length", "0")], method))
    assert status in (400, 404, 405)


async def test_unknown_channels_and_channels_without_a_webhook(gateway: Aduan) -> None:
    """Interface: `/in/{channel}` exists for configured, pushed channels only."""
    for channel in ("nobody", "klikacc-form%00", "%2e%2e%2fetc", "a" * 2000, "klikacc-whatsapp/"):
        status, _, _ = await exchange(gateway.url, head(f"/in/{channel}", [("Content-Length", "2")]) + b"{}")
        assert status in (400, 404)
    # A form's complaint comes by its own address, sealed: nobody can bring one to the webhooks' address.
    for channel in ("klikacc-form", "klikacc-app"):
        status, _, _ = await exchange(gateway.url, head(f"/in/{channel}", [("Content-Length", "2")]) + b"{}")
        assert status in (400, 401, 404, 405, 415)


@pytest.mark.parametrize("target", [META, TWILIO, API])
async def test_too_much_is_413(gateway: Aduan, target: str) -> None:
    """P20, T30: the announced length is enough to refuse; a body that lies about it or names none is cut off."""
    before = await kept(gateway)
    big = 130 * 1024 * 1024
    kind = ("Content-Type", "application/json")
    status, _, _ = await exchange(
        gateway.url, head(target, [kind, ("Idempotency-Key", "k" * 20), ("Content-Length", str(big))])
    )
    assert status == 413
    async with connected(gateway.url) as (reader, writer):
        writer.write(head(target, [kind, ("Idempotency-Key", "k" * 20), ("Transfer-Encoding", "chunked")]))
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with suppress(ConnectionError):
            for _ in range(40 * 16):
                writer.write(chunk)
                await writer.drain()
        with suppress(EOFError):  # closed while we were still sending: refused just as well
            assert (await answer(reader))[0] in (400, 408, 413)
    assert await kept(gateway) == before


def bomb(encoding: str) -> bytes:
    """A few kilobytes that become hundreds of megabytes."""
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(300)), packer.flush()])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-unknown"])
@pytest.mark.parametrize("target", [META, TWILIO, API])
async def test_compressed_bodies_are_never_unpacked(gateway: Aduan, target: str, encoding: str) -> None:
    """P20: no provider compresses; a bomb is refused before it grows."""
    before = await kept(gateway)
    body = bomb(encoding) if encoding in ("gzip", "deflate") else b"\x28\xb5\x2f\xfd" + bytes(1000)
    headers = [
        ("Content-Type", "application/json"), ("Content-Encoding", encoding), ("Content-Length", str(len(body))),
        ("X-Hub-Signature-256", signed(body, secret_of(gateway))["X-Hub-Signature-256"]), ("Idempotency-Key", "k" * 20),
    ]  # fmt: skip
    status, _, _ = await exchange(gateway.url, head(target, headers) + body)
    assert status in (400, 401, 413, 415)
    assert await kept(gateway) == before
    small = gzip.compress(GOOD)
    headers = [("Content-Encoding", "gzip"), ("Content-Length", str(len(small)))]
    headers.append(("X-Hub-Signature-256", signed(GOOD, secret_of(gateway))["X-Hub-Signature-256"]))
    assert (await exchange(gateway.url, head(META, headers) + small))[0] in (400, 401, 415)
    assert await kept(gateway) == before


async def test_too_many_and_too_long_headers(gateway: Aduan) -> None:
    """P20: 100,000 headers, one of a megabyte, an endless request line: refused or closed, nothing kept."""
    before = await kept(gateway)
    many = [(f"X-{n}", "a") for n in range(100_000)]
    for request in (
        head(META, many),
        head(META, [("X-Long", "a" * 1_000_000)]),
        head(META + "?" + "a" * 1_000_000, []),
        b"POST " + META.encode() + b" HTTP/1.1\r\nHost: a\r\n" + b"X:" + b" " * 500_000,
    ):
        try:
            status, _, _ = await exchange(gateway.url, request)
        except EOFError:
            continue
        assert status in (400, 408, 413, 414, 431)
    assert await kept(gateway) == before


@pytest.mark.parametrize(
    "framing",
    [
        [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("Content-Length", "-1")],
        [("Content-Length", "five")],
        [("Transfer-Encoding", "xchunked")],
        [("Transfer-Encoding", "chunked, identity")],
        [("Transfer-Encoding ", "chunked")],
    ],
)
async def test_ambiguous_framing_is_refused(gateway: Aduan, framing: list[tuple[str, str]]) -> None:
    """P21: what two servers could read differently is 400."""
    try:
        status, _, _ = await exchange(gateway.url, head(META, framing) + b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
    except EOFError:
        return
    assert status == 400


async def test_slow_headers_are_closed(gateway: Aduan) -> None:
    """P20: silence, half a header, and a byte now and then: closed after the configured second, without a request."""

    async def silent() -> float:
        return await closed_after(b"", b"")

    async def half() -> float:
        return await closed_after(b"POST " + META.encode() + b" HTTP/1.1\r\nHost: a\r\nX-A", b"")

    async def dripping() -> float:
        return await closed_after(b"POST " + META.encode() + b" HTTP/1.1\r\nX: ", b"a")

    async def second_request() -> float:
        return await closed_after(head("/healthz", [], "GET") + b"GET /healthz HTTP/1.1\r\nX: ", b"a")

    async def closed_after(first: bytes, drip: bytes) -> float:
        started = time.monotonic()
        async with connected(gateway.url) as (reader, writer):
            writer.write(first)
            while time.monotonic() < started + 8:
                try:
                    async with asyncio.timeout(0.2):
                        if not await reader.read(65536):
                            return time.monotonic() - started
                except TimeoutError:
                    writer.write(drip)
                except ConnectionError:
                    return time.monotonic() - started
        return 99.0

    times = await asyncio.gather(silent(), half(), dripping(), second_request())
    assert max(times) < 8, times


async def test_a_slow_body_is_408_and_closed(gateway: Aduan) -> None:
    """P20: a body that drips is given up after the configured second and nothing of it is kept."""
    before = await kept(gateway)
    headers = [("X-Hub-Signature-256", signed(GOOD, secret_of(gateway))["X-Hub-Signature-256"])]
    async with connected(gateway.url) as (reader, writer):
        writer.write(head(META, [*headers, ("Content-Length", str(len(GOOD)))]) + GOOD[:20])
        async with asyncio.timeout(10):
            assert (await answer(reader))[0] == 408
            assert await reader.read() == b""
    assert await kept(gateway) == before


async def test_pipelined_requests_are_answered_in_order(gateway: Aduan) -> None:
    """P20, P21: several requests in one write: each is judged for itself; a refusal does not leak into the next."""
    right = signed(GOOD, secret_of(gateway))["X-Hub-Signature-256"]
    good = head(META, [("X-Hub-Signature-256", right), ("Content-Length", str(len(GOOD)))]) + GOOD
    bad = head(META, [("Content-Length", str(len(GOOD)))]) + GOOD
    async with connected(gateway.url) as (reader, writer):
        writer.write(good + bad + head("/healthz", [], "GET") + good)
        assert [(await answer(reader))[0] for _ in range(4)] == [200, 401, 200, 200]


async def test_only_so_many_connections_at_once(tmp_path: Path) -> None:
    """P20: more connections than configured wait their turn; they are served when others end."""
    async with start_aduan(tmp_path, only("klikacc-form", connections=16)) as aduan, AsyncExitStack() as held:
        for _ in range(16):
            reader, writer = await held.enter_async_context(connected(aduan.url))
            writer.write(head("/healthz", [], "GET"))
            assert (await answer(reader))[0] == 200
        async with connected(aduan.url) as (reader, writer):
            writer.write(head("/healthz", [], "GET"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1)
            await held.aclose()
            async with asyncio.timeout(5):
                assert (await answer(reader))[0] == 200
