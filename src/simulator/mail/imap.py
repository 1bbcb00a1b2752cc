"""An IMAP server in this event loop: pymap with mailboxes in memory."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from proxyprotocol.result import ProxyResultUnknown
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

LARGEST_MAIL = 50 * 1024 * 1024


class _LocalConfig(Config):
    """pymap's settings without looking up this machine's name."""

    @property
    def greeting(self) -> bytes:
        return b"Simulated mail server ready"


class _WholeResponses:
    """A stream writer that sends what pymap wrote when pymap asks to drain.

    pymap writes a response in many small pieces, and IMAPClient aborts an IDLE when it reads half a line.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pending = bytearray()

    def write(self, data: bytes) -> None:
        """Keeps a piece."""
        self._pending += data

    async def drain(self) -> None:
        """Sends the pieces together."""
        pending, self._pending = self._pending, bytearray()
        self._writer.write(pending)
        await self._writer.drain()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class ImapServer:
    """Mailboxes that a mail can be put into, served over IMAP."""

    def __init__(self, passwords: Mapping[str, str], *, tls: ssl.SSLContext | None, keep: int) -> None:
        self._keep = keep
        self._tls = tls
        self._config = _LocalConfig(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            host=None,
            port=0,
            tls_enabled=False,
            demo_data=False,
            demo_user="",
            demo_password="",
            invalid_user_sleep=0.0,
            reject_dnsbl=False,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
            max_append_len=LARGEST_MAIL,
        )
        self._login = Login(self._config)
        for user, password in passwords.items():
            self.set_password(user, password)
            self._config.set_cache[user] = (MailboxSet(), FilterSet())
        self._serve = IMAPServer(self._login, self._config)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._appending: dict[str, asyncio.Lock] = {}

    def set_password(self, user: str, password: str) -> None:
        """Changes a password; a client that knows the old one is refused at its next login."""
        self._login.users_dict[user] = UserMetadata(self._config, user, password=password)

    async def start(self, host: str, port: int) -> int:
        """Listens and returns the port."""
        self._server = await asyncio.start_server(self._connected, host, port, ssl=self._tls)
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def stop(self) -> None:
        """Stops listening and ends every connection; the mailboxes stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._connections)
        self.drop_connections()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def drop_connections(self) -> None:
        """Breaks every connection without a word, as a dead network does."""
        for writer in self._connections.values():
            writer.transport.abort()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def append(self, user: str, raw: bytes, *, folder: str = "INBOX", at: datetime | None = None) -> int:
        """Puts a mail into a folder and returns its UID; raises KeyError for an unknown user."""
        mailbox = await self._folder(user, folder)
        # pymap's lock is not fair to many writers at once; one at a time also keeps the order of delivery.
        async with self._appending.setdefault(user, asyncio.Lock()):
            message = await mailbox.append(AppendMessage(raw, at or datetime.now(UTC)), recent=True)
            uids = [each.uid async for each in mailbox.messages()]
            if len(uids) > self._keep:
                await mailbox.delete(uids[: len(uids) - self._keep])
        uid: int = message.uid
        return uid

    async def count(self, user: str, folder: str = "INBOX") -> int:
        """How many mails lie in a folder."""
        mailbox = await self._folder(user, folder)
        return len([each async for each in mailbox.messages()])

    def recreate(self, user: str) -> None:
        """Replaces the user's folders by empty ones with a new UIDVALIDITY."""
        self._config.set_cache[user] = (MailboxSet(), FilterSet())

    async def _folder(self, user: str, folder: str) -> MailboxData:
        mailboxes, _ = self._config.set_cache[user]
        if folder.upper() != "INBOX":
            with contextlib.suppress(ValueError):
                await mailboxes.add_mailbox(folder)
        return await mailboxes.get_mailbox(folder)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                whole = cast(asyncio.StreamWriter, _WholeResponses(writer))
                await self._serve(reader, whole, SocketInfo.get(writer, ProxyResultUnknown()))
        finally:
            self._connections.pop(task, None)
            writer.close()
