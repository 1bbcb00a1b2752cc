"""Mails as values: what a customer writes, what came out, and the bounce of it. Pure but for new ids."""

from __future__ import annotations

import email
import email.policy
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from typing import Literal

from simulator.place import Attachment

Verdict = Literal["pass", "fail", "none"]


@dataclass(slots=True)
class SentMail:
    """What the business handed to the mail server."""

    at: float
    mail_from: str
    recipients: tuple[str, ...]
    raw: bytes
    _message: EmailMessage | None = field(default=None, repr=False)

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        if self._message is None:
            self._message = email.message_from_bytes(self.raw, policy=email.policy.default)
        return self._message

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def message_id(self) -> str:
        """The Message-ID with its angle brackets."""
        return str(self.message["Message-ID"] or "").strip()

    @property
    def text(self) -> str:
        """The plain text."""
        part = self.message.get_body(("plain", "html"))
        return str(part.get_content()).strip() if part is not None else ""

    @property
    def attachments(self) -> list[Attachment]:
        """The attached files."""
        return [
            Attachment(part.get_filename() or "lampiran", part.get_content_type(), _content(part))
            for part in self.message.iter_attachments()
            if isinstance(part, EmailMessage)
        ]


def _content(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()


def compose(
    *,
    from_: str,
    to: str,
    subject: str,
    text: str,
    name: str = "",
    attachments: Sequence[Attachment] = (),
    html: str | None = None,
    in_reply_to: str | None = None,
    headers: Mapping[str, str] | None = None,
    at: datetime | None = None,
    message_id: str | None = None,
) -> bytes:
    """A mail as a customer's program writes it; `headers` replace or add, an empty value removes."""
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = formataddr((name, from_))
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at or datetime.now(UTC))
    mail["Message-ID"] = message_id or make_msgid(domain=from_.rpartition("@")[2] or "localhost")
    if in_reply_to:
        mail["In-Reply-To"] = mail["References"] = in_reply_to
    for key, value in (headers or {}).items():
        del mail[key]
        if value:
            mail[key] = value
    mail.set_content(text)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    for each in attachments:
        main, _, sub = each.media_type.partition("/")
        mail.add_attachment(each.content, maintype=main, subtype=sub or "octet-stream", filename=each.filename)
    return mail.as_bytes()


def as_received(
    raw: bytes, *, mail_from: str, to: str, authserv_id: str, verdict: Verdict | None, at: datetime | None = None
) -> bytes:
    """The mail as a mail exchanger stores it: Return-Path, trace and its own verdict on top."""
    domain = mail_from.rpartition("@")[2]
    lines = [f"Return-Path: <{mail_from}>", f"Delivered-To: {to}"]
    if verdict is not None:
        lines.append(
            f"Authentication-Results: {authserv_id}; dkim={verdict} header.d={domain};\r\n"
            f" spf={verdict} smtp.mailfrom={domain}; dmarc={verdict} header.from={domain}"
        )
    lines.append(
        f"Received: from {domain or 'localhost'} by {authserv_id} with ESMTPS id {secrets.token_hex(6)}\r\n"
        f" for <{to}>; {format_datetime(at or datetime.now(UTC))}"
    )
    return "\r\n".join(lines).encode("utf-8") + b"\r\n" + raw


def bounce(
    original: bytes,
    *,
    recipient: str,
    to: str,
    status: str = "5.1.1",
    action: Literal["failed", "delayed"] = "failed",
    reason: str = "550 5.1.1 User unknown",
    reporting_mta: str = "mail.simulator.invalid",
    message_id: str | None = None,
) -> bytes:
    """A delivery status notification (RFC 3464) about that mail, with an empty return path to come."""
    boundary = f"dsn-{secrets.token_hex(8)}"
    head, _, _ = original.partition(b"\r\n\r\n")
    subject = "Undelivered Mail Returned to Sender" if action == "failed" else "Delayed Mail (still being retried)"
    now = format_datetime(datetime.now(UTC))
    text = (
        f"From: Mail Delivery System <MAILER-DAEMON@{reporting_mta}>\r\n"
        f"To: {to}\r\n"
        f"Subject: {subject}\r\n"
        f"Date: {now}\r\n"
        f"Message-ID: {message_id or make_msgid(domain=reporting_mta)}\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n'
        "\r\n"
        f"--{boundary}\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"Your message could not be delivered to {recipient}: {reason}\r\n"
        f"--{boundary}\r\n"
        "Content-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; {reporting_mta}\r\n"
        f"Arrival-Date: {now}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n"
        f"Original-Recipient: rfc822; {recipient}\r\n"
        f"Action: {action}\r\n"
        f"Status: {status}\r\n"
        f"Diagnostic-Code: smtp; {reason}\r\n"
        f"--{boundary}\r\n"
        "Content-Type: text/rfc822-headers\r\n\r\n"
    )
    return text.encode("utf-8") + head + f"\r\n\r\n--{boundary}--\r\n".encode()
