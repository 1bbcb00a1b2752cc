"""A mailbox's settings and what its connector is built from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp

from connectors.contract import Setup
from connectors.email import CONNECTOR
from connectors.email.settings import EmailSettings
from connectors_email.servers import FOLDER

SECRET = bytes(range(32))
NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
ADDRESS = "cs@akseleran.example"


def settings(imap: dict[str, Any] | None = None, smtp: dict[str, Any] | None = None, **more: Any) -> EmailSettings:
    """Settings of a mailbox on this machine."""
    return EmailSettings.model_validate(
        {
            "kind": "email",
            "organisation": "akseleran",
            "address": ADDRESS,
            "imap": {
                "host": "127.0.0.1", "port": 143, "tls": "none", "user": "u", "password": "p", "folder": FOLDER,
                **(imap or {}),
            },
            "smtp": {"host": "127.0.0.1", "port": 25, "tls": "none", **(smtp or {})},
            **more,
        }
    )  # fmt: skip


def setup(found: EmailSettings, session: Callable[[], aiohttp.ClientSession] | None = None) -> Setup:
    """What the connector is built from."""

    def none() -> aiohttp.ClientSession:
        raise AssertionError("no HTTP is needed")

    return Setup(
        channel_id="akseleran-email",
        settings=found,
        facts=CONNECTOR.facts,
        public_url="https://aduan.example",
        session=session or none,
        secret=SECRET,
        now=lambda: NOW,
    )
