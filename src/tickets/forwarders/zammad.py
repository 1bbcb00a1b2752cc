"""Hands tickets to a Zammad by its REST API (docs.zammad.org/en/latest/api/intro.html).

Tickets are found by a search over conditions, which asks the database itself: the full-text index would lag behind a
ticket that was made a second ago. Articles carry our key as their message id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tickets.forwarders.contract import MOST_CHANGES, Handed, Handover, Remote, Seen
from tickets.forwarders.errors import Misconfigured, Refused, Unavailable
from tickets.forwarders.http import Call
from tickets.forwarders.rest import Rest
from tickets.forwarders.text import opening, title, words
from tickets.forwarders.zammad_settings import ZammadSettings

_PAGE = 100
#: Zammad's own user, in whose name its triggers act (db/seeds/user_nr_1.rb).
_SYSTEM = 1
#: Pages of changes in one look; what is left comes in the next.
_MOST_PAGES = MOST_CHANGES // _PAGE


class Zammad:
    """One group of one Zammad."""

    def __init__(self, settings: ZammadSettings, call: Call, now: Callable[[], datetime]) -> None:
        self._settings = settings
        headers = {"Authorization": f"Token token={settings.token.get_secret_value()}"}
        self._rest = Rest(settings.name, f"{settings.url}/api/v1", headers, call)
        self._now = now
        self._our_id: int | None = None

    @property
    def target(self) -> str:
        """Its name in the settings."""
        return self._settings.name

    async def create(self, handover: Handover) -> Handed:
        """The ticket of the complaint, found or made."""
        found = await self._find(handover)
        if found is None:
            try:
                found = await self._rest.ask(
                    "POST", "/tickets", self._new(handover), query={"expand": "true"}, writes=True
                )
            except Refused:
                await self.check()  # an unknown group is nobody's ticket's fault
                raise
        return Handed(store_ref=str(found["id"]), remote=_remote(found))

    async def update(self, handover: Handover) -> Handed:
        """Adds the text as an article and sets the state, unless somebody changed the ticket there."""
        path = f"/tickets/{handover.store_ref}"
        ticket = await self._rest.ask("GET", path, query={"expand": "true"}, writes=False, one_ticket=True)
        if ticket is None:
            raise Refused("gone", f"{self.target}: its ticket {handover.store_ref} is not there any more")
        wanted = self._settings.state_of(handover.ticket.state)
        changed = await self._changed(handover, ticket, wanted)
        body: dict[str, Any] = {}
        if handover.write_state and changed is None and ticket["state"] != wanted:
            body["state"] = wanted
        text = words(handover)
        if text and not (handover.repeated and await self._has_article(handover)):
            body["article"] = self._article(handover, text)
        if body:
            ticket = await self._rest.ask("PUT", path, body, query={"expand": "true"}, writes=True, one_ticket=True)
        return Handed(store_ref=str(ticket["id"]), remote=_remote(ticket), changed=changed)

    async def changes(self, since: datetime) -> Sequence[Seen]:
        """The tickets of the group that changed, whoever changed them."""
        us = await self._us()
        condition = {"ticket.updated_at": {"operator": "after (absolute)", "value": _iso(since)}}
        found: list[Seen] = []
        for page in range(1, _MOST_PAGES + 1):
            tickets = await self._search(condition, page)
            found += [self._seen(ticket, us) for ticket in tickets]
            if len(tickets) < _PAGE:
                break
        return found

    async def check(self) -> None:
        """Whether the token is good, the group is there and the attribute can be searched."""
        await self._us()
        try:
            groups = await self._rest.ask("GET", "/groups", writes=False, one_ticket=True)
        except Refused:
            groups = None  # some versions show groups to administrators only: then the first ticket tells
        if isinstance(groups, list) and self._settings.group not in [each.get("name") for each in groups]:
            raise Misconfigured(f"{self.target}: there is no group `{self._settings.group}` that this agent may use")
        if self._settings.field:
            try:
                await self._search({f"ticket.{self._settings.field}": {"operator": "contains", "value": "-"}}, 1)
            except Refused:
                told = f"{self.target}: tickets have no attribute `{self._settings.field}`"
                raise Misconfigured(f"{told}: an administrator adds it as a text under Objects, Ticket") from None

    async def aclose(self) -> None:
        """Gives connections back."""
        await self._rest.aclose()

    def _new(self, handover: Handover) -> dict[str, Any]:
        complaint = handover.complaint
        body: dict[str, Any] = {
            "title": title(complaint),
            "group": self._settings.group,
            "state": self._settings.state_of(handover.ticket.state),
            **self._customer(handover),
            "article": {
                **self._article(handover, opening(handover)),
                "message_id": f"<{complaint.complaint_id}@aduan>",
            },
        }
        if self._settings.field:
            body[self._settings.field] = complaint.complaint_id
        return body

    def _customer(self, handover: Handover) -> dict[str, Any]:
        """Who the ticket belongs to there. An address that is not proven must not lead to somebody else's account."""
        complaint, person = handover.complaint, handover.complaint.complainant
        if person.verified and person.email:
            return {"customer_id": f"guess:{person.email}"}
        whose = f"{complaint.tenant}:{complaint.sender_key or complaint.complaint_id}"
        login = f"aduan-{hashlib.sha256(whose.encode()).hexdigest()[:24]}"
        return {"customer": {"login": login, "firstname": person.full_name or complaint.sender_handle or login}}

    def _article(self, handover: Handover, text: str) -> dict[str, Any]:
        return {
            "subject": handover.complaint.ticket_number,
            "body": text,
            "content_type": "text/plain",
            "type": "note",
            "sender": "Customer" if handover.by_customer else "Agent",
            "internal": self._settings.internal,
            "message_id": f"<{handover.key}@aduan>",
        }

    async def _find(self, handover: Handover) -> dict[str, Any] | None:
        """The oldest ticket of the complaint; titles and attributes are compared here once more, exactly."""
        field, number = self._settings.field, f"[{handover.complaint.ticket_number}]"
        name, value = (f"ticket.{field}", handover.external_id) if field else ("ticket.title", number)
        tickets = await self._search({name: {"operator": "contains", "value": value}}, 1)
        mine = [each for each in tickets if value in str(each.get(field or "title", ""))]
        return min(mine, key=lambda ticket: int(ticket["id"])) if mine else None

    async def _search(self, condition: Mapping[str, Any], page: int) -> list[dict[str, Any]]:
        body = {"condition": condition, "sort_by": "updated_at", "order_by": "asc", "limit": _PAGE, "page": page}
        found = await self._rest.ask("POST", "/tickets/search", body, query={"expand": "true"}, writes=False)
        if not isinstance(found, list):
            raise Unavailable(f"{self.target} answers a search with something else")
        return found

    async def _has_article(self, handover: Handover) -> bool:
        found = await self._rest.get(f"/ticket_articles/by_ticket/{handover.store_ref}")
        return any(each.get("message_id") == f"<{handover.key}@aduan>" for each in found or ())

    async def _changed(self, handover: Handover, ticket: Mapping[str, Any], wanted: str) -> Seen | None:
        """What somebody else did since we last saw the ticket; an interrupted write of ours is none."""
        seen = self._seen(ticket, await self._us())
        if handover.remote is None or handover.remote == seen.remote:
            return None
        if seen.by_us and seen.remote.state in (handover.remote.state, wanted):
            return None
        return seen

    async def _us(self) -> int:
        if self._our_id is None:
            told = await self._rest.get("/users/me")
            if not isinstance(told, dict) or not isinstance(told.get("id"), int):
                raise Unavailable(f"{self.target} does not say who we are")
            self._our_id = told["id"]
        return self._our_id

    def _seen(self, ticket: Mapping[str, Any], us: int) -> Seen:
        remote = _remote(ticket)
        return Seen(
            store_ref=str(ticket["id"]),
            external_id=ticket.get(self._settings.field) if self._settings.field else None,
            remote=remote,
            changed_at=datetime.fromisoformat(str(ticket["updated_at"])).astimezone(UTC),
            # A trigger that follows what we wrote is no person's change; what it does to the state is seen as one.
            by_us=ticket.get("updated_by_id") in (us, _SYSTEM),
            note=f"its state there is `{remote.state}`",
        )


def _remote(ticket: Mapping[str, Any]) -> Remote:
    return Remote(state=str(ticket["state"]), version=str(ticket["updated_at"]))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
