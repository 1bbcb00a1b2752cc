"""Meta's handshake and webhook signature: the same for WhatsApp, Messenger, Page comments and Instagram.

A good signature proves the app and not the account: whose item it is stands in the item. The signature covers the raw
bytes of the body alone; no address, no time. So a replay is stopped by the keys of the messages, and by nothing here.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from connectors import signing
from connectors.contract import Answer, Intake, Request, Setup
from connectors.errors import Rejected
from normalizer.message import Raw

SIGNATURE = "x-hub-signature-256"


class MetaWebhook:
    """The door of one channel at Meta; its `app_secrets` are all live at once (rotation)."""

    def __init__(self, setup: Setup) -> None:
        self._channel_id = setup.channel_id
        self._secrets = signing.keys(setup.settings.app_secrets)
        self._verify = signing.keys([setup.settings.verify_token])
        self._most = setup.facts.max_body_bytes.value

    def receive(self, request: Request) -> Intake:
        """Answers Meta's handshake, or keeps a POST whose signature is good. Raises Rejected."""
        if request.method == "GET":
            return self._handshake(request.target)
        if request.method != "POST":
            raise Rejected(405, "only GET and POST")
        if len(request.body) > self._most:
            raise Rejected(413, "larger than any delivery of Meta")
        scheme, _, signature = (request.header(SIGNATURE) or "").partition("=")
        if scheme != "sha256" or not signing.hex_matches(signature, request.body, self._secrets):
            raise Rejected(401, "signature missing or wrong")
        return Intake(keep=(Raw(channel_id=self._channel_id, received_at=request.received_at, body=request.body),))

    def _handshake(self, target: str) -> Intake:
        try:
            query = parse_qs(urlsplit(target).query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            raise Rejected(400, "the query cannot be read") from None
        mode, token, challenge = (query.get(f"hub.{name}", []) for name in ("mode", "verify_token", "challenge"))
        if mode != ["subscribe"] or len(token) != 1 or len(challenge) != 1:
            raise Rejected(403, "not a handshake")
        if not signing.same(token[0], self._verify):
            raise Rejected(403, "wrong verify token")
        return Intake(answer=Answer(body=challenge[0].encode("utf-8", "replace")))
