"""What the machine must offer: a folder that can be written, room on the disk, mail that cannot be forged."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from gateway.installation import Installation

#: Line breaks as an encoded word and as characters, each followed by a header that must never come to life.
_HOSTILE = (
    "=?utf-8?q?a=0d=0aX-Injected:_yes?=",
    "=?utf-8?b?YQ0KWC1JbmplY3RlZDogeWVz?=",
    "a\r\nX-Injected: yes",
    "a\nX-Injected: yes",
)
_MEBIBYTE = 1024 * 1024


class Looked(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    what: str
    good: bool
    found: str


def look(installation: Installation | None) -> list[Looked]:
    """What was found; without an installation only what does not depend on it."""
    if installation is None:
        return [email_library()]
    return [
        data_folder(installation.data_dir),
        disk(installation.data_dir, installation.config.limits.free_disk_bytes),
        email_library(),
    ]


def data_folder(folder: Path) -> Looked:
    """Whether the data folder, or the one it will be made in, can be written."""
    existing = _existing(folder)
    good = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    found = "can be written" if existing == folder else f"will be made in {existing}"
    cure = f"{existing} cannot be written by this user: change its owner, or give another data_dir"
    return Looked(what=f"data_dir {folder}", good=good, found=found if good else cure)


def disk(folder: Path, reserve: int) -> Looked:
    """Whether the disk has more room than the reserve below which nothing is taken in."""
    free = shutil.disk_usage(_existing(folder)).free
    need = f"{reserve // _MEBIBYTE} MiB are kept free (limits.free_disk_bytes)"
    good = free > reserve
    found = f"{free // _MEBIBYTE} MiB free; {need}"
    return Looked(what="disk", good=good, found=found if good else f"{found}: make room")


def email_library() -> Looked:
    """Whether mail can be composed without forged headers: by this Python's library, else by our own composer."""
    what = "e-mail headers"
    if not any(_library_injects(text) for text in _HOSTILE):
        return Looked(what=what, good=_composer_holds(), found="this Python's e-mail library lets nothing through")
    version = sys.version.split()[0]
    if _composer_holds():
        return Looked(what=what, good=True, found=f"Python {version} lets headers in; ours are composed without it")
    return Looked(what=what, good=False, found=f"Python {version} lets headers in: use a newer Python 3.11")


def _library_injects(text: str) -> bool:
    message = EmailMessage()
    try:
        message["Subject"] = text
        message.set_content("x")
        return _injected(message.as_bytes())
    except ValueError:  # also HeaderParseError, HeaderWriteError: refused, as it should be
        return False


def _composer_holds() -> bool:
    """Whether our own composer refuses or neutralizes every hostile subject, name and recipient."""
    from connectors.email.compose import Origin, compose
    from connectors.errors import Refused
    from normalizer.message import Outgoing

    for text in _HOSTILE:
        for subject, recipient, name in ((text, "a@example.id", "x"), ("x", text, "x"), ("x", "a@example.id", text)):
            origin = Origin(
                secret=bytes(32), organisation="x", domain="example.id", address="b@example.id", display_name=name
            )
            out = Outgoing(key="self-test", recipient=recipient, subject=subject, text="x")
            try:
                if _injected(compose(out, origin, datetime.now(UTC))):
                    return False
            except Refused:
                continue
    return True


def _injected(mail: bytes) -> bool:
    head = mail.replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    return any(line.startswith(b"x-injected") for line in head.replace(b"\r", b"\n").split(b"\n"))


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
