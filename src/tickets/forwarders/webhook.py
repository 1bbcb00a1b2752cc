"""Tells a program of the organisation's own what happens to tickets: Standard Webhooks 1.0.0 (standardwebhooks.com).

One POST for each event, signed with every secret. A repeat carries the same `webhook-id` and the ticket as it stands
then: whoever keeps the ids of what it took misses nothing and counts nothing twice. Only 2xx is success.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tickets.forwarders.contract import Handed, Handover, Remote, Seen
from tickets.forwarders.errors import AuthFailed, Declined, Refused
from tickets.forwarders.http import Call, judge
from tickets.forwarders.webhook_settings import WebhookSettings, key_of
from tickets.life import ClockName, PromisedDate
from tickets.model import Ticket

_encode = msgspec.json.Encoder().encode


class TicketTold(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket beside its complaint, as a webhook carries it. Times are UTC, dates WIB dates."""

    ticket_number: str
    state: str
    level: int
    tier: str
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    revision: int
    #: What is promised now, by clock.
    promised: Mapping[ClockName, PromisedDate]


def told(ticket: Ticket) -> TicketTold:
    """What of a ticket leaves the house: no access code, not even its hash."""
    return TicketTold(
        ticket_number=ticket.ticket_number,
        state=ticket.state,
        level=ticket.level,
        tier=ticket.tier,
        opened_at=ticket.opened_at,
        updated_at=ticket.updated_at,
        closed_at=ticket.closed_at,
        revision=ticket.life.revision,
        promised=ticket.life.promised,
    )


def payload(handover: Handover) -> bytes:
    """The body: type and time of the event, and in `data` the complaint as its schema publishes it."""
    data: dict[str, Any] = {
        "complaint": handover.complaint,
        "ticket": told(handover.ticket),
        "text": handover.text,
        "seq": handover.seq,
        "links": handover.links,
    }
    return _encode({"type": handover.type, "timestamp": handover.at, "data": data})


def signature(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1` signature for each key, separated by spaces."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    made = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return " ".join(f"v1,{each}" for each in made)


class Webhook:
    """One endpoint."""

    def __init__(self, settings: WebhookSettings, call: Call, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._keys = [key_of(secret) for secret in settings.secrets]
        self._call = call
        self._now = now

    @property
    def target(self) -> str:
        """Its name in the settings."""
        return self._settings.name

    async def create(self, handover: Handover) -> Handed:
        """Tells of a new complaint; of one that is not new, `update` tells."""
        if handover.type == "complaint.received":
            await self._post(handover)
        return self._handed(handover)

    async def update(self, handover: Handover) -> Handed:
        """Tells of one event."""
        await self._post(handover)
        return self._handed(handover)

    async def changes(self, since: datetime) -> Sequence[Seen]:
        """Nothing: an endpoint has no tickets of its own."""
        return ()

    async def check(self) -> None:
        """Whether the address answers at all; nothing is sent that it could take for an event."""
        await self._call("OPTIONS", self._settings.url, headers={}, writes=False)

    async def aclose(self) -> None:
        """Gives connections back."""
        await self._call.aclose()

    async def _post(self, handover: Handover) -> None:
        body = payload(handover)
        timestamp = int(self._now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": handover.key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._keys, handover.key, timestamp, body),
        }
        answer = await self._call("POST", self._settings.url, headers=headers, body=body, writes=True)
        if answer.good:
            return
        error = judge(self.target, answer, writes=True)
        # A receiver that refuses may be mended tomorrow; only its 410 says that it means it.
        if isinstance(error, Refused | AuthFailed):
            raise Declined(str(error))
        raise error

    def _handed(self, handover: Handover) -> Handed:
        ref = handover.external_id
        return Handed(store_ref=ref, remote=Remote(state=None, version=None))
