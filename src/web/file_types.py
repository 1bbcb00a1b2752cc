"""Which files people may send, and what a file really is: by its first bytes, never by what its sender says."""

from __future__ import annotations

import unicodedata
import zipfile
from pathlib import Path

import filetype
from msgspec import Struct

#: Extension -> media type that its content must have.
ALLOWED: dict[str, str] = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
    "heic": "image/heic", "heif": "image/heic", "pdf": "application/pdf",
    "mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/quicktime", "3gp": "video/3gpp", "webm": "video/webm",
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/x-wav",
    "amr": "audio/amr", "aac": "audio/aac",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
#: As people read it in a message.
ALLOWED_WORDS = "JPG, PNG, HEIC, WEBP, GIF, PDF, DOCX, XLSX, MP4, MOV, 3GP, WEBM, MP3, M4A, OGG, OPUS, WAV, AMR, AAC"
#: For the `accept` attribute of a file field.
ACCEPT = ",".join(f".{extension}" for extension in ALLOWED)
#: How many first bytes decide.
HEAD_BYTES = 8192

_EXTENSION = {mime: extension for extension, mime in reversed(ALLOWED.items())}
_OFFICE = {
    "word/document.xml": ALLOWED["docx"],
    "xl/workbook.xml": ALLOWED["xlsx"],
}
_MOST_ZIP_ENTRIES = 2_000
_LONGEST_NAME = 120
_BRANDS = {
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"heic": "image/heic",
    b"heix": "image/heic", b"mif1": "image/heic", b"msf1": "image/heic", b"heim": "image/heic",
}  # fmt: skip


class WrongType(Exception):
    """A file that is not taken: `code` says why ("type_not_allowed", "not_what_it_says", "macros")."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Named(Struct, frozen=True):
    """A file's name as it may be shown, and what its content is."""

    name: str
    mime: str


def judge(name: str, head: bytes, path: Path) -> Named:
    """The safe name and real media type of a spooled file. Raises WrongType. Reads the directory of a zip only."""
    shown = safe_name(name)
    stem, dot, extension = shown.rpartition(".")
    extension = extension.lower() if dot else ""
    if dot and extension not in ALLOWED:
        raise WrongType("type_not_allowed")
    mime = sniff(head, path)
    if mime is None or mime not in _EXTENSION:
        raise WrongType("not_what_it_says" if dot else "type_not_allowed")
    if not dot:
        return Named(f"{shown}.{_EXTENSION[mime]}", mime)
    if ALLOWED[extension] == mime or _same_container(ALLOWED[extension], mime):
        return Named(shown, mime)
    # Messengers save pictures under the wrong picture extension; anything else that disagrees is a forgery.
    if ALLOWED[extension].startswith("image/") and mime.startswith("image/"):
        return Named(f"{stem}.{_EXTENSION[mime]}", mime)
    raise WrongType("not_what_it_says")


def sniff(head: bytes, path: Path) -> str | None:
    """The media type that the content has, or None when it is none that we know. Raises WrongType for macros."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand.startswith(b"3g"):
            return "video/3gpp"
        return _BRANDS.get(brand, "video/mp4")
    if head.startswith(b"PK\x03\x04"):
        return _office(path)
    if head.startswith(b"#!AMR"):
        return "audio/amr"
    if head[:2] in {b"\xff\xf1", b"\xff\xf9"}:
        return "audio/aac"
    found: str | None = filetype.guess_mime(head)
    return {"audio/x-m4a": "audio/mp4", "audio/wav": "audio/x-wav", "image/heif": "image/heic"}.get(found or "", found)


def safe_name(name: str) -> str:
    """A name that may be shown and saved: no path, no control or direction characters, at most 120 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    text = unicodedata.normalize("NFC", last.encode("utf-8", "replace").decode())
    clean = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    clean = " ".join(clean.split()).strip(" .") or "file"
    stem, dot, extension = clean.rpartition(".")
    if len(clean) > _LONGEST_NAME:
        clean = f"{stem[: _LONGEST_NAME - 12]}.{extension[:10]}" if dot else clean[:_LONGEST_NAME]
    return clean


def _same_container(expected: str, found: str) -> bool:
    pairs = {("audio/mp4", "video/mp4"), ("video/quicktime", "video/mp4"), ("video/mp4", "video/quicktime"),
             ("video/3gpp", "video/mp4"), ("video/mp4", "video/3gpp"), ("audio/ogg", "video/ogg"),
             ("video/mp4", "audio/mp4"), ("video/webm", "video/x-matroska")}  # fmt: skip
    return (expected, found) in pairs


def _office(path: Path) -> str | None:
    """The Office type of a zip by the names in its directory; nothing in it is ever unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename for entry in archive.infolist()[: _MOST_ZIP_ENTRIES + 1]}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError):
        return None
    if len(names) > _MOST_ZIP_ENTRIES or "[Content_Types].xml" not in names:
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise WrongType("macros")
    return next((mime for member, mime in _OFFICE.items() if member in names), None)
