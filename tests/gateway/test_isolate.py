"""One hostile delivery costs itself only: its reader ends, is slow or has no memory left; the next is fine (P24)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import Malformed, Unavailable
from gateway.config_load import load
from gateway.isolate import Account, Isolated
from harness import write_config
from harness.settings import only
from normalizer.message import Message, Raw

GOOD = (
    b"From: a@b.example\r\nTo: support@klikacc.demo\r\nSubject: Halo\r\nMessage-ID: <1@b.example>\r\n\r\n"
    b"Dana saya hilang\r\n"
)
CHANNEL = "klikacc-email"

Make = Callable[..., Isolated]


@pytest.fixture
def isolated(tmp_path: Path) -> Iterator[Make]:
    installation = load(write_config(tmp_path, only(CHANNEL)))
    channel = installation.channels[CHANNEL]
    account = Account(
        kind="email", settings=channel.settings, public_url=installation.config.public_url, secret=bytes(32)
    )
    made: list[Isolated] = []

    def make(memory_bytes: int = 268_435_456, seconds: float = 5.0) -> Isolated:
        made.append(Isolated({CHANNEL: account}, memory_bytes=memory_bytes, seconds=seconds))
        return made[-1]

    yield make
    for each in made:
        each.close()


def raw(body: bytes) -> Raw:
    return Raw(channel_id=CHANNEL, received_at=datetime(2026, 1, 5, 3, tzinfo=UTC), body=body, ref="1:1")


def is_fine(isolated: Isolated) -> bool:
    (events,) = isolated.parse([raw(GOOD)])
    assert not isinstance(events, Malformed)
    (message,) = events
    return isinstance(message, Message) and message.text == "Dana saya hilang"


def child_of(isolated: Isolated) -> int:
    assert isolated._child is not None
    return isolated._child.pid


def test_a_child_that_is_killed_between_deliveries_is_started_again(isolated: Make) -> None:
    reader = isolated()
    assert is_fine(reader)
    before = child_of(reader)
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    assert is_fine(reader)
    assert child_of(reader) != before


def test_a_child_that_stops_answering_costs_one_delivery(isolated: Make) -> None:
    """The child is stopped, like a parser that loops for ever: it is ended in time, the delivery set aside."""
    reader = isolated(seconds=0.5)
    assert is_fine(reader)
    os.kill(child_of(reader), signal.SIGSTOP)
    (found,) = reader.parse([raw(GOOD)])
    assert isinstance(found, Malformed)
    assert "longer than 0.5 s" in found.reason
    assert is_fine(reader)


def test_a_child_that_dies_while_it_reads_costs_one_delivery(isolated: Make) -> None:
    reader = isolated()
    assert is_fine(reader)
    os.kill(child_of(reader), signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (child_of(reader), signal.SIGKILL)).start()
    (found,) = reader.parse([raw(GOOD)])
    assert isinstance(found, Malformed)
    assert "Dana" not in found.reason
    assert is_fine(reader)


def test_memory_is_bounded_and_the_next_delivery_is_fine(isolated: Make) -> None:
    """P24: what needs more than its share of memory is set aside; nothing else is."""
    reader = isolated(memory_bytes=67_108_864)
    (found,) = reader.parse([raw(GOOD + bytes(100 * 1024 * 1024))])
    assert isinstance(found, Malformed) or len(found) == 1
    assert is_fine(reader)
    with open(f"/proc/{child_of(reader)}/limits", encoding="ascii") as limits:
        line = next(line for line in limits if line.startswith("Max address space"))
    assert "unlimited" not in line


def test_an_interruption_ends_a_reading_at_once(isolated: Make) -> None:
    """A clean stop does not wait for a slow mail: the reading under way returns, and its answer is not used."""
    reader = isolated(seconds=60)
    assert is_fine(reader)
    os.kill(child_of(reader), signal.SIGSTOP)
    threading.Timer(0.2, reader.interrupt).start()
    (found,) = reader.parse([raw(GOOD)])
    assert isinstance(found, Malformed)


def test_a_child_that_cannot_start_is_nobodys_fault(isolated: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a child nothing is malformed: the delivery waits."""
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(Unavailable):
        isolated().parse([raw(GOOD)])
