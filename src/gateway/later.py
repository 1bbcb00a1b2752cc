"""Addresses that are served as soon as their parts are there: the pages and what tells operators how it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from aiohttp import web
from yarl import URL

#: A start takes less than a second on an idle machine: a person rather waits than reads an error.
_WAIT_SECONDS = 10.0
_SOON = "Sedang dimulai, silakan coba lagi sebentar lagi.\nStarting: please try again in a moment.\n"
_STARTING = "it is starting: messages are kept, everything else follows in a moment"


class Later(web.AbstractResource):
    """Every address that no other resource has. Requests wait for `serve` up to 10 s, then they are answered 503."""

    def __init__(self) -> None:
        super().__init__()
        self._router: web.UrlDispatcher | None = None
        self._decided = asyncio.Event()
        self._soon = web.ResourceRoute("*", _soon, self)
        self._starting = web.ResourceRoute("GET", _starting, self)

    def serve(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """Serves these routes from now on, also to those who wait."""
        self._router = web.UrlDispatcher()
        self._router.add_routes(routes)
        self._decided.set()

    def give_up(self) -> None:
        """Answers those who wait with 503: there will be no routes."""
        self._decided.set()

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """The route for a request."""
        if not self._decided.is_set():
            if request.path == "/readyz":
                return web.UrlMappingMatchInfo({}, self._starting), set()
            try:
                async with asyncio.timeout(_WAIT_SECONDS):
                    await self._decided.wait()
            except TimeoutError:
                pass
        if self._router is None:
            return web.UrlMappingMatchInfo({}, self._soon), set()
        return await self._router.resolve(request), set()

    @property
    def canonical(self) -> str:
        """Everything below the root."""
        return "/"

    def raw_match(self, path: str) -> bool:
        """True: it takes whatever is left."""
        return True

    def get_info(self) -> Any:
        """Nothing to tell."""
        return {}

    def url_for(self, **_: str) -> URL:
        """Raises RuntimeError: it has no address of its own."""
        raise RuntimeError("it has no address of its own")

    def add_prefix(self, prefix: str) -> NoReturn:
        """Raises RuntimeError: it stands at the root."""
        raise RuntimeError("it stands at the root")

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._soon, self._starting))


async def _soon(_: web.Request) -> web.Response:
    return web.Response(status=503, text=_SOON, headers={"Retry-After": "5", "Cache-Control": "no-store"})


async def _starting(_: web.Request) -> web.Response:
    return web.json_response({"status": "starting", "todo": [_STARTING]}, status=503, headers={"Retry-After": "1"})
