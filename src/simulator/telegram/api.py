"""The Bot API as bots call it: one front for all bots, told apart by the token in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from simulator.faults import (
    SERVER_TROUBLES,
    Code,
    Fault,
    Faults,
    Http,
    Reset,
    Stall,
    break_connection,
    http_answer,
    silence,
)
from simulator.telegram.account import Telegram
from simulator.telegram.errors import ApiError
from simulator.telegram.methods import call

_encode = msgspec.json.Encoder().encode


def answer(result: Any) -> web.Response:
    """A good answer."""
    return web.Response(body=_encode({"ok": True, "result": result}), content_type="application/json")


def refuse(error: ApiError) -> web.Response:
    """An error as an answer; its status is its code."""
    return web.Response(body=_encode(error.body()), status=error.code, content_type="application/json")


class BotApi:
    """Routes calls to the bot whose token stands in the address."""

    def __init__(self, accounts: Sequence[Telegram]) -> None:
        self._bots = {account.bot_token: account for account in accounts}

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the path of the provider."""
        return [
            web.get("/bot{token:[^/]+}/{method}", self.method),
            web.post("/bot{token:[^/]+}/{method}", self.method),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self.file),
        ]

    async def method(self, request: web.Request) -> web.StreamResponse:
        """GET or POST /bot<token>/<method>, with the parameters in the query, a form or JSON."""
        account = self._bots.get(request.match_info["token"])
        if account is None:
            return refuse(ApiError(401 if ":" in request.match_info["token"] else 404))
        try:
            method, given = request.match_info["method"], await _parameters(request)
            fault = _fault(account, method)
            if fault is not None:
                return await _suffer(fault, request, account, method, given)
            return answer(await call(account, method, given))
        except ApiError as error:
            return refuse(error)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /file/bot<token>/<path>: the bytes of a file, for an hour; name and type are lost."""
        account = self._bots.get(request.match_info["token"])
        if account is None:
            return refuse(ApiError(401))
        fault = account.media_faults.next()
        if fault is not None:
            return await _suffer(fault, request, account, "", {})
        file = account.files.at_path(request.match_info["path"], account.clock())
        if file is None:
            return refuse(ApiError(404, "Not Found"))
        return web.Response(body=file.content, headers={"Content-Type": "application/octet-stream"})


async def _parameters(request: web.Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            given |= msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.MsgspecError:
            raise ApiError(400, "Bad Request: can't parse JSON object") from None
    elif request.can_read_body:
        given |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return given


def _fault(account: Telegram, method: str) -> Fault | None:
    """What this call meets: first what was scripted, then the weather."""
    scripted: dict[str, Faults] = {
        "sendmessage": account.faults,
        "getupdates": account.update_faults,
        "getfile": account.media_faults,
    }
    queue = scripted.get(method.lower())
    if queue is None:
        return Code(401) if account.weather.climate.trouble == "expired-token" else None
    return queue.next() or _weather(account, method)


def _weather(account: Telegram, method: str) -> Fault | None:
    if account.weather.climate.trouble == "window-closed":
        return None  # there is no window; who cannot be written to is refused by the send itself
    trouble = account.weather.trouble()
    if trouble is None:
        return None
    if trouble == "rate-limit":
        return Code(429)
    if trouble == "server-error":
        return account.weather.pick((*SERVER_TROUBLES.values(), Code(500), Code(502)))
    if trouble == "stall":
        taken = method.lower() == "sendmessage" and account.weather.pick((True, False))
        return Stall(account.weather.climate.stall_seconds, accepted=taken)
    return Code(401)


async def _suffer(
    fault: Fault, request: web.Request, account: Telegram, method: str, given: dict[str, Any]
) -> web.StreamResponse:
    if isinstance(fault, Code):
        return refuse(ApiError(fault.code))
    if isinstance(fault, Http):
        return http_answer(fault)
    accepted = await call(account, method, given) if fault.accepted else None
    if isinstance(fault, Reset):
        return await break_connection(request, after_headers=fault.after_headers)
    await silence(fault.seconds)
    return answer(accepted) if accepted is not None else web.Response(status=504)
