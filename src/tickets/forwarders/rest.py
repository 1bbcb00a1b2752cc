"""JSON calls of a target's REST API, with the errors that say what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from tickets.forwarders.errors import AuthFailed, Refused, Unavailable
from tickets.forwarders.http import Call, judge

_encode = msgspec.json.Encoder().encode


class Rest:
    """One target's API below its address."""

    def __init__(self, name: str, base: str, headers: Mapping[str, str], call: Call) -> None:
        self._name = name
        self._base = base
        self._headers = {"Accept": "application/json", "Content-Type": "application/json", **headers}
        self._call = call

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """The JSON at `path`; None when there is nothing (404). Raises a ForwardError."""
        return await self.ask("GET", path, query=query, writes=False)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | int] | None = None,
        writes: bool,
        one_ticket: bool = False,
    ) -> Any:
        """The JSON that the call answers with; None for 404 to a call that does not write. Raises a ForwardError.

        `one_ticket` says that a 403 is about this ticket, not about our rights as a whole.
        """
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = None if body is None else _encode(body)
        answer = await self._call(method, url, headers=self._headers, body=sent, writes=writes)
        if not answer.good:
            if answer.status == HTTPStatus.NOT_FOUND and not writes:
                return None
            error = judge(self._name, answer, writes=writes)
            if one_ticket and isinstance(error, AuthFailed) and answer.status == HTTPStatus.FORBIDDEN:
                raise Refused("http 403", f"{self._name} lets us not change this ticket")
            raise error
        told = answer.json()
        if told is None and answer.body.strip():
            raise Unavailable(f"{self._name} answers with something that is no JSON")
        return told

    async def aclose(self) -> None:
        """Gives connections back."""
        await self._call.aclose()
