"""The complaint form of one organisation: shown, sent, and shown again with everything kept when something is wrong."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from connectors import form_token
from connectors.submission import Form, Upload
from connectors.submission_fields import LONGEST, Problem, problem
from web import csrf, file_types, kept_files
from web.language import Language
from web.ports import OrganisationPage, Recorded
from web.problem import ProblemError
from web.public.body import FILE_FIELDS, Received, read_multipart, read_urlencoded
from web.public.site import Site, language_of
from web.public.submit import Given, fields_of, slow_down_contacts, spool_failed, submit

_OURS = ("token", "leave_empty")
#: Parts that are folded until something in them is used or wrong.
_FOLDED = {
    "transaction": (
        "transaction_type",
        "transaction_date",
        "transaction_reference",
        "transaction_amount_idr",
        "loss_amount_idr",
    ),
    "representative": ("acting_as", "representative_name", "power_of_attorney"),
}
#: How often a second press of the button asks for the first one's outcome, and a quick one for its time; the pause
#: grows by this much, seconds, with jitter, so that many presses do not meet again and again.
_ATTEMPTS = 12
_PAUSE = 0.15


class Shown(Struct, frozen=True, kw_only=True):
    """What one rendering of the form holds."""

    values: dict[str, str]
    uploads: tuple[Upload, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: The token to keep; None for a new one.
    token: str | None = None
    #: A sentence above the form, by its key in the wording.
    notice: str | None = None
    status: int = 200
    retry_after: float | None = None


async def show(site: Site, request: web.Request) -> web.Response:
    """GET: the empty form."""
    page, channel_id = _page(site, request)
    return _render(site, request, page, channel_id, Shown(values={}))


async def redirect(site: Site, request: web.Request) -> web.Response:
    """GET without the last slash: the form's one address."""
    _page(site, request)
    query = f"?{request.query_string}" if request.query_string else ""
    raise web.HTTPPermanentRedirect(f"{site.settings.base}/{request.match_info['organisation']}/{query}")


async def send(site: Site, request: web.Request) -> web.Response:
    """POST: 303 to the receipt, so that a reload never sends again; or the form again with what is wrong."""
    page, channel_id = _page(site, request)
    received = await _read(site, request, channel_id)
    token = received.one("token")
    session = csrf.session_of(request, site.settings, channel_id, token)
    fields, doubles = fields_of(received)
    for name in _OURS:
        fields.pop(name, None)
    values = {name: value for name, value in fields.items() if isinstance(value, str) and name in LONGEST}
    shown = Shown(values=values, uploads=tuple(received.uploads), token=token)
    said = form_token.read(site.settings.secret, channel_id, token)
    if session is None or said is None or said.session != session:
        forged = (*received.problems, problem("form", "form_unknown"))
        return _again(site, request, page, channel_id, shown, forged, 403, fresh=True)
    given = Given(
        fields=fields,
        uploads=received.uploads,
        problems=[*received.problems, *doubles],
        key=said.nonce,
        form=Form(token=token, session=session, leave_empty=received.one("leave_empty")),
    )
    try:
        site.slow_down(request)
        slow_down_contacts(site, fields)
        recorded = await _submit(site, request, page, channel_id, given)
    except ProblemError as error:
        return _after(site, request, page, channel_id, shown, error)
    return _see_receipt(site, recorded, language_of(request))


async def _read(site: Site, request: web.Request, channel_id: str) -> Received:
    def kept(reference: str, received: Received) -> Upload | None:
        session = csrf.session_of(request, site.settings, channel_id, received.one("token"))
        if session is None:
            return None
        upload = kept_files.read(site.settings.secret, reference, session, site.settings.now())
        return upload if upload is not None and site.spool.path(upload.sha256).is_file() else None

    if request.content_type == "multipart/form-data":
        try:
            return await read_multipart(request, site.spool, site.settings.uploads, kept)
        except OSError as error:
            raise spool_failed(error) from error
    if request.content_type == "application/x-www-form-urlencoded":
        return await read_urlencoded(request, site.settings.uploads)
    raise ProblemError(415, "content_type", "Send the form as multipart/form-data.")


