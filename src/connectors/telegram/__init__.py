"""Telegram: one bot, whose webhook comes to us or whose updates we ask for (`mode`).

Telegram keeps every update for 24 hours until we accept it, one queue per chat: while one update of a chat is refused,
the customer's later ones wait. So whatever Telegram proves to have sent is kept and accepted, readable or not.
"""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from connectors import facts, signing
from connectors.contract import Answer, Batch, Connector, Intake, Request, Setup, Spec
from connectors.errors import ConnectorError, Misconfigured, Refused, Rejected, Unavailable, Unreachable
from connectors.media import Gone, MediaClient
from connectors.telegram import queue
from connectors.telegram.parse import WANTED, courtesy, parse
from connectors.telegram.settings import Settings
from normalizer.message import Attachment, Event, Outgoing, Raw, Sent

if TYPE_CHECKING:
    from connectors.telegram.api import Api, Webhook

FACTS = facts.load(Path(__file__).parent / "facts.yaml")
SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
#: Updates in one answer (Bot API, getUpdates: limit 1-100).
MOST_UPDATES = 100
#: A server that answers "nothing" at once (a proxy, a wrong api_base) is not asked again before, seconds.
LEAST_WAIT = 1.0
#: A failed webhook is told while it is this fresh.
FRESH = timedelta(minutes=10)
#: A message, or a private chat: groups and channels have negative ids and are never answered.
_NUMBER = re.compile(r"[1-9][0-9]{0,15}")


class Telegram(ABC):
    """One bot: what both modes share."""

    def __init__(self, setup: Setup) -> None:
        settings: Settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: The bot's id, which its token begins with: what stands in `Message.account`.
        self.account = settings.bot_token.get_secret_value().partition(":")[0]
        self._setup = setup
        self._settings = settings
        self._webhook_url = setup.address
        self._made: Api | None = None
        self._media = MediaClient.of(setup.facts, str(settings.api_base), timeout=settings.media_timeout_seconds)

    def parse(self, raw: Raw) -> list[Event]:
        """Events of one update. Raises Malformed."""
        return parse(raw, self.account, self.facts.max_attachment_bytes.value)

    async def send(self, out: Outgoing) -> Sent:
        """Sends one plain text to one private chat. Telegram cannot tell afterwards whether it did (A13)."""
        limit = self.facts.max_text.value
        if out.public:
            raise Refused("public", "this channel has no public place")
        if not out.text.strip() or len(out.text.encode("utf-16-le", "surrogatepass")) // 2 > limit:
            raise Refused("text_length", f"a text has 1 to {limit} UTF-16 units")
        if out.files:
            raise Refused("files", "this channel sends text only")
        if not _NUMBER.fullmatch(out.recipient):
            raise Unreachable("the recipient is no private chat")
        quoted = _NUMBER.fullmatch(out.in_reply_to or "")
        message = await (await self._api()).send(int(out.recipient), out.text, int(quoted[0]) if quoted else None)
        ref = f"tg:{self.account}:{out.recipient}:{message}"
        return Sent(provider_id=f"{out.recipient}:{message}", at=self._setup.now(), registers=(ref,))

    async def check(self) -> None:
        """Asks Telegram for the bot and its webhook. Raises AuthFailed, Misconfigured, Unavailable."""
        api = await self._api()
        if str(await api.bot_id()) != self.account:
            raise Misconfigured("bot_token: Telegram knows another bot under it")
        self._judge(await api.webhook())

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment. Its address lives an hour: a stale one is asked for once more."""
        if not attachment.ref:
            raise Unreachable("this attachment has no file id")
        for attempt in (1, 2):
            url = await (await self._api()).file_url(attachment.ref)
            try:
                async with aclosing(self._media.fetch(url)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except Gone:
                if attempt == 2:
                    raise
            else:
                return

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    async def _api(self) -> Api:
        """The calls of this bot; the first one imports the library, in a thread, so that nobody else waits for it."""
        if self._made is None:
            module = await asyncio.to_thread(import_module, "connectors.telegram.api")
            settings, setup = self._settings, self._setup
            transport = module.Transport(setup.session, setup.now, within=settings.timeout_seconds)
            base, token = str(settings.api_base).rstrip("/"), settings.bot_token.get_secret_value()
            self._made = self._made or module.Api(base, token, transport)
        return self._made

    @abstractmethod
    def _judge(self, webhook: Webhook) -> None:
        """Whether the mode can work with what Telegram knows as webhook. Raises Misconfigured, Unavailable."""


class TelegramWebhook(Telegram):
    """A bot that Telegram pushes updates of."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        given = [self._settings.secret_token, *(self._settings.old_secret_tokens or ())]
        self._secrets = signing.keys([each for each in given if each is not None])
        self._registered = False

    def receive(self, request: Request) -> Intake:
        """Keeps an update that comes with the secret. Raises Rejected.

        The body is not signed: who knows the secret can write anything, so it goes over HTTPS only.
        """
        if request.method != "POST":
            raise Rejected(405, "only POST")
        if len(request.body) > self.facts.max_body_bytes.value:
            raise Rejected(413, "larger than any update of Telegram")
        if not signing.same(request.header(SECRET) or "", self._secrets):
            raise Rejected(401, "secret token missing or wrong")
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body)
        call = courtesy(request.body, self._settings.greeting)
        answer = Answer(body=msgspec.json.encode(call), content_type="application/json") if call else Answer()
        return Intake(keep=(raw,), answer=answer)

    async def since(self, moment: datetime) -> AsyncGenerator[Batch, None]:
        """Yields nothing: Telegram's own queue is the history, and it flows once the webhook stands.

        So this sees to it that it stands: after an outage, or when Telegram dropped it (410 for 23 hours), the webhook
        is set again and everything of the last 24 hours comes through it. Raises Misconfigured when it leads elsewhere.
        """
        api = await self._api()
        webhook = await api.webhook()
        if self._settings.register_webhook and (
            not webhook.url or (webhook.url == self._webhook_url and not self._registered)
        ):
            # Once a start also where it stands: Telegram does not say whether it knows the newest secret.
            secret = self._settings.secret_token
            await api.set_webhook(self._webhook_url, secret.get_secret_value() if secret is not None else None, WANTED)
            self._registered = True
            return
        self._judge(webhook)
        for batch in tuple[Batch]():  # a generator by its contract; Telegram pushes what there is
            yield batch

    def _judge(self, webhook: Webhook) -> None:
        if not webhook.url and self._settings.register_webhook:
            raise Unavailable("no webhook is set for this bot; it will be set at the next look")
        if not webhook.url:
            raise Misconfigured("no webhook is set for this bot: call setWebhook, or leave register_webhook at true")
        if webhook.url != self._webhook_url:
            raise Misconfigured(
                "the bot's webhook leads elsewhere: delete it there (deleteWebhook), or use another bot"
            )
        failed = webhook.failed_at
        if webhook.waiting and failed is not None and self._setup.now() - failed.astimezone(UTC) < FRESH:
            raise Unavailable(f"Telegram cannot deliver: {webhook.waiting} updates wait ({webhook.failure})")


