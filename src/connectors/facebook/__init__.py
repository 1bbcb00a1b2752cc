"""One Facebook page: Messenger and the comments under its posts.

The webhook of an app may mix pages, so each Message names in `account` the page that it was sent to. A comment's
recipient is "<comment id>/<author's id>": with it come both answers that a comment may get, one line that everybody
reads and one private message. A direct message's recipient is the page-scoped id of the person.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from connectors import codes, facts, signing
from connectors.contract import Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Unreachable
from connectors.facebook import history, payload
from connectors.facebook.parse import LISTED, Reading, comment_thread, parse
from connectors.facebook.settings import Settings
from connectors.json_items import is_identifier
from connectors.media import MediaClient
from connectors.meta_graph import Graph
from connectors.meta_messaging import MARK, Product, after_comment
from connectors.meta_webhook import MetaWebhook
from normalizer.message import Attachment, Channel, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
COMMENTS: Channel = "facebook_comment"
MESSAGES: Channel = "facebook_dm"
#: Webhook fields without which complaints would not arrive.
NEEDED_FIELDS = ("messages", "feed")

#: How far Meta's clock may be behind ours when a line is looked for.
CLOCK_SKEW = timedelta(minutes=2)
#: Nothing is tried again sooner than this after its first attempt began.
FIRST_RETRY = timedelta(seconds=1)


class Facebook:
    """One page at Meta."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.page_id
        self._setup = setup
        self._settings = settings
        self._webhook = MetaWebhook(
            setup.channel_id,
            app_secrets=signing.keys(settings.app_secrets),
            verify=signing.keys([settings.verify_token]),
            most=setup.facts.max_body_bytes.value,
        )
        product = Product(
            object="page",
            prefix="fb",
            channel=MESSAGES,
            window=_hours(setup.facts.of(MESSAGES)),
            own_apps=frozenset(() if settings.app_id is None else (settings.app_id,)),
        )
        self._reading = Reading(product=product, window=_hours(setup.facts.of(COMMENTS)))
        self._product = product
        self._graph = Graph(
            "Facebook",
            f"{str(settings.api_base).rstrip('/')}/{settings.api_version}",
            settings.page_token.get_secret_value,
            CODES,
            session=setup.session,
            now=setup.now,
            timeout=settings.timeout_seconds,
        )
        self._media = MediaClient(
            setup.facts.media_hosts.value,
            [str(settings.api_base)],
            max_bytes=setup.facts.max_attachment_bytes.value or 0,
            timeout=settings.media_timeout_seconds,
        )

    def receive(self, request: Request) -> Intake:
        """Answers Meta's handshake, or keeps a POST whose signature is good. Raises Rejected."""
        return self._webhook.receive(request)

    def parse(self, raw: Raw) -> list[Event]:
        """Events of every item in a delivery or a list, whatever page it belongs to. Raises Malformed."""
        return parse(raw, self._reading)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Meta: the public line under a comment, or a private message. Raises a class of errors."""
        limit = self.facts.of(COMMENTS if out.public else MESSAGES).max_text.value
        if not out.text or len(out.text) > limit:
            raise Refused("text_length", f"a text has 1 to {limit} characters")
        if out.files:
            raise Refused("files", "this channel sends text only")
        if out.template is not None:
            raise Refused("template", "this channel has no templates")
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
        taken = await self._graph.post(f"{self.account}/messages", payload.Taken, body, done)
        if taken is None:
            assert comment_id is not None, "only a private reply can have been given before"
            given = await history.replied_before(self._graph, self.account, comment_id, out.text)
            return Sent(provider_id=given, at=self._setup.now(), registers=(self._product.key(self.account, given),))
        if not taken.message_id:
            raise Ambiguous("Facebook accepted the message but its answer names none")
        registers = [self._product.key(self.account, taken.message_id)]
        person = str(taken.recipient_id)
        if comment_id is not None and is_identifier(person):
            # Whoever answers the private reply writes as a direct message: it belongs to this comment's complaint.
            registers.append(after_comment(self._product, self.account, self._product.sender(person)))
        return Sent(provider_id=taken.message_id, at=self._setup.now(), registers=tuple(registers))

    async def _answer(self, comment_id: str, person: str, out: Outgoing) -> Sent:
        found: str | None = None
        if self._may_repeat(out):
            # Never a blind second try where everybody reads it (A13): also a 5xx may come after the words stand there.
            # An answer to a reply may stand below the comment that begins the thread.
            above = out.in_reply_to
            places = (comment_id, above) if above is not None and history.ID.fullmatch(above) else (comment_id,)
            earliest = out.first_attempt_at - CLOCK_SKEW if out.first_attempt_at is not None else None
            found = await history.answered_before(self._graph, self.account, places, out.text, earliest)
        if found is None:
            made = await self._graph.post(f"{comment_id}/comments", payload.Known, {"message": out.text})
            found = made.id if made is not None else ""
        if not found:
            raise Ambiguous("Facebook accepted the comment but its answer names none")
        known = (self._product.sender(person),) if is_identifier(person) else ()
        registers = tuple(comment_thread(self._product, self.account, found, who) for who in known)
        return Sent(provider_id=found, at=self._setup.now(), registers=registers)

    def _may_repeat(self, out: Outgoing) -> bool:
        first = out.first_attempt_at
        return out.possible_duplicate or (first is not None and self._setup.now() - first >= FIRST_RETRY)

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Comments that Meta lists since `moment` (UTC) under the newest posts; Messenger has no list that we use."""
        found = history.comments_since(self._graph, self.account, moment, self._settings.reconcile_posts)
        async with aclosing(found) as lists:
            async for listed in lists:
                raw = Raw(
                    channel_id=self.channel_id,
                    received_at=self._setup.now(),
                    body=msgspec.json.encode(listed),
                    ref=f"{LISTED}{listed.post_id}",
                )
                yield Batch(keep=(raw,), cursor=moment.isoformat())

    async def check(self) -> None:
        """Asks Meta for the page and whether an app listens to it. Raises AuthFailed, Misconfigured, ..."""
        if (await self._graph.get(self.account, payload.Known, fields="id,name")).id != self.account:
            raise Misconfigured("page_id: Meta knows another page under it")
        apps = (await self._graph.get(f"{self.account}/subscribed_apps", payload.Apps)).data
        own = [app for app in apps if self._settings.app_id in (None, str(app.id))]
        if not own:
            raise Misconfigured(
                "page_id: no app of ours is subscribed to this page, so no webhook will ever come; Meta ends the "
                "subscription after an hour of failed deliveries: subscribe again (README.md)"
            )
        fields = {name for app in own for name in app.subscribed_fields}
        missing = [name for name in NEEDED_FIELDS if name not in fields]
        if fields and missing:
            raise Misconfigured(f"page_id: the subscription of this page lacks the fields {', '.join(missing)}")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment; its address is signed, needs no token and expires."""
        if not attachment.url:
            raise Unreachable("this attachment has no address")
        try:
            async with aclosing(self._media.fetch(attachment.url)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except AuthFailed:
            # No credentials went along: what the media host refuses is an address whose time is over.
            raise Unreachable("the address of this attachment has expired") from None

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()


def _hours(known: facts.Facts) -> timedelta | None:
    hours = known.reply_window_hours.value
    return timedelta(hours=hours) if hours is not None else None


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return Facebook(setup)


CONNECTOR = Spec(kind="facebook", channels=(MESSAGES, COMMENTS), settings=Settings, facts=FACTS, build=build)
