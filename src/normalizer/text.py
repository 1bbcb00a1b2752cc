"""Text made safe to store, show and compare, without losing a word of it."""

from __future__ import annotations

import re
import unicodedata

#: The longest narrative that a complaint carries; the whole text stays in the raw event.
NARRATIVE_LIMIT = 100_000

#: Unicode's stream-safe bound (UAX 15 section 13): a longer run of marks makes normalization quadratic.
_MARKS_LIMIT = 30

_TO_REMOVE = (
    *range(0x09), 0x0E, 0x0F, *range(0x10, 0x20), 0x7F, *range(0x80, 0x85), *range(0x86, 0xA0),
    0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
    *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
)  # fmt: skip
_LINE_ENDS = (0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
_TABLE: dict[int, str | None] = {**dict.fromkeys(_TO_REMOVE), **dict.fromkeys(_LINE_ENDS, "\n")}

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
# Joiners hold emoji together; between letters they only hide a word from the reader and from the lexicon.
_STRAY_JOINER = re.compile("(?<![\u0600-\u0dff\u2190-\U0010ffff])[\u200c\u200d]")
_LONG_HIGH_RUN = re.compile("[\u0300-\U0010ffff]{31}")


def clean(text: str) -> str:
    """Return the text in NFC with `\\n` as the only line end and without controls, bidi overrides and zero-width signs.

    Halves of surrogate pairs are joined where they belong together and become U+FFFD where they do not; a run of more
    than 30 combining marks is cut (UAX 15). Newline and tab stay.
    """
    if text.isascii():
        if text.replace("\n", "").replace("\t", "").isprintable():
            return text
        return text.replace("\r\n", "\n").translate(_TABLE)
    if _SURROGATE.search(text) is not None:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if _UNSAFE.search(text) is not None:
        text = _STRAY_JOINER.sub("", text.replace("\r\n", "\n").translate(_TABLE))
    if _LONG_HIGH_RUN.search(text) is not None:
        text = _without_long_mark_runs(text)
    return unicodedata.normalize("NFC", text)


def bounded(text: str, limit: int = NARRATIVE_LIMIT) -> tuple[str, bool]:
    """Return the clean text within `limit` characters, and whether something was cut."""
    cut = len(text) > limit
    cleaned = clean(text[:limit] if cut else text).strip()
    if len(cleaned) > limit:  # composition exclusions grow under NFC
        return cleaned[:limit], True
    return cleaned, cut


def line(text: str | None, limit: int = 200) -> str | None:
    """Return the text as one clean line of at most `limit` characters; None when nothing is left."""
    if not text:
        return None
    cleaned = " ".join(clean(text[: 4 * limit]).split())
    return cleaned[:limit].rstrip() or None


def first_line(text: str, limit: int = 80) -> str:
    """Return the first line that says something, cut at a word with an ellipsis when it is longer than `limit`."""
    start = text.lstrip()
    head = start[: 4 * limit].split("\n", 1)[0]
    near = head[: limit + 1]
    flat = " ".join(near.split())
    if len(flat) <= limit:  # blanks fell away, or it is shorter
        flat = " ".join(head.split())
    if len(flat) <= limit:
        return flat
    cut = flat[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip() + "…"


def _without_long_mark_runs(text: str) -> str:
    kept = []
    run = 0
    combining = unicodedata.combining
    for char in text:
        if char >= "\u0300" and combining(char):
            run += 1
            if run > _MARKS_LIMIT:
                continue
        else:
            run = 0
        kept.append(char)
    return "".join(kept)
