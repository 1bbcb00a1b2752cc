"""How X answers a call: JSON, refusals, limits in the headers, and the troubles that were scripted."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from simulator import front
from simulator.faults import Code, Fault
from simulator.front import answer
from simulator.x.account import X
from simulator.x.errors import ApiError
from simulator.x.records import Json


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


async def suffer(fault: Fault, request: web.Request, accepted: Json | None) -> web.StreamResponse:
    """The trouble as the caller meets it; `accepted` is what X would have answered, if it took the call."""
    return await front.suffer(fault, request, refusal, answer(accepted, 201) if accepted is not None else None)


def refusal(code: Code) -> ApiError:
    """The refusal that a code stands for."""
    return ApiError(code.code, status=code.status)
