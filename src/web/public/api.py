"""The same for programs: complaints by JSON or multipart, and their public status. Errors are problem+json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from aiohttp import web

from connectors.submission_fields import problem
from web import csrf
from web.pages import wib
from web.ports import Locked, OrganisationPage, Recorded
from web.problem import ProblemError
from web.public.body import Received, read_json, read_multipart
from web.public.site import Site
from web.public.submit import Given, fields_of, slow_down_contacts, spool_failed, submit

#: The complaint schema's groups may be sent as they are: group -> name in it -> field.
_GROUPS = {
    "complainant": {
        name: name
        for name in ("role", "full_name", "id_address", "phone", "email", "customer_ref", "language")
    },
    "representative": {"full_name": "representative_name"},
    "transaction": {
        "type": "transaction_type", "date": "transaction_date", "reference": "transaction_reference",
        "amount_idr": "transaction_amount_idr",
    },
    "loss": {"amount_idr": "loss_amount_idr"},
    "consent": {"publish_narrative": "publish_narrative", "privacy_notice_version": "privacy_notice_version"},
}  # fmt: skip
_ALLOWED_HEADERS = "Content-Type, Idempotency-Key, X-Access-Code"


async def create(site: Site, request: web.Request) -> web.Response:
    """POST a complaint: 201 after the commit, with what the sender must keep."""
    page = page_of(site, request)
    cors = _cors(site, request, page)
    site.slow_down(request)
    channel_id = page.app_channel_id if "X-Api-Key" in request.headers else page.form_channel_id
    if channel_id is None:
        raise ProblemError(401, "no_such_door", "This organisation takes no complaints this way.", headers=cors)
    try:
        given = await read(site, request)
        slow_down_contacts(site, given.fields)
        recorded = await submit(site, request, page, channel_id, given)
    except ProblemError as error:
        error.headers.update(cors)
        raise
    location = f"{site.settings.base}/api/v1/complaints/{recorded.ticket_number}"
    return answer(receipt_of(recorded), 201, {**cors, "Location": location})


async def status(site: Site, request: web.Request) -> web.Response:
    """GET the public status by number and code: an unknown number and a wrong code are answered alike."""
    site.slow_down(request)
    code = request.headers.get("X-Access-Code", "")
    if not code:
        raise ProblemError(401, "code_missing", "Send the access code of the receipt as X-Access-Code.")
    try:
        found = await site.desk.status(request.match_info["ticket_number"], code, site.remote(request))
    except Locked as locked:
        raise ProblemError(
            429, "locked", "Too many wrong codes; try again later.", retry_after=locked.after
        ) from locked
    if found is None:
        raise ProblemError(404, "not_found", "There is no complaint with this number and code.")
    body = {
        "ticket_number": found.ticket_number,
        "status": found.state,
        "status_label": {"id": found.word.id, "en": found.word.en},
        "last_update": rfc3339(found.updated_at),
        "next_due": found.next_due.isoformat() if found.next_due else None,
    }
    return answer(body, 200, {})


async def preflight(site: Site, request: web.Request) -> web.Response:
    """OPTIONS: which sites may send by script."""
    cors = _cors(site, request, page_of(site, request))
    return web.Response(
        status=204,
        headers={
            **cors,
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )


def receipt_of(recorded: Recorded) -> dict[str, Any]:
    """What a sender gets back: times with the offset of Jakarta, dates of Jakarta."""

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "ticket_number": recorded.ticket_number,
        "access_code": recorded.access_code,
        "received_at": rfc3339(recorded.received_at),
        "received_date": recorded.received_date.isoformat(),
        "contact": recorded.contact,
        "first_response_due": day(recorded.first_response_due),
        "resolve_due": day(recorded.resolve_due),
        "status_url": recorded.status_url,
        "receipt_pdf_url": recorded.receipt_pdf_url,
    }


def rfc3339(moment: datetime) -> str:
    """The moment with the offset of Jakarta."""
    return wib(moment).isoformat(timespec="seconds")


def page_of(site: Site, request: web.Request) -> OrganisationPage:
    """The organisation in the address. Raises ProblemError(404)."""
    page = site.desk.organisation(request.match_info["organisation"])
    if page is None:
        raise ProblemError(404, "not_found", "There is no such organisation.")
    return page


def _cors(site: Site, request: web.Request, page: OrganisationPage) -> dict[str, str]:
    origin = request.headers.get("Origin")
    if origin is None or csrf.is_own_origin(origin, request, site.settings):
        return {"Vary": "Origin"}
    if origin not in page.allowed_origins:
        raise ProblemError(403, "origin", "This web site may not send complaints here.", headers={"Vary": "Origin"})
    return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}


async def read(site: Site, request: web.Request) -> Given:
    """A complaint as JSON or multipart, with its key. Raises ProblemError 400, 408, 413, 415, 503."""
    keys = request.headers.getall("Idempotency-Key", [])
    key = keys[0] if len(keys) == 1 else ""
    if request.content_type == "application/json":
        fields, problems = _flat(await read_json(request, site.settings.uploads))
        received = Received(texts={}, uploads=[], problems=problems)
    elif request.content_type == "multipart/form-data":
        try:
            received = await read_multipart(request, site.spool, site.settings.uploads)
        except OSError as error:
            raise spool_failed(error) from error
        fields, doubles = fields_of(received)
        received.problems += doubles
    else:
        raise ProblemError(415, "content_type", "Send application/json or multipart/form-data.")
    if not keys:
        received.problems.append(problem("Idempotency-Key", "required"))
    elif len(keys) > 1:
        received.problems.append(problem("Idempotency-Key", "given_twice"))
    return Given(fields=fields, uploads=received.uploads, problems=received.problems, key=key)


def _flat(given: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Fields by their names in a form, from flat names or from the groups of the complaint schema."""
    fields: dict[str, Any] = {}
    problems = []
    for name, value in given.items():
        if name not in _GROUPS:
            if name in fields:
                problems.append(problem(name, "given_twice"))
            fields.setdefault(name, value)
        elif isinstance(value, dict):
            for inner, each in value.items():
                field = _GROUPS[name].get(inner, f"{name}.{inner}")
                if field in fields:
                    problems.append(problem(field, "given_twice"))
                fields.setdefault(field, each)
        elif value is not None:
            problems.append(problem(name, "not_an_object"))
    return fields, problems


def answer(body: dict[str, Any], status: int, headers: Mapping[str, str]) -> web.Response:
    """A JSON answer that nothing on its way keeps."""
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers},
    )
