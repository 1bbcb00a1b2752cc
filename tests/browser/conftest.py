"""A real Chromium in front of the real gateway: public pages as people use them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from harness import Aduan, start_aduan

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

#: Opens a page of its own; keywords are those of Playwright's new_context.
Opener = Callable[..., Awaitable[Page]]


def _forms_only(config: dict[str, Any]) -> None:
    kinds = ("web_form", "app_api")
    config["channels"] = {name: value for name, value in config["channels"].items() if value["kind"] in kinds}
    for channel in config["channels"].values():
        if channel["kind"] == "web_form":
            channel["minimum_fill_time"] = "PT0S"


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Aduan]:
    """A running gateway with only the forms and apps."""
    async with start_aduan(tmp_path, _forms_only) as running:
        yield running


@pytest_asyncio.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The browser of this machine."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def open_page(front: Aduan, chromium: Browser) -> AsyncIterator[Opener]:
    """Opens pages below the gateway; fails the test when a page loads from elsewhere or breaks its own policy."""
    complaints: list[str] = []

    async def opener(**options: Any) -> Page:
        settings: dict[str, Any] = {"locale": "id-ID", "viewport": {"width": 1100, "height": 900}, **options}
        context = await chromium.new_context(base_url=front.url, **settings)
        page = await context.new_page()
        page.on(
            "console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith((front.url, "data:")) else complaints.append(request.url),
        )
        return page

    yield opener
    assert complaints == []
