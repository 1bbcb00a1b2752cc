"""The signed token of one rendered form: when it was shown, to which browser session, for which channel.

It proves three things at once without a row in any database: the form was ours (CSRF double submit), how long a person
took to fill it in, and which random key makes a second press of the button harmless.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import UTC, datetime

from msgspec import Struct

_PACK = struct.Struct(">Q16s16s")
_MAC_BYTES = 32


class FormToken(Struct, frozen=True, kw_only=True):
    """What a form token says once its signature is good."""

    issued_at: datetime
    #: 32 hex digits, new for every rendered form: its idempotency key.
    nonce: str
    #: 32 hex digits that stand for the browser session; the session's own secret cannot be found from it.
    session: str


def session_name(cookie: str) -> str:
    """The public name (32 hex digits) of the browser session whose cookie holds `cookie`."""
    return hashlib.sha256(b"aduan form session\n" + cookie.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def issue(secret: bytes, channel_id: str, cookie: str, nonce: bytes, now: datetime) -> str:
    """A token for one rendered form of a channel; `nonce` is 16 random bytes."""
    body = _PACK.pack(int(now.timestamp() * 1000), nonce, bytes.fromhex(session_name(cookie)))
    return base64.urlsafe_b64encode(body + _mac(secret, channel_id, body)).decode().rstrip("=")


def read(secret: bytes, channel_id: str, token: str) -> FormToken | None:
    """What `token` says, or None when it was not issued here for this channel. Never raises."""
    if len(token) > 256 or not token.isascii():
        return None
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(data) != _PACK.size + _MAC_BYTES:
        return None
    body, mac = data[: _PACK.size], data[_PACK.size :]
    if not hmac.compare_digest(mac, _mac(secret, channel_id, body)):
        return None
    issued_ms, nonce, session = _PACK.unpack(body)
    return FormToken(issued_at=datetime.fromtimestamp(issued_ms / 1000, UTC), nonce=nonce.hex(), session=session.hex())


def _mac(secret: bytes, channel_id: str, body: bytes) -> bytes:
    return hmac.new(secret, b"aduan form token\n" + channel_id.encode() + b"\n" + body, hashlib.sha256).digest()
