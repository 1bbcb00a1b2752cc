"""The spool: files of strangers, streamed to disk under a running SHA-256 and kept under their digest (P23).

A file is under its final name only when it is whole and fsynced: `<dir>/<aa>/<sha256>`. Whatever ends early, an error
or a client that goes away, leaves nothing behind. Disk work runs in threads, a chunk at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from connectors.submission_fields import Problem
from web import file_types, image_size
from web.settings import UploadLimits

_WRITE_BYTES = 256 * 1024

_SENTENCES: dict[str, tuple[str, str]] = {
    "type_not_allowed": (
        "Berkas “{name}” tidak diterima. Jenis yang diterima: {allowed}.",
        "The file “{name}” is not accepted. Accepted types: {allowed}.",
    ),
    "not_what_it_says": (
        "Isi berkas “{name}” tidak sesuai dengan jenisnya, jadi tidak diterima. Jenis yang diterima: {allowed}.",
        "The content of “{name}” is not what its name says, so it is not accepted. Accepted types: {allowed}.",
    ),
    "macros": (
        "Berkas “{name}” memuat makro, jadi tidak diterima. Simpan tanpa makro atau sebagai PDF.",
        "The file “{name}” contains macros, so it is not accepted. Save it without macros or as PDF.",
    ),
    "file_too_large": (
        "Berkas “{name}” terlalu besar: paling besar {file_mb} MB per berkas.",
        "The file “{name}” is too large: at most {file_mb} MB each.",
    ),
    "files_too_large": (
        "Berkas “{name}” tidak diterima karena semua berkas bersama melebihi {total_mb} MB.",
        "The file “{name}” is not accepted because all files together exceed {total_mb} MB.",
    ),
    "too_many_files": (
        "Berkas “{name}” tidak diterima: paling banyak {files} berkas.",
        "The file “{name}” is not accepted: at most {files} files.",
    ),
    "empty_file": ("Berkas “{name}” kosong.", "The file “{name}” is empty."),
    "picture_too_large": (
        "Gambar “{name}” terlalu besar: paling banyak {megapixels} juta piksel.",
        "The picture “{name}” is too large: at most {megapixels} million pixels.",
    ),
    "damaged": (
        "Berkas “{name}” rusak dan tidak dapat dibaca. Silakan kirim ulang berkas aslinya.",
        "The file “{name}” is damaged and cannot be read. Please send the original again.",
    ),
}


class Refused(Exception):
    """A file that is not taken, with its shown name; the form around it goes on."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(code)
        self.code = code
        self.name = name

    def problem(self, field: str, limits: UploadLimits) -> Problem:
        """What is said about it beside `field`."""
        values = {
            "name": self.name,
            "allowed": file_types.ALLOWED_WORDS,
            "files": limits.max_files,
            "file_mb": limits.max_file_bytes // (1024 * 1024),
            "total_mb": limits.max_total_bytes // (1024 * 1024),
            "megapixels": limits.max_image_pixels // 1_000_000,
        }
        indonesian, english = _SENTENCES[self.code]
        return Problem(
            field=field, code=self.code, message_id=indonesian.format(**values), message_en=english.format(**values)
        )


class Spooled(Struct, frozen=True, kw_only=True):
    """A file that lies in the store."""

    sha256: str
    size: int
    name: str
    mime: str


class Spool:
    """Content-addressed files below one directory."""

    def __init__(self, directory: Path, limits: UploadLimits) -> None:
        self._directory = directory
        self._limits = limits
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a file with this digest lies, whether or not it is there."""
        return self._directory / sha256[:2] / sha256

    async def store(self, name: str, chunks: AsyncIterator[bytes], budget: int) -> Spooled:
        """The stored file. Raises Refused after reading all of it, so that what follows in the form is not lost.

        `budget` is what all files together may still weigh, bytes. Raises OSError when the disk is full.
        """
        shown = file_types.safe_name(name)
        writing = _Writing(self._directory / f"new-{secrets.token_hex(16)}")
        refused: str | None = None
        size = 0
        try:
            pending = bytearray()
            async for chunk in chunks:
                size += len(chunk)
                if size > self._limits.max_file_bytes:
                    refused = "file_too_large"
                elif size > budget:
                    refused = refused or "files_too_large"
                if refused is None:
                    pending += chunk
                    if len(pending) >= _WRITE_BYTES:
                        await asyncio.to_thread(writing.write, bytes(pending))
                        pending.clear()
                else:
                    pending.clear()
            if refused is not None:
                raise Refused(refused, shown)
            if size == 0:
                raise Refused("empty_file", shown)
            return await asyncio.to_thread(self._finish, writing, bytes(pending), shown, size)
        finally:
            # Shielded: the file must go even while this very task is being cancelled.
            await asyncio.shield(asyncio.to_thread(writing.discard))

    def _finish(self, writing: _Writing, rest: bytes, shown: str, size: int) -> Spooled:
        writing.write(rest)
        try:
            named = file_types.judge(shown, writing.head, writing.path)
        except file_types.WrongType as wrong:
            raise Refused(wrong.code, shown) from None
        count = image_size.pixels(writing.path, named.mime)
        if count is None:
            raise Refused("damaged", shown)
        if count > self._limits.max_image_pixels:
            raise Refused("picture_too_large", shown)
        target = self.path(writing.digest())
        writing.keep(target)
        return Spooled(sha256=target.name, size=size, name=named.name, mime=named.mime)


class _Writing:
    """One file on its way; used by one thread at a time, and by the one that discards it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = b""
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._closed = False

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            if self._fd is None:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            if len(self.head) < file_types.HEAD_BYTES:
                self.head += data[: file_types.HEAD_BYTES - len(self.head)]
            self._hash.update(data)
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]

    def digest(self) -> str:
        return self._hash.hexdigest()

    def keep(self, target: Path) -> None:
        """Moves the whole, fsynced file to `target`; the directory entry is durable when this returns."""
        with self._lock:
            if self._closed or self._fd is None:
                raise OSError("the file was given up")
            os.fsync(self._fd)
            target.parent.mkdir(exist_ok=True)
            os.replace(self.path, target)
            for directory in (target.parent, target.parent.parent):
                _fsync_directory(directory)

    def discard(self) -> None:
        """Closes, and removes the file unless it was kept; safe to call twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._fd is not None:
                os.close(self._fd)
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()


def _fsync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
