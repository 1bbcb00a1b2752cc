"""The connectors of an installation, built from its channels, and which channel belongs to which account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from connectors.contract import Connector, Setup
from connectors.errors import Misconfigured
from gateway.config_load import Installation


def build_connectors(
    installation: Installation,
    *,
    secret: bytes,
    now: Callable[[], datetime],
    session: Callable[[], aiohttp.ClientSession],
) -> tuple[dict[str, Connector], dict[str, str]]:
    """Every connector that can be built, and why the others cannot: one does not keep the rest from starting (P19)."""
    built: dict[str, Connector] = {}
    broken: dict[str, str] = {}
    for id_, channel in installation.channels.items():
        setup = Setup(
            channel_id=id_,
            settings=channel.settings,
            facts=channel.spec.facts,
            public_url=installation.config.public_url,
            session=session,
            secret=secret,
            now=now,
        )
        try:
            built[id_] = channel.spec.build(setup)
        except Misconfigured as error:
            broken[id_] = str(error)
    return built, broken


def accounts_of(installation: Installation, connectors: Mapping[str, Connector]) -> dict[tuple[str, str], str]:
    """(kind, account) -> channel id, for connectors that name an account of their provider."""
    return {
        (installation.channels[id_].spec.kind, account): id_
        for id_, connector in connectors.items()
        if (account := getattr(connector, "account", None))
    }
