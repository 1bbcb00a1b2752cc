"""Files of customers: kept under their SHA-256, judged by content, never by name or declared type (P23)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

import filetype
from msgspec import Struct

#: Bytes that are enough for every rule of `sniff`.
_SAMPLE = 8192
_CHUNK = 1024 * 1024


class StoredFile(Struct, frozen=True, kw_only=True):
    """A file in the store."""

    sha256: str
    size: int
    mime_sniffed: str


class TooLarge(Exception):
    """The file is larger than what is kept; nothing of it stays."""


class Files:
    """Content-addressed files below one folder: `<aa>/<sha256>`. The same content is stored once."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a file lies. Raises ValueError when `sha256` is no digest."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("not a SHA-256 digest")
        return self.folder / sha256[:2] / sha256

    def put(self, content: bytes) -> StoredFile:
        """The stored file, durable on return. Raises TooLarge, OSError. Blocking: call it in a thread."""
        if len(content) > self.max_bytes:
            raise TooLarge(f"{len(content)} bytes; {self.max_bytes} are kept at most")
        digest = hashlib.sha256(content).hexdigest()
        try:
            # Somebody brings it again: whoever is about to remove it must see that.
            os.utime(self.path(digest))
        except FileNotFoundError:
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix="new-", delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._move(Path(file.name), digest)
        return StoredFile(sha256=digest, size=len(content), mime_sniffed=sniff(content[:_SAMPLE]))

    async def put_stream(self, chunks: AsyncGenerator[bytes, None]) -> StoredFile:
        """The stored file of a stream, durable on return. Raises TooLarge, OSError and what the stream raises."""
        # Made here and not in a thread: who is cancelled while a thread makes it would leave it open.
        writing = _Writing(self.folder)
        try:
            async for chunk in chunks:
                if writing.size + len(chunk) > self.max_bytes:
                    raise TooLarge(f"more than {self.max_bytes} bytes")
                await asyncio.to_thread(writing.add, chunk)
        except BaseException:
            writing.abandon()
            raise
        return await asyncio.to_thread(self._finish, writing)

    def _finish(self, writing: _Writing) -> StoredFile:
        stored = writing.finish()
        self._move(writing.path, stored.sha256)
        return stored

    def _move(self, temporary: Path, digest: str) -> None:
        final = self.path(digest)
        final.parent.mkdir(exist_ok=True)
        os.replace(temporary, final)
        for folder in (final.parent, self.folder):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def remove(self, sha256: str, *, untouched_since: datetime) -> bool:
        """Removes a file that nobody has brought again since; False when somebody has. Overwrites it first.

        The caller knows that no complaint has it; who brings it at this moment finds it gone, and writes it anew.
        """
        path = self.path(sha256)
        going = self.folder / f"gone-{sha256}"
        try:
            os.replace(path, going)
        except FileNotFoundError:
            going.unlink(missing_ok=True)
            return True
        if going.stat().st_mtime > untouched_since.timestamp():
            os.replace(going, path)
            return False
        with going.open("r+b") as file:
            size = going.stat().st_size
            for start in range(0, size, _CHUNK):
                file.write(bytes(min(_CHUNK, size - start)))
            file.flush()
            os.fsync(file.fileno())
        going.unlink()
        return True

    def sweep(self) -> int:
        """Number of unfinished files of an earlier run that were removed."""
        left = [*self.folder.glob("new-*"), *self.folder.glob("gone-*")]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


class _Writing:
    """A file that is being written, with its running digest."""

    def __init__(self, folder: Path) -> None:
        handle, name = tempfile.mkstemp(dir=folder, prefix="new-")
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.sha256()
        self._head = b""

    def add(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)
        if len(self._head) < _SAMPLE:
            self._head += chunk[:_SAMPLE]

    def finish(self) -> StoredFile:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return StoredFile(sha256=self._digest.hexdigest(), size=self.size, mime_sniffed=sniff(self._head))

    def abandon(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def sniff(head: bytes) -> str:
    """The media type that the first bytes show; what no rule knows is application/octet-stream or text/plain."""
    guessed = filetype.guess(head)
    if guessed is not None:
        return str(guessed.mime)
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")) or b"<script" in start:
        return "text/html"
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in head.lower():
        return "image/svg+xml"
    if b"\x00" in head:
        return "application/octet-stream"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut by the end of the sample is no reason to call text binary.
        return "text/plain" if error.start > len(head) - 4 else "application/octet-stream"
    return "text/plain" if head else "application/octet-stream"
