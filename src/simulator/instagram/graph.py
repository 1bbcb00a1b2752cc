"""The Graph API as the business calls it for Instagram: one front for all accounts on a port."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from simulator.faults import Code, Fault, weather_fault
from simulator.front import accepts, answer, bearer, refusing, suffer
from simulator.instagram import payloads, sending
from simulator.instagram.account import Instagram
from simulator.instagram.errors import GraphError
from simulator.instagram.payloads import Json
from simulator.instagram.records import Comment
from simulator.meta_graph import check_version, read_json

_MENTIONED = re.compile(r"mentioned_(?:comment\.comment_id|media\.media_id)\((\d+)\)")
MOST_LISTED = 50


class Graph:
    """Routes calls to the account that owns the node in the path."""

    def __init__(self, accounts: Sequence[Instagram]) -> None:
        self._accounts = list(accounts)
        self._nodes = {id_: account for account in accounts for id_ in (account.account_id, account.page_id) if id_}

    def routes(self) -> list[web.RouteDef]:
        """The routes of the API, below the provider's path."""
        return [
            web.post("/{version}/{id}/messages", refusing(self.messages)),
            web.post("/{version}/{id}/replies", refusing(self.reply)),
            web.post("/{version}/{id}/mentions", refusing(self.mention)),
            web.get("/{version}/{id}/replies", refusing(self.replies)),
            web.get("/{version}/{id}/comments", refusing(self.comments)),
            web.get("/{version}/{id}/media", refusing(self.posts)),
            web.get("/{version}/{id}/conversations", refusing(self.conversations)),
            web.get("/{version}/{id}/subscribed_apps", refusing(self.subscribed_apps)),
            web.post("/{version}/{id}/subscribed_apps", refusing(self.subscribe)),
            web.delete("/{version}/{id}/subscribed_apps", refusing(self.unsubscribe)),
            web.get("/{version}/{id}", refusing(self.node)),
        ]

    def media_routes(self) -> list[web.RouteDef]:
        """The routes of the media host."""
        return [web.get("/ig_messaging_cdn/{name}", self.download)]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{account or page}/messages"""
        account = self._account(request)
        if request.match_info["id"] != account.node:
            # With Facebook Login the edge exists on the Page alone.
            raise GraphError(3)
        raw = await request.read()

        async def accept() -> Json:
            sent = sending.accept(account, _json(raw))
            if account.echo_first:
                await sending.echo(account, sent)
            else:
                account.tasks.spawn(sending.echo(account, sent))
            return sending.taken(sent)

        return await self._write(request, account, accept)

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{comment}/replies"""
        account = self._owner(request)
        body = _json(await request.read())

        async def accept() -> Json:
            reply = sending.answer_publicly(account, request.match_info["id"], body.get("message"))
            account.tasks.spawn(account.put(account.comment_update(reply)))
            return {"id": reply.id}

        return await self._write(request, account, accept)

    async def mention(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{account}/mentions"""
        account = self._account(request)
        body = _json(await request.read())

        async def accept() -> Json:
            return {"id": sending.answer_mention(account, body).id}

        return await self._write(request, account, accept)

    async def replies(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{comment}/replies"""
        account = self._authorized(request, self._owner(request))
        return _page(request, [_listed(account, each) for each in _below(account, request.match_info["id"])])

    async def comments(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{post}/comments: those of the top level, newest first, with what stands below each."""
        account = next(
            (a for a in self._accounts if any(p.id == request.match_info["id"] for p in a.posts)), None
        )  # fmt: skip
        if account is None:
            raise GraphError(33)
        self._authorized(request, account)
        top = [
            each
            for each in account.comments.values()
            if each.post is not None and each.post.id == request.match_info["id"] and each.parent_id is None
        ]
        top.sort(key=lambda each: each.at, reverse=True)
        return _page(request, [_listed(account, each, _below(account, each.id)) for each in top])

    async def posts(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{account}/media: newest first; what is live stands elsewhere."""
        account = self._authorized(request, self._account(request))
        return _page(request, [{"id": post.id} for post in account.posts if not post.live])

    async def conversations(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{account or page}/conversations?platform=instagram&user_id=..."""
        account = self._authorized(request, self._account(request))
        person = account.known(request.query.get("user_id", ""))
        if request.query.get("platform") != "instagram" or person is None:
            return answer({"data": []})
        written: list[tuple[float, str, str, str]] = [
            (sent.at, sent.id, account.account_id, sent.text) for sent in account.sent if sent.person == person
        ]
        written += [(got.at, got.id, person.id, got.text) for got in account.received if got.person == person]
        messages = [
            {"id": id_, "created_time": payloads.api_time(at), "from": {"id": from_}, "message": text}
            for at, id_, from_, text in sorted(written, reverse=True)[:20]
        ]
        return answer({"data": [{"id": f"aWdfZ{person.id}", "messages": {"data": messages}}]})

    async def node(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{account}: the account, or what mentions it."""
        account = self._authorized(request, self._account(request))
        fields = request.query.get("fields", "")
        asked = _MENTIONED.search(fields)
        if asked is None:
            return answer({"id": request.match_info["id"], "username": account.username, "name": account.name})
        mention = account.comments.get(asked[1])
        if mention is None or mention.post is not None:
            raise GraphError(33)
        words = {"text" if "mentioned_comment" in fields else "caption": mention.text, "id": mention.id}
        return answer({fields.partition(".")[0]: words, "id": account.account_id})

    async def subscribed_apps(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{account or page}/subscribed_apps"""
        account = self._authorized(request, self._account(request))
        app = {"id": "1000000000000001", "name": account.name, "subscribed_fields": account.subscribed_fields}
        return answer({"data": [app] if account.subscribed and not account.weather.climate.unsubscribed else []})

    async def subscribe(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{account or page}/subscribed_apps"""
        self._authorized(request, self._account(request)).subscribed = True
        return answer({"success": True})

    async def unsubscribe(self, request: web.Request) -> web.StreamResponse:
        """DELETE /{version}/{account or page}/subscribed_apps"""
        self._authorized(request, self._account(request)).subscribed = False
        return answer({"success": True})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET the bytes at a signed address; no token is needed."""
        for account in self._accounts:
            media = account.media.at_address(request.query.get("signature", ""), account.clock())
            if media is not None and media.id == request.query.get("asset_id"):
                fault = account.media_faults.next() or _weather(account, downloads=True)
                if fault is not None:
                    return await suffer(fault, request, _refusal)
                return web.Response(body=media.content, headers={"Content-Type": media.media_type})
        return web.Response(status=404, text="Not Found")

    async def _write(
        self, request: web.Request, account: Instagram, accept: Callable[[], Awaitable[Json]]
    ) -> web.StreamResponse:
        fault = account.faults.next() or _weather(account)
        if fault is not None:
            return await suffer(fault, request, _refusal, answer(await accept()) if accepts(fault) else None)
        self._authorize(request, account)
        return answer(await accept())

    def _account(self, request: web.Request) -> Instagram:
        check_version(request, GraphError)
        account = self._nodes.get(request.match_info["id"])
        if account is None:
            raise GraphError(33)
        return account

    def _owner(self, request: web.Request) -> Instagram:
        """The account that a comment belongs to."""
        check_version(request, GraphError)
        account = next((each for each in self._accounts if request.match_info["id"] in each.comments), None)
        if account is None:
            raise GraphError(33)
        return account

    def _authorized(self, request: web.Request, account: Instagram) -> Instagram:
        self._authorize(request, account)
        if account.weather.climate.trouble == "expired-token":
            raise GraphError(190)
        return account

    def _authorize(self, request: web.Request, account: Instagram) -> None:
        if request.headers.get("Authorization") != f"Bearer {account.access_token}":
            raise GraphError(190)


def _json(raw: bytes) -> Any:
    found = read_json(raw, GraphError)
    if not isinstance(found, dict):
        raise GraphError(100, "The body is not an object.")
    return found


def _below(account: Instagram, comment_id: str) -> list[Comment]:
    return [each for each in account.comments.values() if each.parent_id == comment_id]


def _listed(account: Instagram, comment: Comment, below: Sequence[Comment] = ()) -> Json:
    return payloads.listed(comment, account.account_id, account.username, below)


def _page(request: web.Request, items: Sequence[Json]) -> web.Response:
    """One page of a list; `next` holds the token, as Meta's does."""
    account_token = bearer(request)
    after, limit = request.query.get("after", "0"), request.query.get("limit", "25")
    begin = int(after) if after.isdigit() else 0
    end = begin + min(int(limit) if limit.isdigit() else 25, MOST_LISTED)
    body: Json = {"data": list(items[begin:end])}
    if items:
        body["paging"] = {"cursors": {"before": str(begin), "after": str(end)}}
    if end < len(items):
        body["paging"]["next"] = str(request.url.with_query({"access_token": account_token, "after": str(end)}))
    return answer(body)


def _weather(account: Instagram, *, downloads: bool = False) -> Fault | None:
    fault = weather_fault(
        account.weather,
        rate_limit=[Code(number, headers={"Retry-After": "1"}) for number in (4, 613, 80006)],
        server_error=(Code(1), Code(2), Code(1545133)),
        expired_token=Code(190),
        window_closed=Code(2534022),
    )
    # The window is about private messages; a download never meets it.
    return None if downloads and account.weather.climate.trouble == "window-closed" else fault


def _refusal(code: Code) -> GraphError:
    return GraphError(code.code, status=code.status)
