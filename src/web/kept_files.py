"""Files that were already taken while the form around them still has a mistake: signed references in hidden fields.

The signature covers the browser session, so that nobody can name a file by its digest alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors.submission import Purpose, Upload

_VALID = timedelta(hours=24)


class _Reference(Struct, frozen=True, kw_only=True):
    upload: Upload
    session: str
    until: float


def sign(secret: bytes, upload: Upload, session: str, now: datetime) -> str:
    """A reference that `read` takes back for a day in the same browser session."""
    body = msgspec.json.encode(_Reference(upload=upload, session=session, until=(now + _VALID).timestamp()))
    return base64.urlsafe_b64encode(_mac(secret, body) + body).decode()


def read(secret: bytes, token: str, session: str, now: datetime) -> Upload | None:
    """The file that a reference names, or None when it is not ours, of another session, or too old."""
    try:
        data = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        return None
    mac, body = data[:32], data[32:]
    if not hmac.compare_digest(mac, _mac(secret, body)):
        return None
    reference = msgspec.json.decode(body, type=_Reference)
    if reference.session != session or reference.until < now.timestamp():
        return None
    return reference.upload


def purpose_of(field: str) -> Purpose:
    """What a file in this field of the form is for."""
    return "power_of_attorney" if field == "power_of_attorney" else "evidence"


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"aduan kept file\n" + body, hashlib.sha256).digest()
