"""What every account at Meta has in common: where it runs, the handshake, and signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import delivery
from simulator.delivery import Delivery, Mixer, Record, RetryPolicy, Tasks
from simulator.place import Place
from simulator.weather import Weather


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the business answered to the handshake."""

    status: int
    body: bytes
    ok: bool


def encode(payload: Any) -> bytes:
    """JSON as Meta writes it: no spaces, non-ASCII and slashes escaped."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=True).replace("/", "\\/").encode("ascii")


def sign(app_secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for these bytes."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


class MetaAccount:
    """An account that is pretended; `webhook_url` may be set later, when the business starts later."""

    app_secret: str
    verify_token: str
    webhook_url: str
    weather: Weather
    tasks: Tasks
    deliveries: Record[Delivery]
    _mixer: Mixer[Any]
    #: When one attempt is over, and which answer satisfies Meta.
    _policy: RetryPolicy
    _place: Place | None = None

    async def open(self, place: Place) -> None:
        """Remembers where the account runs."""
        self._place = place

    async def aclose(self) -> None:
        """Ends every retry and report under way."""
        await self.tasks.aclose()
        self._place = None

    async def settled(self) -> None:
        """Returns when every webhook was accepted or given up."""
        self._mixer.flush(self.weather)
        await self.tasks.settled()

    @property
    def place(self) -> Place:
        """Where the account runs; raises RuntimeError before it is started."""
        if self._place is None:
            raise RuntimeError("this provider is not started; call simulator.start first")
        return self._place

    @property
    def base_url(self) -> str:
        """What a business gives as the address of the Graph API, without version."""
        return self.place.base_url

    async def inject_raw(
        self, body: bytes | dict[str, Any], *, secret: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Delivery:
        """Posts these bytes once, signed with `secret` (default: the right one); `headers` replace what is signed."""
        sending = self._delivery(body if isinstance(body, bytes) else encode(body), secret)
        if headers is not None:
            sending.headers = dict(headers)
        await delivery.attempt(self.place.http, sending, self._policy)
        self.deliveries.append(sending)
        return sending

    async def handshake(self, *, verify_token: str | None = None, url: str | None = None) -> Handshake:
        """Asks the webhook as Meta does when it is registered; `ok` says whether Meta would be content."""
        challenge = str(secrets.randbelow(10**10))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self.verify_token if verify_token is None else verify_token,
        }
        async with self.place.http.get(url or self.webhook_url, params=query, allow_redirects=False) as answer:
            body = await answer.content.read(4_096)
            return Handshake(answer.status, body, answer.status == 200 and body == challenge.encode())

    def _delivery(self, body: bytes, secret: str | None = None) -> Delivery:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": sign(self.app_secret if secret is None else secret, body),
        }
        return Delivery(self.webhook_url, body, headers)
