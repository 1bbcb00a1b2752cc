"""Ids that must come back unforged, of our mails and of plus addresses: checked, not only signed (CVE-2026-47123)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from msgspec import Struct

PREFIX = "rcpt."
SAFE = re.compile(r"^[a-z0-9_-]{1,60}$")
ENCODED = "b32-"
TOKEN = re.compile(r"^(?:rcpt\.)?([a-z0-9_-]{1,200})\.([a-z2-7]{16})$")


class Signer(Struct, frozen=True, kw_only=True):
    """Makes and checks tokens of one organisation. A token of another organisation is a wrong one."""

    secret: bytes
    organisation: str
    domain: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.domain})"  # without the secret

    def mac(self, purpose: str, value: str) -> str:
        """80 bits over `value`, as 16 letters that survive a change of case."""
        text = f"aduan.email\0{purpose}\0{self.organisation}\0{value}"
        digest = hmac.digest(self.secret, text.encode(), hashlib.sha256)
        return base64.b32encode(digest[:10]).decode("ascii").lower()

    def token(self, key: str) -> str:
        """The token of an outbox key ("01k...-1.2ab..."), fit for a local part and blind to case."""
        name = fold(key)
        return f"{name}.{self.mac('outbox', name)}"

    def message_id(self, key: str) -> str:
        """The Message-ID of what is sent for an outbox key: the same at every retry (sheet A11, A13)."""
        return f"<{PREFIX}{self.token(key)}@{self.domain}>"

    def check(self, value: str) -> str | None:
        """Our Message-ID that `value` (a Message-ID, its local part, a plus tag) names, or None if it is not ours."""
        local, at, domain = value.strip().strip("<>").lower().rpartition("@")
        if at and domain != self.domain:
            return None
        match = TOKEN.match(local if at else domain)
        if not match or not hmac.compare_digest(match.group(2), self.mac("outbox", match.group(1))):
            return None
        return f"<{PREFIX}{match.group(1)}.{match.group(2)}@{self.domain}>"

    def looks_like_ours(self, message_id: str) -> bool:
        """Whether an id has the shape of ours, signed or not."""
        return message_id.lower().startswith(f"<{PREFIX}") and message_id.lower().endswith(f"@{self.domain}>")

    def loop_mark(self) -> str:
        """The value of the loop header of every mail of this installation."""
        return self.mac("loop", self.domain)


def fold(key: str) -> str:
    """`key` in lower case; keys that are neither all lower nor all upper case, or have other characters, in base 32."""
    lower = key.lower()
    if SAFE.match(lower) and key in (lower, key.upper()) and not lower.startswith(ENCODED):
        return lower
    return ENCODED + base64.b32encode(key.encode()).decode("ascii").rstrip("=").lower()
