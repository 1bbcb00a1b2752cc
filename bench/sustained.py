"""Acknowledged, recorded, answered: receipts per second that the pretended provider takes, for half a minute."""

from __future__ import annotations

from contextlib import ExitStack

from bench import installation, machine
from bench.figures import Figure, number
from bench.load import bare, generator

GOAL = 0.08
_WARM_SECONDS = 5
_SECONDS = 30
_BARE_CONNECTIONS = 64
#: Fewer than a crowd (gateway.pressure): nobody is kept waiting, so recording need not give way.
_CONNECTIONS = 12
#: Messages without a receipt at any moment: bounds the backlog, so that what comes in is what goes out.
MOST_OPEN = 1500
#: When the store's page cache (64 MiB) has long been full: from then on nothing may grow.
_SETTLED_SECONDS = 20
#: How much more memory of its own the server may hold at the end than when its cache was full.
_FLAT = 1.05


def measure(rounds: int) -> list[Figure]:
    """Receipts handed over per second beside the bare handler's requests per second; memory beside itself."""
    rates: list[float] = []
    rates_cpu: list[float] = []
    base: list[float] = []
    base_cpu: list[float] = []
    early: list[float] = []
    late: list[float] = []
    notes: list[str] = []
    with ExitStack() as stack:
        load = stack.enter_context(generator())
        bare_port, bare_server = stack.enter_context(bare())
        for n in range(rounds):
            site = installation.write(f"sustained-{n}", load.provider_port)
            before = load.run(bare_port, bare_server.pid, _BARE_CONNECTIONS, 2)
            with site.serving() as server:
                marks = {}
                used = {}
                memory = {}
                for counts in load.rounds(site.port, _CONNECTIONS, _WARM_SECONDS + _SECONDS, most_open=MOST_OPEN):
                    second = round(counts["seconds"])
                    marks[second] = counts
                    used[second] = machine.cpu_seconds(server.pid)
                    memory[second] = machine.memory_mb(server.pid)
            after = load.run(bare_port, bare_server.pid, _BARE_CONNECTIONS, 2)
            first, last = marks[_WARM_SECONDS], marks[max(marks)]
            seconds = last["seconds"] - first["seconds"]
            rates.append((last["receipts"] - first["receipts"]) / seconds)
            base.append((before.rate + after.rate) / 2)
            base_cpu.append((before.cpu_rate + after.cpu_rate) / 2)
            early.append(memory[_SETTLED_SECONDS][1])
            late.append(memory[max(memory)][1])
            share = (used[max(used)] - used[_WARM_SECONDS]) / seconds
            rates_cpu.append(rates[-1] / share)
            notes.append(
                f"round {n + 1}: {number((last['acknowledged'] - first['acknowledged']) / seconds)} acknowledged/s, "
                f"{last['failed']} failed, server used {share:.0%} of its core, resident memory after "
                + ", ".join(f"{second} s {memory[second][0]:.0f} MB" for second in (5, _SETTLED_SECONDS, max(memory)))
            )
    return [
        Figure(
            name="acknowledged, ticket, receipt taken, 30 s",
            unit="messages/s",
            ours=rates,
            baseline_name="bare",
            baseline=base,
            goal=GOAL,
            saturated=True,
            ours_cpu=rates_cpu,
            baseline_cpu=base_cpu,
            notes=notes,
        ),
        Figure(
            name=f"memory of the server after {_WARM_SECONDS + _SECONDS} s",
            unit="MB of its own",
            ours=late,
            baseline_name=f"after {_SETTLED_SECONDS} s",
            baseline=early,
            goal=_FLAT,
            sense="at most",
        ),
    ]
