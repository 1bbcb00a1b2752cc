"""Evidence bags: makes one from the store, and tells whether a file is one that we made, unchanged.

The ZIP is stored, not compressed, with fixed times and order: the same files give the same bytes on every machine, so
that one changed byte anywhere shows, also between the files.
"""

from __future__ import annotations

import hashlib
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from msgspec import Struct

from gateway.files import Files
from receipts.signature import PublicKeys, is_signed, open_key, public_pem
from tickets.model import AuditEvent
from tickets.records_case import Case
from tickets.records_evidence import (
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    Listed,
    Manifest,
    files_of,
    listed,
    manifest_of,
    read_manifest,
)
from tickets.store import Store

Reason = Literal["genuine", "not_a_bag", "unknown_key", "changed"]
#: The earliest that a ZIP can say; the true times stand in the manifest.
_WHEN = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1024 * 1024
#: A bag of ten thousand files has a manifest of about two million bytes.
_MOST_MANIFEST = 16 * 1024 * 1024
#: Bytes before the first name of a ZIP.
_HEADER = 30
#: What the standard library raises for a ZIP that is broken, encrypted, or of a kind that it does not read.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, KeyError, NotImplementedError, OverflowError, RuntimeError,
    ValueError,
)  # fmt: skip
_TRIES = 5


class Gone(Exception):
    """The complaint was erased."""


