"""The second secret of a complaint: a check code for people and a link token, both derived, neither stored.

Derived with HMAC-SHA256 from the installation's secret and the complaint's id, so that every retry carries the same
code and a copy of the database holds none. The stored hash is keyed with the same secret instead of being slow: a code
has only a million values, which no slow hash protects, while without the secret a keyed hash says nothing at all.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache

_DIGITS = 6
_TOKEN_BYTES = 16
_TOKEN_LENGTH = 22


def access_code(secret: bytes, complaint_id: str) -> str:
    """The six digits that, with the ticket number, open the status of a complaint; sent only in private (section 8)."""
    digest = _derive(secret, "access", complaint_id)
    # 64 bits over a million values: no code is noticeably likelier than another.
    return f"{int.from_bytes(digest[:8]) % 10**_DIGITS:0{_DIGITS}}"


def code_hash(secret: bytes, complaint_id: str, code: str) -> str:
    """What the ticket keeps of a code (hex); different for every complaint, even with the same code."""
    return _derive(secret, "access-hash", f"{complaint_id}\0{code}").hex()


def code_matches(secret: bytes, complaint_id: str, code: str, stored: str | None) -> bool:
    """Whether somebody typed the right code, in constant time; spaces and hyphens do not count."""
    typed = code.replace(" ", "").replace("-", "")
    found = hmac.compare_digest(code_hash(secret, complaint_id, typed), stored or "")
    return found and stored is not None


def stand_in(secret: bytes, typed: str) -> str:
    """What is counted and logged in place of something that is no ticket number: people type their own numbers too."""
    return f"?{_derive(secret, 'typed', typed.encode('utf-8', 'replace').decode()).hex()[:32]}"


def receipt_token(secret: bytes, complaint_id: str) -> str:
    """The token of `/r/{token}`: the complaint's id and a 128-bit proof (ASVS 11.5.1), URL-safe."""
    return f"{complaint_id}.{_proof(secret, complaint_id)}"


def read_token(secret: bytes, token: str) -> str | None:
    """The complaint id of a genuine token, else None; constant time over the proof."""
    complaint_id, dot, proof = token.rpartition(".")
    if not dot or len(proof) != _TOKEN_LENGTH or not token.isascii():
        return None
    return complaint_id if hmac.compare_digest(proof, _proof(secret, complaint_id)) else None


def _proof(secret: bytes, complaint_id: str) -> str:
    proof = _derive(secret, "receipt-link", complaint_id)[:_TOKEN_BYTES]
    return urlsafe_b64encode(proof).decode().rstrip("=")


def _derive(secret: bytes, purpose: str, value: str) -> bytes:
    keyed = _keyed(secret).copy()
    keyed.update(f"{purpose}\0{value}".encode())
    return keyed.digest()


@lru_cache(maxsize=8)
def _keyed(secret: bytes) -> hmac.HMAC:
    """The key schedule of the secret: half the price of an HMAC, and every complaint needs two."""
    return hmac.new(secret, digestmod=hashlib.sha256)
