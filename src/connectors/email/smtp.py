"""Handing in mail over SMTP: a few connections, used again, and what each answer of the server means for the outbox."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from connectors.email.oauth import Tokens
from connectors.email.settings import Smtp
from connectors.errors import Ambiguous, AuthFailed, ConnectorError, Refused, Unavailable, Unreachable

#: Servers close a connection after this many mails or seconds (Postfix: 100, 300 s); we are first.
MAILS_PER_CONNECTION = 100
IDLE_SECONDS = 30.0
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
#: Replies that speak of the recipient when no enhanced code says more (RFC 5321 section 4.2.3).
OF_RECIPIENT = frozenset({550, 551, 553})
LOGIN_NEEDED = frozenset({530, 534, 535, 538})


class Line:
    """One open connection and how much it was used."""

    __slots__ = ("mails", "smtp", "used")

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.smtp = smtp
        self.mails = 0
        self.used = time.monotonic()

    @property
    def good(self) -> bool:
        """Whether another mail may go over this connection."""
        fresh = time.monotonic() - self.used < IDLE_SECONDS
        return self.smtp.is_connected and fresh and self.mails < MAILS_PER_CONNECTION


class Relay:
    """The mail server that takes our answers, over at most `settings.connections` connections."""

    def __init__(self, settings: Smtp, tokens: Tokens | None, hostname: str) -> None:
        self._settings = settings
        self._tokens = tokens
        self._hostname = hostname
        self._idle: list[Line] = []
        self._free = asyncio.Semaphore(settings.connections)
        self._context = ssl.create_default_context(cafile=settings.ca_file) if settings.tls != "none" else None

    async def send(self, sender: str, recipient: str, data: bytes, envelope_id: str) -> None:
        """Hands over one mail. Raises Unreachable, Refused, Unavailable, AuthFailed; Ambiguous without an answer."""
        async with self._free:
            for attempt in (1, 2):
                line, used_before = await self._take()
                try:
                    await self._envelope(line.smtp, sender, recipient, envelope_id)
                except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
                    drop(line.smtp)
                    if used_before and attempt == 1:
                        continue  # closed while it was idle: nothing has been sent yet
                    raise Unavailable("the mail server ended the connection before it took the mail") from None
                except BaseException:
                    await self._reset(line)
                    raise
                await self._data(line, data)
                return

    async def check(self) -> None:
        """Connects, greets and logs in. Raises AuthFailed or Unavailable."""
        async with self._free:
            await hang_up(Line(await self._connect()))

    async def aclose(self) -> None:
        """Closes what is open."""
        lines, self._idle = self._idle, []
        await asyncio.gather(*map(hang_up, lines))

    async def _take(self) -> tuple[Line, bool]:
        while self._idle:
            line = self._idle.pop()
            if line.good:
                return line, True
            await hang_up(line)
        return Line(await self._connect()), False

    async def _reset(self, line: Line) -> None:
        """Keeps a connection whose envelope was refused; whatever hinders that closes it."""
        try:
            await line.smtp.rset()
            self._put_back(line)
        except (SMTPException, OSError, asyncio.CancelledError):
            drop(line.smtp)

    def _put_back(self, line: Line) -> None:
        line.mails += 1
        line.used = time.monotonic()
        if line.good:
            self._idle.append(line)
        else:
            drop(line.smtp)

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port or {"implicit": 465, "starttls": 587, "none": 25}[settings.tls],
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",  # True insists: without it nothing is sent (T13)
            tls_context=self._context,
            local_hostname=self._hostname,
            timeout=settings.timeout_seconds,
        )
        async with translated():
            await smtp.connect()
        try:
            async with translated():
                await self._login(smtp)
        except BaseException:
            drop(smtp)
            raise
        return smtp

    async def _login(self, smtp: aiosmtplib.SMTP) -> None:
        settings = self._settings
        if settings.user is None:
            await smtp.ehlo()
        elif settings.password is not None:
            await smtp.login(settings.user, settings.password.get_secret_value())
        elif self._tokens is not None:
            try:
                await smtp.auth_xoauth2(settings.user, await self._tokens.get())
            except SMTPAuthenticationError:
                if not self._tokens.forget():
                    raise
                await smtp.auth_xoauth2(settings.user, await self._tokens.get())

    async def _envelope(self, smtp: aiosmtplib.SMTP, sender: str, recipient: str, envelope_id: str) -> None:
        options: list[str] = []
        encoding = "ascii"
        if not recipient.isascii():
            if not smtp.supports_extension("smtputf8"):
                raise Unreachable("the mail server cannot deliver to an address with letters beyond ASCII")
            options, encoding = ["SMTPUTF8", "BODY=8BITMIME"], "utf-8"
        notify: list[str] = []
        if smtp.supports_extension("dsn"):
            options += ["RET=HDRS", f"ENVID={envelope_id}"]
            notify = ["NOTIFY=FAILURE"]
        try:
            await smtp.mail(sender, options=options, encoding=encoding)
            await smtp.rcpt(recipient, options=notify, encoding=encoding)
        except SMTPResponseException as error:
            raise meaning(error.code, error.message, of_recipient=True) from None
        except ValueError:
            raise Unreachable("the mail server's rules do not allow such an address") from None

    async def _data(self, line: Line, data: bytes) -> None:
        try:
            await line.smtp.data(data)
        except SMTPResponseException as error:
            await self._reset(line)
            raise meaning(error.code, error.message, of_recipient=False) from None
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError):
            drop(line.smtp)
            raise Ambiguous("the mail server did not confirm the mail; it may have taken it") from None
        except BaseException:
            drop(line.smtp)
            raise
        self._put_back(line)


def drop(smtp: aiosmtplib.SMTP, transport: asyncio.BaseTransport | None = None) -> None:
    """Closes a connection at once: the farewell of TLS would wait for a server that may be gone."""
    transport = transport or smtp.transport
    smtp.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def hang_up(line: Line) -> None:
    """Closes a connection politely, but not at any price."""
    transport = line.smtp.transport  # `quit` forgets it
    try:
        await line.smtp.quit(timeout=1.0)
    except (SMTPException, OSError, TimeoutError):
        pass
    finally:
        drop(line.smtp, transport)
    await asyncio.sleep(0)  # lets the event loop close the socket


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Errors of connecting and logging in as ours; texts of the server stay out."""
    try:
        yield
    except ConnectorError:
        raise
    except SMTPAuthenticationError as error:
        if 400 <= error.code < 500:
            raise Unavailable(f"the mail server takes no logins at the moment ({error.code})") from None
        raise AuthFailed(f"the mail server refuses the login ({error.code})") from None
    except SMTPNotSupported:
        raise Unavailable("the mail server lacks what the settings ask for (STARTTLS or a login method)") from None
    except SMTPResponseException as error:
        if error.code in LOGIN_NEEDED:
            raise AuthFailed(f"the mail server refuses the login ({error.code})") from None
        raise Unavailable(f"the mail server greets with {error.code}") from None
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(f"the certificate of the mail server is not good: {error.verify_message}") from None
    except (SMTPConnectError, SMTPException, OSError) as error:
        raise Unavailable(f"the mail server cannot be reached ({type(error).__name__})") from None


def meaning(code: int, text: str, *, of_recipient: bool) -> ConnectorError:
    """The error for a reply: 4xx later, 5.1 and 5.2 the recipient, other 5xx our mail (RFC 5321, RFC 3463)."""
    found = ENHANCED.search(text)
    shown = f"{code} {found.group()}" if found else str(code)
    if code in LOGIN_NEEDED:
        return AuthFailed(f"the mail server wants a login ({shown})")
    if code < 500:
        return Unavailable(f"the mail server says later ({shown})")
    if found and found.group(1) == "5":
        # 5.1.7 and 5.1.8 speak of our own address.
        recipient = found.group(2) in ("1", "2") and found.group()[:5] not in ("5.1.7", "5.1.8")
    else:
        recipient = of_recipient and code in OF_RECIPIENT
    if recipient:
        return Unreachable(f"the address takes no mail ({shown})")
    return Refused(shown, "the mail server refuses this mail")
