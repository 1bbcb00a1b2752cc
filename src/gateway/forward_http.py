"""The HTTP of forwarders: to checked addresses only, no redirects, limited in time and size (P22, ASVS 1.3.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp
from yarl import URL

from connectors.errors import Ambiguous as AmbiguousCall
from connectors.errors import ConnectorError
from connectors.http_errors import MOST_ANSWER_BYTES, call, retry_after
from connectors.media import Checked, is_public
from tickets.forwarders.errors import Ambiguous, Misconfigured, Unavailable
from tickets.forwarders.http import Answer
from tickets.forwarders.settings import TargetSettings


class ForwardCalls:
    """Calls one target. Cookies, proxies of the environment and .netrc are not used."""

    def __init__(self, settings: TargetSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._base = URL(settings.url)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, writes: bool
    ) -> Answer:
        """As `tickets.forwarders.http.Call`. Raises Misconfigured for an address that the settings do not allow."""
        name = self._settings.name
        self._allow(URL(url))
        try:
            answered = await call(
                self._client(), name, method, url, within=self._settings.timeout_seconds, writes=writes,
                headers=dict(headers), data=body,
            )  # fmt: skip
        except AmbiguousCall as error:
            raise Ambiguous(str(error)) from None
        except ConnectorError as error:
            raise Unavailable(f"{error}{self._hint(str(error))}") from None
        if len(answered.body) > MOST_ANSWER_BYTES:
            raise Unavailable(f"{name} answers with more than an API would")
        return Answer(
            status=answered.status,
            headers=answered.headers,
            body=answered.body,
            retry_after=retry_after(answered.headers, self._now()),
        )

    async def aclose(self) -> None:
        """Closes the connections; safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _hint(self, trouble: str) -> str:
        """What an operator may have forgotten, when a name leads to no address that may be called."""
        if self._settings.inside or aiohttp.ClientConnectorDNSError.__name__ not in trouble:
            return ""
        return "; a host inside the own network needs `inside: true`"

    def _allow(self, url: URL) -> None:
        name, inside = self._settings.name, self._settings.inside
        if url.origin() != self._base.origin():
            raise Misconfigured(f"{name}: only its own address is called")
        host = url.host or ""
        # A literal address passes by the resolver.
        if not inside and (":" in host or host.replace(".", "").isdigit()) and not is_public(host):
            raise Misconfigured(f"{name}: its address lies inside the network; `inside: true` allows it")

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            allowed = frozenset({self._base.host or ""}) if self._settings.inside else frozenset[str]()
            connector = aiohttp.TCPConnector(resolver=Checked(allowed), limit=self._settings.at_once + 1)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session
