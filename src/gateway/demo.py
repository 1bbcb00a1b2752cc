"""The pretended providers of an installation, made from its own channels, so that both fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from gateway.installation import Installation
from simulator import Account, Ports, Provider, Simulation, Weather, start
from simulator.services import providers


def providers_of(installation: Installation) -> list[Provider]:
    """A pretended account for every channel whose provider the simulator knows."""
    settings = installation.config.simulator
    assert settings is not None
    accounts = [
        Account(
            kind=channel.spec.kind,
            name=installation.organisations[channel.organisation].name,
            webhook_url=f"{installation.config.public_url}/in/{channel.id}",
            settings=_plain(channel.settings.model_dump()),
        )
        for channel in installation.channels.values()
    ]
    found = providers(accounts, Ports(imap=settings.imap_port, smtp=settings.smtp_port))
    if settings.weather != "calm":
        for provider in found:
            provider.weather = Weather.named(settings.weather, seed=1)
    return found


async def start_simulator(installation: Installation, host: str = "127.0.0.1") -> Simulation:
    """The running simulation of an installation's providers. Raises OSError when a port is taken."""
    settings = installation.config.simulator
    assert settings is not None
    return await start(providers_of(installation), host=host, port=settings.port)


def _plain(value: Any) -> Any:
    """The value with its secrets readable: the simulator must know what a provider knows."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
