"""One Facebook page, pretended: what people write goes out as signed webhooks, what we send is checked."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Unpack

from simulator.account import Options
from simulator.delivery import Delivery, Record, RetryPolicy
from simulator.facebook.injections import Injections
from simulator.facebook.people import People
from simulator.facebook.records import Comment, Json, Kind, Received, Sent, Update
from simulator.meta_account import MetaAccount, encode
from simulator.place import Attachment, Mounted, Talk

# Messages are tried for one hour, then the page is unsubscribed; everything else is tried for 36 hours.
MESSAGE_WAITS: Sequence[float] = (0, 5, 15, 60, 300, 900, 2320)
OTHER_WAITS: Sequence[float] = (0, 15, 60, 300, 900, 1800, *([3600] * 12), *([7200] * 11))
ANSWER_SECONDS = 5.0
MOST_UPDATES = 1_000
MOST_FILES = 1_000
ALL_FIELDS = (
    "messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_echoes", "message_edits",
    "message_reactions", "messaging_referrals", "messaging_optins", "standby", "messaging_handovers",
    "messaging_policy_enforcement", "feed",
)  # fmt: skip


def _policy(waits: Sequence[float]) -> RetryPolicy:
    return RetryPolicy(waits=waits, wanted=lambda attempt: attempt.status != 200, timeout=ANSWER_SECONDS)


POLICIES: Mapping[bool, RetryPolicy] = {True: _policy(MESSAGE_WAITS), False: _policy(OTHER_WAITS)}


class Facebook(MetaAccount[Update], Injections):
    """A page with Messenger and comments. Times are seconds since the epoch; `time_scale` shortens waits.

    `faults` are met by sends, private and public.
    """

    kind = "facebook"
    path = "/facebook"
    name = "Facebook"

    def __init__(
        self,
        *,
        app_secret: str,
        page_token: str,
        page_id: str,
        verify_token: str,
        app_id: str = "5511000000000001",
        reports: bool = True,
        same_ids: bool = True,
        authors: bool = True,
        enforce_window: bool = True,
        already_replied: int = 10900,
        page_size: int = 100,
        report_delays: Mapping[str, float] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(app_secret=app_secret, verify_token=verify_token, policy=POLICIES[True], **options)
        self.page_token = page_token
        self.page_id = page_id
        self.app_id = app_id
        self.reports = reports  # echoes, deliveries and read marks of what the business sends
        self.same_ids = same_ids  # whether a commenter has the same id in Messenger: Meta does not promise it
        self.authors = authors  # whether webhooks name who commented
        self.enforce_window = enforce_window
        self.already_replied = already_replied  # the number with which a second private reply is refused
        self.page_size = page_size  # most items of one page of a list
        self.report_delays = dict(report_delays or {"sent": 0.02, "delivered": 0.2, "read": 1.0})
        self.people = People()
        self.unreachable: set[str] = set()  # ids of people who blocked the page
        self.subscribed_fields: tuple[str, ...] = ()
        self.sent: Record[Sent] = Record(self._keep)
        self.answers: Record[Comment] = Record(self._keep)  # what the business said under comments
        self.received: Record[Received] = Record(self._keep)
        self.comments: OrderedDict[str, Comment] = OrderedDict()
        self.posts: dict[str, float] = {f"{page_id}_1": self.clock()}  # id -> when something was last new
        self.files: OrderedDict[str, Attachment] = OrderedDict()
        self._next = 100 + secrets.randbelow(10**6)

    @property
    def username(self) -> str:
        """What stands for the page in its addresses: it took no name of its own."""
        return self.page_id

    @property
    def subscribed(self) -> bool:
        """Whether the app still listens to the page."""
        return bool(self.subscribed_fields) and not self.weather.climate.unsubscribed

    def subscribe(self, fields: Sequence[str] = ALL_FIELDS) -> None:
        """Lets the app listen to these fields of the page."""
        self.subscribed_fields = tuple(fields)

    def talks(self) -> Sequence[Talk]:
        """The page's inbox, and its posts."""
        from simulator.facebook.view import Comments, Messenger  # they know the page that stands behind them

        return [Messenger(self), Comments(self)]

    @classmethod
    def mount(cls, accounts: Sequence[Facebook]) -> Mounted:
        """The Graph API of all pages, and the host of their files."""
        from simulator.facebook.graph import Graph  # the front knows the accounts that stand behind it

        graph = Graph(accounts)
        return Mounted(graph.routes(), graph.media_routes())

    # ---- to the business

    async def put(self, kind: Kind, item: Json) -> None:
        """Delivers one item; in calm weather after the first attempt. Nothing goes out without a subscription."""
        if self.subscribed_fields:
            await self._mixer.put(Update(kind, item, self.clock()), self.weather)

    async def report(self, sent: Sent) -> None:
        """Delivers the echo of a message, then that it arrived, then that it was read."""
        items: Mapping[str, Json] = {
            "sent": self.echo(sent),
            "delivered": self.item(sent.to, delivery={"mids": [sent.id], "watermark": int(self.clock() * 1000)}),
            "read": self.item(sent.to, read={"watermark": int(self.clock() * 1000)}),
        }
        for word, delay in self.report_delays.items():
            await asyncio.sleep(delay * self.time_scale)
            sent.status = word
            await self.put("messaging", items[word])

    async def inject_batch(self, updates: Sequence[Update]) -> Delivery:
        """Delivers these items together."""
        return await self._post_now(list(updates))

    def add_file(self, content: bytes, media_type: str, filename: str) -> str:
        """Puts a file on the media host; its address, which needs no token."""
        key = secrets.token_urlsafe(12)
        self.files[key] = Attachment(filename, media_type, content)
        while len(self.files) > MOST_FILES:
            self.files.popitem(last=False)
        return f"{self.place.cdn_url}/v/{self.page_id}/{key}/{filename or 'file'}?oe=1"

    def new_number(self) -> int:
        """A number that no comment has yet."""
        self._next += 1
        return self._next

    async def _post(self, updates: list[Update]) -> None:
        for start in range(0, len(updates), MOST_UPDATES):
            await self._post_now(updates[start : start + MOST_UPDATES])

    async def _post_now(self, updates: list[Update]) -> Delivery:
        entries = [{"id": self.page_id, "time": int(u.at * 1000), u.kind: [u.item]} for u in updates]
        sending = self._delivery(encode({"object": "page", "entry": entries}))
        if not sending.url:
            return sending
        return await self._post_until_accepted(sending, POLICIES[any(u.kind != "changes" for u in updates)])

    def _gave_up(self, policy: RetryPolicy) -> None:
        if policy is POLICIES[True]:
            self.subscribed_fields = ()
