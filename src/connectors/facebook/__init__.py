"""One Facebook page: Messenger and the comments under its posts.

The webhook of an app may mix pages, so each Message names in `account` the page that it was sent to. A comment's
recipient is "<comment id>/<author's id>": with it come both answers that a comment may get, one line that everybody
reads and one private message. A direct message's recipient is the page-scoped id of the person.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from connectors import codes, facts
from connectors.contract import Batch, Connector, Setup, Spec
from connectors.errors import Ambiguous, Misconfigured, Refused, Unreachable
from connectors.facebook import history
from connectors.facebook.parse import LISTED, Reading, comment_thread, parse
from connectors.facebook.settings import Settings
from connectors.json_items import is_identifier
from connectors.meta_account import CLOCK_SKEW, MetaAccount, Taken, refuse_unsendable
from connectors.meta_messaging import MARK, Product, after_comment
from connectors.meta_payload import Node
from normalizer.message import Channel, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
COMMENTS: Channel = "facebook_comment"
MESSAGES: Channel = "facebook_dm"
#: Webhook fields without which complaints would not arrive.
NEEDED_FIELDS = ("messages", "feed")


class Facebook(MetaAccount):
    """One page at Meta."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        super().__init__(setup, settings.page_id, settings.page_token, CODES)
        self._settings = settings
        self._product = Product(
            object="page",
            prefix="fb",
            channel=MESSAGES,
            window=setup.facts.of(MESSAGES).reply_window,
            own_apps=frozenset(() if settings.app_id is None else (settings.app_id,)),
        )
        self._reading = Reading(product=self._product, window=setup.facts.of(COMMENTS).reply_window)

    def parse(self, raw: Raw) -> list[Event]:
        """Events of every item in a delivery or a list, whatever page it belongs to. Raises Malformed."""
        return parse(raw, self._reading)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Meta: the public line under a comment, or a private message. Raises a class of errors."""
        refuse_unsendable(out, self.facts.of(COMMENTS if out.public else MESSAGES))
        first, is_comment, person = out.recipient.partition("/")
        if not history.ID.fullmatch(first):
            raise Unreachable("the recipient is not one of this channel")
        if out.public:
            if not is_comment:
                raise Refused("public", "only a comment has a public answer")
            return await self._answer(first, person, out)
        return await self._message(first if is_comment else None, {"comment_id" if is_comment else "id": first}, out)

    async def _message(self, comment_id: str | None, recipient: dict[str, str], out: Outgoing) -> Sent:
        body = {
            "recipient": recipient,
            "messaging_type": "RESPONSE",
            "message": {"text": out.text, "metadata": f"{MARK}{out.key}"},
        }
        done = self._settings.already_replied if comment_id is not None else ()
        taken = await self._graph.post(f"{self.account}/messages", Taken, body, done)
        if taken is None:
            assert comment_id is not None, "only a private reply can have been given before"
            given = await history.replied_before(self._graph, self.account, comment_id, out.text)
            return Sent(provider_id=given, at=self._now(), registers=(self._product.key(self.account, given),))
        if not taken.message_id:
            raise Ambiguous("Facebook accepted the message but its answer names none")
        registers = [self._product.key(self.account, taken.message_id)]
        person = str(taken.recipient_id)
        if comment_id is not None and is_identifier(person):
            # Whoever answers the private reply writes as a direct message: it belongs to this comment's complaint.
            registers.append(after_comment(self._product, self.account, self._product.sender(person)))
        return Sent(provider_id=taken.message_id, at=self._now(), registers=tuple(registers))

    async def _answer(self, comment_id: str, person: str, out: Outgoing) -> Sent:
        found: str | None = None
        if self._may_stand(out):
            # An answer to a reply may stand below the comment that begins the thread.
            above = out.in_reply_to
            places = (comment_id, above) if above is not None and history.ID.fullmatch(above) else (comment_id,)
            earliest = out.first_attempt_at - CLOCK_SKEW if out.first_attempt_at is not None else None
            found = await history.answered_before(self._graph, self.account, places, out.text, earliest)
        if found is None:
            made = await self._graph.post(f"{comment_id}/comments", Node, {"message": out.text})
            found = made.id if made is not None else ""
        if not found:
            raise Ambiguous("Facebook accepted the comment but its answer names none")
        known = (self._product.sender(person),) if is_identifier(person) else ()
        registers = tuple(comment_thread(self._product, self.account, found, who) for who in known)
        return Sent(provider_id=found, at=self._now(), registers=registers)

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Comments that Meta lists since `moment` (UTC) under the newest posts; Messenger has no list that we use."""
        found = history.comments_since(self._graph, self.account, moment, self._settings.reconcile_posts)
        async with aclosing(found) as lists:
            async for listed in lists:
                yield self._listed(listed, f"{LISTED}{listed.post_id}", moment)

    async def check(self) -> None:
        """Asks Meta for the page and whether an app listens to it. Raises AuthFailed, Misconfigured, ..."""
        if (await self._graph.get(self.account, Node, fields="id,name")).id != self.account:
            raise Misconfigured("page_id: Meta knows another page under it")
        await self._check_subscription(self.account, NEEDED_FIELDS, self._settings.app_id)


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return Facebook(setup)


CONNECTOR = Spec(kind="facebook", channels=(MESSAGES, COMMENTS), settings=Settings, facts=FACTS, build=build)
