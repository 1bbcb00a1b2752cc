"""The token (JWT) that signs Vonage's webhooks with the account's signature secret, over a digest of the body."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from connectors.contract import Request, Setup
from connectors.errors import Rejected
from connectors.signing import base64_matches, keys, same

#: Vonage repeats only what is answered with 429 or 5xx, and asks for it where a signature cannot be checked. So
#: whatever a repeat may put right (a secret or key that is not configured yet, a clock that is slow, a body that a
#: proxy changed) is answered with it, and comes again for a day (docs/adr/0009).
COME_AGAIN = 503
CLOCK_SKEW = timedelta(minutes=5)
_TOKEN = re.compile(r"[Bb]earer (([A-Za-z0-9_-]{1,1024})\.([A-Za-z0-9_-]{1,4096}))\.([A-Za-z0-9_-]{43})")
_STANDARD = str.maketrans("-_", "+/")

T = TypeVar("T")


class Header(Struct):
    """{"alg":"HS256","typ":"JWT"}; no other algorithm, and no extension that must be understood (RFC 7515, 4.1.11)."""

    alg: Literal["HS256"]
    crit: None = None


# {"iat":1767582000,"jti":"c5ba8f24-...","iss":"Vonage","payload_hash":"d6c0e74b...","api_key":"a1b2c3d4"}
class Claims(Struct):
    """Who signed what, and when (seconds since the epoch)."""

    api_key: str
    payload_hash: str
    iat: Annotated[float, Meta(ge=0, le=1e11)]


class Proof:
    """What proves the webhooks of one channel."""

    def __init__(self, setup: Setup) -> None:
        self._secrets = keys(setup.settings.signature_secrets)
        self._account = [setup.settings.api_key.encode()]
        self._most = setup.facts.max_body_bytes.value
        # Whether a repeated webhook is signed anew is documented nowhere: it may be as old as Vonage repeats it.
        self._oldest = timedelta(hours=setup.facts.redelivery_hours.value) + CLOCK_SKEW

    def check(self, request: Request) -> None:
        """Returns for an authentic webhook. Raises Rejected: 503 for what a repeat may put right; 401, 405, 413."""
        if request.method != "POST":
            raise Rejected(405, "only POST")
        if len(request.body) > self._most:
            raise Rejected(413, "larger than any webhook of Vonage")
        token = _TOKEN.fullmatch(request.header("authorization") or "")
        if token is None or not base64_matches(f"{token[4].translate(_STANDARD)}=", token[1].encode(), self._secrets):
            raise Rejected(COME_AGAIN, "signature missing or wrong")
        claims = _part(token[3], Claims)
        if _part(token[2], Header) is None or claims is None:
            raise Rejected(401, "signed with another algorithm or without its claims")
        if not same(claims.api_key, self._account):
            raise Rejected(COME_AGAIN, "signed for another account")
        if not same(claims.payload_hash, [hashlib.sha256(request.body).hexdigest().encode()]):
            raise Rejected(COME_AGAIN, "the body is not the one that was signed")
        age = timedelta(seconds=request.received_at.timestamp() - claims.iat)
        if age < -CLOCK_SKEW:
            raise Rejected(COME_AGAIN, "signed in the future")
        if age > self._oldest:
            raise Rejected(401, "signed too long ago")


def _part(text: str, type_: type[T]) -> T | None:
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
