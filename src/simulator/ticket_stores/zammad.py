"""A pretended Zammad: the calls of its REST API that a forwarder needs (docs.zammad.org/en/latest/api/intro.html).

Searches over conditions see the database itself (its model concern `CanSearch`); updates stamp who made them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from simulator.ticket_stores.server import Server

STATES = ("new", "open", "pending reminder", "closed", "merged")
_EPOCH = datetime(2026, 1, 5, 3, 4, 5, tzinfo=UTC)


class Zammad(Server):
    """One Zammad with one group; `agent` is the id of the token's owner."""

    def __init__(self, token: str, group: str = "Pengaduan", fields: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._token = token
        self._group = group
        self._fields = fields
        self._ids = itertools.count(1)
        self._ticks = itertools.count(1)
        self.agent = 3
        self.other_agent = 4
        self.tickets: dict[int, dict[str, Any]] = {}
        self.articles: list[dict[str, Any]] = []
        self.users: dict[str, int] = {}

    def change(self, ticket_id: int, by: int | None = None, **values: Any) -> None:
        """Another agent changes a ticket, or the user `by` (1 is the system with its triggers)."""
        self.tickets[ticket_id] |= {**values, "updated_at": self._now(), "updated_by_id": by or self.other_agent}

    def remove(self, ticket_id: int) -> None:
        """Another agent deletes a ticket."""
        del self.tickets[ticket_id]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        if request.headers.get("Authorization") != f"Token token={self._token}":
            return web.json_response({"error": "Invalid token"}, status=401)
        body = json.loads(await request.read() or b"{}")
        path = request.path.removeprefix("/api/v1")
        routes: list[tuple[str, str, Callable[..., web.Response]]] = [
            ("GET", r"/users/me", lambda: web.json_response({"id": self.agent, "login": "aduan"})),
            ("GET", r"/groups", lambda: web.json_response([{"id": 1, "name": self._group}])),
            ("POST", r"/tickets/search", lambda: self._search(body)),
            ("POST", r"/tickets", lambda: self._create(body)),
            ("GET", r"/tickets/(\d+)", lambda id_: self._show(int(id_))),
            ("PUT", r"/tickets/(\d+)", lambda id_: self._update(int(id_), body)),
            ("GET", r"/ticket_articles/by_ticket/(\d+)", lambda id_: self._by_ticket(int(id_))),
        ]
        for method, pattern, handle in routes:
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return handle(*match.groups())
        return web.json_response({"error": "No route matches"}, status=404)

    def _create(self, body: Mapping[str, Any]) -> web.Response:
        customer = body.get("customer", {}).get("login") or body.get("customer_id")
        if body.get("group") != self._group or body.get("state") not in STATES or not customer:
            return web.json_response({"error": "No lookup value found"}, status=422)
        id_ = next(self._ids)
        ticket = {
            "id": id_,
            "number": str(30_000 + id_),
            "title": body["title"],
            "group": body["group"],
            "state": body["state"],
            "customer": customer,
            "customer_id": self.users.setdefault(customer, 100 + len(self.users)),
            "created_at": self._now(),
            **{name: body.get(name) for name in self._fields},
        }
        self.tickets[id_] = ticket
        self._add(id_, body["article"])
        self._stamp(id_)
        return web.json_response(ticket, status=201)

    def _show(self, id_: int) -> web.Response:
        ticket = self.tickets.get(id_)
        if ticket is None:
            return web.json_response({"error": "Couldn't find Ticket"}, status=404)
        return web.json_response(ticket)

    def _update(self, id_: int, body: Mapping[str, Any]) -> web.Response:
        if id_ not in self.tickets:
            return web.json_response({"error": "Couldn't find Ticket"}, status=404)
        if body.get("state", "open") not in STATES:
            return web.json_response({"error": "No lookup value found for 'state'"}, status=422)
        if "state" in body:
            self.tickets[id_]["state"] = body["state"]
        if "article" in body:
            self._add(id_, body["article"])
        self._stamp(id_)
        return web.json_response(self.tickets[id_])

    def _search(self, body: Mapping[str, Any]) -> web.Response:
        found = list(self.tickets.values())
        for name, condition in body["condition"].items():
            key = name.removeprefix("ticket.")
            if key not in ("title", "updated_at", *self._fields):
                return web.json_response({"error": "Unknown attribute"}, status=422)
            value = condition["value"]
            if condition["operator"] == "contains":
                found = [each for each in found if value.lower() in str(each[key] or "").lower()]
            else:
                after = datetime.fromisoformat(value)
                found = [each for each in found if datetime.fromisoformat(each[key]) > after]
        found.sort(key=lambda each: str(each[body["sort_by"]]))
        first = (body["page"] - 1) * body["limit"]
        return web.json_response(found[first : first + body["limit"]])

    def _by_ticket(self, id_: int) -> web.Response:
        return web.json_response([each for each in self.articles if each["ticket_id"] == id_])

    def _add(self, id_: int, article: Mapping[str, Any]) -> None:
        self.articles.append({**article, "id": len(self.articles) + 1, "ticket_id": id_})

    def _stamp(self, id_: int) -> None:
        self.tickets[id_] |= {"updated_at": self._now(), "updated_by_id": self.agent}

    def _now(self) -> str:
        return (_EPOCH + timedelta(seconds=next(self._ticks))).strftime("%Y-%m-%dT%H:%M:%S.000Z")
