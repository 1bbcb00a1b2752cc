"""The status of a complaint by its number and code: the public word, the last update, the next date, nothing else."""

from __future__ import annotations

import math

from aiohttp import web

from web import csrf
from web.ports import Locked, PublicStatus
from web.problem import ProblemError
from web.public.body import read_multipart, read_urlencoded
from web.public.site import Site, language_of

_LONGEST = 64


async def show(site: Site, request: web.Request) -> web.Response:
    """GET: the question; a link may bring the number along, never the code."""
    return _render(site, request, number=request.query.get("number", "")[:_LONGEST])


async def ask(site: Site, request: web.Request) -> web.Response:
    """POST: the answer, or one and the same sentence for an unknown number and a wrong code."""
    if not csrf.from_our_page(request, site.settings):
        raise ProblemError(403, "origin", "This form was sent from another web site.")
    site.slow_down(request)
    if request.content_type == "multipart/form-data":
        received = await read_multipart(request, site.spool, site.settings.uploads)
    else:
        received = await read_urlencoded(request, site.settings.uploads)
    number, code = received.one("number").strip().upper(), received.one("code").strip()
    missing = [name for name, value in (("number", number), ("code", code)) if not value]
    if missing:
        return _render(site, request, number=number[:_LONGEST], missing=missing, status=400)
    if len(number) > _LONGEST or len(code) > _LONGEST:
        return _render(site, request, number=number[:_LONGEST], wrong=True, status=404)
    try:
        found = await site.desk.status(number, code, site.remote(request))
    except Locked as locked:
        return _render(site, request, number=number, locked=locked.after, status=429)
    if found is None:
        return _render(site, request, number=number, wrong=True, status=404)
    return _render(site, request, number=number, found=found)


def _render(
    site: Site,
    request: web.Request,
    *,
    number: str,
    found: PublicStatus | None = None,
    missing: list[str] | None = None,
    wrong: bool = False,
    locked: float | None = None,
    status: int = 200,
) -> web.Response:
    return site.pages.render(
        "status.html",
        language_of(request),
        path="/status",
        status=status,
        extra_headers={"Retry-After": str(math.ceil(locked))} if locked is not None else {},
        organisation=None,
        number=number,
        found=found,
        missing=missing or [],
        wrong=wrong,
        locked_minutes=None if locked is None else max(1, math.ceil(locked / 60)),
    )
