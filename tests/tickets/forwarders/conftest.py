"""A desk with a real store for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from forward_values import Desk
from tickets.store import Store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without tickets, closed."""
    file = tmp_path_factory.mktemp("empty") / "tickets.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture
async def desk(tmp_path: Path, empty_store: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, empty_store)
    yield made
    await made.close()
