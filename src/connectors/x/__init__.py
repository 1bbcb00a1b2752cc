"""X: one account, with its direct messages and the posts that mention it.

X calls us (`mode: webhook`) or we ask (`mode: poll`); `build` returns the connector that fits. Several accounts of one
app may share a webhook: each Message names in `account` the user id that it was meant for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from connectors import facts
from connectors.contract import Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, ConnectorError, Misconfigured, Refused, Throttled, Unreachable
from connectors.json_items import UNREADABLE
from connectors.media import MediaClient
from connectors.x import content
from connectors.x.answers import DUPLICATE_TEXT, Made, data
from connectors.x.client import Api
from connectors.x.costs import Costs
from connectors.x.lists import Cursor, Lists, Place, id_at
from connectors.x.parse import DM, POST, Source, parse
from connectors.x.payload import User
from connectors.x.posts import talk_with
from connectors.x.settings import Settings
from connectors.x.webhook import Hook
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

FACTS = facts.load(Path(__file__).parent / "facts.yaml")
_RECIPIENT = re.compile(r"([0-9]{1,19})(?:/([0-9]{1,19}))?")
#: How far X's clock may lag behind ours when we look for what we sent.
_CLOCKS = timedelta(minutes=2)


class Account:
    """What both modes share."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.user_id
        self._setup = setup
        self._settings = settings
        self._api = Api(setup)
        self._costs = Costs()
        self._lists = Lists(setup, self._api, self._costs)
        self._media = MediaClient.of(setup.facts, str(settings.api_base), timeout=settings.media_timeout_seconds)

    @property
    def costs(self) -> Mapping[str, float]:
        """What the account has cost since the process started, US dollars by what was called."""
        return self._costs.spent

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one webhook or of one listed item. Raises Malformed."""
        return parse(raw, self.account, self._settings.username)

    async def send(self, out: Outgoing) -> Sent:
        """Answers a post in public if `out.public`, else writes a direct message to the person."""
        limit = (self.facts.of("x_mention") if out.public else self.facts).max_text.value
        if not out.text or len(out.text) > limit:
            raise Refused("text_length", f"a text has 1 to {limit} characters")
        if out.files:
            raise Refused("files", "this channel sends text only")
        to = _RECIPIENT.fullmatch(out.recipient)
        if to is None:
            raise Unreachable("not the id of a user of X")
        if not out.public:
            made = data(await self._api.create_direct_message(participant_id=to[1], text=out.text), Made)
            return self._message_sent(made.dm_event_id if made is not None else None, to[1])
        if to[2] is None:
            raise Refused("recipient", "there is no post to answer in public")
        return await self._reply(out, to[2])

    async def find(self, out: Outgoing) -> Sent | None:
        """What X lists of an earlier direct message with this text to this person (A13)."""
        to = _RECIPIENT.fullmatch(out.recipient)
        # Of a public answer the refusal of a second one tells that the first arrived.
        if out.first_attempt_at is None or out.public or to is None:
            return None
        id_ = await self._lists.sent(to[1], out.text, out.first_attempt_at - _CLOCKS)
        return self._message_sent(id_, to[1]) if id_ is not None else None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Direct messages and mentions that X lists since `moment` (UTC), each list newest page first.

        A limit in the middle is waited for: a look that began anew at the top would never come to its end.
        """
        places = _places(moment)
        while True:
            try:
                async with aclosing(self._both(places)) as batches:
                    async for batch in batches:
                        yield batch
            except Throttled as limit:
                await asyncio.sleep(limit.after)
            else:
                return

    async def check(self) -> None:
        """Asks X who we are. Raises AuthFailed, Misconfigured, Unavailable, Throttled."""
        found = data(await self._api.request("GET", "/2/users/me"), User)
        if found is None or str(found.id) != self.account:
            raise Misconfigured("user_id: the access belongs to another account")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment; those of a direct message come through the API, with our login."""
        private = content.DM_REF.fullmatch(attachment.ref or "")
        if private is None:
            async with aclosing(self._media.fetch(attachment.url or "")) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        if self._settings.oauth2 is None:
            raise Unreachable("X hands out files of direct messages to OAuth 2.0 only")
        url = f"{self._api.base}/2/dm_conversations/media/{'/'.join(private.groups())}"
        login = await self._api.login("GET", url)
        for attempt in (1, 2):
            try:
                async with aclosing(self._media.fetch(url, login)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except AuthFailed:
                if attempt == 2:
                    raise
                # Withdrawn before its time: nothing of the file has come, and a new token may bring it.
                login = await self._api.login("GET", url, refused=login["Authorization"].removeprefix("Bearer "))
            else:
                return

    async def aclose(self) -> None:
        """Closes the media connections and lets a renewal of tokens end; safe to call twice."""
        await self._media.aclose()
        await self._api.aclose()

    async def _both(self, places: dict[Source, Place]) -> AsyncGenerator[Batch, None]:
        """Pages of both lists after `places`, which move along. Raises the worst trouble when both have been asked."""
        troubles: list[ConnectorError] = []
        for source in places:
            try:
                async with aclosing(self._lists.walk(source, places[source])) as pages:
                    async for raws, place in pages:
                        places[source] = place
                        cursor = msgspec.json.encode(Cursor(self.account, places)).decode()
                        yield Batch(keep=raws, cursor=cursor)
            except ConnectorError as trouble:
                # Their limits are counted apart, and an app may be granted one without the other.
                troubles.append(trouble)
        if troubles:
            raise max(troubles, key=lambda each: (each.tell_operator, getattr(each, "after", 0.0)))

    async def _reply(self, out: Outgoing, post: str) -> Sent:
        try:
            made = data(await self._api.create_tweet(text=out.text, in_reply_to_tweet_id=post), Made)
        except Refused as refused:
            if out.possible_duplicate and refused.code == str(DUPLICATE_TEXT):
                # The first attempt had no answer and did arrive: X takes the same text under a post only once.
                return Sent(provider_id=post, at=self._setup.now())
            raise
        if made is None or not made.id:
            raise Ambiguous("X took the post but its answer names none")
        self._costs.made("post_with_url" if "://" in out.text else "summoned_reply")
        return Sent(provider_id=made.id, at=self._setup.now())

    def _message_sent(self, id_: str | None, person: str) -> Sent:
        if not id_:
            raise Ambiguous("X took the message but its answer names none")
        self._costs.made("dm_send")
        # The person may answer a receipt that went out for a post: that answer belongs to the same complaint.
        return Sent(provider_id=id_, at=self._setup.now(), registers=(talk_with(self.account, person),))


class CalledByX(Account):
    """Mode `webhook`."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._hook = Hook(setup, self._api)

    def receive(self, request: Request) -> Intake:
        """Answers X's challenge, or keeps a POST whose signature is good. Raises Rejected."""
        return self._hook.receive(request)

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """What X lists since `moment` (UTC); the first time X is asked besides to push again what no list shows.

        Raises Refused, once, where X grants no replay.
        """
        trouble: ConnectorError | None = None
        if self._settings.replay:
            try:
                await self._hook.replay(moment)
            except ConnectorError as failed:
                trouble = failed
        async with aclosing(super().since(moment)) as listed:
            async for batch in listed:
                yield batch
        if trouble is not None:
            raise trouble

    async def check(self) -> None:
        """Asks X who we are, whether our webhook is valid, and whether all is subscribed. Raises Misconfigured, ..."""
        await super().check()
        await self._hook.check()


class Asking(Account):
    """Mode `poll`."""

    async def pull(self, cursor: str | None) -> AsyncGenerator[Batch, None]:
        """Batches after the cursor, for ever; the place in both lists moves only with what was kept."""
        places = _places(self._setup.now() - timedelta(hours=self._settings.first_look_hours))
        with suppress(*UNREADABLE):
            kept = msgspec.json.decode(cursor or "", type=Cursor)
            # The operator may have given the channel another account: the old one's place says nothing here.
            places |= kept.places if kept.account == self.account else {}
        while True:
            async with aclosing(self._both(places)) as batches:
                async for batch in batches:
                    yield batch
            await asyncio.sleep(self._settings.poll_seconds)


def _places(moment: datetime) -> dict[Source, Place]:
    return {DM: Place(id_at(moment)), POST: Place(id_at(moment))}


def build(setup: Setup) -> Connector:
    """The connector of one channel, in the mode that it is configured for."""
    return CalledByX(setup) if setup.settings.mode == "webhook" else Asking(setup)


CONNECTOR = Spec(kind="x", channels=("x_dm", "x_mention"), settings=Settings, facts=FACTS, build=build)
