"""Token buckets for strangers: so many at once, then so many a minute. Time is an argument."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence

from aiohttp import web


class TokenBuckets:
    """One bucket for each key; the longest unused are forgotten, which only ever gives a stranger a full bucket."""

    def __init__(self, burst: int, per_minute: float, remembered: int) -> None:
        self._burst = float(burst)
        self._rate = per_minute / 60
        self._remembered = remembered
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """0.0 when one was taken, else the seconds until one will be there. `now` is monotonic, seconds."""
        tokens, since = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - since) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[key] = (tokens - 1 if wait == 0.0 else tokens, now)
        while len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return wait


def client_address(request: web.BaseRequest, trusted: Sequence[str]) -> str:
    """The address of the customer: the last hop that is not a proxy of ours (ASVS 4.1.3, 15.3.4)."""
    address = request.remote or ""
    if not trusted or not _within(address, trusted):
        return address
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    for hop in reversed(hops):
        if not _is_address(hop):
            return address
        address = hop
        if not _within(hop, trusted):
            return hop
    return address


def subnet(address: str) -> str:
    """What one person holds: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _within(address: str, networks: Sequence[str]) -> bool:
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(each, strict=False) for each in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
