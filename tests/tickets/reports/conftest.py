"""The institutions as they are published, and an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.reports.sources import Sources, load_sources
from tickets.store import Store

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture(scope="session")
def sources() -> Sources:
    """KlikACC, Akseleran and klikUMKM with their policies, calendars and layouts."""
    return load_sources(CONFIG / "demo.yaml")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite:///{tmp_path / 'tickets.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    opened = Store.open(url)
    yield opened
    opened.close()
