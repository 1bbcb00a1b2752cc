"""The public pages of the real gateway: three institutions, their forms and apps, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from harness import Aduan, start_aduan


def forms_only(config: dict[str, Any]) -> None:
    """Keeps the channels that need no provider.

    Akseleran takes forms however quickly they come, klikUMKM after the usual time, KlikACC after an hour.
    """
    kinds = ("web_form", "app_api")
    config["channels"] = {name: value for name, value in config["channels"].items() if value["kind"] in kinds}
    for channel in config["channels"].values():
        if channel["kind"] == "web_form":
            times = {"akseleran": "PT0S", "klikumkm": "PT3S", "klikacc": "PT1H"}
            channel["minimum_fill_time"] = times[channel["organisation"]]
            channel["allowed_origins"] = ["https://www.partner.example"]


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Aduan]:
    """A running gateway with only the forms and apps."""
    async with start_aduan(tmp_path, forms_only) as running:
        yield running


@pytest_asyncio.fixture
async def client(front: Aduan) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser without a screen: keeps cookies, follows nothing by itself."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(front.url, cookie_jar=jar) as session:
        yield session