class TelegramPoll(Telegram):
    """A bot whose updates we ask for."""

    async def pull(self, cursor: str | None) -> AsyncGenerator[Batch, None]:
        """Batches of updates, for ever. `cursor` is bot, last update and when it came ("7123456789:10000@1767582000").

        Telegram forgets what an offset confirms, so the offset goes out only with the question after the one whose
        answer was stored. Raises AuthFailed, Unavailable, Misconfigured when the webhook of another system is set.
        """
        place = queue.read(cursor, self.account)
        limit, dropped = MOST_UPDATES, False
        while True:
            asked, offset = time.monotonic(), queue.offset(place, self._setup.now())
            try:
                updates = await (await self._api()).updates(
                    offset, limit=limit, wait=self._settings.poll_seconds, wanted=WANTED
                )
            except Misconfigured:
                if dropped:
                    raise
                await self._drop_own_webhook()
                dropped = True
                continue
            if updates is None:
                if limit == 1:
                    raise Unavailable("Telegram's answer cannot be read")
                limit = max(1, limit // 10)
                continue
            limit = MOST_UPDATES
            if not updates:
                await asyncio.sleep(asked + LEAST_WAIT - time.monotonic())
                continue
            place, keep = queue.kept(updates, self.account, self.channel_id, self._setup.now())
            yield Batch(keep=keep, cursor=queue.cursor(place))
            await self._be_courteous(keep)

    async def _be_courteous(self, updates: tuple[Raw, ...]) -> None:
        """Ends the waiting of buttons, and greets. Nothing is lost without it, so the first trouble ends it."""
        with suppress(ConnectorError):
            for update in updates:
                if (call := courtesy(update.body, self._settings.greeting)) is not None:
                    with suppress(Refused, Unreachable):
                        await (await self._api()).do(call)

    async def _drop_own_webhook(self) -> None:
        """Ends the webhook that this channel had before it was told to poll; what waits stays in the queue."""
        api = await self._api()
        webhook = await api.webhook()
        if webhook.url and webhook.url != self._webhook_url:
            self._judge(webhook)
        await api.delete_webhook()

    def _judge(self, webhook: Webhook) -> None:
        if webhook.url:
            raise Misconfigured("a webhook is set for this bot, so Telegram refuses to be polled: delete it first")


def build(setup: Setup) -> Connector:
    """The connector of one channel: an object that is pushed to, or one that pulls."""
    settings: Settings = setup.settings
    return TelegramWebhook(setup) if settings.mode == "webhook" else TelegramPoll(setup)


CONNECTOR = Spec(kind="telegram", channels=("telegram",), settings=Settings, facts=FACTS, build=build)
