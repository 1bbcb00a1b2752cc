"""`aduan serve`: one process that runs everything until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import AsyncExitStack

import structlog

from connectors.errors import Misconfigured
from gateway.app import Running
from gateway.config_load import Installation
from gateway.logs import configure
from tickets.store import SchemaMismatch

log = structlog.get_logger("aduan")

#: How long a thread may keep the interpreter while another wants it. The default of 5 ms is what every answer to a
#: provider would wait for while the store's thread computes.
_SWITCH_SECONDS = 0.0005
#: Objects and rounds after which the garbage collector looks: a batch makes many thousands of objects and keeps none.
#: Its full round over all that was imported took a quarter of a second, in which nobody was answered.
_COLLECT_AFTER = (10_000, 20, 50)


def run(installation: Installation) -> int:
    """The exit code after a clean stop (0), or of a start that failed (1). Blocks until SIGINT or SIGTERM."""
    configure(installation.config.log_level)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        asyncio.run(_serve(installation))
    except (Misconfigured, SchemaMismatch) as error:
        print(f"aduan: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"aduan: cannot start: {error.strerror} ({error.errno})", file=sys.stderr)
        return 1
    return 0


async def _serve(installation: Installation) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        simulated = ""
        if installation.config.simulator is not None:
            from gateway.demo import start_simulator  # an installation with real providers need not load pretended ones

            simulation = await start_simulator(installation)
            stack.push_async_callback(simulation.aclose)
            simulated = simulation.base_url
        running = await Running.start(installation)
        stack.push_async_callback(running.aclose)
        _settle_memory()
        print(_welcome(installation, running.url, simulated), flush=True)
        log.info("started", address=running.url, channels=len(running.connectors))
        await stop.wait()
        log.info("stopping")
    log.info("stopped")


def _settle_memory() -> None:
    """Takes what the start made out of the garbage collector's sight: it stays, and walking it stops everything."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


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
