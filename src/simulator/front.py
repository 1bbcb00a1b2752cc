"""What every API front does alike: JSON answers, refusals in the provider's own shape, and the troubles of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from simulator.faults import Code, Fault, Http, Reset, Stall, break_connection, http_answer, silence

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

_encode = msgspec.json.Encoder().encode


class Refusal(Exception, ABC):
    """A call that a provider refuses: a status, headers, and a body as the provider writes it."""

    status: int

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that come with it."""
        return {}

    @abstractmethod
    def body(self) -> Any:
        """What the provider says."""


class CodedRefusal(Refusal):
    """A refusal with a number, for which the provider documents a status and words."""

    documented: ClassVar[Mapping[int, tuple[int, str]]]
    #: What every other number means.
    otherwise: ClassVar[tuple[int, str]] = (400, "error")

    def __init__(self, code: int, *, status: int | None = None) -> None:
        documented, words = self.documented.get(code, self.otherwise)
        super().__init__(words)
        self.code = code
        self.status = status if status is not None else documented

    @property
    def headers(self) -> Mapping[str, str]:
        """Who sends too fast is told to go on after a second."""
        return {"Retry-After": "1"} if self.status == 429 else {}


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    response = web.Response(body=_encode(body), status=status, content_type="application/json")
    response.headers.update(headers or {})
    return response


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> web.Response:
    """The refusal as an answer; `headers` win over its own."""
    return answer(refusal.body(), refusal.status, {**refusal.headers, **(headers or {})})


def refusing(serve: Serve) -> Serve:
    """The same route, with refusals as answers."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await serve(request)
        except Refusal as refusal:
            return refused(refusal)

    return handle


def bearer(request: web.Request) -> str:
    """The token that the call shows, empty when it shows none."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def accepts(fault: Fault | None) -> bool:
    """True if the provider takes what is sent although the caller sees trouble."""
    return fault is None or (isinstance(fault, Stall | Reset) and fault.accepted)


async def suffer(
    fault: Fault, request: web.Request, refusal: Callable[[Code], Refusal], taken: web.Response | None = None
) -> web.StreamResponse:
    """The trouble as the caller meets it; `taken` is the answer that comes late if the provider took the call."""
    if isinstance(fault, Code):
        return refused(refusal(fault), fault.headers)
    if isinstance(fault, Http):
        return http_answer(fault)
    if isinstance(fault, Reset):
        return await break_connection(request, after_headers=fault.after_headers)
    await silence(fault.seconds)
    return taken if taken is not None else web.Response(status=504)


async def carry_out(
    fault: Fault | None, request: web.Request, refusal: Callable[[Code], Refusal], take: Callable[[], web.Response]
) -> web.StreamResponse:
    """The answer to a call that writes; `take` is done unless the fault keeps the provider from it."""
    if fault is None:
        return take()
    return await suffer(fault, request, refusal, take() if accepts(fault) else None)
