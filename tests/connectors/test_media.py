"""P22: the media client fetches from listed hosts at public addresses, within limits, and keeps credentials at home."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing

import pytest
from aiohttp import web

from connectors.errors import AuthFailed, ConnectorError, Throttled, Unavailable, Unreachable
from connectors.media import Checked, Gone, MediaClient, is_public
from harness.serving import Serve

HOSTS = ["graph.facebook.com", "lookaside.fbsbx.com", "*.fbcdn.net"]
BEARER = {"Authorization": "Bearer invented"}

INSIDE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1",
    "198.18.0.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "fd00::1", "fc00::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2002:7f00:1::",
    "2002:a00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2001:db8::1", "2001:0:a00:1:0:0:f5ff:fffe",
    "localhost", "2130706433", "0x7f.1", "127.1",
]  # fmt: skip
OUTSIDE = [
    "8.8.8.8", "157.240.1.35", "::ffff:8.8.8.8", "2a03:2880:f12f:83:face:b00c:0:25de",
    "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, documentation, multicast; also wrapped into IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_outside_are_public(address: str) -> None:
    """Public addresses, wrapped ones included."""
    assert is_public(address)


LOOPBACK_FORMS = [
    "127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "localhost", "LOCALHOST",
    "localhost.", "127.0.0.1.", "169.254.169.254", "[fd00::1]", "[fe80::1%25lo]", "metadata.google.internal",
    "①②⑦.0.0.1",
    "127。0。0。1", "10.0.0.1", "192.168.0.1", "evil.example", "graph.facebook.com.evil.example", "xgraph.facebook.com",
    "fbcdn.net", "evilfbcdn.net", "fbcdn.net.evil.example", "graph.facebook.com@127.0.0.1",
    "graph.facebook.com:x@evil.example",
]  # fmt: skip
SCHEMES = ["http", "https", "file", "gopher", "ftp", "data", "javascript", "", "HTTP", "ws"]
SUFFIXES = ["/", "/a?b=c", ":22/", ":8080/", "/..;/", "#x"]
NEVER = [f"{scheme}://{host}{rest}" for host in LOOPBACK_FORMS for scheme in SCHEMES for rest in SUFFIXES]
NEVER += [
    "", "/etc/passwd", "file:///etc/passwd", "https:///x", "https://", "//graph.facebook.com/x", "http://graph.facebook.com/x",
    "https://graph.facebook.com:22/x", "https://graph.facebook.com:80/x", "https://user@graph.facebook.com/x",
    "https://user:pass@graph.facebook.com/x", "https://graph.facebook.com:99999/x", "https://[::1", "https://a b/",
    "https://graph.facebook.com\\@127.0.0.1/", "\x00", "data:text/plain,x", "https://graph.facebook.com.:443x/",
]  # fmt: skip


async def test_two_thousand_addresses_touch_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every form of an unlisted or inner address is refused before a name is resolved or a packet leaves."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    client = MediaClient(HOSTS, ["https://graph.facebook.com"], max_bytes=1_000, timeout=5)
    assert len(NEVER) >= 2_000
    for url in NEVER:
        with pytest.raises(Unreachable) as caught:
            await read(client, url)
        assert "127" not in str(caught.value)
    await client.aclose()


async def test_a_listed_name_that_resolves_inside_is_not_fetched(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the address that was checked is the address that is connected to, and one bad one spoils all."""
    touched: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        touched.append(request.path)
        return web.Response(body=b"inside")

    port = int((await serve(answer)).rpartition(":")[2])
    loop = asyncio.get_running_loop()

    async def lie(host: str, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("157.240.1.35", "127.0.0.1")
        ]

    monkeypatch.setattr(loop, "getaddrinfo", lie)
    client = MediaClient(HOSTS, [], max_bytes=1_000, timeout=5)
    with pytest.raises(Unavailable):
        await read(client, "https://lookaside.fbsbx.com/x")
    with pytest.raises(OSError, match="not public"):
        await Checked(frozenset()).resolve("lookaside.fbsbx.com", 443)
    assert await Checked(frozenset({"proxy.intern"})).resolve("proxy.intern", port)
    assert touched == []
    await client.aclose()


