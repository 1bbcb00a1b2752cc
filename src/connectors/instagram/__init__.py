"""Instagram: direct messages, comments and mentions of one professional account.

Meta offers it by two logins, through a linked Facebook Page or directly; which one is used is a matter of settings
(`api_base`, `page_id`), not of code. Comments are listed again at intervals, because a webhook may have missed some.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from connectors import codes, facts, signing
from connectors.contract import Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Unreachable
from connectors.instagram import payload
from connectors.instagram.parse import (
    COMMENT,
    MENTION,
    MENTIONED_COMMENT,
    MENTIONED_MEDIA,
    listed_moment,
    parse,
    product,
)
from connectors.instagram.settings import Settings
from connectors.media import MediaClient
from connectors.meta_graph import Graph, read
from connectors.meta_messaging import after_comment
from connectors.meta_webhook import MetaWebhook
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
CLOCK_SKEW = timedelta(minutes=2)  # how far Meta's clock may be behind ours when a send is looked for
PAGE_SIZE = 50  # of posts and of comments: the most that one page holds
#: What must be subscribed with Instagram Login; with Facebook Login the app's own subscription names the fields.
NEEDED_FIELDS = ("messages", "comments")
_NODE = re.compile(r"[0-9]{1,32}(?:_[0-9]{1,32})?")
_WORDS = "id,text,timestamp,from"


class Instagram:
    """One professional account."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = settings.account_id
        #: Where messages and subscriptions live: the linked Page, or the account itself.
        self._node = settings.page_id or settings.account_id
        self._settings = settings
        self._now = setup.now
        self._webhook = MetaWebhook(
            setup.channel_id,
            app_secrets=signing.keys(settings.app_secrets),
            verify=signing.keys([settings.verify_token]),
            most=setup.facts.max_body_bytes.value,
        )
        base = str(settings.api_base).rstrip("/")
        self._graph = Graph(
            "Instagram",
            f"{base}/{settings.api_version}",
            settings.access_token.get_secret_value,
            CODES,
            session=setup.session,
            now=setup.now,
            timeout=settings.timeout_seconds,
        )
        self._product = product(_hours(setup.facts.reply_window_hours.value))
        self._comment = setup.facts.of("instagram_comment")
        self._media = MediaClient(
            setup.facts.media_hosts.value,
            [base],
            max_bytes=setup.facts.max_attachment_bytes.value or 0,
            timeout=settings.media_timeout_seconds,
        )

    def receive(self, request: Request) -> Intake:
        """Answers Meta's handshake, or keeps a POST whose signature is good. Raises Rejected."""
        return self._webhook.receive(request)

    def parse(self, raw: Raw) -> list[Event]:
        """Events of every item in the POST, whatever account it belongs to, or of a listed page. Raises Malformed."""
        return parse(raw, self._product, _hours(self._comment.reply_window_hours.value))

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Meta: under the comment if it is public, else to the person alone."""
        self._check(out)
        return await (self._send_public(out) if out.public else self._send_private(out))

    async def find(self, out: Outgoing) -> Sent | None:
        """What Meta lists of an earlier attempt of `out`: the same words in the same place (A13).

        A private answer to a comment is not listed by it: a second one is refused and then counts as sent.
        """
        if out.first_attempt_at is None or (not out.public and out.recipient.startswith(COMMENT)):
            return None
        if out.recipient.startswith(MENTION):
            raise Unreachable("an answer to a mention under another's post cannot be looked for")
        earliest = out.first_attempt_at - CLOCK_SKEW
        for written in await self._written(out):
            at = listed_moment(written.created_time or written.timestamp)
            ours = written.from_ is None or written.from_.id in (None, self.account, self._node)
            if ours and at is not None and at >= earliest and (written.message or written.text) == out.text:
                return self._sent(written.id, at)
        return None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Comments since `moment` (UTC) under the newest posts, post by post; what a webhook brought is listed too."""
        async with aclosing(self._posts()) as posts:
            async for post in posts:
                new: list[msgspec.Raw] = []
                async with aclosing(self._pages(f"{post}/comments", _with_replies())) as pages:
                    async for page in pages:
                        found = [item for comment in page.data for item in _since(comment, moment)]
                        new += found
                        # Newest first: a whole page without anything new ends the looking under this post.
                        if not found:
                            break
                if new:
                    listed = payload.Listed(account=self.account, media=post, comments=new)
                    raw = Raw(
                        channel_id=self.channel_id,
                        received_at=self._now(),
                        body=msgspec.json.encode(listed),
                        ref=f"comments:{post}",
                    )
                    yield Batch(keep=(raw,), cursor=moment.isoformat())

    async def check(self) -> None:
        """Asks Meta for the account and whether an app listens to it. Raises AuthFailed, Misconfigured, ..."""
        if (await self._graph.get(self.account, payload.Id, fields="id,username")).id != self.account:
            raise Misconfigured("account_id: Meta knows another account under it")
        apps = await self._graph.get(f"{self._node}/subscribed_apps", payload.SubscribedApps)
        if not apps.data:
            raise Misconfigured("no app is subscribed to this account, so no webhook will ever come")
        fields = {field for app in apps.data for field in app.subscribed_fields}
        missing = [field for field in NEEDED_FIELDS if field not in fields]
        if self._settings.page_id is None and missing:
            raise Misconfigured(f"the app is not subscribed to {' and '.join(missing)} of this account")

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment, or the words of a mention; the token never leaves the Graph API."""
        if attachment.ref is not None:
            yield await self._mentioning(attachment.ref)
            return
        try:
            async with aclosing(self._media.fetch(attachment.url or "")) as chunks:
                async for chunk in chunks:
                    yield chunk
        except AuthFailed:
            # No credentials went along: what the media host refuses is an address whose time is over.
            raise Unreachable("the address of this attachment has expired") from None

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    def _check(self, out: Outgoing) -> None:
        """Raises Refused for what Meta would refuse; nothing private ever takes the public way."""
        if out.files:
            raise Refused("files", "this channel sends text only")
        if out.template is not None:
            raise Refused("template", "Instagram has no templates")
        limit = (self._comment if out.public else self.facts).max_text.value
        size = len(out.text) if out.public else len(out.text.encode())
        if not 1 <= size <= limit:
            raise Refused("text_length", f"a text has 1 to {limit} {'characters' if out.public else 'bytes'}")

    async def _send_public(self, out: Outgoing) -> Sent:
        if out.recipient.startswith(COMMENT):
            path, body = f"{_node(out.recipient.removeprefix(COMMENT))}/replies", {"message": out.text}
        elif out.recipient.startswith(MENTION):
            media, _, comment = out.recipient.removeprefix(MENTION).partition("/")
            path, body = f"{self.account}/mentions", {"media_id": media, "message": out.text}
            if comment:
                body["comment_id"] = comment
        else:
            raise Refused("public", "there is no comment to answer in public")
        answer = await self._graph.post(path, payload.SendAnswer, body)
        if answer is None or not answer.id:
            raise Ambiguous("Instagram accepted the comment but its answer names none")
        return Sent(provider_id=answer.id, at=self._now())

    async def _send_private(self, out: Outgoing) -> Sent:
        if out.recipient.startswith(MENTION):
            raise Unreachable("who mentioned us under another's post cannot be answered in private")
        comment = out.recipient.startswith(COMMENT)
        to = {"comment_id": _node(out.recipient.removeprefix(COMMENT))} if comment else {"id": out.recipient}
        body: dict[str, Any] = {"recipient": to, "message": {"text": out.text}}
        done = self._settings.already_replied if comment else ()
        answer = await self._graph.post(f"{self._node}/messages", payload.SendAnswer, body, done)
        if answer is None:
            return Sent(provider_id=out.recipient.removeprefix(COMMENT), at=self._now())
        if not answer.message_id:
            raise Ambiguous("Instagram accepted the message but its answer names none")
        sent = self._sent(answer.message_id, self._now())
        if comment and answer.recipient_id:
            # Meta names the person: a direct message of theirs then finds this complaint.
            person = after_comment(self._product, self.account, self._product.sender(answer.recipient_id))
            sent = msgspec.structs.replace(sent, registers=(*sent.registers, person))
        return sent

    def _sent(self, id_: str, at: datetime) -> Sent:
        return Sent(provider_id=id_, at=at, registers=(self._product.key(self.account, id_),))

    async def _written(self, out: Outgoing) -> list[payload.Written]:
        """What stands where `out` would: replies under the comment, or the newest messages of the conversation."""
        if out.public:
            path = f"{_node(out.recipient.removeprefix(COMMENT))}/replies"
            return (await self._graph.get(path, payload.WrittenList, fields=_WORDS)).data
        found = await self._graph.get(
            f"{self._node}/conversations",
            payload.Conversations,
            platform="instagram",
            user_id=out.recipient,
            fields="messages.limit(20){id,created_time,from,message}",
        )
        return [message for each in found.data if each.messages is not None for message in each.messages.data]

    async def _posts(self) -> AsyncGenerator[str, None]:
        left = self._settings.history_posts
        async with aclosing(self._pages(f"{self.account}/media", "id")) as pages:
            async for page in pages:
                for item in page.data[:left]:
                    post = read(item, payload.Id)
                    if post is not None and _NODE.fullmatch(post.id):
                        yield post.id
                left -= len(page.data)
                if left <= 0:
                    return

    async def _pages(self, path: str, fields: str) -> AsyncGenerator[payload.Page, None]:
        position: dict[str, str | int] = {}
        while True:
            page = await self._graph.get(path, payload.Page, fields=fields, limit=PAGE_SIZE, **position)
            yield page
            cursors = page.paging.cursors if page.paging is not None and page.paging.next else None
            if cursors is None or not cursors.after or cursors.after == position.get("after"):
                return
            position = {"after": cursors.after}

    async def _mentioning(self, ref: str) -> bytes:
        kind, _, id_ = ref.partition(":")
        if f"{kind}:" not in (MENTIONED_COMMENT, MENTIONED_MEDIA):
            raise Unreachable("this attachment lies nowhere at Instagram")
        part, words = ("comment_id", "text") if f"{kind}:" == MENTIONED_COMMENT else ("media_id", "caption")
        found = await self._graph.get(
            self.account, payload.Mentioned, fields=f"{kind}.{part}({_node(id_)}){{{words},timestamp}}"
        )
        said = found.mentioned_comment or found.mentioned_media
        if said is None:
            raise Unreachable("Instagram does not show what mentioned us")
        return (said.text or said.caption or "").encode()


def _hours(hours: float | None) -> timedelta | None:
    return timedelta(hours=hours) if hours is not None else None


def _node(id_: str) -> str:
    """An id that may stand in an address. Raises Unreachable for one that is none of Meta's."""
    if not _NODE.fullmatch(id_):
        raise Unreachable("this is not the id of anything at Instagram")
    return id_


def _with_replies() -> str:
    return f"{_WORDS},replies.limit({PAGE_SIZE}){{{_WORDS}}}"


def _since(item: msgspec.Raw, moment: datetime) -> list[msgspec.Raw]:
    """The comment and its replies as far as they are not older than `moment`; what cannot be read counts as new."""
    found = read(item, payload.ListedComment)
    if found is None:
        return [item]
    at = listed_moment(found.timestamp)
    new = [item] if at is None or at >= moment else []
    for reply in found.replies.data if found.replies is not None else ():
        new += _since(reply, moment)
    return new


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return Instagram(setup)


CONNECTOR = Spec(
    kind="instagram", channels=("instagram_dm", "instagram_comment"), settings=Settings, facts=FACTS, build=build
)
