"""The one client that fetches attachments: from listed hosts, at checked addresses, within limits (P22, ASVS 1.3.6).

An address in a webhook is a stranger's word even when the webhook is signed. So the host must stand in the facts of the
connector (or be the one that the operator configured), every address that it resolves to must be public, the connection
goes to exactly the address that was checked, and a redirect starts the same checks again without the credentials.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.errors import AuthFailed, Throttled, Unavailable, Unreachable
from connectors.facts import Facts
from connectors.http_errors import network, retry_after

MOST_REDIRECTS = 5
FIRST_FREE_PORT = 1024  # ports below belong to the system (RFC 6335): no media host stands there
CHUNK_BYTES = 65_536
THROTTLED_AFTER = 60.0  # seconds to wait when a media host says 429 without saying how long
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_MOVED = frozenset({301, 302, 303, 307, 308})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Gone(Unreachable):
    """The file is not at this address any more (404, 410): a new address may help."""


def is_public(text: str) -> bool:
    """True if `text` is the address of a public host, however it is wrapped into IPv6."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(each is not None and not is_public(str(each)) for each in inner):
            return False
        if address.ipv4_mapped is not None or address in _NAT64:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


class Checked(AbstractResolver):
    """Resolves a name and hands on its addresses only if every one of them is public."""

    def __init__(self, inside: frozenset[str]) -> None:
        #: Hosts that the operator configured: these may lie inside.
        self._inside = inside

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`; the connector connects to exactly these. Raises OSError when one is not public."""
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST
            )
            for kind, _, proto, _, address in infos
        ]
        if host not in self._inside and not all(is_public(each["host"]) for each in found):
            raise OSError("resolves to an address that is not public")
        return found

    async def close(self) -> None:
        """Holds nothing."""


class MediaClient:
    """Fetches attachments of one channel.

    `hosts` are the names of facts.yaml ("*.x" matches sub-domains), reached by https on its own port only. `bases` are
    addresses that the operator configured (a proxy, the simulator): they may be http and may lie inside the network,
    unless their host stands in `hosts`, which is the provider's own. A media host beside such a base may have a port
    of its own, but not one of the system's.
    """

    def __init__(self, hosts: Sequence[str], bases: Sequence[str], *, max_bytes: int, timeout: float) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._bases = [URL(base) for base in bases if not self._listed(URL(base).host or "")]
        self._max_bytes = max_bytes
        self._timeout = aiohttp.ClientTimeout(
            total=timeout, sock_connect=min(10.0, timeout), sock_read=min(30.0, timeout)
        )
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, facts: Facts, base: str, *, timeout: float) -> MediaClient:
        """The client that the facts of a connector allow; `base` is where the API answers, `timeout` in seconds."""
        return cls(facts.media_hosts.value, [base], max_bytes=facts.max_attachment_bytes.value or 0, timeout=timeout)

    async def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes at `url` in chunks, never more than the limit; a redirect is followed without credentials.

        Raises Gone (404), Unreachable (not allowed, too large), AuthFailed, Throttled or Unavailable.
        """
        here = self._allowed(url)
        sent = {**(headers or {}), "Accept-Encoding": "identity"}
        async with network("the media host", writes=False):
            for _ in range(MOST_REDIRECTS + 1):
                async with self._client().get(
                    here, headers=sent, timeout=self._timeout, allow_redirects=False
                ) as answer:
                    if answer.status in _MOVED:
                        here = self._allowed(answer.headers.get("Location", ""), here)
                        sent = {name: text for name, text in sent.items() if name.lower() not in _CREDENTIALS}
                        continue
                    self._judge(answer)
                    size = 0
                    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                        size += len(chunk)
                        if size > self._max_bytes:
                            raise Unreachable(f"the file is larger than {self._max_bytes} bytes")
                        yield chunk
                    return
            raise Unreachable(f"the media host redirects more than {MOST_REDIRECTS} times")

    async def aclose(self) -> None:
        """Closes the connections; safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            inside = frozenset(base.host or "" for base in self._bases)
            connector = aiohttp.TCPConnector(
                resolver=Checked(inside), use_dns_cache=False, force_close=True, family=socket.AF_UNSPEC
            )
            # No cookies, no proxy from the environment, no .netrc, no unpacking: what comes is what is kept.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
            )
        return self._session

    def _listed(self, host: str) -> bool:
        return any(
            host.endswith(listed[1:]) and len(host) >= len(listed) if listed.startswith("*.") else host == listed
            for listed in self._hosts
        )

    def _allowed(self, text: str, base: URL | None = None) -> URL:
        try:
            url = base.join(URL(text)) if base is not None else URL(text)
            host, port = (url.host or "").lower(), url.port or 0
        except ValueError:
            raise Unreachable("the media address is not one") from None
        if not text or not host or url.user is not None or url.password is not None:
            raise Unreachable("the media address is not one")
        for base in self._bases:
            if (url.scheme, host) == (base.scheme, base.host) and (port == base.port or port >= FIRST_FREE_PORT):
                return url
        if url.scheme != "https" or port != 443 or not self._listed(host):
            raise Unreachable("the media address is not on the list of this channel")
        return url

    def _judge(self, answer: aiohttp.ClientResponse) -> None:
        status = answer.status
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise Gone("the file is gone from the media host")
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise AuthFailed(f"the media host answered HTTP {status}")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = retry_after(answer.headers, datetime.now(UTC))
            raise Throttled("the media host says wait", after=asked if asked is not None else THROTTLED_AFTER)
        if status != HTTPStatus.OK:
            raise Unavailable(f"the media host answered HTTP {status}")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Unavailable("the media host packs what was asked for unpacked")
        if answer.content_length is not None and answer.content_length > self._max_bytes:
            raise Unreachable(f"the file is larger than {self._max_bytes} bytes")
