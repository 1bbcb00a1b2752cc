"""Calls of Meta's Graph API with one token, and the error class that its answers mean: every product alike.

The token travels in a header, never in an address. Of an error only its numbers are read: texts change and may quote.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from connectors import http_errors
from connectors.codes import Codes
from connectors.errors import Ambiguous, ConnectorError, Unavailable
from connectors.json_items import UNREADABLE

LISTED_AT_ONCE = 100
_encode = msgspec.json.Encoder().encode

T = TypeVar("T")


# {"message":"...","type":"OAuthException","code":10,"error_subcode":2018278,"fbtrace_id":"..."}
class Failure(Struct):
    """An error of the Graph API."""

    code: int | str | None = None
    error_subcode: int | str | None = None


class FailureAnswer(Struct):
    """{"error":{...}}; a good answer has no such key."""

    error: Failure | None = None


class Cursors(Struct):
    """{"before":"QVFI...","after":"QVFI..."}"""

    after: str | None = None


class Paging(Struct):
    """Where a list goes on; `next` stands only while there is more. It holds the token, so it is never called."""

    cursors: Cursors | None = None
    next: str | None = None


class Page(Struct):
    """{"data":[...],"paging":{...}}"""

    data: list[msgspec.Raw] = []
    paging: Paging | None = None


class Graph:
    """The Graph API for one account."""

    def __init__(
        self,
        provider: str,
        base: str,
        token: Callable[[], str],
        codes: Codes,
        *,
        session: Callable[[], aiohttp.ClientSession],
        now: Callable[[], datetime],
        timeout: float,
    ) -> None:
        """`base` is address and version ("https://graph.facebook.com/v26.0"), `timeout` that of one call in seconds."""
        self._provider = provider
        self._base = base
        self._token = token
        self._codes = codes
        self._session = session
        self._now = now
        self._timeout = timeout

    def bearer(self) -> dict[str, str]:
        """The header that carries the token."""
        return {"Authorization": f"Bearer {self._token()}"}

    async def get(self, path: str, type_: type[T], **params: str | int) -> T:
        """The answer as `type_`. Raises a class of `connectors.errors`."""
        found = await self._call("GET", path, type_, (), params=params)
        if found is None:
            raise Unavailable(f"{self._provider} answered what cannot be read")
        return found

    async def pages(self, path: str, **params: str | int) -> AsyncGenerator[list[msgspec.Raw], None]:
        """The items of a list, page by page. Raises a class of `connectors.errors`."""
        position: dict[str, str] = {}
        been: set[str] = set()
        while True:
            page = await self.get(path, Page, limit=LISTED_AT_ONCE, **params, **position)
            yield page.data
            cursors = page.paging.cursors if page.paging is not None and page.paging.next else None
            if cursors is None or not cursors.after or cursors.after in been:
                return
            been.add(cursors.after)
            position = {"after": cursors.after}

    async def post(self, path: str, type_: type[T], body: dict[str, Any], done: Collection[int] = ()) -> T | None:
        """The answer to a JSON body as `type_`; None when it is refused with a number of `done`: it was done before.

        Raises a class of `connectors.errors`.
        """
        return await self._call("POST", path, type_, done, data=_encode(body))

    async def _call(self, method: str, path: str, type_: type[T], done: Collection[int], **request: Any) -> T | None:
        headers = self.bearer()
        if "data" in request:
            headers["Content-Type"] = "application/json"
        writes = method == "POST"
        answer = await http_errors.call(
            self._session(),
            self._provider,
            method,
            f"{self._base}/{path}",
            within=self._timeout,
            writes=writes,
            headers=headers,
            **request,
        )
        failure = read(answer.body, FailureAnswer)
        failed = failure.error if failure is not None else None
        if failed is not None and not {_number(failed.code), _number(failed.error_subcode)}.isdisjoint(done):
            return None
        if answer.status != HTTPStatus.OK or failed is not None:
            raise self._refused(answer, failed, writes=writes)
        found = read(answer.body, type_)
        if found is None and writes:
            raise Ambiguous(f"{self._provider} accepted the message but its answer names none")
        return found

    def _refused(self, answer: http_errors.Answered, failed: Failure | None, *, writes: bool) -> ConnectorError:
        code = _number(failed.code) if failed is not None else None
        subcode = _number(failed.error_subcode) if failed is not None else None
        return http_errors.error(
            self._provider,
            self._codes,
            answer.status,
            code=deciding(self._codes, code, subcode),
            headers=answer.headers,
            now=self._now(),
            writes=writes,
        )


#: Subcodes below are counted anew under every code ("190/460", "100/33"); those above name one thing alone.
FIRST_OWN_SUBCODE = 1_000_000


def deciding(codes: Codes, code: int | None, subcode: int | None) -> int | None:
    """Which of the two numbers decides: a subcode that the table lists, else the code."""
    if subcode is not None and subcode >= FIRST_OWN_SUBCODE and codes.named(subcode) is not None:
        return subcode
    return code


def read(body: bytes | msgspec.Raw, type_: type[T]) -> T | None:
    """The answer, or one item of it, as `type_`; None when it cannot be read as one."""
    try:
        return msgspec.json.decode(body, type=type_)
    except UNREADABLE:
        return None


def _number(value: int | str | None) -> int | None:
    return int(value) if value is not None and str(value).isdecimal() and len(str(value)) <= 16 else None
