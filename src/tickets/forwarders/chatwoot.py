"""Hands tickets to an API inbox of a Chatwoot by its application API (developers.chatwoot.com/api-reference).

A conversation is found by a custom attribute that holds the complaint id; a message by our key at its end, because
Chatwoot keeps no id of ours for messages. It does not say who changed a status: one that we did not set is another's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tickets.forwarders.chatwoot_settings import ChatwootSettings
from tickets.forwarders.contract import Handed, Handover, Remote, Seen
from tickets.forwarders.errors import Misconfigured, Refused, Unavailable
from tickets.forwarders.http import Call
from tickets.forwarders.rest import Rest
from tickets.forwarders.text import opening, words

#: Pages that a look or a search for a message reads; lists there are short (25 conversations, 20 messages).
_MOST_PAGES = 40
_MESSAGE_PAGES = 5


class Chatwoot:
    """One inbox of one account."""

    def __init__(self, settings: ChatwootSettings, call: Call, now: Callable[[], datetime]) -> None:
        self._settings = settings
        headers = {"api_access_token": settings.token.get_secret_value()}
        self._rest = Rest(settings.name, f"{settings.url}/api/v1/accounts/{settings.account}", headers, call)
        self._now = now

    @property
    def target(self) -> str:
        """Its name in the settings."""
        return self._settings.name

    async def create(self, handover: Handover) -> Handed:
        """The conversation of the complaint, found or made."""
        found = await self._find(handover.external_id)
        if found is None:
            try:
                found = await self._new(handover)
            except Refused:
                await self.check()  # an unknown inbox is nobody's ticket's fault
                raise
        return Handed(store_ref=str(found["id"]), remote=_remote(found))

    async def update(self, handover: Handover) -> Handed:
        """Adds the text as a message and sets the status, unless somebody changed it there."""
        path = f"/conversations/{handover.store_ref}"
        conversation = await self._conversation(handover, path)
        wanted = self._settings.state_of(handover.ticket.state)
        text = words(handover)
        said = bool(text) and handover.repeated and await self._has_message(path, handover.key)
        changed = self._changed(handover, conversation, wanted, said)
        if text and not said:
            await self._rest.ask("POST", f"{path}/messages", self._message(handover, text), writes=True)
            # What a customer says opens a conversation again: the status is set behind it.
            conversation = await self._conversation(handover, path)
        if handover.write_state and changed is None and conversation["status"] != wanted:
            await self._rest.ask("POST", f"{path}/toggle_status", {"status": wanted}, writes=True, one_ticket=True)
            conversation = await self._conversation(handover, path)
        return Handed(store_ref=str(conversation["id"]), remote=_remote(conversation), changed=changed)

    async def changes(self, since: datetime) -> Sequence[Seen]:
        """The conversations of the inbox in which something happened, as they stand."""
        found: list[Seen] = []
        for page in range(1, _MOST_PAGES + 1):
            query: dict[str, str | int] = {"inbox_id": self._settings.inbox, "status": "all", "page": page}
            told = await self._rest.get("/conversations", query)
            conversations = _payload(self.target, (told or {}).get("data", told))
            new = [each for each in conversations if _moment(each) >= since]
            found += [self._seen(each) for each in new]
            # The latest stand first.
            if len(new) < len(conversations) or not conversations:
                break
        return sorted(found, key=lambda seen: seen.changed_at)

    async def check(self) -> None:
        """Whether the token is good, the inbox is an API inbox and the attribute exists."""
        inbox = await self._rest.get(f"/inboxes/{self._settings.inbox}")
        if inbox is None:
            raise Misconfigured(f"{self.target}: there is no inbox {self._settings.inbox} that this agent may use")
        if inbox.get("channel_type") != "Channel::Api":
            raise Misconfigured(f"{self.target}: inbox {self._settings.inbox} is not of the kind API")
        defined = await self._rest.get("/custom_attribute_definitions", {"attribute_model": "conversation_attribute"})
        if self._settings.attribute not in [each.get("attribute_key") for each in defined or ()]:
            told = f"{self.target}: conversations have no attribute `{self._settings.attribute}`"
            raise Misconfigured(f"{told}: an administrator adds it as a text under Custom attributes")

    async def aclose(self) -> None:
        """Gives connections back."""
        await self._rest.aclose()

    async def _conversation(self, handover: Handover, path: str) -> dict[str, Any]:
        found = await self._rest.ask("GET", path, writes=False, one_ticket=True)
        if found is None:
            raise Refused("gone", f"{self.target}: its conversation {handover.store_ref} is not there any more")
        return dict(found)

    async def _find(self, external_id: str) -> dict[str, Any] | None:
        attribute = self._settings.attribute
        condition = {
            "attribute_key": attribute,
            "filter_operator": "equal_to",
            "values": [external_id],
            "query_operator": None,
            "custom_attribute_type": "conversation_attribute",
        }
        try:
            told = await self._rest.ask("POST", "/conversations/filter", {"payload": [condition]}, writes=False)
        except Refused:
            await self.check()  # it refuses to filter by an attribute that it does not know
            raise
        found = [
            each
            for each in _payload(self.target, told)
            if (each.get("custom_attributes") or {}).get(attribute) == external_id
        ]
        return min(found, key=lambda each: int(each["id"])) if found else None

    async def _new(self, handover: Handover) -> dict[str, Any]:
        complaint = handover.complaint
        body = {
            "inbox_id": self._settings.inbox,
            "contact_id": await self._contact(handover),
            "source_id": complaint.complaint_id,
            "status": self._settings.state_of(handover.ticket.state),
            "custom_attributes": {
                self._settings.attribute: complaint.complaint_id,
                "aduan_ticket_number": complaint.ticket_number,
            },
            "message": {"content": opening(handover), "message_type": "incoming"},
        }
        made = await self._rest.ask("POST", "/conversations", body, writes=True)
        # The opening message may have opened it: as it stands now.
        return await self._conversation(handover, f"/conversations/{made['id']}")

    async def _contact(self, handover: Handover) -> int:
        """The contact of the sender. No address or phone number: those are unique there, and may be somebody else's."""
        complaint = handover.complaint
        whose = f"{complaint.tenant}:{complaint.sender_key or complaint.complaint_id}"
        identifier = f"aduan-{hashlib.sha256(whose.encode()).hexdigest()[:24]}"
        found = await self._contact_of(identifier)
        if found is not None:
            return found
        name = complaint.complainant.full_name or complaint.sender_handle or identifier
        try:
            told = await self._rest.ask("POST", "/contacts", {"identifier": identifier, "name": name}, writes=True)
        except Refused:
            # Another ticket of the same person was a moment faster.
            found = await self._contact_of(identifier)
            if found is None:
                raise
            return found
        return int(told["payload"]["contact"]["id"])

    async def _contact_of(self, identifier: str) -> int | None:
        told = await self._rest.get("/contacts/search", {"q": identifier})
        found = [each for each in _payload(self.target, told) if each.get("identifier") == identifier]
        return int(found[0]["id"]) if found else None

    def _message(self, handover: Handover, text: str) -> dict[str, Any]:
        return {
            "content": f"{text}\n\n[{handover.key}]",
            "message_type": "incoming" if handover.by_customer else "outgoing",
            "private": self._settings.internal and not handover.by_customer,
        }

    async def _has_message(self, path: str, key: str) -> bool:
        before: int | None = None
        for _ in range(_MESSAGE_PAGES):
            told = await self._rest.get(f"{path}/messages", None if before is None else {"before": before})
            messages = _payload(self.target, told)
            if any(f"[{key}]" in str(each.get("content") or "") for each in messages):
                return True
            if not messages:
                return False
            before = min(int(each["id"]) for each in messages)
        return False

    def _changed(self, handover: Handover, conversation: Mapping[str, Any], wanted: str, said: bool) -> Seen | None:
        """A status that we did not set; nor did an interrupted attempt of ours that `said` its text already."""
        seen = self._seen(conversation)
        if handover.remote is None or seen.remote.state in (handover.remote.state, wanted):
            return None
        if said and handover.by_customer and seen.remote.state == "open":
            return None
        return seen

    def _seen(self, conversation: Mapping[str, Any]) -> Seen:
        remote = _remote(conversation)
        return Seen(
            store_ref=str(conversation["id"]),
            external_id=(conversation.get("custom_attributes") or {}).get(self._settings.attribute),
            remote=remote,
            changed_at=_moment(conversation),
            by_us=False,
            note=f"its status there is `{remote.state}`",
        )


def _payload(name: str, told: Any) -> list[dict[str, Any]]:
    found = told.get("payload") if isinstance(told, dict) else None
    if not isinstance(found, list):
        raise Unavailable(f"{name} answers with no list where one belongs")
    return found


def _remote(conversation: Mapping[str, Any]) -> Remote:
    # Its times move with every word, also ours: only the status tells.
    return Remote(state=str(conversation["status"]), version=str(conversation["status"]))


def _moment(conversation: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(float(conversation.get("last_activity_at") or 0), UTC)
