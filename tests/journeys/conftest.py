"""One running Aduan per file: these tests only add complaints, each with customers of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan
from harness.customer import SECOND_MAILBOX


def two_mailboxes(config: dict[str, Any]) -> None:
    """KlikACC reads two mailboxes; people in tests fill forms quickly."""
    first = config["channels"]["klikacc-email"]
    second = first | {"address": SECOND_MAILBOX, "aliases": [first["address"]]}
    first["aliases"] = [SECOND_MAILBOX]
    second["imap"] = first["imap"] | {"user": SECOND_MAILBOX}
    second["smtp"] = first["smtp"] | {"user": SECOND_MAILBOX}
    config["channels"]["klikacc-email-2"] = second
    for channel in config["channels"].values():
        if channel["kind"] == "web_form":
            channel["minimum_fill_time"] = "PT0S"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def institutions(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """Three institutions on every channel, shared by the tests of one file."""
    async with start_aduan(tmp_path_factory.mktemp("aduan"), two_mailboxes) as running:
        yield running


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count(6281310000001)


@pytest.fixture
def phone(_numbers: Iterator[int]) -> str:
    """The digits of a customer who never wrote before."""
    return str(next(_numbers))
