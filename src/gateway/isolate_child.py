"""The child of `gateway.isolate`: builds the connectors it is told of and parses what comes, until the pipe closes."""

from __future__ import annotations

import os
import pickle
import resource
import struct
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, NoReturn

import aiohttp
import msgspec

from connectors import registry
from connectors.contract import Connector, Setup
from connectors.errors import Malformed
from gateway.isolate import Account, Answer, Unread
from normalizer.message import Raw

_LENGTH = struct.Struct("!I")
_encode = msgspec.msgpack.Encoder().encode
_decode_raw = msgspec.msgpack.Decoder(Raw).decode


def main() -> None:
    """Serves one parent over stdin and stdout."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not break the answers
    first = _read(source)
    if first is None:
        return
    with suppress(BrokenPipeError):  # the parent was killed: nobody waits for an answer
        _serve(source, sink, first)


def _serve(source: BinaryIO, sink: BinaryIO, first: bytes) -> None:
    accounts, memory_bytes = pickle.loads(first)  # noqa: S301 - written by our own parent over a private pipe
    connectors = {channel_id: _build(channel_id, account) for channel_id, account in accounts.items()}
    _limit(memory_bytes)
    _write(sink, b"ready")
    while (blob := _read(source)) is not None:
        _write(sink, _encode(_parse(connectors, _decode_raw(blob))))


def _build(channel_id: str, account: Account) -> Connector:
    spec = registry.find(account.kind)
    return spec.build(
        Setup(
            channel_id=channel_id,
            settings=account.settings,
            facts=spec.facts,
            public_url=account.public_url,
            session=_no_session,
            secret=account.secret,
            now=lambda: datetime.now(UTC),
        )
    )


def _no_session() -> aiohttp.ClientSession:
    raise RuntimeError("parse is pure: it has no network")


def _limit(memory_bytes: int) -> None:
    """Bounds the address space to what is in use now plus `memory_bytes`."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        used = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _parse(connectors: dict[str, Connector], raw: Raw) -> Answer:
    try:
        return Answer(events=list(connectors[raw.channel_id].parse(raw)))
    except Malformed as error:
        return Answer(unread=Unread(error.path, error.reason))
    except MemoryError:
        return Answer(unread=Unread("$", "needs more memory than one delivery may take"))
    except RecursionError:
        return Answer(unread=Unread("$", "is nested too deeply"))
    except Exception as error:  # a bug in a parser: the delivery is kept, a person sees the class of the error
        return Answer(unread=Unread("$", f"the parser failed with {type(error).__name__}"))


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return source.read(_LENGTH.unpack(head)[0])


def _write(sink: BinaryIO, blob: bytes) -> None:
    sink.write(_LENGTH.pack(len(blob)) + blob)
    sink.flush()


def _main() -> NoReturn:
    main()
    sys.exit(0)


if __name__ == "__main__":
    _main()
