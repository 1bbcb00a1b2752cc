"""`aduan serve`: one process that runs everything until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import structlog

from connectors.errors import Misconfigured
from gateway.app import Running
from gateway.config_load import Installation
from gateway.demo import start_simulator
from gateway.logs import configure
from tickets.store import SchemaMismatch

log = structlog.get_logger("aduan")


def run(installation: Installation) -> int:
    """The exit code after a clean stop (0), or of a start that failed (1). Blocks until SIGINT or SIGTERM."""
    configure(installation.config.log_level)
    try:
        asyncio.run(_serve(installation))
    except (Misconfigured, SchemaMismatch) as error:
        print(f"aduan: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"aduan: cannot start: {error.strerror} ({error.errno})", file=sys.stderr)
        return 1
    return 0


def overridden(installation: Installation, environ: Mapping[str, str] = os.environ) -> Installation:
    """The demonstration with HOST, PORT and DATA_DIR of the environment; any other installation unchanged."""
    config = installation.config
    if config.environment != "demo":
        return installation
    host = environ.get("HOST") or config.listen.host
    port = int(environ.get("PORT") or config.listen.port)
    shown = f"[{host}]" if ":" in host else host
    changed = config.model_copy(
        update={
            "listen": config.listen.model_copy(update={"host": host, "port": port}),
            "public_url": config.public_url
            if (host, port) == (config.listen.host, config.listen.port)
            else f"http://{shown}:{port}",
        }
    )
    data_dir = Path(environ["DATA_DIR"]).resolve() if environ.get("DATA_DIR") else installation.data_dir
    return replace(installation, config=changed, data_dir=data_dir)


async def _serve(installation: Installation) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        simulated = ""
        if installation.config.simulator is not None:
            simulation = await start_simulator(installation)
            stack.push_async_callback(simulation.aclose)
            simulated = simulation.base_url
        running = await Running.start(installation)
        stack.push_async_callback(running.aclose)
        print(_welcome(installation, running.url, simulated), flush=True)
        log.info("started", address=running.url, channels=len(running.connectors))
        await stop.wait()
        log.info("stopping")
    log.info("stopped")


def _welcome(installation: Installation, url: str, simulated: str) -> str:
    lines = [f"Aduan: {url}"]
    for slug, organisation in installation.organisations.items():
        if installation.channel_of(slug, "web_form") is not None:
            lines.append(f"  {organisation.name}: {url}/{slug}/")
    if simulated:
        lines += [
            f"  Simulator: {simulated}/",
            "Coba: buka Simulator, tulis pengaduan lewat WhatsApp atau email, lalu lihat tanda terimanya kembali.",
            "Try: open the simulator, write a complaint by WhatsApp or email, and see its receipt come back.",
        ]
    return "\n".join(lines)
