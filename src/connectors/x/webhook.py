"""The webhook: X's challenge, the signature of what comes, what X knows of it, and what it missed.

Challenge and signature are the same HMAC. Whoever asks us to answer a challenge that is really a body would get its
signature from us, so a challenge is answered only where no body could be one, and no body counts that could be one.
"""

from __future__ import annotations

import base64
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import msgspec

from connectors import signing
from connectors.contract import Answer, Intake, Request, Setup
from connectors.errors import AuthFailed, Misconfigured, Refused, Rejected, Unreachable
from connectors.x.answers import Subscription, Webhook, data
from connectors.x.client import Api
from connectors.x.settings import Settings
from normalizer.message import Raw

#: Without these we are deaf: the last one tells of messages that only a person can read.
WANTED = ("dm.received", "post.mention.create", "chat.received")
SIGNATURE = "x-twitter-webhooks-signature"
_PREFIX = "sha256="
#: What a challenge of X consists of; a body in JSON begins with a brace.
_CHALLENGE = re.compile(r"[A-Za-z0-9+/=_-]{1,256}")


class Hook:
    """The webhook of one channel."""

    def __init__(self, setup: Setup, api: Api) -> None:
        settings: Settings = setup.settings
        self._setup = setup
        self._api = api
        self._account = settings.user_id
        self._secrets = signing.keys([each.secret for each in settings.consumer_keys])
        #: Whether X was asked since the start to push again what we missed while we were away.
        self._replayed = False

    def receive(self, request: Request) -> Intake:
        """Answers a challenge, or keeps a POST whose signature is good. Raises Rejected."""
        if request.method == "GET":
            return Intake(answer=self._challenged(request))
        if request.method != "POST":
            raise Rejected(405, "only GET and POST")
        if len(request.body) > self._setup.facts.max_body_bytes.value:
            raise Rejected(413, "larger than any webhook of X")
        if not self._proves(request.header(SIGNATURE), request.body, self._secrets):
            raise Rejected(401, "the signature is missing or wrong")
        if not request.body.lstrip().startswith(b"{"):
            raise Rejected(400, "not a JSON object: its signature could be the answer to a challenge")
        raw = Raw(channel_id=self._setup.channel_id, received_at=request.received_at, body=request.body)
        return Intake(keep=(raw,))

    async def check(self) -> None:
        """Asks X whether the webhook is valid and all is subscribed there. Raises Misconfigured, ..."""
        hook = await self._known()
        if hook is None:
            raise Misconfigured("X has no webhook with our address: register it (POST /2/webhooks)")
        if not hook.valid:
            raise Misconfigured("X holds our webhook for invalid and sends nothing: validate it (PUT /2/webhooks/{id})")
        answer = await self._api.as_app("GET", "/2/activity/subscriptions?max_results=1000")
        ours = (self._account, hook.id)
        subscribed = data(answer, list[Subscription]) or []
        known = {each.event_type for each in subscribed if (each.filter.user_id, each.webhook_id) == ours}
        missing = [each for each in WANTED if each not in known]
        if missing:
            raise Misconfigured(f"not subscribed here (POST /2/activity/subscriptions): {', '.join(missing)}")

    async def replay(self, moment: datetime) -> None:
        """Asks once for what was pushed since `moment` (UTC): encrypted messages and quotations stand in no list.

        Raises Refused, once, where X grants no replay.
        """
        now = self._setup.now().astimezone(UTC)
        hours = timedelta(hours=self._setup.facts.redelivery_hours.value)
        begin = max(moment.astimezone(UTC), now - hours + timedelta(minutes=1))
        span = {"from_date": f"{begin:%Y%m%d%H%M}", "to_date": f"{now:%Y%m%d%H%M}"}
        if self._replayed or span["from_date"] >= span["to_date"]:
            return
        if (hook := await self._known()) is not None:
            try:
                await self._api.as_app("POST", "/2/webhooks/replay", {"webhook_id": hook.id, **span})
            except (AuthFailed, Refused, Unreachable):
                self._replayed = True
                raise Refused("replay", "X grants no replay; set `replay: false`, or see what the app may do") from None
        self._replayed = True

    async def _known(self) -> Webhook | None:
        ours = self._setup.address
        webhooks = data(await self._api.as_app("GET", "/2/webhooks"), list[Webhook]) or []
        return next((each for each in webhooks if each.url == ours), None)

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
