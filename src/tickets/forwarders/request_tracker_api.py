"""The calls of RT's REST 2.0 API that handing over needs, with the traps that RT 5 sets (each was seen on a real one).

- PUT answers 200 with a sentence in the user's language also when nothing was changed: whoever writes must read again.
- The ETag of a ticket is the id of its last transaction: it tells any change there, and If-Match guards a write.
- Some transactions that the user may not see (comments without ShowTicketComments) are dropped behind the page's
  limit, and `total` is null: a short page says nothing about the next.
- Times in a query are read in the user's time zone, with or without an offset; "90 seconds ago" is not.
- A date in a PUT must be written as "2026-01-31 16:59:59" (UTC): in RFC 3339 form it is taken, and reads as 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct, field

from tickets.forwarders.errors import Ambiguous, Refused, Unavailable
from tickets.forwarders.http import Answer, Call, judge

_FIELDS = "Type,Creator,Created,ObjectId,Field,OldValue,NewValue"
#: The most that RT gives on one page.
PAGE = 100
#: No question here has more pages; RT would be asked for ever if it never gave an empty one.
MOST_PAGES = 500

T = TypeVar("T")


class Ref(Struct, frozen=True):
    """Something else in RT: a user by name, a ticket by number."""

    id: str | int = ""


class Link(Struct, frozen=True):
    """An entry of `_hyperlinks`: what may be done with the ticket, and what it refers to."""

    ref: str = ""
    url: str = field(default="", name="_url")


class RtTicket(Struct, frozen=True, rename="pascal"):
    """A ticket as it stands in RT."""

    id: int = field(name="id")
    status: str
    creator: Ref
    due: datetime
    #: Id of its last transaction; from the ETag.
    version: str = field(default="", name="-version")
    links: tuple[Link, ...] = field(default=(), name="_hyperlinks")


class RtTransaction(Struct, frozen=True, rename="pascal"):
    """One entry of a ticket's history in RT."""

    id: str = field(name="id")
    type: str
    creator: Ref
    created: datetime
    object_id: str | int = ""
    #: The field that was changed, if one was.
    changed: str | None = field(default=None, name="Field")
    old_value: str | int | None = None
    new_value: str | int | None = None

    @property
    def number(self) -> int:
        """The id as a number: transactions are counted over the whole RT."""
        return int(self.id)


class _Row(Struct, frozen=True):
    id: str


class _Page(Struct, frozen=True):
    items: tuple[msgspec.Raw, ...]


class _Made(Struct, frozen=True):
    id: str | int


