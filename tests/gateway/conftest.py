"""A desk without a server, with a first ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from gateway.config_load import load
from gateway.installation import Installation
from harness import write_config


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The demonstration's installation, read once."""
    return load(write_config(tmp_path_factory.mktemp("known")))


@pytest.fixture
def desk(tmp_path: Path, known: Installation) -> Iterator[DeskAtWork]:
    """The real rules, wording and store in a temporary folder."""
    desk = DeskAtWork(tmp_path, known)
    yield desk
    desk.close()


@pytest.fixture
def number(desk: DeskAtWork) -> str:
    """The number of KlikACC's first ticket, opened by WhatsApp on Monday morning."""
    return desk.whatsapp("klikacc", CUSTOMER, STORY)
