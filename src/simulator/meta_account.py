"""What every account at Meta has in common: the handshake, and signed webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, RetryPolicy

T = TypeVar("T")


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


class MetaAccount(PretendedAccount[T]):
    """An account at Meta; `policy` says when one attempt is over, and which answer satisfies Meta."""

    user_agent = "facebookexternalua"

    def __init__(self, *, app_secret: str, verify_token: str, policy: RetryPolicy, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self.app_secret = app_secret
        self.verify_token = verify_token
        self._policy = policy

    async def inject_raw(
        self, body: bytes | dict[str, Any], *, secret: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Delivery:
        """Posts these bytes once, signed with `secret` (default: the right one); `headers` replace what is signed."""
        sending = self._delivery(body if isinstance(body, bytes) else encode(body), secret)
        if headers is not None:
            sending.headers = dict(headers)
        return await self._post_once(sending, self._policy)

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
            "User-Agent": self.user_agent,
            "X-Hub-Signature-256": sign(self.app_secret if secret is None else secret, body),
        }
        return Delivery(self.webhook_url, body, headers)
