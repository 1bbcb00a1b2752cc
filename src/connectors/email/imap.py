"""One mailbox over IMAP, blocking: what runs in the mailbox's own thread. It only reads."""

from __future__ import annotations

import contextlib
import imaplib
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import imapclient
from imapclient.exceptions import CapabilityError, LoginError
from msgspec import Struct

from connectors.email.parse import FULL_SIZE, UNFETCHABLE
from connectors.email.settings import Imap
from connectors.errors import AuthFailed, ConnectorError, Unavailable
from normalizer.message import Raw

#: Mails per FETCH: a round trip of 40 ms then costs less than the transfer.
BATCH = 50
#: Bytes per FETCH, so that a batch of large mails does not fill the memory.
BATCH_BYTES = 16 * 1024 * 1024
#: Messages per SEARCH: an answer line must stay below imaplib's limit of 1,000,000 bytes.
WINDOW = 50_000
#: What is fetched of a mail that is over the size limit.
BEGINNING = 1024 * 1024
CONNECT_SECONDS = 15.0
#: Answers to a login that say "later", not "no" (RFC 5530).
LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[CONTACTADMIN]", "TEMPORAR")
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))


class Found(Struct, frozen=True):
    """A mail that is there: its UID and its size in bytes."""

    uid: int
    size: int


