"""`aduan serve` and `aduan simulate`: what runs until it is told to stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption
from gateway.cli.out import fail, say
from gateway.cli.place import installation_at, opened_at, refuse
from gateway.cli.plain import load_structlog
from gateway.cli.words import one_of

if TYPE_CHECKING:
    from gateway.installation import Installation

ROLES = ("all", "front", "worker", "pull", "outbox")


def serve(
    role: Annotated[str, typer.Option(metavar="ROLE", help="all, front, worker, pull or outbox.")] = "all",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run until SIGINT or SIGTERM."""
    if one_of(role, ROLES, "--role") != "all":
        fail(
            f"role {role} needs the distributed journal (`journal: redis://...`), which this version does not have: "
            "one process does everything, so leave --role out",
            2,
        )
    load_structlog()
    opened = opened_at(config)
    from gateway.serve import run_opened
    from tickets.yaml_lines import InvalidFile

    try:
        code = run_opened(opened)
    except InvalidFile as error:
        refuse(config, error)
    raise typer.Exit(code)


def simulate(
    weather: Annotated[
        str | None, typer.Option(metavar="NAME", help="How the providers behave; otherwise as the file says.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Only the pretended providers, on their own port."""
    import asyncio

    from simulator import CLIMATES

    if weather is not None:
        one_of(weather, tuple(CLIMATES), "--weather")
    installation = installation_at(config)
    settings = installation.config.simulator
    if settings is None:
        fail(f"{config} has no `simulator`: try --config config/demo.yaml", 2)
    if weather is not None:
        changed = settings.model_copy(update={"weather": weather})
        installation = replace(installation, config=installation.config.model_copy(update={"simulator": changed}))
    try:
        asyncio.run(_simulate(installation))
    except OSError as error:
        fail(f"cannot start: {error.strerror}")


async def _simulate(installation: Installation) -> None:
    import asyncio
    import signal

    from gateway.demo import start_simulator

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = await start_simulator(installation)
    try:
        for name, url in simulation.urls.items():
            say(f"{name}: {url}")
        say(f"Webhook: {installation.config.public_url}")
        await stop.wait()
    finally:
        await simulation.aclose()
