"""A desk without a server, with a first ticket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk_at_work import CUSTOMER, STORY, DeskAtWork


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskAtWork]:
    """The real rules, wording and store in a temporary folder."""
    desk = DeskAtWork(tmp_path)
    yield desk
    desk.close()


@pytest.fixture
def number(desk: DeskAtWork) -> str:
    """The number of KlikACC's first ticket, opened by WhatsApp on Monday morning."""
    return desk.whatsapp("klikacc", CUSTOMER, STORY)