def text(value: str) -> str:
    """`value` as a string of TicketSQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Api:
    """One RT, as one user of it. Raises the errors of `tickets.forwarders.errors`."""

    def __init__(self, name: str, url: str, token: str, call: Call) -> None:
        self._name = name
        self._root = f"{url}/REST/2.0"
        self._token = token
        self._call = call

    async def queue(self, name: str) -> tuple[Link, ...] | None:
        """What may be done in the queue; None when there is none of this name, or it may not be seen."""
        answer = await self._ask("GET", f"queue/{quote(name, safe='')}")
        if answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            return None

        class Found(Struct, frozen=True):
            links: tuple[Link, ...] = field(default=(), name="_hyperlinks")

        return self._read(self._good(answer, writes=False), Found).links

    async def ticket(self, ref: str) -> RtTicket:
        """The ticket; the one that it was merged into has its own number. Refused when it may not be seen."""
        answer = self._good(self._seen(await self._ask("GET", f"ticket/{ref}")), writes=False)
        found = self._read(answer, RtTicket)
        return msgspec.structs.replace(found, version=header(answer, "etag").strip('W/"'))

    async def tickets(self, query: str) -> tuple[str, ...]:
        """Numbers of the tickets that a TicketSQL query finds, oldest first; deleted and merged ones are not found."""
        return tuple(row.id for row in await self._all("tickets", query, _Row, until_empty=False))

    async def newest(self, query: str) -> str | None:
        """The number of the newest ticket that a TicketSQL query finds."""
        page = await self._page("tickets", {"query": query, "orderby": "id", "order": "DESC", "per_page": "1"})
        return self._each(page, _Row)[0].id if page.items else None

    async def transactions(self, query: str) -> tuple[RtTransaction, ...]:
        """The transactions that a TransactionSQL query finds, oldest first."""
        return await self._all("transactions", query, RtTransaction, until_empty=True, fields=_FIELDS)

    async def history(self, ref: str, query: str) -> tuple[RtTransaction, ...]:
        """The same of one ticket that may be seen: nothing of it is hidden behind a page's limit."""
        whole = f"ObjectType = 'RT::Ticket' AND TicketId = {int(ref)} AND {query}"
        return await self._all("transactions", whole, RtTransaction, until_empty=False, fields=_FIELDS)

    async def create(self, ticket: Mapping[str, Any]) -> str:
        """Makes a ticket; its number."""
        answer = self._good(await self._ask("POST", "ticket", ticket), writes=True)
        try:
            return str(self._read(answer, _Made).id)
        except Unavailable as strange:
            raise Ambiguous(str(strange)) from None

    async def say(self, ref: str, how: str, subject: str, content: str) -> None:
        """Adds a message to the ticket's history: `how` is "correspond" or "comment"."""
        body = {"Subject": subject, "Content": content, "ContentType": "text/plain"}
        answer = self._seen(await self._ask("POST", f"ticket/{ref}/{how}", body))
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise Refused(
                "http 400", f"{self._name} takes no {how} on the ticket: was it moved, or is a right missing?"
            )
        self._good(answer, writes=True)

    async def change(self, ref: str, fields: Mapping[str, Any], version: str | None = None) -> bool:
        """Asks for new values of a ticket; False when it is no longer at `version`. Read it again: RT never says no."""
        guard = {} if version is None else {"If-Match": f'"{version}"'}
        answer = self._seen(await self._ask("PUT", f"ticket/{ref}", fields, guard))
        if answer.status == HTTPStatus.PRECONDITION_FAILED:
            return False
        self._good(answer, writes=True)
        return True

    async def aclose(self) -> None:
        """Gives the connections back."""
        await self._call.aclose()

    async def _all(self, what: str, query: str, kind: type[T], *, until_empty: bool, **how: str) -> tuple[T, ...]:
        rows: list[T] = []
        asked = {"query": query, "orderby": "id", "per_page": str(PAGE), **how}
        before = None
        for number in range(1, MOST_PAGES + 1):
            page = await self._page(what, {**asked, "page": str(number)})
            if page == before:
                # Behind its last page another version might give that one again.
                return tuple(rows)
            before = page
            rows += self._each(page, kind)
            if len(page.items) < (1 if until_empty else PAGE):
                return tuple(rows)
        raise Unavailable(f"{self._name} gives page after page without an end")

    async def _page(self, what: str, arguments: Mapping[str, str]) -> _Page:
        return self._read(self._good(await self._ask("GET", f"{what}?{urlencode(arguments)}"), writes=False), _Page)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        given = {"Authorization": f"token {self._token}", "Accept": "application/json", **(headers or {})}
        if body is not None:
            given["Content-Type"] = "application/json"
        return await self._call(
            method, f"{self._root}/{path}", headers=given, writes=method != "GET",
            body=None if body is None else msgspec.json.encode(body),
        )  # fmt: skip

    def _good(self, answer: Answer, *, writes: bool) -> Answer:
        if not answer.good:
            raise judge(self._name, answer, writes=writes)
        return answer

    def _seen(self, answer: Answer) -> Answer:
        """The answer about one ticket: a right that is missing for it alone must not halt all the others."""
        if answer.status == HTTPStatus.FORBIDDEN:
            raise Refused("http 403", f"{self._name} does not let us see or change the ticket: was it moved?")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Refused("http 404", f"{self._name} no longer has the ticket")
        return answer

    def _read(self, answer: Answer, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # A login page, a proxy's greeting, or an RT that speaks otherwise: nothing is known of what was done.
            raise Unavailable(f"{self._name} gave an answer that is not one of RT's") from None

    def _each(self, page: _Page, kind: type[T]) -> tuple[T, ...]:
        try:
            return tuple(msgspec.json.decode(item, type=kind) for item in page.items)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unavailable(f"{self._name} gave an answer that is not one of RT's") from None


def header(answer: Answer, name: str) -> str:
    """A header of the answer, whatever the case of its letters; empty when there is none."""
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")


def written(at: datetime) -> str:
    """An instant as a field of a ticket takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
