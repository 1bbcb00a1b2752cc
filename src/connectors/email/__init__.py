"""E-mail: a mailbox read over IMAP, answers handed in over SMTP."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from connectors.contract import Batch, Setup, Spec
from connectors.email import addresses
from connectors.email.compose import CONTROL, Origin, compose
from connectors.email.imap import Mailbox, batches
from connectors.email.oauth import Tokens
from connectors.email.parse import Account, parse
from connectors.email.settings import EmailSettings, OAuth2
from connectors.email.smtp import Relay
from connectors.email.thread import OwnThread
from connectors.errors import AuthFailed, Misconfigured, Refused, Unavailable, Unreachable
from connectors.facts import load
from normalizer.message import Event, Outgoing, Raw, Sent

FACTS = load(Path(__file__).with_name("facts.yaml"))
#: Seconds between attempts to come back after a connection was lost; then the pump hears of it.
RECONNECT = (0.2, 1.0, 2.0, 4.0, 8.0)
#: How long a thread that hangs in the network may hold up `aclose`, seconds.
PATIENCE = 0.9


class Email:
    """One mailbox."""

    def __init__(self, setup: Setup) -> None:
        if not isinstance(setup.settings, EmailSettings):
            raise Misconfigured("these are not the settings of a mailbox")
        settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        self._setup = setup
        self._settings = settings
        domain = settings.address.rpartition("@")[2]
        self._origin = Origin(
            secret=setup.secret,
            organisation=settings.organisation,
            domain=domain,
            address=settings.address,
            display_name=settings.display_name,
            plus_addressing=settings.plus_addressing,
        )
        self._account = Account(
            address=settings.address.lower(),
            ours=frozenset(map(addresses.without_tag, (settings.address, *settings.aliases))),
            organisation=settings.organisation,
            authserv_id=settings.authserv_id,
            max_bytes=settings.max_bytes,
            signer=self._origin,
        )
        self._imap_tokens = self._tokens(settings.imap.oauth2)
        self._relay = Relay(settings.smtp, self._tokens(settings.smtp.oauth2), domain)
        self._open: set[Mailbox] = set()
        self._closed = False

    def _tokens(self, oauth2: OAuth2 | None) -> Tokens | None:
        return Tokens(oauth2, self._setup.session, self._setup.now) if oauth2 else None

    async def pull(self, cursor: str | None) -> AsyncGenerator[Batch, None]:
        """Mails after `cursor` ("<uidvalidity>:<uid>") for ever, oldest first. Raises AuthFailed, Unavailable.

        A new UIDVALIDITY starts again at the first mail: `Message.key` makes that harmless (RFC 9051 section 2.3.1.1).
        """
        thread, box = OwnThread(f"imap-{self.channel_id}"), self._mailbox()
        try:
            await self._connect(thread, box)
            validity, last = position(cursor)
            if cursor is None and self._settings.imap.backlog == "new":
                validity, last = box.uidvalidity, max(box.uidnext - 1, 0)
                yield Batch(keep=(), cursor=f"{validity}:{last}")
            lost = 0
            while not self._has_closed():
                try:
                    if box.uidvalidity != validity:
                        validity, last = box.uidvalidity, 0
                    windows, before = box.search(last), last
                    while window := await thread.run(next, windows, None):
                        for group in batches(window, self._settings.max_bytes):
                            raws = await thread.run(box.fetch, group)
                            last = group[-1].uid
                            yield Batch(keep=raws, cursor=f"{validity}:{last}")
                    lost = 0
                    if last == before:
                        await thread.run(box.wait, self._settings.imap.check_every_seconds)
                    await thread.run(box.select)
                except Unavailable:
                    if self._has_closed():
                        return
                    lost = await self._come_back(thread, box, lost)
        finally:
            await self._end(thread, box)

    def parse(self, raw: Raw) -> Sequence[Event]:
        """The one event that a mail is. Raises Malformed when there is nothing to read."""
        return parse(raw, self._account)

    async def send(self, out: Outgoing) -> Sent:
        """Hands in one answer; its Message-ID follows from `out.key`, so that receivers drop a repeat (A13)."""
        if len(out.text) > self.facts.max_text.value:
            raise Refused("too-long", "the text is longer than the facts of this channel allow")
        if CONTROL.search(out.recipient):
            raise Refused("header-injection", "a control character stands in the recipient")
        recipient = addresses.normal(out.recipient)
        if not recipient:
            raise Unreachable("the recipient is no e-mail address")
        data = compose(out, self._origin, self._setup.now())
        message_id = self._origin.message_id(out.key)
        await self._relay.send(self._origin.tagged(out.key), recipient, data, self._origin.token(out.key))
        return Sent(provider_id=message_id, at=self._setup.now(), registers=(f"mid:{message_id}",))

    async def check(self) -> None:
        """Logs in at both servers and opens the folder. Raises AuthFailed or Unavailable."""
        thread, box = OwnThread(f"imap-check-{self.channel_id}"), self._mailbox()
        try:
            await self._connect(thread, box)
        finally:
            await self._end(thread, box)
        await self._relay.check()

    async def aclose(self) -> None:
        """Ends every pull and closes every connection."""
        self._closed = True
        for box in tuple(self._open):
            box.stop()
        await self._relay.aclose()

    def _has_closed(self) -> bool:
        return self._closed

    def _mailbox(self) -> Mailbox:
        box = Mailbox(self._settings.imap, self.channel_id, self._settings.max_bytes, self._setup.now)
        self._open.add(box)
        return box

    async def _connect(self, thread: OwnThread, box: Mailbox) -> None:
        tokens = self._imap_tokens
        try:
            await thread.run(box.open, await tokens.get() if tokens else None)
        except AuthFailed:
            if tokens is None or not tokens.forget():
                raise
            await thread.run(box.open, await tokens.get())

    async def _come_back(self, thread: OwnThread, box: Mailbox, lost: int) -> int:
        """Connects again after a loss; returns the attempts made since the last good answer. Raises Unavailable."""
        while True:
            if lost >= len(RECONNECT):
                raise Unavailable("the mail server was lost and does not come back")
            await asyncio.sleep(RECONNECT[lost] * random.uniform(0.8, 1.2))  # noqa: S311 - spreads attempts, protects nothing
            lost += 1
            with contextlib.suppress(Unavailable):
                await self._connect(thread, box)
                return lost

    async def _end(self, thread: OwnThread, box: Mailbox) -> None:
        """Ends a thread within PATIENCE, whatever it is doing."""
        self._open.discard(box)
        box.stop()
        ended = asyncio.ensure_future(self._wind_up(thread, box))
        with contextlib.suppress(TimeoutError):
            # Not by `wait_for`: before Python 3.12 it may swallow the cancellation that brought us here.
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(ended)

    @staticmethod
    async def _wind_up(thread: OwnThread, box: Mailbox) -> None:
        await thread.run(box.release)
        await thread.end(PATIENCE)


def position(cursor: str | None) -> tuple[int, int]:
    """UIDVALIDITY and last UID of a cursor; (0, 0), which fetches everything again, for one that cannot be read."""
    validity, _, uid = (cursor or "").partition(":")
    return (int(validity), int(uid)) if validity.isdecimal() and uid.isdecimal() else (0, 0)


CONNECTOR = Spec(kind="email", channels=("email",), settings=EmailSettings, facts=FACTS, build=Email, isolate=True)
