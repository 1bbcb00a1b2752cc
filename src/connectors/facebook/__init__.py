"""One Facebook page: Messenger and the comments under its posts.

The webhook of an app may mix pages, so each Message names in `account` the page that it was sent to. A comment's
recipient is "<comment id>/<author's id>": with it come both answers that a comment may get, one line that everybody
reads and one private message. A direct message's recipient is the page-scoped id of the person.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from connectors import codes, facts, signing
from connectors.contract import Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Unreachable
from connectors.facebook import payload
from connectors.facebook.parse import LISTED, Reading, comment_thread, iso_moment, parse
from connectors.facebook.settings import Settings
from connectors.media import MediaClient
from connectors.meta_graph import Graph, read
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
COMMENT_FIELDS = "id,message,from,created_time,parent{id},is_hidden,attachment"
#: What may stand in an address that we build.
_ID = re.compile(r"[0-9]{1,64}(?:_[0-9]{1,64}){0,3}")


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
        if not _ID.fullmatch(first):
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
            return await self._given_before(comment_id)
        if not taken.message_id:
            raise Ambiguous("Facebook accepted the message but its answer names none")
        registers = [self._product.key(self.account, taken.message_id)]
        if comment_id is not None and str(taken.recipient_id):
            # Whoever answers the private reply writes as a direct message: it belongs to this comment's complaint.
            person = self._product.sender(str(taken.recipient_id))
            registers.append(after_comment(self._product, self.account, person))
        return Sent(provider_id=taken.message_id, at=self._setup.now(), registers=tuple(registers))

    async def _given_before(self, comment_id: str) -> Sent:
        """What became of a private reply that Meta says was given: sources contradict, so the comment is asked."""
        sent = Sent(provider_id=comment_id, at=self._setup.now())
        try:
            known = await self._graph.get(
                comment_id, payload.Privacy, fields="can_reply_privately,private_reply_conversation"
            )
        except (AuthFailed, Refused, Unreachable):
            return sent  # the comment cannot be seen any more; the refusal stands alone
        if known.private_reply_conversation is None and known.can_reply_privately:
            raise Unreachable("Facebook takes no private reply to this comment")
        return sent

    async def _answer(self, comment_id: str, person: str, out: Outgoing) -> Sent:
        found = await self._answered_before(comment_id, out.text) if out.possible_duplicate else None
        if found is None:
            made = await self._graph.post(f"{comment_id}/comments", payload.Known, {"message": out.text})
            found = made.id if made is not None else ""
        if not found:
            raise Ambiguous("Facebook accepted the comment but its answer names none")
        registers = (comment_thread(self._product, self.account, found, self._product.sender(person)),)
        return Sent(provider_id=found, at=self._setup.now(), registers=registers if person else ())

    async def _answered_before(self, comment_id: str, text: str) -> str | None:
        """The id of our own answer with this text under a comment, or None: never a blind second try (A13)."""
        path = f"{comment_id}/comments"
        async with aclosing(self._graph.pages(path, fields="id,from,message", order="reverse_chronological")) as pages:
            async for items in pages:
                for item in items:
                    each = read(item, payload.Comment)
                    if each is None or each.from_ is None or str(each.from_.id) != self.account:
                        continue
                    if each.message == text:
                        return each.id
        return None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Comments that Meta lists since `moment` (UTC) under the newest posts; Messenger has no list that we use."""
        async with aclosing(self._posts(moment)) as posts:
            async for post_id in posts:
                path, since = f"{post_id}/comments", int(moment.timestamp())
                async with aclosing(
                    self._graph.pages(
                        path, fields=COMMENT_FIELDS, filter="stream", order="reverse_chronological", since=since
                    )
                ) as pages:
                    async for items in pages:
                        new = [item for item in items if self._is_missing(item, moment)]
                        yield Batch(keep=self._kept(post_id, new), cursor=moment.isoformat())

    async def _posts(self, moment: datetime) -> AsyncGenerator[str, None]:
        """Posts with something new since `moment`; as many posts are looked at as the settings say."""
        seen = 0
        async with aclosing(self._graph.pages(f"{self.account}/feed", fields="id,updated_time")) as pages:
            async for items in pages:
                for item in items:
                    post = read(item, payload.Post)
                    seen += 1
                    if post is None or not _ID.fullmatch(post.id):
                        continue
                    updated = iso_moment(post.updated_time)
                    if updated is None or updated >= moment:
                        yield post.id
                if seen >= self._settings.reconcile_posts:
                    return

    def _is_missing(self, item: msgspec.Raw, moment: datetime) -> bool:
        each = read(item, payload.Comment)
        if each is None:
            return True  # whatever it is, a person shall see it
        if each.from_ is not None and str(each.from_.id) == self.account:
            return False
        at = iso_moment(each.created_time)
        return at is None or at >= moment

    def _kept(self, post_id: str, items: list[msgspec.Raw]) -> tuple[Raw, ...]:
        if not items:
            return ()
        body = msgspec.json.encode(payload.Listed(page_id=self.account, post_id=post_id, data=items))
        return (Raw(channel_id=self.channel_id, received_at=self._setup.now(), body=body, ref=f"{LISTED}{post_id}"),)

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
