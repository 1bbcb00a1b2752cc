"""One account of X, pretended: what people do goes out signed or waits in lists, what we send is checked."""

from __future__ import annotations

import base64
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Unpack

import msgspec

from simulator import delivery
from simulator.account import Options, PretendedAccount
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.faults import Faults
from simulator.place import Attachment, Mounted, Talk
from simulator.x import payloads
from simulator.x.injections import Injections
from simulator.x.limits import Limits
from simulator.x.payloads import Event
from simulator.x.records import EPOCH_MS, Challenge, Encrypted, File, Json, Message, Person, Post, person_id
from simulator.x.signing import sign

TOKEN_SECONDS = 7_200.0
ANSWER_SECONDS = 10.0  # X waits so long for an answer to a webhook
MOST_FILES = 500
#: One attempt: X's pages promise no second one. What was missed is listed, or replayed on demand.
POLICY = RetryPolicy(waits=(), wanted=lambda attempt: attempt.status != 200, timeout=ANSWER_SECONDS)
SUBSCRIBED = (
    "dm.received", "dm.sent", "dm.read", "dm.indicate_typing", "chat.received", "chat.sent", "post.mention.create",
    "post.reply.create", "post.quote.create", "post.create",
)  # fmt: skip
_encode = msgspec.json.Encoder().encode


