"""Several pretended providers on one port, and how they start and stop."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

import aiohttp
from aiohttp import web

from simulator.page import Page
from simulator.place import Place, Provider

MOST_REQUEST_BYTES = 110 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0


class Simulation:
    """Running providers; close it with `aclose` or use it as an async context manager."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = list(providers)
        self.urls: dict[str, str] = {}
        self._http: aiohttp.ClientSession | None = None
        self._runners: list[web.AppRunner] = []

    @property
    def base_url(self) -> str:
        """The address of the page, without a slash at the end."""
        return self.urls["page"].rstrip("/")

    async def open(self, host: str, port: int) -> None:
        """Listens and starts every provider; on failure everything started is closed again."""
        try:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=100), cookie_jar=aiohttp.DummyCookieJar()
            )
            app = web.Application(client_max_size=MOST_REQUEST_BYTES)
            media = web.Application(client_max_size=MOST_REQUEST_BYTES)
            kinds: dict[str, list[Provider]] = {}
            for provider in self.providers:
                kinds.setdefault(provider.kind, []).append(provider)
            for accounts in kinds.values():
                mounted = accounts[0].mount(accounts)
                app.router.add_routes(below(accounts[0].path, mounted.routes))
                media.router.add_routes(below(accounts[0].path, mounted.media))
            app.router.add_routes(Page(self.providers).routes())
            base = await self._listen(app, host, port)
            # Media lies on another host at the real provider; another port is another origin too.
            cdn = await self._listen(media, host, 0) if len(media.router.resources()) else base
            self.urls["page"] = f"{base}/"
            self.urls |= {kind: base + accounts[0].path for kind, accounts in kinds.items() if accounts[0].path}
            for provider in self.providers:
                await provider.open(Place(base + provider.path, cdn + provider.path, host, self._http))
                self.urls |= provider.urls
        except BaseException:
            await self.aclose()
            raise

    async def settled(self) -> None:
        """Returns when no provider has a delivery under way."""
        for provider in self.providers:
            await provider.settled()

    async def aclose(self) -> None:
        """Closes every port and task that this simulation opened."""
        for provider in self.providers:
            await provider.aclose()
        while self._runners:
            await self._runners.pop().cleanup()
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def __aenter__(self) -> Simulation:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _listen(self, app: web.Application, host: str, port: int) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self._runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        address = runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        return f"http://{shown}:{address[1]}"


def below(prefix: str, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
    """The same routes under a path prefix."""
    return [web.RouteDef(each.method, prefix + each.path, each.handler, each.kwargs) for each in routes]


async def start(providers: Sequence[Provider], *, host: str = "127.0.0.1", port: int = 0) -> Simulation:
    """The running simulation; port 0 takes a free one. Raises OSError when a port is taken."""
    simulation = Simulation(providers)
    await simulation.open(host, port)
    return simulation
