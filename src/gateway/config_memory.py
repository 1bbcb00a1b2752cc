"""What an earlier start learned from the configuration, so that the next one need not read it again.

One file in the data folder: the parsed content of policies, calendars, texts and words by the SHA-256 of their bytes,
and the mark of the configuration that was found good as a whole. The configuration file itself, which names secrets, is
never in it. Anything here may be deleted or damaged at any time: then the next start reads the files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from gateway.config_file import ConfigFile, mapping_at, text_at
from tickets.yaml_lines import Document, read_document

#: Raised when what is remembered, or how, changes.
_FORMAT = 1
_SUM_BYTES = 32
_DATE = 1
#: Packages whose modules say what a good configuration is: when one changes, everything is read again.
_JUDGES = ("gateway", "normalizer", "receipts", "tickets")


class _Stored(msgspec.Struct):
    format: int
    #: Mark of the configuration that was found good.
    good: str
    #: SHA-256 of a YAML file -> its content.
    parsed: dict[str, bytes]


class Memory:
    """Parsed files and the mark of the last good configuration, as they lie in one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "cache" / "configuration"
        self._stored = _read(self._file)
        self._used: dict[str, bytes] = {}

    def knows(self, mark: str) -> bool:
        """Whether the configuration with this mark was found good before."""
        return self._stored.good == mark

    def read(self, path: Path) -> Document:
        """The content of a YAML file, without lines when it was remembered. Raises InvalidFile."""
        with suppress(OSError):  # the slow way says why it cannot be read
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            packed = self._stored.parsed.get(sha256)
            if packed is not None:
                self._used[sha256] = packed
                return Document(str(path), _unpacked(packed), {}, sha256)
        document = read_document(path)
        with suppress(TypeError, ValueError, OverflowError):  # YAML can say what cannot be kept here
            packed = msgspec.msgpack.encode(_packable(document.data))
            if _unpacked(packed) == document.data:
                self._used[document.sha256] = packed
        return document

    def keep(self, mark: str) -> None:
        """Writes what was read since the start and the mark of the whole. A folder that cannot be written stays."""
        stored = _Stored(_FORMAT, mark, self._used)
        if stored == self._stored:
            return
        payload = msgspec.msgpack.encode(stored)
        with suppress(OSError):  # it is a gain of time, no more
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent)  # 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(payload).digest() + payload)
                os.replace(name, self._file)
            except OSError:
                os.unlink(name)
                raise


def mark_of(own: ConfigFile) -> str | None:
    """A mark that changes with any byte of the configuration and with the modules that judge it; None: unreadable."""
    raw = own.raw
    folders = {own.folder / "policies"}
    folders |= {own.folder / text_at(raw, name, name) for name in ("calendars", "wording", "lexicon")}
    for section in mapping_at(raw, "organisations").values():
        if isinstance(section, dict) and isinstance(section.get("policy"), str):
            folders.add((own.folder / section["policy"]).parent)
    known = hashlib.sha256(f"{own.document.file} {own.document.sha256}".encode())
    with suppress(OSError):
        for folder in sorted(folders):
            for path in sorted(folder.glob("*.yaml")):
                known.update(f"\n{path} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
        for package in _JUDGES:
            for entry in sorted(os.scandir(Path(__file__).parents[1] / package), key=lambda e: e.name):
                if entry.name.endswith(".py"):
                    stat = entry.stat()
                    known.update(f"\n{package}/{entry.name} {stat.st_mtime_ns} {stat.st_size}".encode())
        return known.hexdigest()
    return None


def _read(file: Path) -> _Stored:
    """What lies in a file; nothing when it is missing, damaged, of another format or not ours."""
    with suppress(OSError, msgspec.MsgspecError):
        content = file.read_bytes()
        total, payload = content[:_SUM_BYTES], content[_SUM_BYTES:]
        if hashlib.sha256(payload).digest() == total:
            stored = msgspec.msgpack.decode(payload, type=_Stored)
            if stored.format == _FORMAT:
                return stored
    return _Stored(_FORMAT, "", {})


def _packable(node: Any) -> Any:
    """The content of a YAML file without ruamel's own types. Raises TypeError for what has no exact counterpart."""
    if isinstance(node, Mapping):
        return {key: _packable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_packable(value) for value in node]
    if node is None or type(node) in {str, int, bool}:
        return node
    if isinstance(node, str):
        return str(node)
    if isinstance(node, float):
        return float(node)
    if type(node) is date:
        return msgspec.msgpack.Ext(_DATE, node.isoformat().encode())
    raise TypeError(type(node).__name__)


def _unpacked(packed: bytes) -> Any:
    return msgspec.msgpack.decode(packed, ext_hook=_date)


def _date(code: int, data: memoryview) -> date:
    if code != _DATE:
        raise ValueError(code)
    return date.fromisoformat(bytes(data).decode())
