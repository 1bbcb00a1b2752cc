"""The structure of a mail as a tree of byte ranges.

The standard library's parser recurses per level and takes quadratic time on many parts; this walk goes over the bytes
once per level, stops at the limits of sheet A10 and repairs what senders break (RFC 2046 section 5.1).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from connectors.email import charset, headers
from connectors.email.headers import Headers
from connectors.email.limits import Limits

#: A multipart without a boundary: the first line that can be one.
FIRST_DASHES = re.compile(rb"(?:^|\n)--([!-~][ -~]{0,198}?)[ \t]*\r?\n")


class Part:
    """One node: its headers, its media type, and where its body lies in the mail."""

    __slots__ = ("children", "data", "disposition", "end", "filename", "headers", "mime", "params", "start")

    def __init__(self, data: bytes, start: int, end: int, heads: Headers, default: str) -> None:
        self.data, self.start, self.end, self.headers = data, start, end, heads
        declared, self.params = heads.params("content-type")
        main, slash, sub = declared.partition("/")
        self.mime = declared if slash and main.strip() and sub.strip() and " " not in declared else default
        self.disposition, shown = heads.params("content-disposition")
        self.filename = shown.get("filename") or self.params.get("name") or ""
        self.children: list[Part] = []

    @property
    def main(self) -> str:
        """The first half of the media type."""
        return self.mime.partition("/")[0]

    def walk(self) -> Iterator[Part]:
        """This part and everything below it, in the order of the mail."""
        pending = [self]
        while pending:
            part = pending.pop()
            yield part
            pending.extend(reversed(part.children))

    def content(self, limit: int | None = None) -> bytes:
        """The decoded body, broken parts as far as they go. `limit` bounds the encoded bytes that are read."""
        end = self.end if limit is None else min(self.end, self.start + limit)
        how = self.headers.word("content-transfer-encoding")
        body = memoryview(self.data)[self.start : end]
        if how == "base64":
            return from_base64(body, self.headers.flags)
        if how == "quoted-printable":
            return binascii.a2b_qp(body)
        return bytes(body)

    def text(self, limit: int) -> str:
        """The decoded text of a text part, from at most `limit` encoded bytes."""
        if self.end - self.start > limit:
            self.headers.flags.add("text_truncated")
        text, repaired = charset.decode(self.content(limit), self.params.get("charset"))
        if repaired:
            self.headers.flags.add("charset_repaired")
        return text


def from_base64(body: memoryview, flags: set[str]) -> bytes:
    """The bytes of a base64 body, repaired where its padding or alphabet is broken."""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        flags.add("repaired_encoding")
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", bytes(body))
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def read(data: bytes, limits: Limits) -> tuple[Part, set[str]]:
    """The tree of `data` and the flags of what had to be repaired or left out."""
    flags: set[str] = set()
    start = len(data) - len(data.lstrip(b"\r\n")) if data[:1] in b"\r\n" else 0
    if data.startswith(b"\xef\xbb\xbf"):
        start = 3
    count = [0]
    root = build(data, start, len(data), limits, flags, "text/plain", 0, count)
    return root, flags


def build(
    data: bytes, start: int, end: int, limits: Limits, flags: set[str], default: str, depth: int, count: list[int]
) -> Part:
    """The part between `start` and `end` with everything below it; recursion ends at `limits.depth`."""
    count[0] += 1
    heads, body = headers.read(data, start, end, limits, flags)
    part = Part(data, body, end, heads, default)
    if part.main != "multipart":
        return part
    if depth >= limits.depth:
        flags.add("too_deep")
        return part
    inner = "message/rfc822" if part.mime == "multipart/digest" else "text/plain"
    for low, high in sections(data, body, end, part.params.get("boundary", ""), flags):
        if count[0] >= limits.parts:
            flags.add("too_many_parts")
            break
        part.children.append(build(data, low, high, limits, flags, inner, depth + 1, count))
    if not part.children:
        flags.add("malformed_structure")
        part.mime = "text/plain"
    return part


def sections(data: bytes, start: int, end: int, boundary: str, flags: set[str]) -> Iterator[tuple[int, int]]:
    """Where each section of a multipart body begins and ends; the last one may lack its closing line."""
    mark = boundary.encode("utf-8", "replace").strip()[:200]
    if not mark:
        found = FIRST_DASHES.search(data, start, min(end, start + 100_000))
        if not found:
            return
        flags.add("malformed_structure")
        mark = found.group(1)
    opened = -1
    for line, after, closing in delimiters(data, start, end, b"--" + mark):
        if opened >= 0:
            yield opened, without_break(data, opened, line)
        opened = -1 if closing else after
        if closing:
            return
    if opened >= 0:
        flags.add("malformed_structure")
        yield opened, end


def delimiters(data: bytes, start: int, end: int, mark: bytes) -> Iterator[tuple[int, int, bool]]:
    """Each delimiter line: where it begins, where the next line begins, and whether it closes."""
    position = start
    while (found := data.find(mark, position, end)) >= 0:
        position = found + len(mark)
        if found > start and data[found - 1] not in b"\r\n":
            continue
        # Never further than a delimiter line may be long: marks without line breaks would make this quadratic.
        rest, feed, _ = data[position : min(end, position + 300)].partition(b"\n")
        if rest.strip() in (b"", b"--"):
            after = position + len(rest) + len(feed)
            yield found, after, rest.strip() == b"--"
            position = after


def without_break(data: bytes, low: int, high: int) -> int:
    """`high` less the line break that belongs to the delimiter (RFC 2046 section 5.1.1)."""
    if high > low and data[high - 1 : high] == b"\n":
        high -= 1
    if high > low and data[high - 1 : high] == b"\r":
        high -= 1
    return high
