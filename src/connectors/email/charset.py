"""Bytes to text when the label is missing, wrong or unknown. Never raises; says when it had to repair."""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases

#: Codecs that decode in quadratic time or that are no character sets of mail at all.
REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "rot_13"})
KNOWN = frozenset(aliases) | frozenset(aliases.values())
#: Labels seen in mail that Python does not know.
MORE = {
    "utf8mb4": "utf_8", "unicode_1_1_utf_8": "utf_8", "utf_8_bom": "utf_8", "ansi": "cp1252", "windows1252": "cp1252",
    "ansi_x3_110_1983": "latin_1", "x_unknown": "", "unknown_8bit": "", "unknown": "", "default": "",
    "x_user_defined": "",
    "_iso_8859_1": "latin_1", "iso8859_1": "latin_1", "ks_c_5601_1987": "cp949", "gb2312": "gb18030", "gbk": "gb18030",
    "x_sjis": "cp932", "shift_jis": "cp932", "x_gbk": "gb18030", "x_mac_roman": "mac_roman", "x_euc_jp": "euc_jp",
    "iso_8859_8_i": "iso8859_8", "cp_850": "cp850", "dos_850": "cp850", "windows_874": "cp874", "tis_620": "cp874",
}  # fmt: skip
#: Their bytes may look like UTF-8 by chance, so that the label is believed first.
MULTIBYTE = re.compile(r"(utf_|gb|big5|euc|iso2022|iso_2022|shift|cp932|cp936|cp949|cp950|johab|hz|ks_c)")

# Controls that no text needs (tab and line feed stay), and surrogates that cannot be stored.
JUNK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def codec(label: str | None) -> str | None:
    """The name of the Python codec for a MIME charset label, or None when it is unknown or unfit."""
    if not label or len(label) > 40:
        return None
    name = re.sub(r"[^a-z0-9]+", "_", label.strip().strip("\"'").lower())
    name = MORE.get(name, name)
    if name in REFUSED or name not in KNOWN or aliases.get(name, name) in REFUSED:
        return None
    found = aliases.get(name, name)
    return None if found.endswith("_codec") else found


def decode(data: bytes, label: str | None = None) -> tuple[str, bool]:
    """The text in `data`, and whether the label had to be overruled (RFC 2045 default: US-ASCII)."""
    for bom, name in ((codecs.BOM_UTF8, "utf_8"), (codecs.BOM_UTF16_LE, "utf_16"), (codecs.BOM_UTF16_BE, "utf_16")):
        if data.startswith(bom):
            text = data.decode(name, "replace")
            return clean(text.removeprefix("\ufeff")), False
    name = codec(label) or ""
    if data.isascii() and not name.startswith(("utf_7", "utf_16", "utf_32", "iso2022", "hz", "cp037", "cp500")):
        return clean(data.decode("ascii")), bool(label) and not name
    if name and MULTIBYTE.match(name):
        text, good = attempt(data, name)
        if good:
            return clean(text), False
    text, good = attempt(data, "utf_8")
    if good:
        return clean(text), name not in ("utf_8",)
    if name == "latin_1":
        name = "cp1252"  # what mail programs mean by it (WHATWG Encoding Standard)
    if name and name not in ("ascii", "utf_8"):
        try:
            return clean(data.decode(name)), False
        except (UnicodeError, LookupError):
            pass
    return clean(data.decode(guess(data), "replace")), True


def attempt(data: bytes, name: str) -> tuple[str, bool]:
    """The text in `data` by codec `name`, and whether that fits: a few broken characters are forgiven."""
    try:
        return data.decode(name), True
    except UnicodeError:
        text = data.decode(name, "replace")
        broken = text.count("\ufffd")
        return text, broken * 20 <= len(text) - sum(map(str.isascii, text)) and broken < 100
    except LookupError:
        return "", False


def guess(data: bytes) -> str:
    """The single-byte codec that 8-bit `data` most likely is: KOI8-R, CP1251 or CP1252."""
    sample = data[:10_000]
    high = sum(b >= 0xC0 for b in sample)
    letters = sum(b >= 0xC0 or chr(b).isalpha() for b in sample if b < 0x80 or b >= 0xC0)
    if high < 4 or high * 10 < letters * 6:
        return "cp1252" if not re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "latin_1"
    lower_koi8 = sum(0xC0 <= b < 0xE0 for b in sample)
    return "koi8_r" if lower_koi8 * 2 > high else "cp1251"


def clean(text: str) -> str:
    """`text` with line ends as LF and without controls and lone surrogates."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return JUNK.sub("", text)


def one_line(text: str, limit: int) -> str:
    """`text` as one line of at most `limit` characters, without controls and direction overrides."""
    return " ".join(BIDI.sub("", JUNK.sub(" ", text[: limit * 2])).split())[:limit]
