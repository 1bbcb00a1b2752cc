"""`aduan serve`: one process that runs everything until it is told to stop.

It starts in two steps: first what keeps messages (`gateway.reception`), then, while that already listens, what
understands them (`gateway.app`). Only the first step's modules are imported here.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING

import structlog

from connectors.errors import Misconfigured
from gateway.config_open import Opened
from gateway.installation import Installation
from gateway.logs import configure
from gateway.reception import Reception

if TYPE_CHECKING:
    from gateway.app import Running

log = structlog.get_logger("aduan")

#: How long a thread may keep the interpreter while another wants it. The default of 5 ms is what every answer to a
#: provider would wait for while the store's thread computes.
_SWITCH_SECONDS = 0.0005
#: Objects and rounds after which the garbage collector looks: a batch makes many thousands of objects and keeps none.
#: Its full round over all that was imported took a quarter of a second, in which nobody was answered.
_COLLECT_AFTER = (10_000, 20, 50)


def run(installation: Installation) -> int:
    """Serves an installation that was read as a whole; otherwise as `run_opened`."""
    return run_opened(Opened(installation, lambda: installation))


def run_opened(opened: Opened) -> int:
    """The exit code after a clean stop (0), or of a start that failed (1). Blocks until SIGINT or SIGTERM.

    Raises InvalidFile when the rest of the configuration turns out to be wrong; then nothing runs any more.
    """
    configure(opened.front.config.log_level)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        asyncio.run(_serve(opened))
    except (Misconfigured, _NotStarted) as error:
        print(f"aduan: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"aduan: cannot start: {error.strerror} ({error.errno})", file=sys.stderr)
        return 1
    return 0


class _NotStarted(Exception):
    """A part says in its own words why it does not start."""


async def _serve(opened: Opened) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        reception = await Reception.open(opened.front)
        stack.push_async_callback(reception.aclose)
        running, simulated = await _complete(opened, reception, stack)
        _settle_memory()
        print(_welcome(running.installation, running.url, simulated), flush=True)
        log.info("started", address=running.url, channels=len(running.connectors))
        await stop.wait()
        log.info("stopping")
    log.info("stopped")


async def _complete(opened: Opened, reception: Reception, stack: AsyncExitStack) -> tuple[Running, str]:
    """Everything around the reception, and the address of the simulator or nothing. Messages are kept meanwhile."""
    # Half a second of importing, in a thread: the loop acknowledges.
    installation = await asyncio.to_thread(opened.rest)
    app = await asyncio.to_thread(import_module, "gateway.app")
    simulated = ""
    if installation.config.simulator is not None:
        # An installation with real providers need not load pretended ones.
        demo = await asyncio.to_thread(import_module, "gateway.demo")
        simulation = await demo.start_simulator(installation)
        stack.push_async_callback(simulation.aclose)
        simulated = simulation.base_url
    from tickets.store import SchemaMismatch  # loaded by now

    try:
        running: Running = await app.Running.complete(reception, installation)
    except SchemaMismatch as error:
        raise _NotStarted(str(error)) from error
    stack.push_async_callback(running.aclose)
    return running, simulated


def _settle_memory() -> None:
    """Takes what the start made out of the garbage collector's sight: it stays, and walking it stops everything.

    Not even one round first: it would stop the acknowledging for 0.1 s to find 3,000 of 116,000 objects.
    """
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