class Mailbox:
    """A connection to one folder. Every method but `stop` runs in one and the same thread."""

    def __init__(self, settings: Imap, channel_id: str, max_bytes: int, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._channel_id = channel_id
        self._max_bytes = max_bytes
        self._now = now
        self._client: Any = None
        self._stopped = False
        self._wake, self._alarm = socket.socketpair()
        self.uidvalidity = 0
        self.uidnext = 0
        self._exists = 0

    def open(self, token: str | None) -> None:
        """Connects, logs in and opens the folder read-only. Raises AuthFailed or Unavailable."""
        self.close()
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.ca_file) if settings.tls != "none" else None
        with self._mapped():
            self._client = imapclient.IMAPClient(
                settings.host,
                settings.port or (993 if settings.tls == "implicit" else 143),
                ssl=settings.tls == "implicit",
                ssl_context=context,
                timeout=imapclient.SocketTimeout(
                    connect=min(CONNECT_SECONDS, settings.timeout_seconds), read=settings.timeout_seconds
                ),
            )
            self._client.normalise_times = False
            self._client._imap.debug = 0  # else every line of every mail is formatted for a log
            if settings.tls == "starttls":
                self._client.starttls(context)  # raises where it is not offered: never on in clear text (T13)
            self._keep_alive()
            self._login(token)
            self._client._cached_capabilities = None  # what was offered before the login says nothing about IDLE
            self.select()

    def select(self) -> None:
        """Opens the folder afresh: a new UIDVALIDITY, a recreated folder and what IDLE missed become visible."""
        with self._mapped():
            state = self._client.select_folder(self._settings.folder, readonly=True)
            self.uidvalidity = int(state[b"UIDVALIDITY"])
            self.uidnext = int(state.get(b"UIDNEXT", 0))
            self._exists = int(state.get(b"EXISTS", 0))

    def search(self, last: int) -> Iterator[list[Found]]:
        """Mails above UID `last`, ascending, in lists of at most 1,000: UIDs may have gaps of any width (T9)."""
        with self._mapped():
            for low in range(1, max(self._exists, 1) + 1, WINDOW):
                window = (
                    []
                    if self._exists <= WINDOW
                    else [f"{low}:{low + WINDOW - 1 if low + WINDOW <= self._exists else '*'}"]
                )
                # "n:*" also answers the last message when n is beyond it (RFC 9051 section 9): hence the filter.
                uids = sorted(u for u in self._client.search([*window, "UID", f"{last + 1}:*"]) if u > last)
                for start in range(0, len(uids), 1000):
                    part = uids[start : start + 1000]
                    sizes = self._client.fetch(part, ["RFC822.SIZE"])
                    yield [Found(u, int(sizes.get(u, {}).get(b"RFC822.SIZE", 0))) for u in part]

    def fetch(self, batch: Sequence[Found]) -> tuple[Raw, ...]:
        """The mails in `batch`, fetched without marking them as seen; what has been deleted meanwhile is left out."""
        whole = [f.uid for f in batch if f.size <= self._max_bytes]
        large = {f.uid: f.size for f in batch if f.size > self._max_bytes}
        raws: dict[int, Raw] = {}
        try:
            with self._mapped():
                answers = self._client.fetch(whole, ["INTERNALDATE", "BODY.PEEK[]"]) if whole else {}
            for uid, answer in answers.items():
                self._take(raws, uid, answer, b"BODY[]", {})
        except Refusal:
            raws.clear()
        for found in batch:
            if found.uid not in raws and found.uid not in large:
                self._fetch_alone(raws, found.uid)
        for uid, size in large.items():
            with self._mapped():
                answer = self._client.fetch([uid], ["INTERNALDATE", f"BODY.PEEK[]<0.{BEGINNING}>"]).get(uid, {})
            self._take(raws, uid, answer, b"BODY[]<0>", {FULL_SIZE: str(size)})
        return tuple(raws[uid] for uid in sorted(raws))

    def wait(self, seconds: float) -> None:
        """Returns when the server reports something, when `stop` is called, or after `seconds`."""
        with self._mapped():
            reported = self._client._imap.untagged_responses.pop("EXISTS", None)
            if reported and int(reported[-1]) != self._exists:
                return  # told together with the answer to the search, hence not again while we idle
            if not self._client.has_capability("IDLE"):
                self._poll(min(seconds, 30.0), idle=False)
                self._client.noop()
                return
            self._client.idle()
            if not self._buffered():
                self._poll(seconds, idle=True)
            if not self._stopped:
                self._client.idle_done()

    def stop(self) -> None:
        """Makes a call that blocks in the mailbox's thread end now. The only method for other threads."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._alarm.send(b"x")
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError, AttributeError):
                # The plain socket's own method: the one of a TLS socket would free what the other thread is using.
                socket.socket.shutdown(client._imap.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Gives up the connection."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error, ValueError):
                if not self._stopped:
                    client.socket().settimeout(2.0)
                    client.logout()
            with contextlib.suppress(OSError, imaplib.IMAP4.error, ValueError):
                client.shutdown()

    def release(self) -> None:
        """Gives up everything, for good."""
        self.close()
        self._wake.close()
        self._alarm.close()

    def _login(self, token: str | None) -> None:
        settings = self._settings
        try:
            if settings.oauth2 is None:
                assert settings.password is not None
                self._client.login(settings.user, settings.password.get_secret_value())
            elif settings.oauth2.mechanism == "oauthbearer":
                self._client.oauthbearer_login(settings.user, token or "")
            else:
                self._client.oauth2_login(settings.user, token or "")
        except LoginError as error:
            said = str(error).upper()
            if isinstance(error.__context__, imaplib.IMAP4.abort) or any(word in said for word in LATER):
                raise Unavailable("the mail server takes no logins at the moment") from None
            raise AuthFailed("the mail server refuses the login of this mailbox") from None

    def _keep_alive(self) -> None:
        sock = self._client._imap.sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)

    def _poll(self, seconds: float, *, idle: bool) -> None:
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        if idle:
            poller.register(self._client.socket(), select.POLLIN)
        poller.poll(seconds * 1000)

    def _buffered(self) -> bool:
        """Whether a report came in one packet with the answer to IDLE: poll would never see it."""
        sock = self._client.socket()
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        sock.setblocking(False)
        try:
            return bool(self._client._imap.file.peek(1))
        except (OSError, ValueError):
            return False
        finally:
            sock.settimeout(self._settings.timeout_seconds)

    def _fetch_alone(self, raws: dict[int, Raw], uid: int) -> None:
        """One mail that was missing in the answer for its batch: deleted, or one that the server stumbles over."""
        for items in (["INTERNALDATE", "BODY.PEEK[]"], ["BODY.PEEK[]"]):
            with contextlib.suppress(Refusal), self._mapped():
                answer = self._client.fetch([uid], items).get(uid, {})
                if self._take(raws, uid, answer, b"BODY[]", {}):
                    return
        with self._mapped():
            there = uid in self._client.search(["UID", str(uid)])
        if there:
            raws[uid] = self._raw(uid, b"", self._now(), {UNFETCHABLE: "1"})

    def _take(
        self, raws: dict[int, Raw], uid: int, answer: dict[bytes, Any], item: bytes, heads: dict[str, str]
    ) -> bool:
        body = answer.get(item)
        if not isinstance(body, bytes):
            return False
        arrived = answer.get(b"INTERNALDATE")
        moment = arrived.astimezone(UTC) if isinstance(arrived, datetime) and arrived.tzinfo else self._now()
        raws[uid] = self._raw(uid, body, moment, heads)
        return True

    def _raw(self, uid: int, body: bytes, moment: datetime, heads: dict[str, str]) -> Raw:
        ref = f"{self.uidvalidity}:{uid}"
        return Raw(channel_id=self._channel_id, received_at=moment, body=body, headers=heads, ref=ref)

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Library and network errors as ours; texts of the server stay out, they may name people."""
        try:
            yield
        except ConnectorError:
            raise
        except CapabilityError:
            raise Unavailable("the mail server lacks a feature that the settings ask for (STARTTLS?)") from None
        except imaplib.IMAP4.abort:
            raise Unavailable("the mail server ended the connection") from None
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the certificate of the mail server is not good: {error.verify_message}") from None
        except (OSError, EOFError) as error:
            raise Unavailable(f"the mail server does not answer ({type(error).__name__})") from None
        except imaplib.IMAP4.error:
            raise Refusal("the mail server refuses a command") from None
        except (ValueError, KeyError, IndexError, AttributeError, UnicodeError) as error:
            raise Refusal(f"the mail server's answer cannot be read ({type(error).__name__})") from None


class Refusal(Unavailable):
    """The server said no to one command, or answered what nobody can read: one mail may be the cause."""


def batches(found: Iterable[Found], largest: int) -> Iterator[list[Found]]:
    """`found` in groups of at most BATCH mails and about BATCH_BYTES; of mails over `largest` the beginning counts."""
    group: list[Found] = []
    total = 0
    for mail in found:
        size = mail.size if mail.size <= largest else BEGINNING
        if group and (len(group) >= BATCH or total + size > BATCH_BYTES):
            yield group
            group, total = [], 0
        group.append(mail)
        total += size
    if group:
        yield group
