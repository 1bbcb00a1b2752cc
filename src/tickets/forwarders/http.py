"""How a forwarder calls its target: the caller is given from outside, so that no forwarder opens a socket itself.

`Call` is implemented by `gateway.forward_http`: addresses checked, redirects not followed, time and size limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from tickets.forwarders.errors import Ambiguous, AuthFailed, Disabled, ForwardError, Refused, Unavailable


class Answer(Struct, frozen=True, kw_only=True):
    """What a target answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: Seconds that its Retry-After asks for; None when it asks for none.
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        """Whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> Any:
        """The body as JSON, or None when it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


class Call(Protocol):
    """Makes one HTTP request to the target."""

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, writes: bool
    ) -> Answer:
        """The answer, whatever its status; never a redirect followed, never more than 4 MiB.

        Raises Unavailable when nothing can have happened there, Ambiguous when a write (`writes`) may have.
        """

    async def aclose(self) -> None:
        """Closes the connections; safe to call twice."""


def judge(name: str, answer: Answer, *, writes: bool) -> ForwardError:
    """The error that an answer without success means; `name` is the target's. Its body is never quoted."""
    status = answer.status
    text = f"{name} answered HTTP {status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AuthFailed(text)
    if status == HTTPStatus.GONE:
        return Disabled(f"{text}: it wants nothing any more")
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.SERVICE_UNAVAILABLE and answer.retry_after):
        return Unavailable(text, answer.retry_after)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Unavailable(f"{text}: redirects are not followed")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        # An error may be raised after the write was done: whoever wrote must look before it writes again.
        return Ambiguous(text) if writes else Unavailable(text)
    return Refused(f"http {status}", text)
