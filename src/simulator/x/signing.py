"""How X proves itself to a webhook, and how a caller proves itself to X (OAuth 1.0a, RFC 5849)."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote

LARGEST_SKEW = 300.0  # seconds that the caller's clock may differ
_PAIR = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*')


def sign(secret: str, message: bytes) -> str:
    """The header of a webhook, and the answer that a challenge must get."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, "sha256").digest()).decode()


def oauth_parameters(header: str) -> Mapping[str, str] | None:
    """The parameters of an OAuth 1.0a header, or None when it is none."""
    scheme, _, rest = header.partition(" ")
    if scheme != "OAuth":
        return None
    found = [_PAIR.fullmatch(part) for part in rest.split(",")]
    return {pair[1]: unquote(pair[2]) for pair in found if pair is not None}


def oauth_proves(
    given: Mapping[str, str], method: str, url: str, query: str, consumer_secret: str, token_secret: str
) -> bool:
    """Whether the parameters carry a fresh and right signature of this call; the body of a JSON call is not signed."""
    if given.get("oauth_signature_method") != "HMAC-SHA1" or not given.get("oauth_nonce"):
        return False
    if abs(time.time() - float(given.get("oauth_timestamp", "0"))) > LARGEST_SKEW:
        return False
    signed = [pair for pair in given.items() if pair[0] not in ("oauth_signature", "realm")]
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in [*signed, *parse_qsl(query, True)])
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(map(_encoded, (method, url, parameters)))
    key = f"{_encoded(consumer_secret)}&{_encoded(token_secret)}"
    expected = base64.b64encode(hmac.new(key.encode(), base.encode(), "sha1").digest()).decode()
    return hmac.compare_digest(expected, given.get("oauth_signature", ""))


def _encoded(text: str) -> str:
    return quote(text, safe="~")
