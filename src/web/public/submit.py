"""From what came in to a recorded complaint: one document, sealed, handed to the desk; errors named for the sender."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from msgspec import Struct

from connectors import submission
from connectors.contract import Request
from connectors.errors import Rejected
from connectors.submission import Form, InvalidSubmission, Upload
from connectors.submission_fields import NAMES, Problem, check, problem
from normalizer import identity
from web.ports import Conflict, Entered, InFlight, OrganisationPage, Recorded
from web.problem import ProblemError
from web.public.body import FILE_FIELDS, Received
from web.public.site import Site

#: What staff say before the complaint itself.
_FIRST = ("channel", "received_at")
_TOO_LARGE = frozenset({"file_too_large", "files_too_large", "too_many_files"})


class Given(Struct, frozen=True, kw_only=True):
    """A submission as it came in."""

    fields: Mapping[str, Any]
    uploads: Sequence[Upload]
    problems: Sequence[Problem]
    key: str
    form: Form | None = None


def fields_of(received: Received) -> tuple[dict[str, Any], list[Problem]]:
    """One value for each field, and a problem for each that stands twice."""
    fields = {name: values[0] for name, values in received.texts.items()}
    doubles = [problem(name, "given_twice") for name, values in received.texts.items() if len(values) > 1]
    return fields, doubles


async def submit(site: Site, request: web.Request, page: OrganisationPage, channel_id: str, given: Given) -> Recorded:
    """The recorded complaint. Raises ProblemError: 400 naming every field, 401, 409, 413, 422, 503."""
    problems = [*given.problems, *_category_problems(page, given.fields)]
    if problems:
        raise invalid([*problems, *check(given.fields)[1]])
    with answered():
        return await site.desk.submit(channel_id, sealed(site, request, channel_id, given, "X-Api-Key"))


async def enter(site: Site, request: web.Request, page: OrganisationPage, channel_id: str, given: Given) -> Entered:
    """The recorded complaint of somebody who was told it. Raises ProblemError as `submit`."""
    judged = sealed(site, request, channel_id, given, "Authorization")
    problems = [*given.problems, *_category_problems(page, given.fields)]
    with answered():
        if problems:
            raise invalid([*problems, *site.desk.problems(channel_id, judged)])
        return await site.desk.enter(channel_id, judged)


def sealed(site: Site, request: web.Request, channel_id: str, given: Given, proof: str) -> Request:
    """What came in as the one document that the connector judges, with the header that proves who sends it."""
    body = submission.document(given.fields, given.uploads, given.key, given.form)
    headers = [("content-type", "application/json"), (submission.SEAL_HEADER, _seal(site, channel_id, body))]
    headers += [(proof.lower(), value) for value in request.headers.getall(proof, [])]
    return Request(
        method="POST",
        target=request.path,
        headers=tuple(headers),
        body=body,
        received_at=site.settings.now(),
        remote=site.remote(request),
    )


@contextmanager
def answered() -> Iterator[None]:
    """Turns what the desk raises into the answer that the sender gets: ProblemError 400, 401, 409, 413, 422."""
    try:
        yield
    except InvalidSubmission as error:
        raise invalid(error.problems) from error
    except Rejected as rejected:
        raise ProblemError(rejected.status, "rejected", rejected.reason) from rejected
    except Conflict as conflict:
        raise ProblemError(422, "key_reused", "This Idempotency-Key was used with another body.") from conflict
    except InFlight as in_flight:
        raise ProblemError(
            409, "in_flight", "The first request is still being worked on.", retry_after=1
        ) from in_flight


def slow_down_contacts(site: Site, fields: Mapping[str, Any]) -> None:
    """Raises ProblemError(429) when an address or number in the fields is given too often (P26)."""
    for contact in _contacts(fields):
        site.slow_down_contact(contact)


def spool_failed(error: OSError) -> ProblemError:
    """What a full or broken disk means for the sender. Raises the error itself when it is something else."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}:
        return ProblemError(503, "unavailable", "Files cannot be kept now.", retry_after=60)
    raise error


def invalid(problems: Sequence[Problem]) -> ProblemError:
    """The answer that names every field: 413 when only the size of files is wrong, else 400."""
    order = {name: place for place, name in enumerate((*_FIRST, *NAMES, *FILE_FIELDS))}
    unique = {(p.field, p.code, p.message_id): p for p in problems}
    found = sorted(unique.values(), key=lambda p: order.get(p.field, len(order)))
    status = 413 if found and all(p.code in _TOO_LARGE for p in found) else 400
    return ProblemError(status, "invalid", "Some fields are missing or not valid.", problems=found)


def _category_problems(page: OrganisationPage, fields: Mapping[str, Any]) -> list[Problem]:
    category = fields.get("category")
    values = [choice.value for choice in page.categories]
    if not isinstance(category, str) or not category.strip() or category.strip() in values:
        return []
    if not values:
        return [problem("category", "no_choice")]
    return [problem("category", "not_a_choice", choices=", ".join(values))]


def _contacts(fields: Mapping[str, Any]) -> list[str]:
    email, phone = fields.get("email"), fields.get("phone")
    known = identity.email(email) if isinstance(email, str) else None
    number = identity.phone(phone) if isinstance(phone, str) else None
    return [contact for contact in (known.address if known else None, number) if contact]


def _seal(site: Site, channel_id: str, body: bytes) -> str:
    return submission.seal(site.settings.secret, channel_id, body)
