"""Secrets of a channel and the signatures made with them: compared in constant time, never echoed.

Every secret is a list, so that two live at once while one is being replaced. No function here raises for what a
stranger sent, and none tells what it expected.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

Digest = Literal["sha1", "sha256"]

_BYTES: dict[Digest, int] = {"sha1": 20, "sha256": 32}
_HEX = {name: re.compile(rf"[0-9a-f]{{{2 * size}}}") for name, size in _BYTES.items()}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_MASK = re.compile(r"[*•●.xX\s]+")


def _refuse_mask(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("is empty; without this secret the channel cannot prove who calls")
    if _MASK.fullmatch(value):
        raise ValueError(
            "holds only a mask such as ********: an editor wrote the hidden form back; give the secret itself, "
            "as ${ENV_NAME} or file:PATH"
        )
    return secret


#: A secret in settings: hidden in every repr, never empty, never the mask that an editor shows in its place (T18, T32).
Secret = Annotated[SecretStr, AfterValidator(_refuse_mask)]
#: One or more secrets that are all valid now, the newest first (P19).
Secrets = Annotated[tuple[Secret, ...], Field(min_length=1)]


def keys(secrets: Sequence[SecretStr]) -> tuple[bytes, ...]:
    """The bytes of `secrets`, for the functions below. Raises ValueError when there is none or one is empty."""
    found = tuple(secret.get_secret_value().encode() for secret in secrets)
    if not found or not all(found):
        raise ValueError("a signature is checked against at least one secret, and none may be empty")
    return found


def same(given: str, expected: Sequence[bytes]) -> bool:
    """True if `given` equals one of `expected`; takes the same time whichever it is. Never true for an empty value."""
    value = given.encode("utf-8", "surrogatepass")
    # All are compared before the answer, so that its time does not tell which one it was.
    found = [bool(each) and hmac.compare_digest(value, each) for each in expected]
    return any(found)


def hex_matches(given: str | None, message: bytes, secrets: Sequence[bytes], digest: Digest = "sha256") -> bool:
    """True if `given` is the lower-case hex HMAC of `message` under one of `secrets`."""
    if given is None or not _HEX[digest].fullmatch(given):
        return False
    return same(given, [hmac.new(secret, message, digest).hexdigest().encode() for secret in secrets if secret])


def base64_matches(given: str | None, message: bytes, secrets: Sequence[bytes], digest: Digest = "sha256") -> bool:
    """True if `given` is the Base64 HMAC of `message`, padding included, under one of `secrets`."""
    if given is None or len(given) != -(-_BYTES[digest] // 3) * 4 or not _BASE64.fullmatch(given):
        return False
    return same(given, [base64.b64encode(hmac.new(secret, message, digest).digest()) for secret in secrets if secret])