async def _submit(site: Site, request: web.Request, page: OrganisationPage, channel_id: str, given: Given) -> Recorded:
    for attempt in range(1, _ATTEMPTS):
        try:
            return await submit(site, request, page, channel_id, given)
        except ProblemError as error:
            # Filled in by the browser itself, a good form is quick too: it waits here, so that nobody presses twice.
            too_fast = bool(error.problems) and {p.code for p in error.problems} == {"form_too_fast"}
            if error.code != "in_flight" and not too_fast:
                raise
            await asyncio.sleep(_PAUSE * attempt * (0.5 + secrets.randbelow(1000) / 1000))
    return await submit(site, request, page, channel_id, given)


def _see_receipt(site: Site, recorded: Recorded, language: Language) -> web.Response:
    path = urlsplit(recorded.receipt_url).path
    return web.Response(
        status=303,
        headers={
            "Location": f"{path}?lang={language}",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        },
    )


def _after(
    site: Site, request: web.Request, page: OrganisationPage, channel_id: str, shown: Shown, error: ProblemError
) -> web.Response:
    codes = {p.code for p in error.problems}
    if error.problems:
        fresh = bool(codes & {"form_unknown", "form_expired"})
        # Who must correct something else comes back later anyway: "too fast" would only confuse.
        others = tuple(p for p in error.problems if p.code != "form_too_fast")
        return _again(site, request, page, channel_id, shown, others or error.problems, error.status, fresh=fresh)
    notice = {409: "notice_in_flight", 422: "notice_sent_before", 429: "notice_too_many", 503: "notice_unavailable"}
    if error.status not in notice:
        raise error
    # A key that was used with other words: the next press of the button is a new complaint.
    again = Shown(
        values=shown.values,
        uploads=shown.uploads,
        token=None if error.status == 422 else shown.token,
        notice=notice[error.status],
        status=error.status,
        retry_after=error.retry_after,
    )
    return _render(site, request, page, channel_id, again)


def _again(
    site: Site,
    request: web.Request,
    page: OrganisationPage,
    channel_id: str,
    shown: Shown,
    problems: tuple[Problem, ...],
    status: int,
    *,
    fresh: bool,
) -> web.Response:
    again = Shown(
        values=shown.values,
        uploads=shown.uploads,
        problems=problems,
        token=None if fresh else shown.token,
        status=status,
    )
    return _render(site, request, page, channel_id, again)


def _render(site: Site, request: web.Request, page: OrganisationPage, channel_id: str, shown: Shown) -> web.Response:
    settings = site.settings
    language = language_of(request)
    cookie = csrf.cookie_of(request, settings) or csrf.new_cookie()
    now = settings.now()
    token = shown.token
    if token is None:
        token = form_token.issue(settings.secret, channel_id, cookie, secrets.token_bytes(16), now)
    session = form_token.session_name(cookie)
    by_field: dict[str, list[str]] = {}
    for each in shown.problems:
        text = each.message_en if language == "en" else each.message_id
        by_field.setdefault(each.field, []).append(text)
    headers = {"Retry-After": str(int(shown.retry_after) + 1)} if shown.retry_after is not None else {}
    if request.method == "GET":
        # The empty form holds nothing of anybody; kept by the browser, going back finds what was typed into it.
        headers["Cache-Control"] = "private, no-cache"
    response = site.pages.render(
        "form.html",
        language,
        path=f"/{page.slug}/",
        status=shown.status,
        frame_origins=page.allowed_origins,
        extra_headers=headers,
        organisation=page,
        values=shown.values,
        errors=by_field,
        summary=_summary(by_field),
        opened={name: any(shown.values.get(f) or f in by_field for f in group) for name, group in _FOLDED.items()},
        notice=shown.notice,
        token=token,
        kept=[
            {"reference": kept_files.sign(settings.secret, upload, session, now), "upload": upload}
            for upload in shown.uploads
        ],
        limits=settings.uploads,
        longest=LONGEST,
        accept=file_types.ACCEPT,
        accepted=file_types.ALLOWED_WORDS,
    )
    csrf.set_cookie(response, settings, cookie)
    return response


def _summary(by_field: dict[str, list[str]]) -> list[dict[str, Any]]:
    """One line for each field with a problem, in the order of the page; a field that is not on it has no link."""
    on_page = {*LONGEST, *FILE_FIELDS, "leave_empty"}
    return [
        {"field": field, "linked": field in on_page, "text": text}
        for field, texts in by_field.items()
        for text in texts
    ]


def _page(site: Site, request: web.Request) -> tuple[OrganisationPage, str]:
    page = site.desk.organisation(request.match_info["organisation"])
    if page is None or page.form_channel_id is None:
        raise ProblemError(404, "not_found", "There is no such page.")
    return page, page.form_channel_id
