"""Is this receipt real? Anybody may upload one and is told whether it is ours and unchanged, and why."""

from __future__ import annotations

from aiohttp import web

from web import csrf
from web.ports import Verdict
from web.problem import ProblemError
from web.public.body import read_file
from web.public.site import Site, language_of

#: A receipt of ours weighs a tenth of it.
_LARGEST_RECEIPT = 5 * 1024 * 1024
#: Characters; a statement has a few hundred.
_LONGEST_CODE = 4096


async def show(site: Site, request: web.Request) -> web.Response:
    """GET: the question; with `s`, the signed statement of a printed receipt's QR code, the verdict on it."""
    code = request.query.get("s", "")
    if not code:
        return _render(site, request)
    site.slow_down(request)
    return _render(site, request, verdict=await site.desk.verify_code(code[:_LONGEST_CODE]))


async def judge(site: Site, request: web.Request) -> web.Response:
    """POST: the verdict with its reason. The file is read in memory and kept nowhere."""
    if not csrf.from_our_page(request, site.settings):
        raise ProblemError(403, "origin", "This form was sent from another web site.")
    site.slow_down(request)
    if request.content_type != "multipart/form-data":
        raise ProblemError(415, "content_type", "Send the file as multipart/form-data.")
    try:
        pdf = await read_file(request, site.settings.uploads, "receipt", _LARGEST_RECEIPT)
    except ProblemError as error:
        problems = {"no_file": "verify_no_file", "too_large": "verify_too_large"}
        if error.code not in problems:
            raise
        return _render(site, request, problem=problems[error.code], status=error.status)
    if not pdf.startswith(b"%PDF-"):
        return _render(site, request, problem="verify_not_pdf", status=400)
    return _render(site, request, verdict=await site.desk.verify(pdf))


def _render(
    site: Site, request: web.Request, *, verdict: Verdict | None = None, problem: str | None = None, status: int = 200
) -> web.Response:
    return site.pages.render(
        "verify.html",
        language_of(request),
        path="/verify",
        status=status,
        extra_headers={"Connection": "close"} if status == 413 else {},
        organisation=None,
        verdict=verdict,
        problem=problem,
    )
