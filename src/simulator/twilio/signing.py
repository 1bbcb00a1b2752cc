"""Twilio's webhook signature: HMAC over the configured address and the sorted parameters. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Algorithm = Literal["HMAC_SHA1", "HMAC_SHA256"]

_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}


def signed_url(url: str, *, keep_port: bool = True) -> str:
    """The address as it is signed: query included, fragment left out, port kept or not."""
    parts = urlsplit(url)._replace(fragment="")
    if not keep_port and parts.port is not None:
        parts = parts._replace(netloc=parts.netloc[: parts.netloc.rindex(":")])
    return urlunsplit(parts)


def sign(
    secret: str,
    url: str,
    params: Sequence[tuple[str, str]],
    *,
    algorithm: Algorithm = "HMAC_SHA1",
    keep_port: bool = True,
) -> str:
    """The value of X-Twilio-Signature; a parameter given twice with the same value counts once."""
    text = signed_url(url, keep_port=keep_port)
    for name, value in sorted(set(params)):
        text += name + value
    digest = hmac.new(secret.encode(), text.encode(), _HASHES[algorithm]).digest()
    return base64.b64encode(digest).decode("ascii")
