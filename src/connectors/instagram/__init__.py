"""Instagram: direct messages, comments and mentions of one professional account.

Meta offers it by two logins, through a linked Facebook Page or directly; which one is used is a matter of settings
(`api_base`, `page_id`), not of code. Comments are listed again at intervals, because a webhook may have missed some.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import msgspec

from connectors import codes, facts
from connectors.contract import Batch, Connector, Setup, Spec
from connectors.errors import Ambiguous, AuthFailed, Misconfigured, Refused, Unreachable
from connectors.instagram import history, payload
from connectors.instagram.parse import (
    COMMENT,
    MENTION,
    MENTIONED_COMMENT,
    MENTIONED_MEDIA,
    parse,
    product,
)
from connectors.instagram.settings import Settings
from connectors.json_items import is_identifier, iso_moment
from connectors.meta_account import CLOCK_SKEW, MetaAccount, Taken, refuse_unsendable
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

HERE = Path(__file__).parent
FACTS = facts.load(HERE / "facts.yaml")
CODES = codes.load(HERE / "codes.yaml")
#: What must be subscribed with Instagram Login; with Facebook Login the app's own subscription names the fields.
NEEDED_FIELDS = ("messages", "comments")
#: What may stand in an address that we build.
_ID = re.compile(r"[0-9]{1,32}(?:_[0-9]{1,32})?")


class Instagram(MetaAccount):
    """One professional account."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        super().__init__(setup, settings.account_id, settings.access_token, CODES)
        #: Where messages and subscriptions live: the linked Page, or the account itself.
        self._node = settings.page_id or settings.account_id
        self._settings = settings
        self._product = product(setup.facts.reply_window)
        self._comment = setup.facts.of("instagram_comment")

    def parse(self, raw: Raw) -> list[Event]:
        """Events of every item in the POST, whatever account it belongs to, or of a listed page. Raises Malformed."""
        return parse(raw, self._product, self._comment.reply_window)

    async def send(self, out: Outgoing) -> Sent:
        """Hands one text to Meta: under the comment if it is public, else to the person alone."""
        refuse_unsendable(out, self._comment if out.public else self.facts)
        return await (self._send_public(out) if out.public else self._send_private(out))

    async def find(self, out: Outgoing) -> Sent | None:
        """What Meta lists of an earlier attempt of `out`: the same words in the same place (A13)."""
        if out.first_attempt_at is None:
            return None
        earliest = out.first_attempt_at - CLOCK_SKEW
        for written in await self._written(out):
            at = iso_moment(written.created_time or written.timestamp)
            if at is not None and at >= earliest and (written.message or written.text) == out.text:
                return self._sent(written.id, at)
        return None

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Comments since `moment` (UTC) under the newest posts, post by post; what a webhook brought is listed too."""
        listed = history.comments_since(self._graph, self.account, moment, self._settings.history_posts)
        async with aclosing(listed) as posts:
            async for post in posts:
                yield self._listed(post, f"comments:{post.media}", moment)

    async def check(self) -> None:
        """Asks Meta for the account and whether an app listens to it. Raises AuthFailed, Misconfigured, ..."""
        # With Instagram Login `id` is another one for each app; `user_id` is what webhooks name.
        fields = "id" if self._settings.page_id is not None else "id,user_id"
        found = await self._graph.get(self.account, payload.Account, fields=fields)
        if self.account not in (found.id, found.user_id):
            raise Misconfigured("account_id: Meta knows another account under it")
        await self._check_subscription(self._node, NEEDED_FIELDS if self._settings.page_id is None else ())

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment, or the words of a mention; the token never leaves the Graph API."""
        if attachment.ref is not None:
            yield await self._mentioning(attachment.ref)
            return
        async with aclosing(super().open(attachment)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _send_public(self, out: Outgoing) -> Sent:
        kind, place, below = _parts(out.recipient)
        if kind == COMMENT and self._may_stand(out):
            found = await self.find(out)
            if found is not None:
                return found
        if kind == COMMENT:
            path, body = f"{place}/replies", {"message": out.text}
        elif kind == MENTION:
            path, body = f"{self.account}/mentions", {"media_id": place, "message": out.text}
            if below:
                body["comment_id"] = below
        else:
            raise Refused("public", "there is no comment to answer in public")
        answer = await self._graph.post(path, Taken, body)
        if answer is None or not answer.id:
            raise Ambiguous("Instagram accepted the comment but its answer names none")
        return Sent(provider_id=answer.id, at=self._now())

    async def _send_private(self, out: Outgoing) -> Sent:
        kind, place, _ = _parts(out.recipient)
        if kind == MENTION:
            raise Unreachable("who mentioned us under another's post cannot be answered in private")
        to = {"comment_id" if kind == COMMENT else "id": place}
        body = {"recipient": to, "message": {"text": out.text}}
        done = self._settings.already_replied if kind == COMMENT else ()
        answer = await self._graph.post(f"{self._node}/messages", Taken, body, done)
        if answer is None:
            return await self._given_before(out)
        if not answer.message_id:
            raise Ambiguous("Instagram accepted the message but its answer names none")
        sent = self._sent(answer.message_id, self._now())
        if kind == COMMENT and is_identifier(person := str(answer.recipient_id)):
            # Meta names the person: whatever that person writes next in private belongs to this complaint.
            thread = self._product.key(self.account, self._product.sender(person))
            sent = msgspec.structs.replace(sent, registers=(*sent.registers, thread))
        return sent

    async def _given_before(self, out: Outgoing) -> Sent:
        """What became of a private answer that Meta says was given: sources contradict, so the conversation is asked.

        Raises Unreachable when this text is not what the person got: staff may have given another one (P14).
        """
        _, comment, person = _parts(out.recipient)
        try:
            said = await history.said_to(self._graph, self._node, person) if person else None
        except (AuthFailed, Refused):
            said = None  # Meta shows nothing; its word stands alone
        if said is None:
            return self._sent(comment, self._now())
        same = next((each for each in said if each.message == out.text), None)
        if same is None:
            raise Unreachable("Instagram takes no private answer of ours to this comment")
        return self._sent(same.id, self._now())

    def _sent(self, id_: str, at: datetime) -> Sent:
        return Sent(provider_id=id_, at=at, registers=(self._product.key(self.account, id_),))

    async def _written(self, out: Outgoing) -> list[payload.Written]:
        """What we said where `out` would stand."""
        kind, place, below = _parts(out.recipient)
        if kind == MENTION:
            raise Unreachable("an answer to a mention under another's post cannot be looked for")
        if out.public:
            top = out.in_reply_to if out.in_reply_to is not None and _ID.fullmatch(out.in_reply_to) else place
            return await history.said_under(self._graph, self.account, top)
        person = below if kind == COMMENT else place
        # Without a name to ask for, a second try is refused and then counts as sent.
        return await history.said_to(self._graph, self._node, person) if person else []

    async def _mentioning(self, ref: str) -> bytes:
        kind, _, id_ = ref.partition(":")
        if f"{kind}:" not in (MENTIONED_COMMENT, MENTIONED_MEDIA) or not _ID.fullmatch(id_):
            raise Unreachable("this attachment lies nowhere at Instagram")
        part, words = ("comment_id", "text") if f"{kind}:" == MENTIONED_COMMENT else ("media_id", "caption")
        found = await self._graph.get(
            self.account, payload.Mentioned, fields=f"{kind}.{part}({id_}){{{words},timestamp}}"
        )
        said = found.mentioned_comment or found.mentioned_media
        if said is None:
            raise Unreachable("Instagram does not show what mentioned us")
        return (said.text or said.caption or "").encode()


def _parts(recipient: str) -> tuple[str, str, str]:
    """(COMMENT, comment, author), (MENTION, post, comment) or ("", person, ""); the last is "" where it is unknown.

    Raises Unreachable when one of them is not an id that may stand in an address.
    """
    kind = next((each for each in (COMMENT, MENTION) if recipient.startswith(each)), "")
    place, _, below = recipient.removeprefix(kind).partition("/")
    if not _ID.fullmatch(place) or (below and not _ID.fullmatch(below)) or (below and not kind):
        raise Unreachable("the recipient is not one of this channel")
    return kind, place, below


def build(setup: Setup) -> Connector:
    """The connector of one channel."""
    return Instagram(setup)


CONNECTOR = Spec(
    kind="instagram", channels=("instagram_dm", "instagram_comment"), settings=Settings, facts=FACTS, build=build
)
