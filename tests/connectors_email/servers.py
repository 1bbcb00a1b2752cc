"""Real mail servers for tests, and a line between that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import imapclient
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = "Pengaduan"


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Returns when something listens on `port`."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "the server ended at once"
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


@dataclass
class ImapServer:
    """A running IMAP server with one user."""

    port: int
    user: str
    password: str
    tls_port: int = 0
    ca_file: Path | None = None
    folder: str = FOLDER
    _client: Any = None
    _folders: int = 0

    @property
    def client(self) -> Any:
        """A second client, as a delivery agent or another mail program would be; it stays logged in."""
        if self._client is None:
            self._client = imapclient.IMAPClient("127.0.0.1", self.port, ssl=False, timeout=20)
            self._client.login(self.user, self.password)
        return self._client

    def fresh(self) -> None:
        """Another folder, empty."""
        self._folders += 1
        self.folder = f"{FOLDER}-{self._folders}"
        self.client.create_folder(self.folder)

    def recreate(self) -> None:
        """The same folder, empty and with another UIDVALIDITY."""
        self.client.delete_folder(self.folder)
        self.client.create_folder(self.folder)

    def deliver(self, *mails: bytes, at: datetime | None = None) -> None:
        """Puts mails into the folder."""
        for mail in mails:
            self.client.append(self.folder, mail, msg_time=at)

    def close(self) -> None:
        """Ends the second client."""
        if self._client is not None:
            self._client.logout()


DOVECOT = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{home}/mail/%u
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
ssl_dh =
mailbox_idle_check_interval = 1 secs
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
passdb {{
  driver = static
  args = password=rahasia-dovecot
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Paths of a new certificate and its key in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    moment = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """The server side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class Introspection:
    """Says which access tokens are good (RFC 7662), in a thread: Dovecot asks it."""

    GOOD = "token-yang-sah"

    def __init__(self) -> None:
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                active = f"token={Introspection.GOOD}" in body
                data = f'{{"active": {"true" if active else "false"}, "username": "pengaduan"}}'.encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Postbox:
    """An SMTP server that keeps what it takes and answers as told."""

    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    #: Answers to give instead of taking the mail, by SMTP command, first one first.
    answers: dict[str, list[str]] = field(default_factory=dict)
    #: Seconds to wait before the answer to DATA.
    delay: float = 0.0
    sessions: set[int] = field(default_factory=set)

    def next_answer(self, command: str) -> str | None:
        """The answer that a test ordered for `command`."""
        ordered = self.answers.get(command)
        return ordered.pop(0) if ordered else None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, opts: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.next_answer("MAIL") or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, opts: list[str]
    ) -> str:
        answer = self.next_answer("RCPT")
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.delay)
        answer = self.next_answer("DATA")
        if answer is None:
            self.taken.append(envelope)
            self.sessions.add(id(session))
        return answer or "250 2.0.0 OK"


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Takes one user with one password."""
    good = isinstance(data, LoginPassword) and data.login == b"pengirim" and data.password == b"rahasia-smtp"
    return AuthResult(success=good, handled=good is True)


class Listener(Controller):
    """aiosmtpd in its own thread; the connection check of its base class wraps with the server's side of TLS."""

    def _trigger_server(self) -> None:
        if self.ssl_context is None:
            super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has no types
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((self.hostname, self.port), timeout=5) as sock,
            context.wrap_socket(sock) as wrapped,
        ):
            wrapped.recv(1024)


class Cable:
    """A line to a server that a test can cut, as often as it likes."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.accepted = 0
        self.broken = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.broken:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, there_writer}
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    def cut(self) -> None:
        """Breaks every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def aclose(self) -> None:
        """Ends everything."""
        self.broken = True
        self.cut()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
