"""A mail server for all institutions, pretended: customers write into IMAP mailboxes, we send over SMTP."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import ClassVar, TypedDict, Unpack

from simulator.delivery import Mixer, Record, Tasks
from simulator.mail.imap import ImapServer
from simulator.mail.messages import SentMail, Verdict, as_received, bounce, compose
from simulator.mail.smtp import Reply, SmtpServer, Stage
from simulator.place import Asks, Attachment, Choice, Line, Mounted, Place, Talk
from simulator.weather import Weather


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of the business; its address is the login name too."""

    address: str
    password: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail that was put into a mailbox."""

    at: float
    mailbox: str
    raw: bytes
    uid: int


class Letter(TypedDict, total=False):
    """What a customer's mail may have besides its text."""

    name: str
    attachments: Sequence[Attachment]
    html: str
    in_reply_to: str
    headers: Mapping[str, str]
    message_id: str


class Mail:
    """IMAP and SMTP on ports of their own. Times are seconds since the epoch."""

    kind = "mail"
    path = ""

    def __init__(
        self,
        mailboxes: Sequence[Mailbox],
        *,
        imap_port: int = 0,
        smtp_port: int = 0,
        smtp_login: bool = True,
        authserv_id: str = "mx.simulator.invalid",
        tls: ssl.SSLContext | None = None,
        weather: Weather | None = None,
        clock: Callable[[], float] = time.time,
        keep: int = 5_000,
    ) -> None:
        self.mailboxes = {each.address: each for each in mailboxes}
        self.imap_port = imap_port
        self.smtp_port = smtp_port
        self.authserv_id = authserv_id
        self.weather = weather or Weather()
        self.clock = clock
        self.unknown: set[str] = set()  # recipients refused at RCPT with 550 5.1.1
        self.bouncing: dict[str, str] = {}  # recipient -> status of the bounce that comes back later
        self.outbox: Record[SentMail] = Record(keep)
        self.delivered: Record[Delivered] = Record(keep)
        self.tasks = Tasks()
        passwords = {each.address: each.password for each in mailboxes}
        self.imap = ImapServer(passwords, tls=tls, keep=keep)
        self.smtp = SmtpServer(
            passwords if smtp_login else {},
            self._take,
            refuse=self._refuse,
            login_allowed=lambda: self.weather.climate.trouble != "expired-token",
            tls=tls,
        )
        self._mixer: Mixer[tuple[str, bytes]] = Mixer(self._put, self.tasks)
        self.host = ""

    @property
    def name(self) -> str:
        """What the server is called."""
        return "Mail"

    @property
    def urls(self) -> Mapping[str, str]:
        """Where IMAP and SMTP are spoken."""
        return {"imap": f"imap://{self.host}:{self.imap_port}", "smtp": f"smtp://{self.host}:{self.smtp_port}"}

    @classmethod
    def mount(cls, accounts: Sequence[Mail]) -> Mounted:
        """Nothing: mail has ports of its own."""
        return Mounted()

    async def open(self, place: Place) -> None:
        """Listens on both ports."""
        self.host = place.host
        self.imap_port = await self.imap.start(place.host, self.imap_port)
        self.smtp_port = await self.smtp.start(place.host, self.smtp_port)

    async def aclose(self) -> None:
        """Ends both servers and every delivery under way."""
        await self.tasks.aclose()
        await self.imap.stop()
        await self.smtp.stop()

    async def settled(self) -> None:
        """Returns when every mail lies in its mailbox."""
        self._mixer.flush(self.weather)
        await self.tasks.settled()

    async def stop_imap(self) -> None:
        """Lets IMAP be away; the mailboxes go on receiving."""
        await self.imap.stop()

    async def start_imap(self) -> None:
        """Brings IMAP back on the same port."""
        self.imap_port = await self.imap.start(self.host, self.imap_port)

    # ---- from the customer

    async def deliver(self, raw: bytes, *, to: str) -> None:
        """Puts exactly these bytes into the INBOX behind an address; raises KeyError when there is none."""
        # There is no subscription that mail could lose: it lies in its mailbox until it is fetched.
        weather = Weather() if self.weather.climate.unsubscribed else self.weather
        await self._mixer.put((self.mailbox_for(to), raw), weather)

    async def write(
        self,
        from_: str,
        to: str,
        subject: str,
        text: str,
        *,
        verdict: Verdict | None = "pass",
        mail_from: str | None = None,
        **letter: Unpack[Letter],
    ) -> bytes:
        """Lets a customer write a mail and returns the bytes as they were stored, with the exchanger's headers."""
        raw = compose(from_=from_, to=to, subject=subject, text=text, at=self._now(), **letter)
        stored = as_received(
            raw,
            mail_from=from_ if mail_from is None else mail_from,
            to=to,
            authserv_id=self.authserv_id,
            verdict=verdict,
            at=self._now(),
        )
        await self.deliver(stored, to=to)
        return stored

    async def bounce(self, sent: SentMail, *, recipient: str | None = None, status: str = "5.1.1") -> bytes:
        """Returns a sent mail to its envelope sender as undeliverable."""
        who = recipient or sent.recipients[0]
        raw = bounce(sent.raw, recipient=who, to=sent.mail_from, status=status, reason=f"550 {status} undeliverable")
        stored = as_received(
            raw, mail_from="", to=sent.mail_from, authserv_id=self.authserv_id, verdict=None, at=self._now()
        )
        await self.deliver(stored, to=sent.mail_from)
        return stored

    def mailbox_for(self, address: str) -> str:
        """The mailbox behind an address: itself, without its +tag, or the first of its domain."""
        local, _, domain = address.lower().rpartition("@")
        for candidate in (address, f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"):
            if candidate in self.mailboxes:
                return candidate
        for known in self.mailboxes:
            if known.rpartition("@")[2] == domain:
                return known
        raise KeyError(address)

    # ---- from the business

    def reply(self, text: str, *, stage: Stage = "data", times: int = 1, seconds: float = 0.0) -> None:
        """Scripts the server's next replies at that stage, for example 451 4.7.1 or 550 5.1.1."""
        self.smtp.script.extend([Reply(text, stage, seconds=seconds)] * times)

    def drop(self, *, stage: Stage = "data", accepted: bool = False, times: int = 1) -> None:
        """Scripts broken connections; with `accepted` the mail was taken before the break."""
        self.smtp.script.extend([Reply(None, stage, accepted)] * times)

    def stall(self, seconds: float, *, stage: Stage = "data", accepted: bool = True, times: int = 1) -> None:
        """Scripts silence before a good reply."""
        self.smtp.script.extend([Reply("250 2.0.0 OK", stage, accepted, seconds)] * times)

    async def _take(self, mail_from: str, recipients: list[str], raw: bytes) -> None:
        sent = SentMail(self.clock(), mail_from, tuple(recipients), raw)
        self.outbox.append(sent)
        for recipient in recipients:
            if recipient in self.bouncing and mail_from:
                self.tasks.spawn(self.bounce(sent, recipient=recipient, status=self.bouncing[recipient]))
            elif recipient.lower() in self.mailboxes:
                stored = as_received(
                    raw, mail_from=mail_from, to=recipient, authserv_id=self.authserv_id, verdict="pass"
                )
                self.tasks.spawn(self.deliver(stored, to=recipient))

    def _refuse(self, stage: Stage, address: str) -> Reply | None:
        if stage == "rcpt" and address in self.unknown:
            return Reply("550 5.1.1 User unknown", stage)
        if stage != "data":
            return None
        trouble = self.weather.trouble()
        if trouble == "rate-limit":
            return Reply("451 4.7.1 Try again later", stage)
        if trouble == "server-error":
            return self.weather.pick(
                (
                    Reply("421 4.3.2 Service shutting down", stage),
                    Reply("451 4.3.0 Local error", stage),
                    Reply(None, stage, accepted=True),
                    Reply(None, stage),
                )
            )
        if trouble == "stall":
            accepted = self.weather.pick((True, False))
            return Reply("451 4.4.2 Timeout", stage, accepted, self.weather.climate.stall_seconds)
        return None

    async def _put(self, mails: list[tuple[str, bytes]]) -> None:
        for mailbox, raw in mails:
            uid = await self.imap.append(mailbox, raw, at=self._now())
            self.delivered.append(Delivered(self.clock(), mailbox, raw, uid))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def talks(self) -> list[Talk]:
        """One counterpart for each mailbox."""
        return [MailTalk(self, mailbox) for mailbox in self.mailboxes.values()]


@dataclass(frozen=True, slots=True)
class MailTalk:
    """A customer's correspondence with one mailbox."""

    mail: Mail
    mailbox: Mailbox
    channel = "E-mail"
    asks: ClassVar[Asks] = "email"

    @property
    def name(self) -> str:
        """The institution."""
        return self.mailbox.name or self.mailbox.address

    @property
    def address(self) -> str:
        """Where the customer writes to."""
        return self.mailbox.address

    async def say(self, person: str, text: str, attachment: Attachment | None = None) -> None:
        """Lets a customer write."""
        subject = " ".join(text.split())[:60] or "Lampiran"
        files = [attachment] if attachment is not None else []
        await self.mail.write(person, self.mailbox.address, subject, text, attachments=files)

    async def choose(self, person: str, choice: Choice) -> None:
        """Mail has no buttons: the title goes as a text."""
        await self.say(person, choice.title)

    def conversation(self, person: str) -> list[Line]:
        """What this customer wrote and what came back, oldest first."""
        lines = []
        for delivered in self.mail.delivered:
            if delivered.mailbox == self.mailbox.address:
                mail = SentMail(delivered.at, "", (), delivered.raw)
                if person in str(mail.message["From"]):
                    lines.append(Line(delivered.at, True, mail.text, mail.subject, mail.attachments))
        lines.extend(
            Line(sent.at, False, sent.text, sent.subject, sent.attachments)
            for sent in self.mail.outbox
            if person in sent.recipients and self._is_mine(sent)
        )
        return sorted(lines, key=lambda line: line.at)

    def _is_mine(self, sent: SentMail) -> bool:
        _, address = parseaddr(str(sent.message["From"] or ""))
        try:
            return self.mail.mailbox_for(address) == self.mailbox.address
        except KeyError:
            return False
