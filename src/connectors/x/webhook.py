"""X's side of a webhook: the challenge that proves that we know the secret, and the signature of what comes. Pure.

Challenge and signature are the same HMAC. Whoever asks us to answer a challenge that is really a body would get its
signature from us, so a challenge is answered only where no body could be one, and no body counts that could be one.
"""

from __future__ import annotations

import base64
import hmac
import re
from urllib.parse import parse_qsl

import msgspec

from connectors import signing
from connectors.contract import Answer, Intake, Request
from connectors.errors import Rejected
from normalizer.message import Raw

SIGNATURE = "x-twitter-webhooks-signature"
_PREFIX = "sha256="
#: What a challenge of X consists of; a body in JSON begins with a brace.
_CHALLENGE = re.compile(r"[A-Za-z0-9+/=_-]{1,256}")


class Receiver:
    """Judges the requests to one webhook; `secrets` are the app's consumer secrets, newest first."""

    def __init__(self, channel_id: str, secrets: tuple[bytes, ...], *, most: int) -> None:
        self._channel_id = channel_id
        self._secrets = secrets
        self._most = most

    def receive(self, request: Request) -> Intake:
        """Answers a challenge, or keeps a POST whose signature is good. Raises Rejected."""
        if request.method == "GET":
            return Intake(answer=self._challenged(request))
        if request.method != "POST":
            raise Rejected(405, "only GET and POST")
        if len(request.body) > self._most:
            raise Rejected(413, "larger than any webhook of X")
        if not self._proves(request.header(SIGNATURE), request.body, self._secrets):
            raise Rejected(401, "the signature is missing or wrong")
        if not request.body.lstrip().startswith(b"{"):
            raise Rejected(400, "not a JSON object: its signature could be the answer to a challenge")
        raw = Raw(channel_id=self._channel_id, received_at=request.received_at, body=request.body)
        return Intake(keep=(raw,))

    def _challenged(self, request: Request) -> Answer:
        query = request.target.partition("?")[2]
        tokens = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "crc_token"]
        if len(tokens) != 1 or not _CHALLENGE.fullmatch(tokens[0]):
            raise Rejected(400, "no crc_token that X would send")
        # While the secret is being replaced, X says by a signature of the query which one it means.
        given = request.header(SIGNATURE)
        secret = next(
            (each for each in self._secrets if self._proves(given, query.encode(), (each,))), self._secrets[0]
        )
        proof = base64.b64encode(hmac.new(secret, tokens[0].encode(), "sha256").digest()).decode()
        body = msgspec.json.encode({"response_token": f"{_PREFIX}{proof}"})
        return Answer(body=body, content_type="application/json")

    def _proves(self, given: str | None, message: bytes, secrets: tuple[bytes, ...]) -> bool:
        if given is None or not given.startswith(_PREFIX):
            return False
        return signing.base64_matches(given.removeprefix(_PREFIX), message, secrets)
