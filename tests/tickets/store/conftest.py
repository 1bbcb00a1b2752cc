"""Stores to test: every contract test takes `store`, so that a further database is one more `url`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store_values import NOW, Build
from tickets.store import Store


@pytest.fixture
def build() -> Build:
    return Build()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store whose clock stands at `Build.now`."""
    opened = Store.open(url, clock=lambda: NOW)
    yield opened
    opened.close()
