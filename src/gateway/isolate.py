"""Reads hostile formats in a process of its own, with bounded memory and time (P24).

A mail can be built to need gigabytes or minutes. The child gets an address-space limit; the parent waits only so long
for each delivery, then ends the child, calls that delivery malformed and goes on with the next one.
"""

from __future__ import annotations

import pickle
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO

import msgspec

from connectors.contract import ChannelSettings
from connectors.errors import Malformed, Unavailable
from normalizer.message import Event, Raw

_LENGTH = struct.Struct("!I")
_encode_raw = msgspec.msgpack.Encoder().encode
_START_SECONDS = 30.0


class Unread(msgspec.Struct, frozen=True):
    """The child's word that a delivery cannot be understood."""

    path: str
    reason: str


class Answer(msgspec.Struct, frozen=True):
    """What the child says of one delivery."""

    events: list[Event] = []
    unread: Unread | None = None


class Account(msgspec.Struct, frozen=True):
    """What the child needs to build a connector; the settings travel pickled over our own pipe."""

    kind: str
    settings: ChannelSettings
    public_url: str
    secret: bytes


_decode_answer = msgspec.msgpack.Decoder(Answer).decode


class Isolated:
    """The child process; started when it is first needed. Used by one thread, but for `interrupt`."""

    def __init__(self, accounts: Mapping[str, Account], *, memory_bytes: int, seconds: float) -> None:
        self._accounts = dict(accounts)
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def parse(self, raws: Sequence[Raw]) -> list[list[Event] | Malformed]:
        """Events of each delivery, or why it cannot be understood. Raises Unavailable when no child can be started."""
        return [self._parse_one(raw) for raw in raws]

    def _parse_one(self, raw: Raw) -> list[Event] | Malformed:
        child = self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            _write(child.stdin, _encode_raw(raw))
            blob = _read_within(child.stdout, self._seconds)
        except (OSError, EOFError):
            self.close()
            return Malformed("needs more memory than one delivery may take, or ends the reader")
        if blob is None:
            self.close()
            return Malformed(f"takes longer than {self._seconds:g} s to read")
        answer = _decode_answer(blob)
        if answer.unread is not None:
            return Malformed(answer.unread.reason, answer.unread.path)
        return answer.events

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "gateway.isolate_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal is for the parent, which then closes the pipe
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            _write(self._child.stdin, pickle.dumps((self._accounts, self._memory_bytes)))
            ready = _read_within(self._child.stdout, _START_SECONDS)
        except (OSError, EOFError) as error:
            ready = None
            raise Unavailable("the reader of hostile formats did not start") from error
        if ready is None:
            self.close()
            raise Unavailable(f"the reader of hostile formats did not start within {_START_SECONDS:g} s")
        return self._child

    def interrupt(self) -> None:
        """Ends the child from any thread, so that a `parse` under way returns at once; its answer means nothing."""
        child = self._child
        if child is not None and child.poll() is None:
            child.kill()

    def close(self) -> None:
        """Ends the child; a later `parse` starts a new one."""
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # the child is gone and took its end of the pipe along
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
        child.wait()


def _write(pipe: IO[bytes], blob: bytes) -> None:
    pipe.write(_LENGTH.pack(len(blob)) + blob)
    pipe.flush()


def _read_within(pipe: IO[bytes], seconds: float) -> bytes | None:
    """The next answer, or None when it does not come in time. Raises EOFError when the child is gone."""
    until = time.monotonic() + seconds
    head = _read_exactly(pipe, _LENGTH.size, until)
    return None if head is None else _read_exactly(pipe, _LENGTH.unpack(head)[0], until)


def _read_exactly(pipe: IO[bytes], size: int, until: float) -> bytes | None:
    chunks: list[bytes] = []
    while size:
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        chunk = pipe.raw.read(min(size, 1 << 20))  # type: ignore[attr-defined]  # a buffered pipe has .raw; select must see what is unread
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
