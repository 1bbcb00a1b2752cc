"""What every test may use: a running Aduan, and `--accept` to rewrite expectations (the diff is the review)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from harness import Aduan, start_aduan


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept", action="store_true", help="write what the code gives into tests/fixtures/*/expected.json"
    )


@pytest_asyncio.fixture
async def aduan(tmp_path: Path) -> AsyncIterator[Aduan]:
    """Three institutions on every channel, with the real gateway and the simulator."""
    async with start_aduan(tmp_path) as running:
        yield running
