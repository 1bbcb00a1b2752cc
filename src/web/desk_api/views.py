"""What each address of the API does with a request: read it, ask the office, answer JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from connectors.submission_fields import Problem
from tickets.lifecycle_events import BY_THE_CLOCK, Event
from tickets.people import Person
from web.desk_api.ports import Asked, Office, TicketQuery
from web.problem import ProblemError

#: Lines in one answer at most.
MOST = 500
_BODY_BYTES = 128 * 1024
_REVISION = re.compile(r'^"?(\d{1,9})"?$')
_KEY = re.compile(r"^[\x21-\x7e]{1,128}$")
_LIST_QUERY = frozenset({"organisation", "state", "channel", "after", "limit"})
_read_event = msgspec.json.Decoder(Event).decode
_encode = msgspec.json.Encoder().encode


async def list_tickets(office: Office, person: Person, request: web.Request) -> web.Response:
    """Lines of tickets."""
    query = _query(request, _LIST_QUERY)
    limit = _limit(query.pop("limit", None))
    return _json(await office.tickets(person, TicketQuery(**query, limit=limit)))


async def show_ticket(office: Office, person: Person, request: web.Request) -> web.Response:
    """One complaint, with its revision as ETag."""
    _query(request, frozenset())
    found = await office.ticket(person, request.match_info["number"])
    return _json(found, {"ETag": f'"{found["ticket"].get("life", {}).get("revision", 0)}"'})


async def post_event(office: Office, person: Person, request: web.Request) -> web.Response:
    """One event for one ticket."""
    query = _query(request, frozenset({"dry_run", "at"}))
    asked = Asked(
        event=await _event(request),
        revision=_revision(request),
        key=_key(request),
        dry_run=_yes(query.get("dry_run")),
        at=_moment(query.get("at")),
    )
    return _json(await office.do(person, request.match_info["number"], asked))


async def list_tasks(office: Office, person: Person, request: web.Request) -> web.Response:
    """Open tasks."""
    query = _query(request, frozenset({"organisation", "limit"}))
    return _json(await office.tasks(person, query.get("organisation"), _limit(query.get("limit"))))


async def close_task(office: Office, person: Person, request: web.Request) -> web.Response:
    """204 when it was closed."""
    await office.close_task(person, request.match_info["id"])
    return _nothing()


async def list_channels(office: Office, person: Person, request: web.Request) -> web.Response:
    """Channels and their state."""
    _query(request, frozenset())
    return _json(await office.channels(person))


async def list_quarantine(office: Office, person: Person, request: web.Request) -> web.Response:
    """Open items of the quarantine."""
    query = _query(request, frozenset({"limit"}))
    return _json(await office.quarantine(person, _limit(query.get("limit"))))


async def dismiss(office: Office, person: Person, request: web.Request) -> web.Response:
    """204 when it was decided."""
    await office.dismiss(person, request.match_info["id"])
    return _nothing()


async def list_proposals(office: Office, person: Person, request: web.Request) -> web.Response:
    """Complaints that may belong together."""
    query = _query(request, frozenset({"organisation", "limit"}))
    return _json(await office.proposals(person, query.get("organisation"), _limit(query.get("limit"))))


async def confirm_proposal(office: Office, person: Person, request: web.Request) -> web.Response:
    """What the merge or the grouping did."""
    return _json(await office.confirm(person, request.match_info["id"]))


async def refuse_proposal(office: Office, person: Person, request: web.Request) -> web.Response:
    """204 when it was decided."""
    await office.refuse(person, request.match_info["id"])
    return _nothing()


async def show_report(office: Office, person: Person, request: web.Request) -> web.Response:
    """The figures of one report."""
    _query(request, frozenset())
    info = request.match_info
    try:
        found = await office.report(person, info["organisation"], info["kind"], info["period"])
    except ValueError as error:
        raise ProblemError(400, "bad_period", str(error)) from error
    return _json(found)


async def _event(request: web.Request) -> Event:
    if request.content_type != "application/json":
        raise ProblemError(415, "content_type", "Send application/json.")
    if (request.content_length or 0) > _BODY_BYTES:
        raise ProblemError(413, "too_large", f"An event has at most {_BODY_BYTES} bytes.")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _BODY_BYTES:
            raise ProblemError(413, "too_large", f"An event has at most {_BODY_BYTES} bytes.")
    try:
        event: Event = _read_event(bytes(body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec names the place and the type that was expected, never the value that was sent.
        raise ProblemError(400, "not_an_event", _told(error)) from error
    if isinstance(event, BY_THE_CLOCK):
        raise ProblemError(403, "by_the_clock", "This happens by the clock alone; nobody may say it.")
    return event


def _told(error: Exception) -> str:
    """What is wrong with the body; without the text after a quotation mark, where a value might be repeated."""
    text = str(error)
    known = text if isinstance(error, msgspec.ValidationError) and "Invalid enum value" not in text else ""
    return known or "The body is not one of the events that /openapi.json describes."


def _query(request: web.Request, known: frozenset[str]) -> dict[str, str]:
    """The query, each name once. Raises ProblemError(400) naming what is unknown or doubled."""
    problems: list[Problem] = []
    for name in dict.fromkeys(request.query):
        if name not in known:
            problems.append(_wrong(name[:40], "unknown", "tidak dikenal", "is not known here"))
        elif len(request.query.getall(name)) > 1:
            problems.append(_wrong(name, "given_twice", "diberikan dua kali", "is given twice"))
    if problems:
        raise ProblemError(400, "bad_query", "The query cannot be used.", problems)
    return dict(request.query)


def _limit(given: str | None) -> int:
    if given is None:
        return 50
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:6]) <= MOST:
        wrong = _wrong("limit", "out_of_range", f"harus 1 sampai {MOST}", f"must be 1 to {MOST}")
        raise ProblemError(400, "bad_query", "The query cannot be used.", [wrong])
    return int(given)


def _yes(given: str | None) -> bool:
    if given in {None, "false", "0"}:
        return False
    if given in {"", "true", "1"}:
        return True
    wrong = _wrong("dry_run", "not_a_boolean", "harus true atau false", "must be true or false")
    raise ProblemError(400, "bad_query", "The query cannot be used.", [wrong])


def _moment(given: str | None) -> datetime | None:
    """The time in the query; its `+` may have become a blank on the way."""
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        wrong = _wrong("at", "not_a_time", "harus RFC 3339 dengan zona waktu", "must be RFC 3339 with an offset")
        raise ProblemError(400, "bad_query", "The query cannot be used.", [wrong])
    return found.astimezone(UTC)


def _revision(request: web.Request) -> int | None:
    given = request.headers.getall("If-Match", [])
    if not given:
        return None
    found = _REVISION.match(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise ProblemError(400, "bad_if_match", 'If-Match holds the revision of the ticket that you saw: "7".')
    return int(found[1])


def _key(request: web.Request) -> str | None:
    given = request.headers.getall("Idempotency-Key", [])
    if not given:
        return None
    if len(given) > 1 or not _KEY.match(given[0]):
        raise ProblemError(400, "bad_key", "Idempotency-Key is one word of at most 128 visible characters.")
    return given[0]


def _wrong(name: str, code: str, indonesian: str, english: str) -> Problem:
    return Problem(field=name, code=code, message_id=f"{name} {indonesian}.", message_en=f"{name} {english}.")


def _json(value: Any | Sequence[Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=_encode(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )


def _nothing() -> web.Response:
    return web.Response(status=204, headers={"Cache-Control": "no-store"})
