"""How Twilio calls a webhook: time budget, retry, fallback address, and what it thinks of the answer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from simulator.delivery import Attempt

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
TOTAL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Connection settings of one webhook; the fragment of its address may override the defaults."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS
    total: float = TOTAL_SECONDS
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    def wants_retry(self, attempt: Attempt) -> bool:
        """True if this answer is one that the policy retries; 429 is never retried by default."""
        if "all" in self.retry_on and not accepted(attempt):
            return True
        if attempt.status is None:
            return ("rt" if attempt.connected else "ct") in self.retry_on
        return f"{attempt.status // 100}xx" in self.retry_on and attempt.status != 429


def budget(url: str, *, total: float = TOTAL_SECONDS) -> Budget:
    """The budget that an address asks for: `#ct=…&rt=…&tt=…` in milliseconds, `rc` retries, `rp` what to retry."""
    given = {name: values[-1] for name, values in parse_qs(urlsplit(url).fragment).items()}

    def seconds(name: str, low: int, high: int, default: float) -> float:
        if not given.get(name, "").isdigit():
            return min(default, total)
        return min(max(int(given[name]), low), high) / 1000

    return Budget(
        connect=seconds("ct", 100, 10_000, CONNECT_SECONDS),
        read=seconds("rt", 100, 15_000, READ_SECONDS),
        total=seconds("tt", 100, 15_000, TOTAL_SECONDS),
        retries=min(int(given["rc"]), 5) if given.get("rc", "").isdigit() else 1,
        retry_on=frozenset(given["rp"].split(",")) if "rp" in given else frozenset({"ct"}),
    )


def accepted(attempt: Attempt) -> bool:
    """True if Twilio is content with the status."""
    return attempt.status is not None and 200 <= attempt.status < 300


def complaint_about(attempt: Attempt) -> int | None:
    """The warning that Twilio would log about an answer to an inbound message, or None."""
    if not accepted(attempt):
        return 11200
    if attempt.status == 204 or not attempt.body:
        return None
    content_type = attempt.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in ("text/xml", "application/xml", "text/html", "text/plain"):
        return 12300
    if content_type in ("text/xml", "application/xml") and _parse(attempt.body) is None:
        return 12100
    return None


def replies_in(attempt: Attempt) -> list[str]:
    """The texts that a TwiML answer asks Twilio to send back."""
    root = _parse(attempt.body) if accepted(attempt) else None
    if root is None or root.tag != "Response":
        return []
    texts = (
        "".join(body.text or "" for body in each.findall("Body")) or (each.text or "")
        for each in root.findall("Message")
    )
    return [text for text in texts if text.strip()]


def _parse(body: bytes) -> ET.Element | None:
    if b"<!DOCTYPE" in body:
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 - the answer of the business under test, without a document type
    except ET.ParseError:
        return None
