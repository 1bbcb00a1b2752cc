"""A pretended Chatwoot: the calls that a forwarder needs of its application API (developers.chatwoot.com).

Identifiers of contacts are unique; what a customer says opens a conversation again; lists are short and paged.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.ticket_stores.server import Server

STATUSES = ("open", "resolved", "pending", "snoozed")
CONVERSATIONS_PER_PAGE = 25
MESSAGES_PER_PAGE = 20
_EPOCH = int(datetime(2026, 1, 5, 3, 4, 5, tzinfo=UTC).timestamp())


class Chatwoot(Server):
    """One account with one API inbox."""

    def __init__(
        self, token: str, account: int = 1, inbox: int = 2, attributes: tuple[str, ...] = ("aduan_complaint_id",)
    ) -> None:
        super().__init__()
        self._token = token
        self._base = f"/api/v1/accounts/{account}"
        self._inbox = inbox
        self._attributes = attributes
        self._ticks = itertools.count(1)
        self.contacts: list[dict[str, Any]] = []
        self.conversations: dict[int, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []

    def change(self, conversation_id: int, status: str) -> None:
        """An agent sets a status."""
        self.conversations[conversation_id] |= {"status": status, "last_activity_at": self._now()}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        if request.headers.get("api_access_token") != self._token:
            return web.json_response({"error": "Invalid Access Token"}, status=401)
        body = json.loads(await request.read() or b"{}")
        path, query = request.path.removeprefix(self._base), request.query
        routes: list[tuple[str, str, Callable[..., web.Response]]] = [
            ("GET", r"/inboxes/(\d+)", lambda id_: self._show_inbox(int(id_))),
            ("GET", r"/custom_attribute_definitions", lambda: web.json_response(self._definitions())),
            ("GET", r"/contacts/search", lambda: self._search_contacts(query.get("q", ""))),
            ("POST", r"/contacts", lambda: self._create_contact(body)),
            ("POST", r"/conversations/filter", lambda: self._filter(body)),
            ("GET", r"/conversations", lambda: self._list(query)),
            ("POST", r"/conversations", lambda: self._create(body)),
            ("GET", r"/conversations/(\d+)", lambda id_: self._show(int(id_))),
            ("GET", r"/conversations/(\d+)/messages", lambda id_: self._messages(int(id_), query)),
            ("POST", r"/conversations/(\d+)/messages", lambda id_: web.json_response(self._say(int(id_), body))),
            ("POST", r"/conversations/(\d+)/toggle_status", lambda id_: self._toggle(int(id_), body)),
        ]
        for method, pattern, handle in routes:
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return handle(*match.groups())
        return web.json_response({"error": "Resource could not be found"}, status=404)

    def _show_inbox(self, id_: int) -> web.Response:
        if id_ != self._inbox:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        return web.json_response({"id": id_, "channel_type": "Channel::Api"})

    def _definitions(self) -> list[dict[str, str]]:
        return [{"attribute_key": key, "attribute_display_type": "text"} for key in self._attributes]

    def _search_contacts(self, q: str) -> web.Response:
        return web.json_response({"payload": [each for each in self.contacts if q in str(each["identifier"])][:15]})

    def _create_contact(self, body: Mapping[str, Any]) -> web.Response:
        if any(each["identifier"] == body["identifier"] for each in self.contacts):
            return web.json_response({"message": "Identifier has already been taken"}, status=422)
        contact = {**body, "id": len(self.contacts) + 1}
        self.contacts.append(contact)
        return web.json_response({"payload": {"contact": contact, "contact_inbox": None}})

    def _filter(self, body: Mapping[str, Any]) -> web.Response:
        (condition,) = body["payload"]
        key = condition["attribute_key"]
        if key not in self._attributes:
            return web.json_response({"error": f"Invalid attribute key - [{key}]"}, status=422)
        values = [value.lower() for value in condition["values"]]
        found = [
            each for each in self.conversations.values() if str(each["custom_attributes"].get(key)).lower() in values
        ]
        return web.json_response({"meta": {}, "payload": found})

    def _list(self, query: Mapping[str, str]) -> web.Response:
        wanted = query.get("status", "open")
        found = [each for each in self.conversations.values() if wanted in ("all", each["status"])]
        found.sort(key=lambda each: int(each["last_activity_at"]), reverse=True)
        first = (int(query.get("page", "1")) - 1) * CONVERSATIONS_PER_PAGE
        return web.json_response({"data": {"meta": {}, "payload": found[first : first + CONVERSATIONS_PER_PAGE]}})

    def _create(self, body: Mapping[str, Any]) -> web.Response:
        known = any(each["id"] == body["contact_id"] for each in self.contacts)
        if body["inbox_id"] != self._inbox or not known:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        id_ = len(self.conversations) + 1
        self.conversations[id_] = {
            "id": id_,
            "status": body["status"],
            "inbox_id": self._inbox,
            "custom_attributes": body["custom_attributes"],
            "contact_id": body["contact_id"],
            "last_activity_at": self._now(),
        }
        self._say(id_, body["message"])
        return web.json_response(self.conversations[id_])

    def _show(self, id_: int) -> web.Response:
        if id_ not in self.conversations:
            return web.json_response({"error": "Resource could not be found"}, status=404)
        return web.json_response(self.conversations[id_])

    def _messages(self, id_: int, query: Mapping[str, str]) -> web.Response:
        mine = [each for each in self.messages if each["conversation_id"] == id_]
        if "before" in query:
            mine = [each for each in mine if each["id"] < int(query["before"])]
        return web.json_response({"meta": {}, "payload": mine[-MESSAGES_PER_PAGE:]})

    def _say(self, id_: int, body: Mapping[str, Any]) -> dict[str, Any]:
        message = {**body, "id": len(self.messages) + 1, "conversation_id": id_}
        self.messages.append(message)
        conversation = self.conversations[id_]
        conversation["last_activity_at"] = self._now()
        if body["message_type"] == "incoming" and conversation["status"] == "resolved":
            conversation["status"] = "open"
        return message

    def _toggle(self, id_: int, body: Mapping[str, Any]) -> web.Response:
        if body["status"] not in STATUSES:
            return web.json_response({"error": "is not a valid status"}, status=422)
        self.conversations[id_] |= {"status": body["status"], "last_activity_at": self._now()}
        return web.json_response({"payload": {"success": True, "current_status": body["status"]}})

    def _now(self) -> int:
        return _EPOCH + next(self._ticks)
