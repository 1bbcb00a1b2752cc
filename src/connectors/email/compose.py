"""The bytes of an answer. Headers are built here: Python 3.11.7's own e-mail library lets encoded words inject some."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from email.utils import format_datetime

from connectors.email.headers import word_bytes
from connectors.email.rules import LOOP_HEADER
from connectors.email.token import Signer
from connectors.errors import Refused
from normalizer.message import File, Outgoing

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
ID = re.compile(r"^<[!-;=?-~]{1,500}>$")
ATOM = re.compile(r"^[A-Za-z0-9 !#$%&'*+/=?^_`{|}~.-]*$")
MEDIA_TYPE = re.compile(r"^[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}$")
REFERENCES = 10
#: What stands for itself in an extended parameter (RFC 5987 section 3.2.1, the safe part of it).
NAME_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class Origin(Signer, frozen=True, kw_only=True):
    """Who we are as a sender."""

    address: str
    display_name: str | None = None
    plus_addressing: bool = False

    def tagged(self, key: str) -> str:
        """Our address with the token of `key` as plus tag, or our plain address where that is not possible."""
        local, _, domain = self.address.rpartition("@")
        tagged = f"{local}+{self.token(key)}"
        return f"{tagged}@{domain}" if self.plus_addressing and "+" not in local and len(tagged) <= 64 else self.address


def compose(out: Outgoing, origin: Origin, now: datetime) -> bytes:
    """The mail for `out`, with CRLF line ends (RFC 3834). Raises Refused for a control in any header."""
    reply_to = origin.tagged(out.key)
    references = list(dict.fromkeys([*out.references, *([out.in_reply_to] if out.in_reply_to else [])]))
    for value in references:
        safe(value, "references")
    references = [i for i in references if ID.match(i)][-REFERENCES:]
    lines = [
        f"From: {mailbox(origin.display_name or '', origin.address)}",
        f"To: <{safe(out.recipient, 'recipient')}>",
        header("Subject", out.subject or ""),
        f"Date: {format_datetime(now)}",
        f"Message-ID: {origin.message_id(out.key)}",
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        f"{'-'.join(map(str.capitalize, LOOP_HEADER.split('-')))}: {origin.loop_mark()}",
        "MIME-Version: 1.0",
    ]
    if reply_to != origin.address:
        lines.append(f"Reply-To: {mailbox(origin.display_name or '', reply_to)}")
    if out.in_reply_to and ID.match(out.in_reply_to):
        lines.append(f"In-Reply-To: {out.in_reply_to}")
    if references:
        lines.append("References: " + "\r\n ".join(references))
    body = text_part(out.text)
    if out.files:
        mark = f"=_{origin.mac('boundary', out.key)}"
        parts = [body, *(file_part(f) for f in out.files)]
        lines.append(f'Content-Type: multipart/mixed; boundary="{mark}"')
        body = "".join(f"\r\n--{mark}\r\n{part}" for part in parts) + f"\r\n--{mark}--\r\n"
        return ("\r\n".join(lines) + "\r\n" + body).encode("utf-8")
    return ("\r\n".join(lines) + "\r\n" + body).encode("utf-8")


def text_part(text: str) -> str:
    """The headers and the body of a plain text part, lines of at most 76 characters."""
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    if not data.endswith(b"\n"):
        data += b"\n"
    few = sum(byte >= 0x80 or byte == 0x3D for byte in data) * 6 < len(data)
    encoded = binascii.b2a_qp(data.replace(b"\n", b"\r\n"), istext=True) if few else base64.encodebytes(data)
    body = re.sub(r"(?<!\r)\n", "\r\n", encoded.decode("ascii"))
    how = "quoted-printable" if few else "base64"
    return f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {how}\r\n\r\n{body}"


def file_part(file: File) -> str:
    """The headers and the body of an attached file."""
    mime = file.mime.lower() if MEDIA_TYPE.match(file.mime.lower()) else "application/octet-stream"
    name = safe(file.name, "file name")
    if ATOM.match(name):
        shown = f'filename="{name}"'
    else:
        shown = "filename*=utf-8''" + "".join(chr(b) if b in NAME_BYTES else f"%{b:02X}" for b in name.encode("utf-8"))
    body = base64.encodebytes(file.content).decode("ascii").replace("\n", "\r\n")
    return (
        f"Content-Type: {mime}\r\nContent-Disposition: attachment;\r\n {shown}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{body}"
    )


def safe(value: str, where: str) -> str:
    """`value`, if neither it nor what its encoded words decode to holds a control. Raises Refused (P27)."""
    if CONTROL.search(value) or CONTROL.search(raw_words(value)):
        raise Refused("header-injection", f"a control character stands in the {where}")
    return value


def raw_words(value: str) -> str:
    """`value` with encoded words decoded twice over and nothing cleaned away, as a careless reader sees it."""
    for _ in range(2):
        value = re.sub(r"=\?[^?]{0,60}\?([bBqQ])\?([^?]{0,8000})\?=", decode_bare, value)
    return value


def decode_bare(match: re.Match[str]) -> str:
    """The bytes of one encoded word as Latin-1: shows controls whatever the charset."""
    data = word_bytes(match.group(1), match.group(2))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def header(name: str, value: str) -> str:
    """One header line of unstructured text, in encoded words where it is not plain ASCII. Raises Refused."""
    text = safe(value, name.lower())
    if text.isascii() and "=?" not in text and len(name) + len(text) + 2 <= 900:
        return f"{name}: {text}"
    return f"{name}: " + "\r\n ".join(words(text))


def words(text: str) -> list[str]:
    """`text` as encoded words of at most 75 characters, none of which cuts a character (RFC 2047 section 5)."""
    found: list[str] = []
    chunk = b""
    for ch in text:
        data = ch.encode("utf-8", "replace")
        if len(chunk) + len(data) > 45:
            found.append(chunk.decode("utf-8"))
            chunk = b""
        chunk += data
    return [
        f"=?utf-8?b?{base64.b64encode(c.encode('utf-8')).decode('ascii')}?=" for c in [*found, chunk.decode("utf-8")]
    ]


def mailbox(name: str, address: str) -> str:
    """An address with its display name. Raises Refused for a control in the name."""
    name = safe(name, "name").strip()
    if not name:
        return f"<{address}>"
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "").replace('"', "")
        return f'"{quoted}" <{address}>'
    return "\r\n ".join(words(name)) + f" <{address}>"
