"""The X API as a business calls it: one front for all accounts on a port."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from simulator.faults import Code, Fault, Faults, weather_fault
from simulator.front import answer, carry_out, refusing
from simulator.x import payloads, sending
from simulator.x.account import X
from simulator.x.answers import limited, read_json, refusal, suffer, told
from simulator.x.console import Console
from simulator.x.errors import ApiError
from simulator.x.logins import Logins
from simulator.x.records import Json
from simulator.x.signing import oauth_parameters

LARGEST_PAGE = 100
MESSAGE_DAYS = 30


class Api:
    """Routes calls to the account that the login belongs to."""

    def __init__(self, accounts: Sequence[X]) -> None:
        self._accounts = list(accounts)
        self._logins = Logins(accounts)
        self._console = Console(self._logins)

    def routes(self) -> list[web.RouteDef]:
        """The routes of the API, below the provider's path."""
        talk = "/2/dm_conversations/with/{id}"
        return [
            *self._logins.routes(),
            *self._console.routes(),
            web.get("/2/users/me", refusing(self.me)),
            web.get("/2/dm_events", refusing(self.dm_events)),
            web.get(talk + "/dm_events", refusing(self.dm_events)),
            web.post(talk + "/messages", refusing(self.messages)),
            web.get("/2/dm_conversations/media/{dm}/{media}/{resource}", refusing(self.dm_media)),
            web.get("/2/users/{id}/mentions", refusing(self.mentions)),
            web.post("/2/tweets", refusing(self.tweets)),
        ]

    def media_routes(self) -> list[web.RouteDef]:
        """The routes of the media host."""
        return [web.get("/media/{media}/{resource}", self.media)]

    # ---- reading

    async def me(self, request: web.Request) -> web.StreamResponse:
        """GET /2/users/me"""
        return answer({"data": self._logins.user(request).me.as_json()})

    async def dm_events(self, request: web.Request) -> web.StreamResponse:
        """GET /2/dm_events and …/with/{id}/dm_events: newest first, 30 days, both directions."""
        account = self._logins.user(request)
        suffered = await _met(request, account, account.list_faults)
        if suffered is not None:
            return suffered
        headers = limited(account, "dm_events")
        other = request.match_info.get("id")
        oldest = account.clock() - MESSAGE_DAYS * 86_400
        found = [
            each
            for each in account.messages
            if each.at >= oldest and (other is None or other in (each.sender.id, each.recipient.id))
        ]
        found.sort(key=lambda each: int(each.id), reverse=True)
        shown, meta = _page(request, found)
        fields = frozenset(request.query.get("dm_event.fields", "").split(","))
        expanded = request.query.get("expansions", "").split(",")
        body: Json = {"data": [payloads.listed_message(each, fields) for each in shown], "meta": meta}
        users = {each.sender.id: each.sender.as_json() for each in shown}
        media = [file for each in shown if (file := payloads.listed_media(each)) is not None]
        if "sender_id" in expanded and users:
            body["includes"] = {"users": list(users.values())}
        if "attachments.media_keys" in expanded and media:
            body.setdefault("includes", {})["media"] = media
        return told(answer(body if shown else {"meta": meta}), headers)

    async def mentions(self, request: web.Request) -> web.StreamResponse:
        """GET /2/users/{id}/mentions: newest first, the names that X puts before a reply included."""
        account = self._logins.user(request)
        if request.match_info["id"] != account.me.id:
            raise ApiError(34)
        suffered = await _met(request, account, account.list_faults)
        if suffered is not None:
            return suffered
        headers = limited(account, "mentions")
        since, begin = int(request.query.get("since_id", "0")), _moment(request.query.get("start_time"))
        latest = {each.versions[0] if each.versions else each.id: each for each in account.posts}
        found = [
            each
            for each in latest.values()
            if each.mentions(account.me.handle) and each.author.id != account.me.id
            if int(each.id) > since and each.at >= begin
        ]
        found.sort(key=lambda each: int(each.id), reverse=True)
        shown, meta = _page(request, found)
        addresses = {file.id: account.public_address(file) for each in shown for file in each.files}
        body: Json = {"meta": meta}
        if shown:
            body["data"] = [payloads.post(each, account.me) for each in shown]
            body["includes"] = payloads.includes(shown, account.me, addresses)
        return told(answer(body), headers)

    async def dm_media(self, request: web.Request) -> web.StreamResponse:
        """GET /2/dm_conversations/media/{dm}/{media}/{resource}: to OAuth 2.0 alone."""
        account = self._logins.user(request)
        if oauth_parameters(request.headers.get("Authorization", "")) is not None:
            raise ApiError(453)
        return await self._file(request, account)

    async def media(self, request: web.Request) -> web.StreamResponse:
        """GET at the media host: the file of a post, for everybody."""
        for account in self._accounts:
            if account.file(request.match_info["media"]) is not None:
                return await self._file(request, account)
        return web.Response(status=404)

    async def _file(self, request: web.Request, account: X) -> web.StreamResponse:
        fault = account.media_faults.next()
        if fault is not None:
            return await suffer(fault, request, None)
        file = account.file(request.match_info["media"])
        if file is None or file.resource != request.match_info["resource"]:
            return web.Response(status=404)
        return web.Response(body=file.attachment.content, headers={"Content-Type": file.attachment.media_type})

    # ---- writing

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """POST /2/dm_conversations/with/{id}/messages"""
        account, body = self._logins.user(request), read_json(await request.read())
        return await _write(
            request, account, "messages", lambda: sending.take_message(account, request.match_info["id"], body)
        )

    async def tweets(self, request: web.Request) -> web.StreamResponse:
        """POST /2/tweets"""
        account, body = self._logins.user(request), read_json(await request.read())
        return await _write(request, account, "tweets", lambda: sending.take_post(account, body))


def _page(request: web.Request, items: Sequence[Any]) -> tuple[Sequence[Any], Json]:
    """The items of the page that is asked for, and what stands in `meta`."""
    text, after = request.query.get("max_results", "100"), request.query.get("pagination_token", "0")
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE or not after.isdecimal():
        raise ApiError(214)
    # The token is an id: what is new since the first page changes nothing below it.
    below = [each for each in items if after == "0" or int(each.id) < int(after)]
    shown = below[: int(text)]
    meta: Json = {"result_count": len(shown)}
    if len(below) > len(shown):
        meta["next_token"] = shown[-1].id
    return shown, meta


def _moment(text: str | None) -> float:
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except ValueError:
        raise ApiError(214) from None


async def _write(request: web.Request, account: X, called: str, take: Callable[[], Json]) -> web.StreamResponse:
    fault = account.faults.next() or _weather(account, called)
    headers = limited(account, called) if fault is None else {}
    return await carry_out(fault, request, refusal, lambda: told(answer(take(), 201), headers))


async def _met(request: web.Request, account: X, faults: Faults) -> web.StreamResponse | None:
    fault = faults.next()
    return await suffer(fault, request, None) if fault is not None else None


def _weather(account: X, called: str) -> Fault | None:
    reset = str(int(account.clock()) + 1)
    return weather_fault(
        account.weather,
        rate_limit=[Code(88, headers={"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})],
        server_error=(Code(130), Code(131)),
        expired_token=Code(89),
        window_closed=Code(349 if called == "messages" else 433),
    )
