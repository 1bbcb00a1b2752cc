"""Errors for programs: RFC 9457 problem+json, every wrong field named in both languages."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from connectors.submission_fields import Problem


class ProblemError(Exception):
    """A request that is answered with an error: a page for people, problem+json for programs."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        problems: Sequence[Problem] = (),
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.problems = tuple(problems)
        self.retry_after = retry_after
        self.headers = dict(headers or {})


def respond(error: ProblemError) -> web.Response:
    """The error as problem+json (RFC 9457); `errors` lists field, code, and the sentence in both languages."""
    body: dict[str, object] = {
        "type": f"urn:aduan:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
    }
    if error.problems:
        body["errors"] = [
            {"field": p.field, "code": p.code, "message_id": p.message_id, "message_en": p.message_en}
            for p in error.problems
        ]
    headers = {"Cache-Control": "no-store", **error.headers}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return web.Response(
        status=error.status,
        body=json.dumps(body, ensure_ascii=True).encode(),
        content_type="application/problem+json",
        headers=headers,
    )
