"""Durable acknowledgements per second: signed WhatsApp webhooks, fsynced before the 200."""

from __future__ import annotations

import re
from contextlib import ExitStack

from bench import installation, machine
from bench.figures import Figure, number
from bench.load import Loaded, bare, generator

#: Long enough that what was under way when the crowd came counts little.
_SECONDS = 4
#: Connections -> the least ratio that is good.
GOALS = {64: 0.45, 256: 0.50}
_KEPT = re.compile(rb"^aduan_deliveries_kept_total\{[^}]*\} (\S+)$", re.MULTILINE)


def measure(rounds: int) -> list[Figure]:
    """The figures, whole process and intake alone, at each number of connections."""
    names = {True: "acknowledged, all in one process", False: "acknowledged, recording paused"}
    ours: dict[tuple[bool, int], list[Loaded]] = {(kind, c): [] for kind in names for c in GOALS}
    base: dict[int, list[Loaded]] = {c: [] for c in GOALS}
    with ExitStack() as stack:
        load = stack.enter_context(generator())
        bare_port, bare_server = stack.enter_context(bare())
        sites = {kind: installation.write(f"ack-{'all' if kind else 'intake'}", load.provider_port) for kind in names}
        servers = {kind: stack.enter_context(site.serving(recording=kind)) for kind, site in sites.items()}
        for server in servers.values():
            stack.enter_context(machine.held_still(server))
        for _ in range(rounds):
            for connections in GOALS:
                base[connections].append(load.run(bare_port, bare_server.pid, connections, _SECONDS))
                for kind, server in servers.items():
                    server.send_signal(machine.GO_ON)
                    ours[kind, connections].append(load.run(sites[kind].port, server.pid, connections, _SECONDS))
                    if len(ours[kind, connections]) == rounds and connections == max(GOALS):
                        _check(sites[kind].port, [run for (k, _), runs in ours.items() if k == kind for run in runs])
                    server.send_signal(machine.STAND_STILL)
    return [
        Figure(
            name=f"{names[kind]}, {connections} connections",
            unit="requests/s",
            ours=[run.rate for run in ours[kind, connections]],
            baseline_name="bare",
            baseline=[run.rate for run in base[connections]],
            goal=goal if kind else None,
            saturated=True,
            ours_cpu=[run.cpu_rate for run in ours[kind, connections]],
            baseline_cpu=[run.cpu_rate for run in base[connections]],
            notes=[_latency(ours[kind, connections], base[connections]), f"load: {load.name}"],
        )
        for kind in names
        for connections, goal in GOALS.items()
    ]


def _check(port: int, runs: list[Loaded]) -> None:
    """Every acknowledged request must be in the journal. Raises RuntimeError when one is not."""
    kept = sum(float(value) for value in _KEPT.findall(machine.get(port, "/metrics")))
    acknowledged = sum(run.rate * _SECONDS for run in runs)
    failed = sum(run.failed for run in runs)
    # The rate is rounded by the generator: a hundredth less is its rounding, not a loss.
    if failed or kept < 0.99 * acknowledged:
        raise RuntimeError(f"{failed} requests failed, {kept:.0f} kept of {acknowledged:.0f}: nothing was measured")


def _latency(ours: list[Loaded], base: list[Loaded]) -> str:
    """Latencies under full load: the median of the rounds, and the worst 99th percentile."""
    found = []
    for name, runs in (("ours", ours), ("bare", base)):
        p50, p99 = ([getattr(run, key) for run in runs if getattr(run, key) is not None] for key in ("p50", "p99"))
        if p50 and p99:
            found.append(f"{name} p50 {number(sorted(p50)[len(p50) // 2])} ms, p99 {number(max(p99))} ms")
    return "under full load: " + "; ".join(found) if found else "latencies are not measured by this generator"
