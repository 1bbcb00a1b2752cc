"""What the invented aggregator keeps and says: texts, delivery reports, errors, and what a text is counted as."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from simulator.front import CodedRefusal

Json = dict[str, Any]

WIB = timezone(timedelta(hours=7))
#: code -> (HTTP status, message)
ERRORS: Mapping[int, tuple[int, str]] = {
    1001: (401, "unknown key"),
    1002: (403, "account suspended"),
    1101: (429, "too many messages"),
    1201: (422, "not a number"),
    1202: (422, "recipient has opted out"),
    1203: (422, "recipient is a landline"),
    1204: (422, "unknown subscriber"),
    1301: (422, "text too long"),
    1302: (422, "text not allowed"),
    1303: (422, "a field is missing or wrong"),
    1304: (422, "sender is not registered"),
    1501: (500, "internal error"),
    1502: (503, "maintenance"),
}
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà"
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")


class ApiError(CodedRefusal):
    """A call that the aggregator refuses."""

    documented = ERRORS

    def body(self) -> Json:
        """The error as the API writes it."""
        return {"error": {"code": self.code, "message": str(self)}}


@dataclass(slots=True)
class Text:
    """One text in either direction; numbers without plus, as the aggregator writes them. `at`: seconds since 1970."""

    id: str
    inbound: bool
    from_: str
    to: str
    text: str
    at: float
    status: str
    segments: int
    client_ref: str = ""
    error: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One event of a webhook: what a customer wrote, or what became of a text."""

    body: Mapping[str, Any]


def segments_of(text: str) -> int:
    """How many parts a text is charged as: 160 or 153 characters of GSM-7, 70 or 67 of UCS-2."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, whole, part = sum(2 if letter in _GSM_TWICE else 1 for letter in text), 160, 153
    else:
        length, whole, part = len(text.encode("utf-16-be", "surrogatepass")) // 2, 70, 67
    return 1 if length <= whole else -(-length // part)


def new_id(prefix: str) -> str:
    """An id that was never given before."""
    return f"{prefix}-{secrets.token_hex(8)}"


def written(at: float) -> str:
    """Seconds since 1970 as the aggregator writes times: ISO 8601 with the zone of Jakarta."""
    return datetime.fromtimestamp(at, WIB).isoformat(timespec="milliseconds")
