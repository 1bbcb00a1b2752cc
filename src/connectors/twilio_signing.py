"""Twilio's webhook signature, for every connector whose webhooks come from Twilio (WhatsApp, voice, SMS).

Twilio signs the address as it is configured there and the sorted form parameters. So the address is built from the
configured public address and the raw request target, never from Host or X-Forwarded-* (sheet A2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from connectors.contract import Request
from connectors.errors import Rejected
from connectors.signing import base64_matches, keys, same

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000
_PORTS = {"https": 443, "http": 80}


class Signed(NamedTuple):
    """A settings header taken apart: which shared key signed, and how."""

    key: str | None
    algorithm: str


def addresses(public_url: str, target: str) -> tuple[str, str]:
    """The address without and with its port: Twilio signs either. Nothing of `target` is rewritten."""
    base = urlsplit(public_url)
    userinfo, at, host = base.netloc.rpartition("@")
    port = base.port
    bare = host.removesuffix(f":{port}") if port is not None else host.removesuffix(":")
    port = port if port is not None else _PORTS.get(base.scheme, 443)
    prefix = base.path.rstrip("/")
    return tuple(f"{base.scheme}://{userinfo}{at}{each}{prefix}{target}" for each in (bare, f"{bare}:{port}"))  # type: ignore[return-value]  # two in, two out


def message(address: str, parameters: Iterable[tuple[str, str]]) -> bytes:
    """What is signed: the address and every parameter, sorted, a pair that stands twice counted once."""
    return (address + "".join(name + value for name, value in sorted(set(parameters)))).encode("utf-8", "surrogatepass")


def settings(header: str | None) -> Signed:
    """The key id and algorithm of a settings header; HMAC_SHA1 with the auth token when there is none."""
    found: dict[str, str] = {}
    for part in (header or "").split(","):
        name, equals, value = part.partition("=")
        if equals and value.strip():
            found.setdefault(name.strip(), value.strip())
    return Signed(found.get("key"), found.get("algorithm", "HMAC_SHA1").upper())


def media_type(request: Request) -> str:
    """The media type of the body, in lower case and without parameters. Raises Rejected(400) when it stands twice."""
    return (request.header("content-type") or FORM).partition(";")[0].strip().lower()


def form(request: Request) -> list[tuple[str, str]]:
    """The parameters of a form body, empty ones too. Raises Rejected(400) when they cannot be read."""
    try:
        return parse_qsl(
            request.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except (UnicodeError, ValueError):
        raise Rejected(400, "the form cannot be read") from None


def verify(
    request: Request, public_url: str, auth_tokens: Sequence[bytes], shared_keys: Mapping[str, bytes]
) -> list[tuple[str, str]]:
    """The parameters of an authentic request; none for a JSON body. Raises Rejected(401), or (400) when unreadable."""
    given = request.header(SIGNATURE)
    signed = settings(request.header(SETTINGS))
    parameters: list[tuple[str, str]] = []
    if media_type(request) == FORM:
        parameters = form(request)
    else:
        hashes = [value for name, value in _query(request.target) if name == "bodySHA256"]
        if len(hashes) != 1 or not same(hashes[0], [hashlib.sha256(request.body).hexdigest().encode()]):
            raise Rejected(401, "the body is not the one that was signed")
    if signed.algorithm == "HMAC_SHA1" and signed.key is None:
        secrets, digest = tuple(auth_tokens), "sha1"
    elif signed.algorithm == "HMAC_SHA256" and signed.key is not None and signed.key in shared_keys:
        secrets, digest = (shared_keys[signed.key],), "sha256"
    else:
        raise Rejected(401, "signed with a key or an algorithm that is not configured")
    checks = [
        base64_matches(given, message(address, parameters), secrets, "sha1" if digest == "sha1" else "sha256")
        for address in addresses(public_url, request.target)
    ]
    if not any(checks):
        raise Rejected(401, "signature missing or wrong")
    return parameters


class Proof:
    """What proves the webhooks of one channel, whose forms have at most `most` bytes."""

    def __init__(
        self, public_url: str, auth_tokens: Sequence[SecretStr], shared_keys: Mapping[str, SecretStr], *, most: int
    ) -> None:
        self._public_url = public_url
        self._tokens = keys(auth_tokens)
        self._shared = {name: keys([secret])[0] for name, secret in shared_keys.items()}
        self._most = most

    def check(self, request: Request) -> None:
        """Returns for an authentic form that was posted. Raises Rejected(405), (413) or (415), or as `verify` does."""
        if request.method != "POST":
            raise Rejected(405, "only POST")
        if len(request.body) > self._most:
            raise Rejected(413, "larger than any webhook of Twilio")
        verify(request, self._public_url, self._tokens, self._shared)
        if media_type(request) != FORM:
            raise Rejected(415, "Twilio's webhooks come as forms")


def _query(target: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Rejected(400, "the query cannot be read") from None