class X(PretendedAccount[Event], Injections):
    """An account with its app. Times are seconds since the epoch. A person is a handle without @.

    `faults` are met by messages and posts.
    """

    kind = "x"
    path = "/x"
    name = "X"

    def __init__(
        self,
        *,
        user_id: str,
        username: str,
        consumer_key: str,
        consumer_secret: str,
        access_token: str = "",
        access_token_secret: str = "",
        client_id: str = "",
        client_secret: str = "",
        refresh_token: str = "",
        limits: bool = True,
        same_text_anywhere: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self.me = Person(user_id, username)
        self.consumer_key = consumer_key
        self.consumer_secret = consumer_secret
        self.access_token = access_token
        self.access_token_secret = access_token_secret
        self.client_id = client_id
        self.client_secret = client_secret
        self.refresh_token = refresh_token  # the one that still works
        self.bearer = secrets.token_urlsafe(24)  # the app's own token
        self.webhook_id = self._new_webhook_id()
        self.valid = bool(self.webhook_url)
        self.subscriptions = set(SUBSCRIBED)
        self.enforce_limits = limits
        self.same_text_anywhere = same_text_anywhere  # X refuses a text that stood under any post of the last day
        self.limits = Limits()
        self.list_faults = Faults()  # met by lists
        self.token_faults = Faults()  # met by the renewal of tokens
        self.console_faults = Faults()  # met by replays
        self.closed: set[str] = set()  # handles that take messages only from whom they wrote to
        self.blocked: set[str] = set()  # handles that take none of ours
        self.messages: Record[Message] = Record(self._keep)  # both directions
        self.sent: Record[Message] = Record(self._keep)
        self.received: Record[Message] = Record(self._keep)
        self.encrypted: Record[Encrypted] = Record(self._keep)
        self.posts: Record[Post] = Record(self._keep)  # of everybody, as far as they concern the account
        self.answers: Record[Post] = Record(self._keep)  # what the account posted
        self.tokens: dict[str, float] = {}  # access tokens of OAuth 2.0 and when they end
        self.renewals: Record[str] = Record(100)  # refresh tokens that were used up
        self._files: OrderedDict[str, File] = OrderedDict()
        self._people: dict[str, Person] = {}
        self._last_id = 0

    @property
    def username(self) -> str:
        """The account's handle."""
        return self.me.handle

    def talks(self) -> Sequence[Talk]:
        """Its direct messages, and the posts that mention it."""
        from simulator.x.view import Mentions, Messages  # they know the account that stands behind them

        return [Messages(self), Mentions(self)]

    @classmethod
    def mount(cls, accounts: Sequence[X]) -> Mounted:
        """The API of all accounts, and the media host."""
        from simulator.x.api import Api  # the front knows the accounts that stand behind it

        api = Api(accounts)
        return Mounted(api.routes(), api.media_routes())

    # ---- people and things

    def meet(self, handle: str) -> Person:
        """The person behind a handle, remembered for answers."""
        person = Person(person_id(handle), handle)
        return self._people.setdefault(person.id, person)

    def known(self, id_: str) -> Person | None:
        """The person with this id, if this account ever met one."""
        return self._people.get(id_)

    def new_id(self, at: float) -> str:
        """An id of X for something that happens at a moment; later ids are larger."""
        wanted = max(0, int(at * 1000) - EPOCH_MS) << 22
        # Ids of the same millisecond count up; what is dated back keeps its place in time.
        if wanted >> 22 >= self._last_id >> 22:
            wanted = max(wanted, self._last_id + 1)
            self._last_id = wanted
        else:
            wanted += secrets.randbelow(1 << 22)
        return str(wanted)

    def add_file(self, attachment: Attachment) -> File:
        """Puts a file into X's store; the oldest make room."""
        file = File(self.new_id(self.clock()), attachment)
        self._files[file.id] = file
        while len(self._files) > MOST_FILES:
            self._files.popitem(last=False)
        return file

    def file(self, id_: str) -> File | None:
        """The file with this id, while it is kept."""
        return self._files.get(id_)

    def public_address(self, file: File) -> str:
        """Where everybody can fetch the file of a post."""
        return f"{self.place.cdn_url}/media/{file.id}/{file.resource}"

    # ---- logins

    def renew(self, refresh_token: str) -> Json | None:
        """New tokens for a refresh token that works once, or None."""
        if not self.refresh_token or refresh_token != self.refresh_token:
            return None
        self.renewals.append(refresh_token)
        self.refresh_token = secrets.token_urlsafe(32)
        access = secrets.token_urlsafe(32)
        self.tokens[access] = self.clock() + TOKEN_SECONDS
        return {
            "token_type": "bearer",
            "expires_in": int(TOKEN_SECONDS),
            "access_token": access,
            "refresh_token": self.refresh_token,
            "scope": "dm.read dm.write tweet.read tweet.write users.read offline.access",
        }

    def token_works(self, token: str) -> bool:
        """Whether an access token of OAuth 2.0 is good now."""
        return self.tokens.get(token, 0.0) > self.clock()

    # ---- to the business

    async def put(self, event: Event) -> None:
        """Delivers one event if it is subscribed; in calm weather after the attempt."""
        if event.type in self.subscriptions:
            await self._mixer.put(event, self.weather)

    async def challenge(self, token: str | None = None) -> Challenge:
        """Asks the webhook for the proof that it knows the secret; without it the webhook is invalid."""
        token = token or base64.b64encode(secrets.token_bytes(27)).decode()
        query = payloads.query({"crc_token": token, "nonce": secrets.token_hex(8)})
        asked = Delivery(
            f"{self.webhook_url}?{query}",
            b"",
            {"x-twitter-webhooks-signature": sign(self.consumer_secret, query.encode())},
        )
        found = await delivery.attempt(self.place.http, asked, POLICY, method="GET")
        try:
            said = msgspec.json.decode(found.body)
        except msgspec.DecodeError:
            said = None
        wanted = {"response_token": sign(self.consumer_secret, token.encode())}
        self.valid = found.status == 200 and said == wanted
        return Challenge(found.status, found.body, self.valid)

    async def inject_raw(self, body: bytes | Json, *, secret: str | None = None) -> Delivery:
        """Posts these bytes once, signed with `secret` (default: the right one; empty: unsigned)."""
        data = body if isinstance(body, bytes) else _encode(body)
        word = self.consumer_secret if secret is None else secret
        return await self._send(Delivery(self.webhook_url, data, self._headers(data, word)))

    async def replay(self, begin: float, end: float) -> int:
        """Delivers again what went out between two moments; number of events. Then it says that it is done."""
        missed = [each for each in self.deliveries if begin <= each.at <= end]
        for each in missed:
            await self._send(Delivery(self.webhook_url, each.body, dict(each.headers)))
        status = {"webhook_id": self.webhook_id, "job_state": "Complete", "job_id": self.new_id(self.clock())}
        await self.inject_raw({"replay_job_status": status})
        return len(missed)

    async def _post(self, events: list[Event]) -> None:
        for body in payloads.bodies(events, self.me.id):
            data = _encode(body)
            sending = Delivery(self.webhook_url, data, self._headers(data, self.consumer_secret), at=self.clock())
            self.deliveries.append(sending)
            if self.webhook_url and self.valid:
                await delivery.attempt(self.place.http, sending, POLICY)
                sending.given_up = POLICY.wanted(sending.attempts[-1])

    async def _send(self, sending: Delivery) -> Delivery:
        await delivery.attempt(self.place.http, sending, POLICY)
        return sending

    def _headers(self, body: bytes, secret: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "X-Webhooks"}
        return {**headers, "x-twitter-webhooks-signature": sign(secret, body)} if secret else headers

    def _new_webhook_id(self) -> str:
        return str(10**18 + secrets.randbelow(10**17))
