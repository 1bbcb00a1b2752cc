"""The Bot API as bots call it: one front for all bots, told apart by the token in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from simulator import front
from simulator.faults import Code, Fault, Faults, weather_fault
from simulator.front import accepts, refusing, suffer
from simulator.telegram.account import Telegram
from simulator.telegram.errors import ApiError
from simulator.telegram.methods import call


def answer(result: Any) -> web.Response:
    """A good answer."""
    return front.answer({"ok": True, "result": result})


class BotApi:
    """Routes calls to the bot whose token stands in the address."""

    def __init__(self, accounts: Sequence[Telegram]) -> None:
        self._bots = {account.bot_token: account for account in accounts}

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the path of the provider."""
        return [
            web.get("/bot{token:[^/]+}/{method}", refusing(self.method)),
            web.post("/bot{token:[^/]+}/{method}", refusing(self.method)),
            web.get("/file/bot{token:[^/]+}/{path:.+}", refusing(self.file)),
        ]

    async def method(self, request: web.Request) -> web.StreamResponse:
        """GET or POST /bot<token>/<method>, with the parameters in the query, a form or JSON."""
        account = self._bots.get(request.match_info["token"])
        if account is None:
            raise ApiError(401 if ":" in request.match_info["token"] else 404)
        method, given = request.match_info["method"], await _parameters(request)
        fault = _fault(account, method)
        if fault is not None:
            taken = answer(await call(account, method, given)) if accepts(fault) else None
            return await suffer(fault, request, _refusal, taken)
        return answer(await call(account, method, given))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /file/bot<token>/<path>: the bytes of a file, for an hour; name and type are lost."""
        account = self._bots.get(request.match_info["token"])
        if account is None:
            raise ApiError(401)
        fault = account.media_faults.next()
        if fault is not None:
            return await suffer(fault, request, _refusal)
        file = account.files.at_path(request.match_info["path"], account.clock())
        if file is None:
            raise ApiError(404, "Not Found")
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
    return weather_fault(
        account.weather,
        rate_limit=[Code(429)],
        server_error=(Code(500), Code(502)),
        expired_token=Code(401),
        may_accept=method.lower() == "sendmessage",
    )


def _refusal(code: Code) -> ApiError:
    return ApiError(code.code)
