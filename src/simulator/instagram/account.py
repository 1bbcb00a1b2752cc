"""One Instagram account at Meta, pretended: what people do goes out as signed webhooks, what we send is checked."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from simulator import delivery
from simulator.delivery import Delivery, Mixer, Record, RetryPolicy, Tasks
from simulator.faults import Faults
from simulator.instagram import payloads
from simulator.instagram.injections import Injections
from simulator.instagram.payloads import Form, Json, Update
from simulator.instagram.records import (
    WINDOW_SECONDS,
    Comment,
    Person,
    Post,
    Received,
    Sent,
    new_id,
    scoped_id,
)
from simulator.instagram.view import Comments, Messages
from simulator.place import Mounted, Place, Talk
from simulator.weather import Weather
from simulator.whatsapp_cloud.media import Media, MediaStore
from simulator.whatsapp_cloud.payloads import encode, sign
from simulator.whatsapp_cloud.records import Handshake

# Messages are tried for an hour, then the account is unsubscribed; comments for 36 hours (Meta: Messenger Platform and
# Graph API, Webhooks).
MESSAGE_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 2320)
COMMENT_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 1800, *([3600] * 35))
MOST_RETRYING = 20_000  # webhooks that wait for another attempt; further ones are given up
MOST_PEOPLE = 100_000
MOST_COMMENTS = 20_000
ANSWER_SECONDS = 5.0


def _policy(waits: Sequence[float]) -> RetryPolicy:
    return RetryPolicy(waits=waits, wanted=lambda attempt: attempt.status != 200, timeout=ANSWER_SECONDS)


MESSAGES, COMMENTS = _policy(MESSAGE_WAITS), _policy(COMMENT_WAITS)


class Instagram(Injections):
    """A professional account. Times are seconds since the epoch; `time_scale` shortens waits.

    With `page_id` the app uses Facebook Login: messages go through the Page and changes come in a list.
    """

    kind = "instagram"
    path = "/instagram"
    urls: Mapping[str, str] = {}

    def __init__(
        self,
        *,
        account_id: str,
        access_token: str,
        app_secret: str,
        verify_token: str,
        page_id: str | None = None,
        webhook_url: str = "",
        name: str = "Instagram",
        username: str = "perusahaan",
        echoes: bool = True,
        echo_first: bool = False,
        enforce_window: bool = True,
        already_replied: int = 2534025,
        private_replies_per_hour: int = 750,
        time_scale: float = 1.0,
        weather: Weather | None = None,
        clock: Callable[[], float] = time.time,
        keep: int = 10_000,
    ) -> None:
        self.account_id = account_id
        self.access_token = access_token
        self.app_secret = app_secret
        self.verify_token = verify_token
        self.page_id = page_id
        self.webhook_url = webhook_url
        self.name = name
        self.username = username
        self.echoes = echoes
        self.echo_first = echo_first  # the echo comes before the send is answered
        self.enforce_window = enforce_window
        self.already_replied = already_replied  # the subcode of a second private reply: sources contradict each other
        self.private_replies_per_hour = private_replies_per_hour
        self.time_scale = time_scale
        self.weather = weather or Weather()
        self.clock = clock
        self.faults = Faults()  # met by messages and public answers
        self.media_faults = Faults()  # met by downloads
        self.unreachable: set[str] = set()  # handles that cannot be written to
        self.subscribed = True
        self.subscribed_fields = ["messages", "message_edit", "messaging_seen", "comments", "live_comments", "mentions"]
        self.media = MediaStore()
        self.posts: list[Post] = [Post(new_id("179"), "Promo bulan ini", clock())]
        self.received: Record[Received] = Record(keep)
        self.sent: Record[Sent] = Record(keep)
        self.answers: Record[Comment] = Record(keep)  # what the account wrote in public
        self.deliveries: Record[Delivery] = Record(min(keep, 2_000))
        self.comments: OrderedDict[str, Comment] = OrderedDict()
        self.tasks = Tasks()
        self._people: OrderedDict[str, Person] = OrderedDict()
        self._wrote: dict[str, float] = {}
        self._mixer: Mixer[Update] = Mixer(self._post, self.tasks)
        self._place: Place | None = None

    # ---- life

    async def open(self, place: Place) -> None:
        """Remembers where the account runs."""
        self._place = place

    async def aclose(self) -> None:
        """Ends every retry and echo under way."""
        await self.tasks.aclose()
        self._place = None

    async def settled(self) -> None:
        """Returns when every webhook was accepted or given up."""
        self._mixer.flush(self.weather)
        await self.tasks.settled()

    @property
    def place(self) -> Place:
        """Where the account runs; raises RuntimeError before it is started."""
        if self._place is None:
            raise RuntimeError("this provider is not started; call simulator.start first")
        return self._place

    @property
    def base_url(self) -> str:
        """What a business gives as the address of the Graph API, without version."""
        return self.place.base_url

    @property
    def form(self) -> Form:
        """Where a change stands in a webhook."""
        return "changes" if self.page_id else "entry"

    @property
    def node(self) -> str:
        """Through which messages go."""
        return self.page_id or self.account_id

    def talks(self) -> Sequence[Talk]:
        """Its direct messages, and the comments under its newest post."""
        return [Messages(self), Comments(self)]

    # ---- people

    def meet(self, handle: str) -> Person:
        """The person behind a handle, remembered for answers."""
        id_ = scoped_id(handle, self.account_id)
        if id_ not in self._people:
            self._people[id_] = Person(id_, handle)
            while len(self._people) > MOST_PEOPLE:
                self._wrote.pop(self._people.popitem(last=False)[0], None)
        return self._people[id_]

    def known(self, id_: str) -> Person | None:
        """The person with this scoped id, if this account ever met one."""
        return self._people.get(id_)

    def wrote(self, person: Person, at: float) -> None:
        """Opens or renews the window of this person."""
        self._wrote[person.id] = max(at, self._wrote.get(person.id, at))

    def close_window(self, handle: str) -> None:
        """Closes the window of one person."""
        self._wrote.pop(scoped_id(handle, self.account_id), None)

    def window_open(self, person: Person, now: float) -> bool:
        """True within 24 h of the person's last direct message."""
        return now - self._wrote.get(person.id, float("-inf")) < WINDOW_SECONDS

    def keep_comment(self, comment: Comment) -> None:
        """Remembers a comment; the oldest drop off."""
        self.comments[comment.id] = comment
        while len(self.comments) > MOST_COMMENTS:
            self.comments.popitem(last=False)

    def add_media(self, content: bytes, media_type: str, filename: str = "") -> Media:
        """Puts a file into Meta's store."""
        return self.media.add(content, media_type, filename, self.clock())

    def media_address(self, media: Media) -> str:
        """A signed download address on the media host."""
        key, _ = self.media.address(media.id, self.clock())
        return f"{self.place.cdn_url}/ig_messaging_cdn/{media.filename or 'file'}?asset_id={media.id}&signature={key}"

    @classmethod
    def mount(cls, accounts: Sequence[Instagram]) -> Mounted:
        """The Graph API of all accounts, and the media host."""
        from simulator.instagram.graph import Graph  # the front knows the accounts that stand behind it

        graph = Graph(accounts)
        return Mounted(graph.routes(), graph.media_routes())

    # ---- to the business

    async def put(self, update: Update) -> None:
        """Delivers one update; in calm weather after the first attempt."""
        await self._mixer.put(update, self.weather)

    async def inject_batch(self, updates: Iterable[Update]) -> Delivery:
        """Delivers these updates in one POST."""
        return await self._post_now(list(updates))

    async def inject_raw(
        self, body: bytes | Json, *, secret: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Delivery:
        """Posts these bytes once, signed with `secret` (default: the right one); `headers` replace what is signed."""
        sending = self._delivery(body if isinstance(body, bytes) else encode(body), secret)
        if headers is not None:
            sending.headers = dict(headers)
        await delivery.attempt(self.place.http, sending, MESSAGES)
        self.deliveries.append(sending)
        return sending

    async def handshake(self, *, verify_token: str | None = None) -> Handshake:
        """Asks the webhook as Meta does when it is subscribed; `ok` says whether Meta would be content."""
        challenge = str(secrets.randbelow(10**10))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self.verify_token if verify_token is None else verify_token,
        }
        async with self.place.http.get(self.webhook_url, params=query, allow_redirects=False) as answer:
            body = await answer.content.read(4_096)
            return Handshake(answer.status, body, answer.status == 200 and body == challenge.encode())

    async def _post(self, updates: list[Update]) -> None:
        await self._post_now(updates)

    async def _post_now(self, updates: Sequence[Update]) -> Delivery:
        sending = self._delivery(encode(payloads.envelope(updates, self.form)))
        if not sending.url or not self.subscribed:
            return sending
        self.deliveries.append(sending)
        policy = MESSAGES if any(not update.field for update in updates) else COMMENTS
        first = await delivery.attempt(self.place.http, sending, policy)
        if policy.wanted(first) and len(self.tasks) < MOST_RETRYING:
            self.tasks.spawn(self._retry(sending, policy))
        else:
            sending.given_up = policy.wanted(first)
        return sending

    async def _retry(self, sending: Delivery, policy: RetryPolicy) -> None:
        await delivery.retry(self.place.http, sending, policy, self.time_scale)
        if sending.given_up and policy is MESSAGES:
            self.subscribed = False

    def _delivery(self, body: bytes, secret: str | None = None) -> Delivery:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Webhooks/1.0 (https://fb.me/webhooks)",
            "X-Hub-Signature-256": sign(self.app_secret if secret is None else secret, body),
        }
        return Delivery(self.webhook_url, body, headers)
