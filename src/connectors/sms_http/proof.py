"""Whether a webhook comes from the aggregator: the recipes by which aggregators prove it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors import signing, twilio_signing
from connectors.contract import Request
from connectors.errors import Rejected
from connectors.sms_http.settings import Proof

_LONGEST_TIMESTAMP = 13  # digits: milliseconds since 1970 until the year 2286
_MILLISECONDS = 100_000_000_000  # as seconds, this would lie after the year 5000


def verify(request: Request, proof: Proof, secrets: Sequence[bytes], public_url: str) -> None:
    """Returns when the proof is good and fresh. Raises Rejected(401), or (400) for a header that stands twice."""
    given = request.header(proof.header.lower())
    if given is None or not given.startswith(proof.prefix):
        raise Rejected(401, "proof missing or wrong")
    given = given[len(proof.prefix) :]
    if proof.recipe == "token":
        if not signing.same(given, secrets):
            raise Rejected(401, "proof missing or wrong")
        return
    matches = signing.hex_matches if proof.encoding == "hex" else signing.base64_matches
    found = [matches(given, message, secrets, proof.algorithm) for message in _signed(request, proof, public_url)]
    if not any(found):
        raise Rejected(401, "proof missing or wrong")


def _signed(request: Request, proof: Proof, public_url: str) -> list[bytes]:
    """What may have been signed: one message, or two where the address may stand with or without its port."""
    if proof.over == "body":
        return [request.body]
    if proof.over == "url_params":
        fields = twilio_signing.form(request)
        return [
            twilio_signing.message(address, fields) for address in twilio_signing.addresses(public_url, request.target)
        ]
    stamp = request.header(proof.timestamp_header.lower()) or ""
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= _LONGEST_TIMESTAMP):
        raise Rejected(401, "time of signing missing or wrong")
    seconds = int(stamp) / 1000 if int(stamp) >= _MILLISECONDS else int(stamp)
    if abs(request.received_at.timestamp() - seconds) > proof.max_age_seconds:
        raise Rejected(401, "signed too long ago, or with a wrong clock")
    return [f"{stamp}{proof.separator}".encode() + request.body]
