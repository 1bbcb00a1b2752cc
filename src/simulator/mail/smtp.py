"""An SMTP server in this event loop: aiosmtpd with replies that a test can script."""

from __future__ import annotations

import asyncio
import ssl
import weakref
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Stage = Literal["mail", "rcpt", "data"]

LARGEST_MAIL = 50 * 1024 * 1024
BROKEN = "421 4.4.2 connection dropped"


@dataclass(frozen=True, slots=True)
class Reply:
    """A scripted reply; `text` None means that the connection breaks instead."""

    text: str | None
    stage: Stage = "data"
    accepted: bool = False  # the mail is taken all the same
    seconds: float = 0.0  # silence before the reply


class SmtpServer:
    """Receives mail and hands it on; replies come from the script first, then from `refuse`."""

    def __init__(
        self,
        passwords: Mapping[str, str],
        take: Callable[[str, list[str], bytes], Awaitable[None]],
        *,
        refuse: Callable[[Stage, str], Reply | None],
        login_allowed: Callable[[], bool],
        tls: ssl.SSLContext | None,
    ) -> None:
        self.passwords = dict(passwords)
        self.script: deque[Reply] = deque(maxlen=100_000)
        self._take = take
        self._refuse = refuse
        self._login_allowed = login_allowed
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def start(self, host: str, port: int) -> int:
        """Listens and returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port, ssl=self._tls)
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def stop(self) -> None:
        """Stops listening and ends every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            _abort(connection)
        # The handlers are cancelled by the loss of their connection, one turn of the loop later.
        for _ in range(3):
            await asyncio.sleep(0)

    def _connection(self) -> SMTP:
        connection = SMTP(
            self,
            hostname="mail.simulator.invalid",
            ident="simulated mail server",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            # Loopback needs no TLS. aiosmtpd warns when a login is required without it, so MAIL asks for the login.
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> Any:
        # A refusal must say that it is not handled: otherwise the client waits for a reply for ever.
        refused = AuthResult(success=False, handled=False)
        if not isinstance(data, LoginPassword) or not self._login_allowed():
            return refused
        password = self.passwords.get(data.login.decode("utf-8", "replace"))
        if password is None or password.encode() != data.password:
            return refused
        return AuthResult(success=True)

    def _next(self, stage: Stage, address: str) -> Reply | None:
        if self.script and self.script[0].stage == stage:
            return self.script.popleft()
        return self._refuse(stage, address)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The reply to MAIL FROM."""
        if self.passwords and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = self._next("mail", address)
        if reply is not None:
            return await _say(reply, server)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The reply to RCPT TO."""
        reply = self._next("rcpt", address)
        if reply is not None:
            return await _say(reply, server)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The reply after the final dot."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        reply = self._next("data", "")
        if reply is None or reply.accepted:
            await self._take(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return "250 2.0.0 OK queued" if reply is None else await _say(reply, server)


async def _say(reply: Reply, server: SMTP) -> str:
    if reply.seconds:
        await asyncio.sleep(reply.seconds)
    if reply.text is None:
        _abort(server)
        return BROKEN
    return reply.text


def _abort(connection: SMTP) -> None:
    transport = connection.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