class Made(Struct, frozen=True, kw_only=True):
    """A bag that was made."""

    ticket_number: str
    files: int
    manifest_sha256: str
    #: What belongs to the complaint and is not in the bag, and why.
    missing: tuple[str, ...]


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a file is a bag that we made; `manifest` only when it is, `place` where it first differs."""

    valid: bool
    reason: Reason
    place: str | None = None
    manifest: Manifest | None = None


def make(
    store: Store,
    number: str,
    out: BinaryIO,
    *,
    data_dir: Path,
    names: Mapping[str, str],
    actor: str,
    now: datetime,
) -> Made:
    """Writes the bag of a complaint to `out` (seekable, empty) and notes it in the audit log. Blocking.

    `names` are those of the organisations, by slug; `data_dir` holds the attachments and the key.
    Raises Gone for an erased complaint, LookupError for a number that was never given, OSError.
    """
    case = _case(store, number, names, now)
    key = open_key(data_dir / "keys")
    files = Files(data_dir / "attachments", max_bytes=0)
    content = files_of(case)
    missing = list(content.missing)
    entries: dict[str, bytes | Path] = {**content.written, PUBLIC_KEY: public_pem(key.public_key)}
    lines = [listed(path, written) for path, written in entries.items() if isinstance(written, bytes)]
    for path, sha256 in content.attachments.items():
        place = files.path(sha256)
        size = _size_if_whole(place, sha256)
        if size is None:
            missing.append(f"{path}: lost or changed on our disk")
            continue
        entries[path] = place
        lines.append(Listed(path=path, size=size, sha256=sha256))
    manifest = manifest_of(case, lines, missing, key.key_id)
    _write(out, _ordered(entries, manifest, key.sign(manifest)))
    digest = hashlib.sha256(manifest).hexdigest()
    with store.begin() as tx:
        told = {"manifest": digest, "files": len(lines)}
        complaint_id = case.view.complaint.complaint_id
        tx.note([AuditEvent(at=now, actor=actor, type="evidence.made", complaint_id=complaint_id, data=told)])
    return Made(
        ticket_number=case.view.ticket.ticket_number,
        files=len(lines),
        manifest_sha256=digest,
        missing=tuple(missing),
    )


def verify(file: BinaryIO, keys: PublicKeys) -> Verdict:
    """Whether the file is a bag that one of `keys` signed; one byte changed, added or missing: it is not. Blocking."""
    try:
        with zipfile.ZipFile(file) as bag:
            return _verify(file, bag, keys)
    except _UNREADABLE:
        file.seek(0)
        if MANIFEST.encode() in file.read(_HEADER + len(MANIFEST)):
            return Verdict(valid=False, reason="changed", place="zip")
        return Verdict(valid=False, reason="not_a_bag")


def _verify(file: BinaryIO, bag: zipfile.ZipFile, keys: PublicKeys) -> Verdict:
    infos = {info.filename: info for info in bag.infolist()}
    wanted = {MANIFEST: _MOST_MANIFEST, SIGNATURE: 64}
    if any(name not in infos or infos[name].file_size > most for name, most in wanted.items()):
        return Verdict(valid=False, reason="not_a_bag")
    if any(info.compress_type != zipfile.ZIP_STORED for info in bag.infolist()):
        return Verdict(valid=False, reason="changed", place="zip")
    content = bag.read(MANIFEST)
    manifest = read_manifest(content)
    if manifest is None:
        return Verdict(valid=False, reason="changed", place=MANIFEST)
    key = keys.get(manifest.key_id)
    if key is None:
        return Verdict(valid=False, reason="unknown_key")
    signature = bag.read(SIGNATURE)
    if not is_signed(key, signature, content):
        return Verdict(valid=False, reason="changed", place=MANIFEST)
    if sorted(infos) != sorted([*wanted, *(line.path for line in manifest.files)]):
        return Verdict(valid=False, reason="changed", place="zip")
    for line in manifest.files:
        try:
            with bag.open(line.path) as entry:
                same = infos[line.path].file_size == line.size and _digest(entry.read) == line.sha256
        except zipfile.BadZipFile:
            same = False
        if not same:
            return Verdict(valid=False, reason="changed", place=line.path)
    entries: dict[str, bytes | zipfile.ZipInfo] = {line.path: infos[line.path] for line in manifest.files}
    if not _is_as_written(file, bag, _ordered(entries, content, signature)):
        return Verdict(valid=False, reason="changed", place="zip")
    return Verdict(valid=True, reason="genuine", manifest=manifest)


def _is_as_written(
    file: BinaryIO, bag: zipfile.ZipFile, entries: Iterable[tuple[str, bytes | Path | zipfile.ZipInfo]]
) -> bool:
    """Whether we would write this very file: also the bytes between the entries are ours."""
    with tempfile.TemporaryFile() as again:
        _write(again, entries, bag)
        file.seek(0)
        again.seek(0)
        while True:
            ours, theirs = again.read(_CHUNK), file.read(_CHUNK)
            if ours != theirs:
                return False
            if not ours:
                return True


def _ordered(
    entries: dict[str, bytes | Path] | dict[str, bytes | zipfile.ZipInfo], manifest: bytes, signature: bytes
) -> Iterator[tuple[str, bytes | Path | zipfile.ZipInfo]]:
    yield MANIFEST, manifest
    yield SIGNATURE, signature
    for path in sorted(entries):
        yield path, entries[path]


def _write(
    out: BinaryIO,
    entries: Iterable[tuple[str, bytes | Path | zipfile.ZipInfo]],
    bag: zipfile.ZipFile | None = None,
) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as written:
        for path, content in entries:
            info = zipfile.ZipInfo(path, _WHEN)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            if isinstance(content, bytes):
                written.writestr(info, content)
                continue
            info.file_size = content.stat().st_size if isinstance(content, Path) else content.file_size
            with written.open(info, "w") as entry, _opened(content, bag) as source:
                while chunk := source.read(_CHUNK):
                    entry.write(chunk)


def _opened(content: Path | zipfile.ZipInfo, bag: zipfile.ZipFile | None) -> BinaryIO:
    if isinstance(content, Path):
        return content.open("rb")
    assert bag is not None
    # `IO[bytes]` in the standard library's types; it reads and closes like any binary file.
    return bag.open(content)  # type: ignore[return-value]  # ZipExtFile is typed as IO, not as BinaryIO


def _size_if_whole(path: Path, sha256: str) -> int | None:
    """The size of a stored file; None when it is not there or not what it was."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size if _digest(file.read) == sha256 else None
    except OSError:
        return None


def _digest(read: Callable[[int], bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _case(store: Store, number: str, names: Mapping[str, str], now: datetime) -> Case:
    """All of the complaint from one moment: read again while something was recorded in between."""
    log = store.verify_audit()
    for _ in range(_TRIES):
        view = store.ticket(number)
        if view is None:
            raise LookupError("there is no such ticket")
        if store.records.erasure(number) is not None:
            raise Gone
        complaint_id = view.complaint.complaint_id
        ids = [complaint_id, *store.records.merged_into(complaint_id)]
        chain = store.records.chain_of(ids)
        raw_ids = [message.row.raw_id for message in view.messages]
        merged = (store.ticket_of_complaint(each) for each in ids[1:])
        case = Case(
            view=view,
            organisation=names.get(view.ticket.organisation, view.ticket.organisation),
            made_at=now.astimezone(UTC),
            merged=[each for each in merged if each is not None],
            chain=chain,
            log_events=log.events,
            log_head=log.head,
            log_intact=log.intact,
            texts=store.records.sent_texts(ids),
            parts=store.records.sent_parts(ids),
            deliveries=store.records.deliveries_of(raw_ids, complaint_id),
        )
        if len(store.records.chain_of(ids)) == sum(len(each.audit) for each in case.views):
            break
    return case
