"""What every public page is answered from, and the rim around its code: errors become pages or problem+json."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from web import limits, problem
from web.language import Language, choose
from web.pages import Pages
from web.ports import Desk, Unavailable
from web.problem import ProblemError
from web.settings import WebSettings
from web.uploads import Spool

_log = logging.getLogger(__name__)

Audience = Literal["people", "programs"]
View = Callable[["Site", web.Request], Awaitable[web.StreamResponse]]


class Site:
    """The desk, the settings and what is built from them once."""

    def __init__(self, desk: Desk, settings: WebSettings) -> None:
        self.desk = desk
        self.settings = settings
        self.pages = Pages(settings)
        self.spool = Spool(settings.attachments_dir, settings.uploads)
        rates = settings.rates
        self._addresses = limits.TokenBuckets(rates.address_burst, rates.address_per_minute, rates.remembered)
        self._contacts = limits.TokenBuckets(rates.contact_burst, rates.contact_per_minute, rates.remembered)

    def remote(self, request: web.Request) -> str:
        """The address of the customer."""
        return limits.client_address(request, self.settings.trusted_proxies)

    def slow_down(self, request: web.Request) -> None:
        """Raises ProblemError(429) for an address that sends too much."""
        wait = self._addresses.take(limits.subnet(self.remote(request)), asyncio.get_running_loop().time())
        if wait:
            raise ProblemError(429, "too_many", "Too many requests from this address.", retry_after=wait)

    def slow_down_contact(self, contact: str) -> None:
        """Raises ProblemError(429) for an address or number that is given too often (P26)."""
        wait = self._contacts.take(contact.strip().lower(), asyncio.get_running_loop().time())
        if wait:
            raise ProblemError(429, "too_many", "Too many complaints with this contact.", retry_after=wait)


def language_of(request: web.Request) -> Language:
    """The language that the reader chose, or the browser prefers, else Indonesian."""
    return choose(request.query.get("lang"), request.headers.get("Accept-Language"))


def guarded(site: Site, view: View, audience: Audience) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The view with every error answered: nothing of an exception's text reaches a stranger or a log."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await view(site, request)
        except ProblemError as error:
            found = error
        except Unavailable as error:
            found = ProblemError(503, "unavailable", "It cannot be kept now.", retry_after=error.after)
        except (web.HTTPException, ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            # The class and the place only: the text of an exception may hold what a customer wrote.
            frame = error.__traceback__
            while frame is not None and frame.tb_next is not None:
                frame = frame.tb_next
            where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
            _log.error("a public page failed: %s at %s", type(error).__name__, where)
            found = ProblemError(500, "internal", "Something went wrong here.")
        if audience == "programs":
            return problem.respond(found)
        return error_page(site, request, found)

    return handle


def error_page(site: Site, request: web.Request, error: ProblemError) -> web.Response:
    """An error as a page for people."""
    key = f"error_{error.status}" if f"error_{error.status}" in site.pages.words["id"] else "error_other"
    response = problem.respond(error)
    headers = {k: v for k, v in response.headers.items() if k in {"Retry-After", "Connection", "Allow"}}
    return site.pages.render(
        "error.html",
        language_of(request),
        path=request.path.removeprefix(site.settings.base),
        status=error.status,
        extra_headers=headers,
        title_key=key,
        organisation=None,
    )
