"""Who enters a complaint: proven by a token of the settings, or by the installation's own secret on this machine."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors import signing
from connectors.staff.settings import PERSON

_BEARER = "Bearer "
_PROOF = re.compile(rf"local:({PERSON}):([0-9]{{1,12}}):([0-9a-f]{{64}})")
_PROVES_FOR = timedelta(minutes=5)


def prove(secret: bytes, channel_id: str, person: str, now: datetime) -> str:
    """The `Authorization` of a person who may read the installation's secret; good for five minutes."""
    seconds = str(int(now.timestamp()))
    return f"{_BEARER}local:{person}:{seconds}:{_digest(secret, channel_id, person, seconds)}"


def person_of(
    authorization: str | None, now: datetime, *, people: Mapping[str, tuple[bytes, ...]], secret: bytes, channel_id: str
) -> str | None:
    """The name of who sends this `Authorization`, "cli:" before it when the proof is this machine's; None: nobody."""
    if authorization is None or not authorization.startswith(_BEARER):
        return None
    token = authorization.removeprefix(_BEARER)
    # Everybody's tokens are compared before the answer, so that its time does not tell whose it was.
    found = [name for name, tokens in people.items() if signing.same(token, tokens)]
    if found:
        return found[0]
    proof = _PROOF.fullmatch(token)
    if proof is None:
        return None
    person, seconds, digest = proof.groups()
    if not signing.same(digest, [_digest(secret, channel_id, person, seconds).encode()]):
        return None
    return f"cli:{person}" if abs(now.timestamp() - int(seconds)) <= _PROVES_FOR.total_seconds() else None


def _digest(secret: bytes, channel_id: str, person: str, seconds: str) -> str:
    message = "\n".join(("aduan staff", channel_id, person, seconds)).encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
