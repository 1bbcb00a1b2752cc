"""A header block as a value: bytes stay bytes until asked for, and every reading is bounded (RFC 5322, 2047, 2231)."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote_to_bytes

from connectors.email import charset
from connectors.email.limits import Limits

NAME = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\n]{0,8000})\?=")
MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,995}>")
EXTENDED = re.compile(r"^([^*]{1,60})(?:\*(\d{1,3}))?(\*)?$")


class Headers:
    """The headers of one part in order. Names are lower case."""

    __slots__ = ("flags", "items", "limits")

    def __init__(self, items: list[tuple[str, bytes]], limits: Limits, flags: set[str]) -> None:
        self.items = items
        self.limits = limits
        #: Shared by all parts of a mail: what had to be repaired or left out.
        self.flags = flags

    def all(self, name: str) -> list[bytes]:
        """Every raw value of `name`, topmost first, unfolded."""
        return [value for key, value in self.items if key == name]

    def raw(self, name: str) -> bytes:
        """The first raw value of `name`, or nothing."""
        return next((value for key, value in self.items if key == name), b"")

    def plain(self, name: str) -> str:
        """The first value of `name` as it stands, one line: for protocol words, never for what people wrote."""
        return charset.one_line(self.raw(name)[: self.limits.header_line].decode("latin-1"), self.limits.header_line)

    def word(self, name: str) -> str:
        """The first word of `name` in lower case, without comments and parameters (RFC 3834 section 5)."""
        value = re.split(r"[;(\s,]", self.plain(name).strip().lower(), maxsplit=1)
        return value[0].strip("\"'")

    def text(self, name: str) -> str:
        """The first value of `name` decoded for people: one line, bounded."""
        value = self.raw(name)
        if len(value) > self.limits.header_line:
            self.flags.add("oversized_header")
            value = value[: self.limits.header_line]
        return charset.one_line(self.decode(unlabelled(value)), self.limits.header_line)

    def decode(self, value: str) -> str:
        """`value` with its encoded words decoded: at most `limits.encoded_words` of them."""
        text, more = decode_words(value, self.limits.encoded_words)
        if more:
            self.flags.add("too_many_encoded_words")
        return text

    def ids(self, name: str) -> list[str]:
        """Every well-formed Message-ID in `name`, in order."""
        found = [match.group().decode("ascii") for value in self.all(name) for match in MESSAGE_ID.finditer(value)]
        return [i for i in found if len(i) <= self.limits.message_id]

    def params(self, name: str) -> tuple[str, dict[str, str]]:
        """The value of `name` in lower case and its parameters, both bounded (RFC 2231 continuations joined)."""
        raw = self.raw(name)[: self.limits.header_line]
        pieces = split_params(unlabelled(raw), 60)
        value = charset.one_line(pieces[0], 200).lower().strip("\"'") if pieces else ""
        return value, join_params([p for p in pieces[1:] if "=" in p], self)


def unlabelled(value: bytes) -> str:
    """Header bytes as text: ASCII nearly always, else UTF-8 or what the bytes look like."""
    return value.decode("ascii") if value.isascii() else charset.decode(value)[0]


def read(data: bytes, start: int, end: int, limits: Limits, flags: set[str]) -> tuple[Headers, int]:
    """The headers that begin at `start`, and where the body begins."""
    items: list[tuple[str, bytes]] = []
    position, stop = start, min(end, start + limits.header_block)
    name, value = "", bytearray()
    while position < end:
        if position >= stop:
            flags.add("oversized_header")
            position = after_blank_line(data, position, end)
            break
        after = data.find(b"\n", position, stop) + 1 or stop
        line = data[position:after].rstrip(b"\r\n")
        if not line:
            position = after
            break
        match = NAME.match(line)
        if match:
            if name:
                items.append((name, bytes(value)))
            name, value = match.group(1).decode("ascii").lower(), bytearray(line[match.end() :].strip())
        elif line[:1] in b" \t" and name:
            value += b" " + line.strip()
        elif line.startswith((b"From ", b">From ")) and not name:
            pass  # the separator line of an mbox file
        elif name and NAME.match(data, after):
            flags.add("malformed_header")  # a folded line that lost its indent
            value += b" " + line.strip()
        else:
            flags.add("malformed_header")
            break
        position = after
    if name:
        items.append((name, bytes(value)))
    return Headers([(n, v.replace(b"\r", b" ").replace(b"\0", b"")) for n, v in items], limits, flags), position


def after_blank_line(data: bytes, position: int, end: int) -> int:
    """Where the body begins behind an oversized header block; `end` when no blank line follows."""
    found = [i + len(s) for s in (b"\n\n", b"\n\r\n") if (i := data.find(s, max(0, position - 2), end)) >= 0]
    return min(found, default=end)


def decode_words(value: str, limit: int) -> tuple[str, bool]:
    """`value` with at most `limit` encoded words decoded, and whether there were more.

    Neighbours in one charset are joined as bytes first: many programs cut characters in two, against RFC 2047.
    """
    if "=?" not in value:
        return value, False
    out: list[str] = []
    pending, label, position = bytearray(), "", 0

    def flush() -> None:
        if pending:
            out.append(charset.decode(bytes(pending), label)[0])
            pending.clear()

    for count, match in enumerate(ENCODED_WORD.finditer(value)):
        if count >= limit:
            flush()
            return "".join(out) + value[position : position + 200], True
        between = value[position : match.start()]
        if between.strip() or not count:
            flush()
            out.append(between)
        if match.group(1).lower() != label:
            flush()
            label = match.group(1).lower()
        pending += word_bytes(match.group(2), match.group(3))
        position = match.end()
    flush()
    return "".join(out) + value[position:], False


def word_bytes(how: str, data: str) -> bytes:
    """The bytes in one encoded word; what is broken decodes as far as it goes."""
    raw = data.encode("utf-8", "replace")
    if how in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=False)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def split_params(value: str, limit: int) -> list[str]:
    """`value` cut at semicolons that stand outside quotes, comments left out; at most `limit` pieces."""
    pieces: list[str] = []
    current: list[str] = []
    quoted, depth, escaped = False, 0, False
    for ch in value:
        if escaped:
            escaped = False
            if not depth:
                current.append(ch)
        elif ch == "\\" and (quoted or depth):
            escaped = True
            if quoted:
                current.append(ch)
        elif ch == '"' and not depth:
            quoted = not quoted
            current.append(ch)
        elif quoted:
            current.append(ch)
        elif ch == "(":
            depth += 1
        elif ch == ")" and depth:
            depth -= 1
        elif depth:
            pass
        elif ch == ";":
            pieces.append("".join(current).strip())
            current = []
            if len(pieces) >= limit:
                return pieces
        else:
            current.append(ch)
    pieces.append("".join(current).strip())
    return pieces


def join_params(pieces: list[str], headers: Headers) -> dict[str, str]:
    """Parameters by name. The first of two with one name wins; numbered ones are joined (RFC 2231 section 3)."""
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[str, bool]]] = {}
    for piece in pieces:
        key, _, value = piece.partition("=")
        match = EXTENDED.match(key.strip().lower())
        if not match:
            continue
        value = unquote(value.strip())
        name, number, encoded = match.group(1), match.group(2), bool(match.group(3))
        if number is None and not encoded:
            plain.setdefault(name, charset.one_line(headers.decode(value), 1000))
        else:
            parts.setdefault(name, {}).setdefault(int(number or 0), (value, encoded))
    for name, numbered in parts.items():
        label, data = "", b""
        for number in sorted(numbered):
            value, encoded = numbered[number]
            if encoded and number == min(numbered) and value.count("'") >= 2:
                label, _, value = value.split("'", 2)
            data += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
        plain[name] = charset.one_line(charset.decode(data, label)[0], 1000)
    return plain


def unquote(value: str) -> str:
    """`value` without the quotes of a quoted-string; a backslash in a Windows path survives."""
    if value.startswith('"'):
        value = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
        return re.sub(r'\\(["\\])', r"\1", value)
    return value
