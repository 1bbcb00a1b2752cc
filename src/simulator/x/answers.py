"""How X answers a call: JSON, refusals, limits in the headers, and the troubles that were scripted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from simulator.faults import Code, Fault, Http, Reset, Stall, break_connection, http_answer, silence
from simulator.x.account import X
from simulator.x.errors import ApiError
from simulator.x.records import Json

_encode = msgspec.json.Encoder().encode

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(body), status=status, content_type="application/json")


def refusing(serve: Serve) -> Serve:
    """The same route, with refusals as answers."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await serve(request)
        except ApiError as error:
            return refused(error)

    return handle


def refused(error: ApiError) -> web.Response:
    """A refusal as an answer."""
    return told(answer(error.body(), error.status), error.headers)


def told(response: web.Response, headers: dict[str, str]) -> web.Response:
    """The answer with these headers."""
    response.headers.update(headers)
    return response


def limited(account: X, called: str) -> dict[str, str]:
    """Counts a call and returns the headers that tell of its limits. Raises ApiError when they are used up."""
    allowed, headers = account.limits.count(called, account.clock())
    if not allowed and account.enforce_limits:
        raise ApiError(88, headers=headers)
    return headers


def read_json(raw: bytes) -> Json:
    """The body of a call. Raises ApiError when it is no object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise ApiError(214) from None


def accepts(fault: Fault | None) -> bool:
    """Whether X takes what is sent although the caller sees trouble."""
    return fault is None or (isinstance(fault, Stall | Reset) and fault.accepted)


async def suffer(fault: Fault, request: web.Request, accepted: Json | None) -> web.StreamResponse:
    """The trouble as the caller meets it; `accepted` is what X would have answered, if it took the call."""
    if isinstance(fault, Code):
        return refused(ApiError(fault.code, status=fault.status, headers=fault.headers))
    if isinstance(fault, Http):
        return http_answer(fault)
    if isinstance(fault, Reset):
        return await break_connection(request, after_headers=fault.after_headers)
    await silence(fault.seconds)
    return answer(accepted, 201) if accepted is not None else web.Response(status=504)
