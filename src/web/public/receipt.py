"""The receipt behind a link with a 128-bit token: as a page and as the signed PDF. Neither is cached or indexed."""

from __future__ import annotations

import re

from aiohttp import web

from web import headers
from web.problem import ProblemError
from web.public.site import Site, language_of

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{16,128}")
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


async def show(site: Site, request: web.Request) -> web.Response:
    """GET: the receipt as a page; 404 for every token that leads nowhere."""
    token = _token(request)
    site.slow_down(request)
    found = await site.desk.receipt(token)
    if found is None:
        raise ProblemError(404, "not_found", "There is no such receipt.")
    page = site.desk.organisation(found.organisation_slug)
    return site.pages.render(
        "receipt.html",
        language_of(request),
        path=f"/r/{token}",
        frame_origins=page.allowed_origins if page else (),
        secret=True,
        organisation=page,
        receipt=found,
        recorded=found.recorded,
        token=token,
    )


async def pdf(site: Site, request: web.Request) -> web.Response:
    """GET: the receipt as PDF, to be saved."""
    token = _token(request)
    site.slow_down(request)
    found = await site.desk.receipt(token)
    content = await site.desk.receipt_pdf(token)
    if found is None or content is None:
        raise ProblemError(404, "not_found", "There is no such receipt.")
    name = _UNSAFE.sub("", found.recorded.ticket_number) or "tanda-terima"
    page_headers = headers.page_headers(secret=True, secure=site.settings.secure)
    return web.Response(
        body=content,
        content_type="application/pdf",
        headers={**page_headers, "Content-Disposition": f'attachment; filename="{name}.pdf"'},
    )


def _token(request: web.Request) -> str:
    token = request.match_info["token"]
    if not _TOKEN.fullmatch(token):
        raise ProblemError(404, "not_found", "There is no such receipt.")
    return token
