"""The connectors of an installation, built from its channels, and which channel belongs to which account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp

from connectors.contract import Connector, Setup
from connectors.errors import Misconfigured
from gateway.installation import Front


def build_connectors(
    front: Front,
    *,
    secret: bytes,
    now: Callable[[], datetime],
    session: Callable[[], aiohttp.ClientSession],
) -> tuple[dict[str, Connector], dict[str, str]]:
    """Every connector that can be built, and why the others cannot: one does not keep the rest from starting (P19)."""
    built: dict[str, Connector] = {}
    broken: dict[str, str] = {}
    for id_, channel in front.channels.items():
        setup = Setup(
            channel_id=id_,
            settings=channel.settings,
            facts=channel.spec.facts,
            public_url=front.config.public_url,
            session=session,
            secret=secret,
            now=now,
        )
        try:
            built[id_] = channel.spec.build(setup)
        except Misconfigured as error:
            broken[id_] = str(error)
    return built, broken


def accounts_of(front: Front, connectors: Mapping[str, Connector]) -> dict[tuple[str, str], str]:
    """(kind, account) -> channel id, for connectors that name an account of their provider."""
    return {
        (front.channels[id_].spec.kind, account): id_
        for id_, connector in connectors.items()
        if (account := getattr(connector, "account", None))
    }
