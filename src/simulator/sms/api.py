"""The aggregator's API as the business calls it: send a text, ask for the account."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

from aiohttp import web

from simulator.faults import SERVER_TROUBLES, Code, Fault, Http, Reset, Stall, break_connection, http_answer, silence
from simulator.sms.account import Sms
from simulator.sms.records import ApiError, Json, Text, new_id, segments_of

_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
FORBIDDEN = "menang undian"  # the spam filter's one rule


class Api:
    """Routes calls to the account whose key is shown, and of several with one key to the one that owns the sender."""

    def __init__(self, accounts: Sequence[Sms]) -> None:
        self._accounts = list(accounts)

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the aggregator's prefix."""
        return [web.post("/v1/messages", self.send), web.get("/v1/account", self.account)]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/messages {"to","from","content":{"text","unicode"},"client_ref"}"""
        try:
            raw = await request.read()
            account = self._of(request, raw)
            fault = account.faults.next() or _weather(account)
            if fault is not None:
                return await _suffer(fault, request, account, raw)
            return _accepted(accept(account, raw))
        except ApiError as error:
            return _refused(error)

    async def account(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/account"""
        try:
            account = self._of(request, b"")
            if account.weather.climate.trouble == "expired-token":
                raise ApiError(1001)
            return web.json_response({"name": account.name, "sender": account.sender})
        except ApiError as error:
            return _refused(error)

    def _of(self, request: web.Request, raw: bytes) -> Sms:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = [account for account in self._accounts if account.api_key == key]
        if not found:
            raise ApiError(1001)
        return next((account for account in found if f'"{account.sender}"'.encode() in raw), found[0])


def accept(account: Sms, raw: bytes) -> Text:
    """The accepted text; raises ApiError for a refused one."""
    given = _checked(account, raw)
    text = Text(
        new_id("cs"), False, account.sender, given["to"], given["content"]["text"], account.clock(), "ACCEPTD",
        segments_of(given["content"]["text"]), client_ref=given.get("client_ref", ""),
    )  # fmt: skip
    account.sent.append(text)
    account.tasks.spawn(_go(account, text))
    return text


def _checked(account: Sms, raw: bytes) -> Json:
    try:
        given = json.loads(raw)
        to, sender, content = given["to"], given["from"], given["content"]
        text, unicode = content["text"], content["unicode"]
    except (ValueError, KeyError, TypeError):
        raise ApiError(1303) from None
    if not isinstance(text, str) or not text or not isinstance(unicode, bool):
        raise ApiError(1303)
    if not isinstance(to, str) or not _NUMBER.fullmatch(to):
        raise ApiError(1201)
    if sender != account.sender:
        raise ApiError(1304)
    if segments_of(text) > account.most_segments:
        raise ApiError(1301)
    if FORBIDDEN in text.lower():
        raise ApiError(1302)
    if account.honours_stop and to in account.opted_out:
        raise ApiError(1202)
    if to in account.landlines:
        raise ApiError(1203)
    now, per_second = account.clock(), account.per_second
    if not account.texts.fits(None, now, per_second=per_second, burst=per_second):
        raise ApiError(1101)
    account.texts.fill(None, now, per_second=per_second)
    return dict(given)


async def _go(account: Sms, text: Text) -> None:
    if not account.statuses:
        return
    if text.to in account.unknown:
        await asyncio.sleep(account.status_delays.get("ACCEPTD", 0.0) * account.time_scale)
        await account.report(text, "UNDELIV", error=1204)
        return
    for word, delay in account.status_delays.items():
        await asyncio.sleep(delay * account.time_scale)
        await account.report(text, word)


def _accepted(text: Text) -> web.Response:
    return web.json_response({"message": {"id": text.id, "segments": text.segments}, "status": "queued"}, status=202)


def _refused(error: ApiError) -> web.Response:
    headers = {"Retry-After": "1"} if error.status == 429 else {}
    return web.json_response(error.body(), status=error.status, headers=headers)


def _weather(account: Sms) -> Fault | None:
    trouble = account.weather.trouble()
    if trouble == "rate-limit":
        return Code(1101)
    if trouble == "server-error":
        return account.weather.pick((*SERVER_TROUBLES.values(), Code(1501), Code(1502)))
    if trouble == "stall":
        return Stall(account.weather.climate.stall_seconds, accepted=account.weather.pick((True, False)))
    # A text has no window that could close.
    return Code(1001) if trouble == "expired-token" else None


async def _suffer(fault: Fault, request: web.Request, account: Sms, raw: bytes) -> web.StreamResponse:
    if isinstance(fault, Code):
        response = _refused(ApiError(fault.code, status=fault.status))
        response.headers.update(fault.headers)
        return response
    if isinstance(fault, Http):
        return http_answer(fault)
    taken = accept(account, raw) if fault.accepted else None
    if isinstance(fault, Reset):
        return await break_connection(request, after_headers=fault.after_headers)
    await silence(fault.seconds)
    return _accepted(taken) if taken is not None else web.Response(status=504)
