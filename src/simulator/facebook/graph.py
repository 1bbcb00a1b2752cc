"""The Graph API as the business calls it: one front for all pages on a port."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.facebook.account import ALL_FIELDS, Facebook
from simulator.facebook.errors import GraphError
from simulator.facebook.records import Comment
from simulator.facebook.sending import accept_comment, accept_message
from simulator.faults import Code, Fault, weather_fault
from simulator.front import answer, bearer, carry_out, refusing, suffer
from simulator.meta_graph import check_version, read_json

MOST_LISTED = 100


class Graph:
    """Routes calls to the page that owns the object."""

    def __init__(self, accounts: Sequence[Facebook]) -> None:
        self._pages = {account.page_id: account for account in accounts}

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be mounted below the provider's path."""
        return [
            web.post("/{version}/{id}/messages", refusing(self.messages)),
            web.get("/{version}/{id}/messages", refusing(self.conversation), allow_head=False),
            web.post("/{version}/{id}/comments", refusing(self.comment)),
            web.get("/{version}/{id}/comments", refusing(self.comments), allow_head=False),
            web.get("/{version}/{id}/feed", refusing(self.feed), allow_head=False),
            web.route("*", "/{version}/{id}/subscribed_apps", refusing(self.subscribed_apps)),
            web.get("/{version}/{id}", refusing(self.object), allow_head=False),
        ]

    def media_routes(self) -> list[web.RouteDef]:
        """The routes of the media host: no token, another origin."""
        return [web.get("/v/{page}/{key}/{name}", self.download)]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{page_id}/messages; "me" is the page of the token."""
        page = self._authorized(request, self._page(request))
        return await _write(request, page, lambda body: accept_message(page, body))

    async def conversation(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{conversation}/messages, newest first; a conversation is "t_" and the person's id."""
        check_version(request, GraphError)
        person = request.match_info["id"].removeprefix("t_")
        owner = next((page for page in self._pages.values() if page.people.knows(person)), None)
        if owner is None:
            raise GraphError(33, "Unsupported get request. Object does not exist")
        page = self._authorized(request, owner)
        said = [(each.at, each.id, each.text, person) for each in page.received if each.person == person]
        said += [(each.at, each.id, each.text, page.page_id) for each in page.sent if each.to == person]
        shown = [{"id": id_, "message": text, "from": {"id": by}} for _, id_, text, by in sorted(said, reverse=True)]
        return self._listed(request, page, shown)

    async def comment(self, request: web.Request) -> web.StreamResponse:
        """POST /{version}/{comment_id}/comments: the page says something that everybody reads."""
        page, above = self._comment(request)
        self._authorized(request, page)
        public = page.weather.climate.trouble != "window-closed"  # the window is about messages
        return await _write(request, page, lambda body: {"id": accept_comment(page, above, body).id}, weather=public)

    async def object(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{page_id or comment_id}?fields="""
        check_version(request, GraphError)
        if request.match_info["id"] in ("me", *self._pages):
            page = self._authorized(request, self._page(request))
            return answer({"id": page.page_id, "name": page.name})
        page, comment = self._comment(request)
        self._authorized(request, page)
        return answer(_fields(_shown(page, comment), request))

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{page_id}/feed: posts, newest first."""
        page = self._authorized(request, self._page(request))
        posts = [{"id": id_, "updated_time": _iso(at)} for id_, at in reversed(page.posts.items())]
        return self._listed(request, page, posts)

    async def comments(self, request: web.Request) -> web.StreamResponse:
        """GET /{version}/{post_id or comment_id}/comments; `filter=stream` also lists answers to comments."""
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        owner = next((page for page in self._pages.values() if id_ in page.posts or id_ in page.comments), None)
        if owner is None:
            raise GraphError(33, "Unsupported get request. Object does not exist")
        page = self._authorized(request, owner)
        found = [each for each in page.comments.values() if _is_below(each, id_, request) and not each.removed]
        since = request.query.get("since", "")
        if since.isdigit():
            found = [each for each in found if each.at >= int(since)]
        newest_first = request.query.get("order") == "reverse_chronological"
        found.sort(key=lambda each: each.at, reverse=newest_first)
        return self._listed(request, page, [_fields(_shown(page, each), request) for each in found])

    async def subscribed_apps(self, request: web.Request) -> web.StreamResponse:
        """GET, POST or DELETE /{version}/{page_id}/subscribed_apps"""
        page = self._authorized(request, self._page(request))
        if request.method == "GET":
            app = {"id": page.app_id, "name": page.name, "subscribed_fields": list(page.subscribed_fields)}
            return answer({"data": [app] if page.subscribed else []})
        if request.method == "POST":
            asked = request.query.get("subscribed_fields", "").split(",")
            if not set(asked) <= set(ALL_FIELDS):
                raise GraphError(100, "Param subscribed_fields must be one of the known fields")
            page.subscribe(asked)
        else:
            page.subscribe(())
        return answer({"success": True})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET the bytes at an address; what has expired is refused."""
        page = self._pages.get(request.match_info["page"])
        if page is None:
            return web.Response(status=404)
        fault = page.media_faults.next()
        if fault is not None:
            return await suffer(fault, request, _refusal)
        file = page.files.get(request.match_info["key"])
        if file is None:
            return web.Response(status=403, text="URL signature expired")
        return web.Response(body=file.content, headers={"Content-Type": file.media_type})

    def _listed(self, request: web.Request, page: Facebook, items: Sequence[Any]) -> web.Response:
        """One page of a list; the cursor is opaque to the business."""
        limit = request.query.get("limit", "25")
        size = min(int(limit) if limit.isdigit() and int(limit) else 25, MOST_LISTED, page.page_size)
        after = request.query.get("after", "QVFI0").removeprefix("QVFI")
        start = int(after) if after.isdigit() else 0
        shown = list(items[start : start + size])
        cursors = {"before": f"QVFI{start}", "after": f"QVFI{start + size}"}
        paging: dict[str, Any] = {"cursors": cursors}
        if start + size < len(items):
            paging["next"] = f"{page.base_url}{request.path}?access_token={page.page_token}&after={cursors['after']}"
        return answer({"data": shown, "paging": paging} if shown else {"data": []})

    def _page(self, request: web.Request) -> Facebook:
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        if id_ == "me":
            given = bearer(request)
            found = next((page for page in self._pages.values() if page.page_token == given), None)
            if found is None:
                raise GraphError(190)
            return found
        if id_ not in self._pages:
            raise GraphError(33, "Unsupported request. Object does not exist")
        return self._pages[id_]

    def _comment(self, request: web.Request) -> tuple[Facebook, Comment]:
        check_version(request, GraphError)
        id_ = request.match_info["id"]
        for page in self._pages.values():
            comment = page.comments.get(id_)
            if comment is not None and not comment.removed:
                return page, comment
        raise GraphError(33, "Unsupported request. Object does not exist")

    def _authorized(self, request: web.Request, page: Facebook) -> Facebook:
        if bearer(request) != page.page_token or page.weather.climate.trouble == "expired-token":
            raise GraphError(190)
        return page


async def _write(
    request: web.Request, page: Facebook, accept: Callable[[Any], Any], *, weather: bool = True
) -> web.StreamResponse:
    """The answer to a call that writes, through what was scripted and the weather."""
    raw = await request.read()
    fault = page.faults.next() or (_weather(page) if weather else None)
    return await carry_out(fault, request, _refusal, lambda: answer(accept(read_json(raw, GraphError))))


def _refusal(code: Code) -> GraphError:
    return GraphError(code.code, status=code.status)


def _weather(page: Facebook) -> Fault | None:
    return weather_fault(
        page.weather,
        rate_limit=[Code(number) for number in (4, 32, 613, 80006)],
        server_error=(Code(1), Code(2), Code(1545133)),
        window_closed=Code(2018278),
    )


def _shown(page: Facebook, comment: Comment) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": comment.id,
        "message": comment.text,
        "created_time": _iso(comment.at),
        "is_hidden": comment.hidden,
        "can_reply_privately": comment.author != page.page_id and comment.private_reply is None,
    }
    if page.authors or comment.author == page.page_id:
        found["from"] = {"name": comment.name, "id": comment.author}
    if comment.parent_id != comment.post_id:
        found["parent"] = {"id": comment.parent_id}
    if comment.photo is not None:
        media = {"image": {"height": 720, "src": comment.photo, "width": 720}}
        found["attachment"] = {"type": "photo", "media": media, "url": "https://www.facebook.com/photo.php"}
    if comment.private_reply is not None:
        found["private_reply_conversation"] = {"id": f"t_{comment.private_reply.to}", "link": "/inbox"}
    return found


def _fields(found: dict[str, Any], request: web.Request) -> dict[str, Any]:
    """Only what was asked for; the id always comes."""
    asked = re.findall(r"([a-z_]+)(?:\{[a-z_,]*\})?", request.query.get("fields", "message,created_time,from"))
    return {name: value for name, value in found.items() if name == "id" or name in asked}


def _is_below(comment: Comment, id_: str, request: web.Request) -> bool:
    if comment.parent_id == id_:
        return True
    return comment.post_id == id_ and request.query.get("filter") == "stream"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
