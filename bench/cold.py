"""Cold start: from the start of the process to the first acknowledged message."""

from __future__ import annotations

import http.client
import time
from contextlib import suppress
from pathlib import Path

from bench import installation, machine, webhooks
from bench.figures import Figure

GOAL = 2.0
_GIVE_UP_SECONDS = 60.0


def measure(rounds: int) -> list[Figure]:
    """Seconds to the first acknowledgement, after a restart and on an empty folder, beside the bare handler."""
    (provider_port,) = machine.free_ports(1)
    site = installation.write("cold", provider_port, {webhooks.channel(0): installation.number(0, provider_port)})
    bare_port = machine.free_ports(1)[0]
    bare = machine.python(str(machine.ROOT / "bench" / "bare.py"), str(bare_port))
    bare_log = machine.WORK / "bare.log"
    again: list[tuple[float, float]] = []
    first: list[tuple[float, float]] = []
    base: list[tuple[float, float]] = []
    _first_answer(site.command(), site.port, site.log)  # writes bytecode and fills the page cache, for both
    _first_answer(bare, bare_port, bare_log)
    for _ in range(rounds):
        base.append(_first_answer(bare, bare_port, bare_log))
        again.append(_first_answer(site.command(), site.port, site.log))
        installation.forget(site)
        first.append(_first_answer(site.command(), site.port, site.log))
    figures = (("restart to the first acknowledgement", again, GOAL), ("the same on an empty data folder", first, None))
    return [
        Figure(
            name=name,
            unit="s",
            ours=[wall for wall, _ in ours],
            baseline_name="bare",
            baseline=[wall for wall, _ in base],
            goal=goal,
            sense="at most",
            ours_cpu=[cpu for _, cpu in ours],
            baseline_cpu=[cpu for _, cpu in base],
        )
        for name, ours, goal in figures
    ]


def _first_answer(command: list[str], port: int, log: Path) -> tuple[float, float]:
    """Seconds from the start of the process to its first 200, and how much processor time it used until then."""
    ((path, signature, body),) = webhooks.signed(0, 1)
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    began = time.perf_counter()
    process = machine.spawn(command, machine.SERVER_CORE, log=log)
    try:
        while (passed := time.perf_counter() - began) < _GIVE_UP_SECONDS and process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_GIVE_UP_SECONDS)
            with suppress(OSError):
                connection.request("POST", path, body, headers)
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began, machine.cpu_seconds(process.pid)
            connection.close()
            time.sleep(0.002)
        raise RuntimeError(f"no answer after {passed:.1f} s; see {log.relative_to(machine.ROOT)}")
    finally:
        machine.end(process)