async def test_the_providers_own_host_may_not_lie_inside() -> None:
    """api_base names the provider itself: that opens no hole for its name resolving to an inner address."""
    client = MediaClient(["localhost"], ["https://localhost:8443"], max_bytes=1_000, timeout=5)
    for url in ("https://localhost:8443/x", "http://localhost/x"):
        with pytest.raises(Unreachable):
            await read(client, url)
    with pytest.raises(Unavailable):
        await read(client, "https://localhost/x")
    await client.aclose()


async def read(client: MediaClient, url: str) -> bytes:
    """Everything at `url`."""
    found = bytearray()
    async with aclosing(client.fetch(url, BEARER)) as chunks:
        async for chunk in chunks:
            found += chunk
    return bytes(found)


async def site(request: web.Request) -> web.StreamResponse:
    """A media host with every trick."""
    match request.path:
        case "/file":
            return web.Response(body=b"x" * 900, headers={"X-Bearer": request.headers.get("Authorization", "")})
        case "/once":
            return web.Response(status=302, headers={"Location": "/echo"})
        case "/echo":
            return web.Response(text=request.headers.get("Authorization", "nothing"))
        case "/round":
            return web.Response(status=302, headers={"Location": "/round"})
        case "/away":
            return web.Response(status=302, headers={"Location": request.query["to"]})
        case "/large":
            return web.Response(body=b"x" * 1_001)
        case "/endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b"x" * 500)
        case "/short":
            response = web.StreamResponse(headers={"Content-Length": "900"})
            await response.prepare(request)
            await response.write(b"x" * 10)
            assert request.transport is not None
            request.transport.abort()
            return response
        case "/packed":
            return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
        case "/stall":
            await asyncio.sleep(30)
    return web.Response(status=int(request.path[1:]))


async def test_files_come_whole_and_within_the_limit(serve: Serve) -> None:
    """Declared and undeclared length, cut bodies, packed bodies, silence."""
    base = await serve(site)
    client = MediaClient(HOSTS, [f"{base}/graph"], max_bytes=1_000, timeout=1)
    assert await read(client, f"{base}/file") == b"x" * 900
    expected: list[tuple[str, type[ConnectorError]]] = [
        ("/large", Unreachable), ("/endless", Unreachable), ("/short", Unavailable), ("/packed", Unavailable),
        ("/stall", Unavailable), ("/404", Gone), ("/410", Gone), ("/401", AuthFailed), ("/403", AuthFailed),
        ("/429", Throttled), ("/500", Unavailable), ("/503", Unavailable), ("/206", Unavailable), ("/204", Unavailable),
    ]  # fmt: skip
    for path, error in expected:
        with pytest.raises(error) as caught:
            await read(client, base + path)
        assert "invented" not in str(caught.value)
        assert base not in str(caught.value)
    await client.aclose()
    await client.aclose()


async def test_redirects_are_checked_again_and_lose_the_credentials(serve: Serve) -> None:
    """A redirect goes to listed places only, at most a few times, without the token."""
    base = await serve(site)
    client = MediaClient(HOSTS, [base], max_bytes=1_000, timeout=5)
    assert await read(client, f"{base}/echo") == b"Bearer invented"
    assert await read(client, f"{base}/once") == b"nothing"
    with pytest.raises(Unreachable, match="more than"):
        await read(client, f"{base}/round")
    for there in (
        "http://localhost:8080/file",
        "https://127.0.0.1:8443/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "http://127.0.0.1:22/",
        "//[::1]/",
        "",
    ):
        with pytest.raises(Unreachable):
            await read(client, f"{base}/away?to={there}")
    await client.aclose()
