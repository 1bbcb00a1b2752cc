"""Our verifier against Twilio's own library, on thousands of seeded requests (A2, P18)."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from connectors import twilio_signing
from connectors.contract import Request
from connectors.errors import Rejected

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
TOKEN = "invented-auth-token"
BASES = (
    "https://aduan.example.co.id", "https://aduan.example.co.id/", "https://aduan.example.co.id:8443",
    "http://127.0.0.1:8080", "https://aduan.example.co.id:443", "https://xn--aduan-9d0b.example", "https://a.b/prefix",
)  # fmt: skip
WORDS = ("Halo", "", "a b", "dana belum cair — 🙏", "ä", "=&+%", "\n", "日本", "a" * 300, "0", "İ", "ß", "é", "é")
NAMES = ("Body", "From", "To", "MessageSid", "NumMedia", "body", "Ünicode", "A", "AB", "MediaUrl0", "MediaUrl10")


def request(target: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Request:
    """A request as the gateway hands it over."""
    return Request(method=method, target=target, headers=tuple(headers.items()), body=body, received_at=NOW)


def accepted(base: str, called: Request, keys: dict[str, bytes] | None = None) -> bool:
    """True if our verifier takes the request."""
    try:
        twilio_signing.verify(called, base, [b"another-token", TOKEN.encode()], keys or {})
    except Rejected:
        return False
    return True


def test_agrees_with_the_library_on_every_request() -> None:
    """3,000 requests: ports, paths, queries, repeated and empty parameters, Unicode; and one change to each."""
    chance = random.Random(1)
    outcomes = {True: 0, False: 0}
    for _ in range(3_000):
        base = chance.choice(BASES)
        names = [chance.choice(NAMES) for _ in range(chance.randint(0, 8))]
        pairs = [(name, chance.choice(WORDS)) for name in names]
        query = urlencode([(chance.choice(NAMES), chance.choice(WORDS)) for _ in range(chance.randint(0, 3))])
        path = "/in/" + quote(chance.choice(("wa", "kanal é", "a/b")))
        target = path + (f"?{query}" if query else "")
        url = base.rstrip("/") + target
        if chance.random() < 0.5:  # Twilio signs with or without the standard port
            url = url.replace("://aduan.example.co.id/", "://aduan.example.co.id:443/", 1)
        validator = RequestValidator(TOKEN)
        proof = validator.compute_signature(url, MultiDict(pairs))
        altered = list(pairs)
        if altered and chance.random() < 0.5:
            at = chance.randrange(len(altered))
            altered[at] = (altered[at][0], chance.choice(WORDS))
        called = request(target, urlencode(altered).encode(), {"x-twilio-signature": proof})
        theirs = validator.validate(base.rstrip("/") + target, MultiDict(altered), proof)
        assert accepted(base, called) == theirs, (url, pairs, altered)
        outcomes[theirs] += 1
    assert min(outcomes.values()) > 500


def test_shared_keys_with_sha256() -> None:
    """The settings header picks the key by its id; another id, algorithm or an auth token proves nothing."""
    pairs = [("Body", "Halo"), ("From", "whatsapp:+62812")]
    url = "https://aduan.example.co.id/in/wa"
    keys = {"key_1": b"shared-one", "key_2": b"shared-two"}
    body = urlencode(pairs).encode()
    proof = RequestValidator("shared-two").compute_signature(url, dict(pairs), "HMAC_SHA256")

    def with_settings(text: str, signature: str = proof) -> bool:
        headers = {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": text}
        return accepted("https://aduan.example.co.id", request("/in/wa", body, headers), keys)

    assert with_settings("key=key_2,algorithm=HMAC_SHA256")
    assert with_settings(" algorithm=hmac_sha256 , key=key_2 ")
    for wrong in ("key=key_1,algorithm=HMAC_SHA256", "key=key_9,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA256", "",
                  "key=key_2,algorithm=HMAC_SHA1", "key=key_2,algorithm=HMAC_MD5", "key=,algorithm=HMAC_SHA256",
                  ):  # fmt: skip
        assert not with_settings(wrong), wrong
    token = RequestValidator(TOKEN).compute_signature(url, dict(pairs), "HMAC_SHA256")
    assert not with_settings("algorithm=HMAC_SHA256", token)
    assert not with_settings("key=key_2,algorithm=HMAC_SHA256", token)


def test_json_bodies_are_bound_by_their_hash() -> None:
    """A JSON body is proven by bodySHA256 in the signed address; without it, or with another, nothing is proven."""
    body = b'{"a": 1}'
    digest = hashlib.sha256(body).hexdigest()
    for query, sent, good in (
        (f"bodySHA256={digest}", body, True),
        (f"bodySHA256={digest}", b'{"a": 2}', False),
        (f"bodySHA256={digest}&bodySHA256={digest}", body, False),
        (f"bodySHA256={digest.upper()}", body, False),
        ("", body, False),
    ):
        target = f"/in/wa?{query}"
        proof = RequestValidator(TOKEN).compute_signature("https://aduan.example.co.id" + target, {})
        headers = {"x-twilio-signature": proof, "content-type": "application/json"}
        assert accepted("https://aduan.example.co.id", request(target, sent, headers)) is good, query


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": "x"},
        {"x-twilio-signature": "é" * 28},
        {"x-twilio-signature": "\ud800" * 28},
    ],
)
def test_a_missing_or_odd_signature_is_rejected_not_a_crash(headers: dict[str, str]) -> None:
    """The library raises TypeError for a missing header; we answer 401."""
    with pytest.raises(Rejected) as caught:
        twilio_signing.verify(request("/in/wa", b"Body=x", headers), "https://a.example", [TOKEN.encode()], {})
    assert caught.value.status == 401


@pytest.mark.parametrize("body", [b"Body=%ff", b"Body=\xff", b"a&" * 2_000])
def test_forms_that_cannot_be_read_are_rejected(body: bytes) -> None:
    """Broken UTF-8 would let two bodies share one signature; thousands of fields are no webhook."""
    with pytest.raises(Rejected) as caught:
        twilio_signing.verify(
            request("/in/wa", body, {"x-twilio-signature": "x"}), "https://a.example", [TOKEN.encode()], {}
        )
    assert caught.value.status == 400


def test_the_proxy_headers_are_not_believed() -> None:
    """The address comes from the configuration: Host and X-Forwarded-* change nothing (behind a proxy)."""
    proof = RequestValidator(TOKEN).compute_signature("https://evil.example/in/wa", {"Body": "x"})
    headers = {"x-twilio-signature": proof, "host": "evil.example", "x-forwarded-host": "evil.example"}
    assert not accepted("https://aduan.example.co.id", request("/in/wa", b"Body=x", headers))
