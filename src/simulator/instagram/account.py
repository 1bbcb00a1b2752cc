"""One Instagram account at Meta, pretended: what people do goes out as signed webhooks, what we send is checked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Unpack

from simulator.account import Options
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.instagram import payloads
from simulator.instagram.injections import Injections
from simulator.instagram.payloads import Form, Update
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
from simulator.meta_account import MetaAccount, encode
from simulator.meta_media import Media, MediaStore
from simulator.place import Mounted, Talk

# Messages are tried for an hour, then the account is unsubscribed; comments for 36 hours (Meta: Messenger Platform and
# Graph API, Webhooks).
MESSAGE_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 2320)
COMMENT_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 1800, *([3600] * 35))
MOST_PEOPLE = 100_000
MOST_COMMENTS = 20_000
ANSWER_SECONDS = 5.0


def _policy(waits: Sequence[float]) -> RetryPolicy:
    return RetryPolicy(waits=waits, wanted=lambda attempt: attempt.status != 200, timeout=ANSWER_SECONDS)


MESSAGES, COMMENTS = _policy(MESSAGE_WAITS), _policy(COMMENT_WAITS)


class Instagram(MetaAccount[Update], Injections):
    """A professional account. Times are seconds since the epoch; `time_scale` shortens waits.

    With `page_id` the app uses Facebook Login: messages go through the Page and changes come in a list.
    `faults` are met by messages and public answers.
    """

    kind = "instagram"
    path = "/instagram"
    name = "Instagram"
    user_agent = "Webhooks/1.0 (https://fb.me/webhooks)"

    def __init__(
        self,
        *,
        account_id: str,
        access_token: str,
        app_secret: str,
        verify_token: str,
        page_id: str | None = None,
        username: str = "perusahaan",
        echoes: bool = True,
        echo_first: bool = False,
        enforce_window: bool = True,
        already_replied: int = 2534025,
        private_replies_per_hour: int = 750,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(app_secret=app_secret, verify_token=verify_token, policy=MESSAGES, **options)
        self.account_id = account_id
        self.access_token = access_token
        self.page_id = page_id
        self.username = username
        self.echoes = echoes
        self.echo_first = echo_first  # the echo comes before the send is answered
        self.enforce_window = enforce_window
        self.already_replied = already_replied  # the subcode of a second private reply: sources contradict each other
        self.private_replies_per_hour = private_replies_per_hour
        self.unreachable: set[str] = set()  # handles that cannot be written to
        self.subscribed = True
        self.subscribed_fields = ["messages", "message_edit", "messaging_seen", "comments", "live_comments", "mentions"]
        self.media = MediaStore()
        self.posts: list[Post] = [Post(new_id("179"), "Promo bulan ini", self.clock())]
        self.received: Record[Received] = Record(self._keep)
        self.sent: Record[Sent] = Record(self._keep)
        self.answers: Record[Comment] = Record(self._keep)  # what the account wrote in public
        self.comments: OrderedDict[str, Comment] = OrderedDict()
        self._people: OrderedDict[str, Person] = OrderedDict()
        self._wrote: dict[str, float] = {}

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
        from simulator.instagram.view import Comments, Messages  # they know the account that stands behind them

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

    async def _post(self, updates: list[Update]) -> None:
        await self._post_now(updates)

    async def _post_now(self, updates: Sequence[Update]) -> Delivery:
        sending = self._delivery(encode(payloads.envelope(updates, self.form)))
        if not sending.url or not self.subscribed:
            return sending
        policy = MESSAGES if any(not update.field for update in updates) else COMMENTS
        return await self._post_until_accepted(sending, policy)

    def _gave_up(self, policy: RetryPolicy) -> None:
        if policy is MESSAGES:
            self.subscribed = False
