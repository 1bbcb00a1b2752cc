"""The quoted part of a reply, folded away for reading and never lost. One pass over the lines: linear in the text."""

from __future__ import annotations

import re

from msgspec import Struct

#: Lines longer than this are prose, not the head of a quotation.
_LONGEST_HEAD = 400
#: Mail programs wrap the line "On ... wrote:" over at most this many lines.
_WRAPPED_LINES = 4
#: The header lines that must stand together to be the head of a quoted mail.
_HEADER_WINDOW = 8

_ATTRIBUTION_START = re.compile(r"(?:pada|on|tanggal)\s", re.IGNORECASE)
_ATTRIBUTION_END = re.compile(r"(?:menulis|wrote|mengirim|writes)\s?:$", re.IGNORECASE)
_HAS_MOMENT = re.compile(r"[0-9]{1,2}[.:][0-9]{2}|@")
_SEPARATOR = re.compile(
    r"[-_=*\s]{2,40}(?:pesan asli|original message|balasan asli|pesan sebelumnya|reply message)[-_=*\s]{2,40}",
    re.IGNORECASE,
)
_FROM = re.compile(r"[*\s]{0,4}(?:dari|from)\s?:\*?\s", re.IGNORECASE)
_OTHER_HEADER = re.compile(
    r"[*\s]{0,4}(?:dikirim|terkirim|kepada|ke|subjek|perihal|tanggal|cc|sent|to|subject|date)\s?:", re.IGNORECASE
)
_FORWARD = re.compile(r"[-_\s]{2,40}(?:forwarded message|pesan terusan|pesan diteruskan)", re.IGNORECASE)


class Folded(Struct, frozen=True):
    """What the sender wrote now, and what the mail program repeated below or between it."""

    visible: str
    quoted: str


def fold(text: str) -> Folded:
    """Return the visible and the quoted part of a message; when nothing would stay visible, everything does.

    Knows the reply heads of Gmail, iPhone, Outlook and Yahoo in Indonesian and English. What was forwarded is evidence
    and stays visible. Lines that merely start with ">" fold only as a block of two or more, or below a reply head.
    """
    if "\n" not in text:
        return Folded(text, "")
    lines = text.split("\n")
    visible: list[str] = []
    quoted: list[str] = []
    index, count = 0, len(lines)
    while index < count:
        line = lines[index].strip()
        if not line:
            visible.append(lines[index])
            index += 1
            continue
        if line[0] == ">":
            end = _quoted_block_end(lines, index)
            (quoted if end - index > 1 else visible).extend(lines[index:end])
            index = end
            continue
        if len(line) > _LONGEST_HEAD:
            visible.append(lines[index])
            index += 1
            continue
        if _FORWARD.match(line) is not None:
            visible.extend(lines[index:])
            break
        body = _reply_head_end(lines, index, line)
        if body is None:
            visible.append(lines[index])
            index += 1
            continue
        end = _quoted_block_end(lines, body)
        if end == body:  # no ">" below the head: the program quotes to the very end
            end = count
        quoted.extend(lines[index:end])
        index = end
    shown = "\n".join(visible).strip()
    if not shown:
        return Folded(text, "")
    return Folded(shown, "\n".join(quoted).strip())


def _quoted_block_end(lines: list[str], start: int) -> int:
    """Where the block of ">" lines that begins at `start` ends; blank lines inside it belong to it."""
    end = index = start
    while index < len(lines):
        line = lines[index].lstrip()
        if line.startswith(">"):
            end = index + 1
        elif line:
            break
        index += 1
    return end


def _reply_head_end(lines: list[str], index: int, line: str) -> int | None:
    """The line after the reply head that begins at `index`, or None when none begins there."""
    if _SEPARATOR.fullmatch(line) is not None:
        return index + 1
    if _ATTRIBUTION_START.match(line) is not None:
        return _attribution_end(lines, index)
    if _FROM.match(line) is not None and _headers_follow(lines, index):
        return index + 1
    return None


def _attribution_end(lines: list[str], index: int) -> int | None:
    joined = ""
    for end in range(index, min(index + _WRAPPED_LINES, len(lines))):
        part = lines[end].strip()
        if not part:
            return None
        joined = f"{joined} {part}" if joined else part
        if len(joined) > _LONGEST_HEAD:
            return None
        if _ATTRIBUTION_END.search(part) is not None:
            # "Pada Senin dia menulis:" is a sentence of the customer; a mail program names the hour or the address.
            if _HAS_MOMENT.search(joined) is None and not _quote_follows(lines, end + 1):
                return None
            return end + 1
    return None


def _quote_follows(lines: list[str], index: int) -> bool:
    for line in lines[index : index + 3]:
        if line.strip():
            return line.lstrip().startswith(">")
    return False


def _headers_follow(lines: list[str], index: int) -> bool:
    found = 0
    for line in lines[index + 1 : index + _HEADER_WINDOW]:
        if len(line) <= _LONGEST_HEAD and _OTHER_HEADER.match(line) is not None:
            found += 1
            if found == 2:
                return True
    return False
