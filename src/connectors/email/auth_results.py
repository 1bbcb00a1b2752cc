"""Whether our own mail server vouches for the sender's domain (RFC 8601, RFC 7489); all others are ignored."""

from __future__ import annotations

import re

from connectors.email.headers import Headers, split_params, unlabelled

RESULT = re.compile(r"^\s*dmarc\s*(?:/\s*1\s*)?=\s*([a-z]+)\b", re.I)
FROM = re.compile(r"\bheader\.from\s*=\s*\"?(?:[^\s\"@;]{0,64}@)?([^\s\";]{1,253})", re.I)


def verified(headers: Headers, domain: str, authserv_id: str | None) -> bool:
    """Whether the topmost Authentication-Results of `authserv_id` says dmarc=pass for exactly `domain`.

    False when nothing is configured, and when results under our own name contradict each other: then one is forged.
    """
    if not authserv_id or not domain:
        return False
    ours = [v for v in map(read, headers.all("authentication-results")) if v[0] == authserv_id.lower()]
    verdicts = [(result, sender) for _, result, sender in ours if result]
    if not verdicts:
        return False
    if len(set(verdicts)) > 1:
        headers.flags.add("authentication_conflict")
        return False
    return verdicts[0] == ("pass", domain)


def read(value: bytes) -> tuple[str, str, str]:
    """Authserv-id, DMARC result and the domain it speaks of; empty where the header does not say."""
    pieces = split_params(unlabelled(value[:8192]), 60)
    name = pieces[0].split()[0].strip('"').lower() if pieces and pieces[0].split() else ""
    for piece in pieces[1:]:
        result = RESULT.match(piece)
        if result:
            sender = FROM.search(piece)
            return name, result.group(1).lower(), sender.group(1).lower().rstrip(".") if sender else ""
    return name, "", ""
