"""The API of the desk for programs: tickets, events, tasks, channels, quarantine, reports. `routes` is what is mounted.

Every address but `/openapi.json` wants a bearer token of a person of the desk (`aduan user token`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from tickets.people import Person
from web import limits, problem
from web.desk_api import openapi
from web.desk_api.operations import OPERATIONS, Operation
from web.desk_api.ports import Forbidden, NotFound, Office, RefusedEvent, Stale
from web.problem import ProblemError
from web.settings import WebSettings

__all__ = ["routes"]

_log = logging.getLogger(__name__)
#: Bearer tokens that do not count, from one address: enough for a wrong setting, too few for guessing.
_WRONG_BURST, _WRONG_PER_MINUTE = 20, 10.0
_BEARER = {"WWW-Authenticate": 'Bearer realm="aduan"'}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(office: Office, settings: WebSettings) -> list[web.RouteDef]:
    """The routes of the API and of its description."""
    door = _Door(office, settings)
    described = msgspec.json.encode(openapi.document(OPERATIONS, settings.public_url))

    async def description(_: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=described, content_type="application/json", headers=headers)

    return [
        web.get("/openapi.json", description),
        *(web.route(each.method, each.path, door.through(each)) for each in OPERATIONS),
    ]


class _Door:
    """Lets people of the desk in, and answers whatever goes wrong behind it."""

    def __init__(self, office: Office, settings: WebSettings) -> None:
        self._office = office
        self._settings = settings
        self._wrong = limits.TokenBuckets(_WRONG_BURST, _WRONG_PER_MINUTE, settings.rates.remembered)

    def through(self, operation: Operation) -> Handler:
        """The operation for requests with a token that counts."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                person = await self._person(request)
                return await operation.view(self._office, person, request)
            except ProblemError as error:
                return problem.respond(error)
            except NotFound:
                return problem.respond(ProblemError(404, "not_found", "There is none, or it is not yours to see."))
            except Forbidden:
                return problem.respond(ProblemError(403, "forbidden", "Your role does not allow this."))
            except Stale as error:
                detail = f"The ticket has moved on to revision {error.revision}: read it again."
                return problem.respond(ProblemError(409, "stale", detail, headers={"ETag": f'"{error.revision}"'}))
            except RefusedEvent as error:
                return _refused(error)
            except (web.HTTPException, ConnectionError, asyncio.CancelledError):
                raise
            except Exception as error:
                # The class only: the text of an exception may hold what a customer wrote.
                _log.error("an address of the API failed: %s at %s", type(error).__name__, operation.path)
                return problem.respond(ProblemError(500, "internal", "Something went wrong here."))

        return handle

    async def _person(self, request: web.Request) -> Person:
        given = request.headers.getall("Authorization", [])
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        remote = limits.subnet(limits.client_address(request, self._settings.trusted_proxies))
        if scheme.lower() != "bearer" or not token:
            raise ProblemError(401, "no_token", "Send a bearer token: `aduan user token` makes one.", headers=_BEARER)
        person = await self._office.person(token.strip())
        if person is not None:
            return person
        wait = self._wrong.take(remote, asyncio.get_running_loop().time())
        if wait:
            raise ProblemError(429, "too_many", "Too many wrong tokens from this address.", retry_after=wait)
        raise ProblemError(401, "wrong_token", "This token does not count, or not any more.", headers=_BEARER)


def _refused(error: RefusedEvent) -> web.Response:
    body = {
        "type": f"urn:aduan:refusal:{error.code}",
        "title": "Not allowed",
        "status": 422,
        "detail": error.sentence.en,
        "detail_id": error.sentence.id,
        "rule": error.rule,
        "sources": list(error.sources),
    }
    return web.Response(
        status=422,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
    )
