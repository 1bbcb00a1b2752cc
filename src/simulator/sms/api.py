"""The aggregator's API as the business calls it: send a text, ask for the account."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

from aiohttp import web

from simulator.faults import Code, Fault, weather_fault
from simulator.front import answer, bearer, carry_out, refusing
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
        return [web.post("/v1/messages", refusing(self.send)), web.get("/v1/account", refusing(self.account))]

    async def send(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/messages {"to","from","content":{"text","unicode"},"client_ref"}"""
        raw = await request.read()
        account = self._of(request, raw)
        fault = account.faults.next() or _weather(account)
        return await carry_out(fault, request, _refusal, lambda: _accepted(accept(account, raw)))

    async def account(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/account"""
        account = self._of(request, b"")
        if account.weather.climate.trouble == "expired-token":
            raise ApiError(1001)
        return answer({"name": account.name, "sender": account.sender})

    def _of(self, request: web.Request, raw: bytes) -> Sms:
        key = bearer(request)
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
    return answer({"message": {"id": text.id, "segments": text.segments}, "status": "queued"}, 202)


def _refusal(code: Code) -> ApiError:
    return ApiError(code.code, status=code.status)


def _weather(account: Sms) -> Fault | None:
    # A text has no window that could close.
    return weather_fault(
        account.weather, rate_limit=[Code(1101)], server_error=(Code(1501), Code(1502)), expired_token=Code(1001)
    )
