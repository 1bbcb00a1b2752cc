"""Load on one server: by wrk when it is installed, else by our own generator."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import machine, webhooks

#: More than any server here answers, so that no message of a round comes twice.
_MOST_PER_SECOND = 20_000
_LINE = re.compile(rb"^\s*(?P<name>Requests/sec:|50%|99%)\s+(?P<value>[\d.]+)(?P<unit>us|ms|s)?\s*$", re.MULTILINE)
_FAILED = re.compile(rb"Non-2xx or 3xx responses: (\d+)|Socket errors: connect (\d+), read (\d+), write (\d+)")
_MS = {b"us": 0.001, b"ms": 1.0, b"s": 1000.0}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load measured: answers per second (also of the server's processor time), latencies in ms."""

    rate: float
    cpu_rate: float
    failed: int
    p50: float | None = None
    p99: float | None = None


@dataclass(slots=True)
class Generator:
    """Posts distinct messages; keeps count of which were used."""

    provider_port: int
    process: subprocess.Popen[bytes]
    used: int = field(default=0)

    @property
    def name(self) -> str:
        """Which generator runs here."""
        return "wrk" if shutil.which("wrk") else "the bench's own generator (wrk is not installed)"

    def run(self, port: int, server: int, connections: int, seconds: int) -> Loaded:
        """One load on a server process with as many requests under way as there are connections."""
        if shutil.which("wrk"):
            return self._wrk(port, server, connections, seconds)
        used = machine.cpu_seconds(server)
        last = list(self.rounds(port, connections, seconds, most_open=0))[-1]
        used = machine.cpu_seconds(server) - used
        count = last["acknowledged"]
        return Loaded(rate=count / last["seconds"], cpu_rate=count / used, failed=last["failed"])

    def rounds(self, port: int, connections: int, seconds: float, *, most_open: int) -> Iterator[dict[str, Any]]:
        """The counts of our own generator at every second; at most `most_open` messages without a receipt."""
        order = {
            "port": port, "connections": connections, "seconds": seconds, "first": self.used, "most_open": most_open,
        }  # fmt: skip
        self.used += int(seconds * _MOST_PER_SECOND)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            counts = json.loads(line)
            yield counts
            if counts.get("done"):
                return
        raise RuntimeError("the load generator ended; see var/bench/customers.log")

    def _wrk(self, port: int, server: int, connections: int, seconds: int) -> Loaded:
        count = seconds * _MOST_PER_SECOND
        file = machine.WORK / "requests.tsv"
        with file.open("wb") as out:
            for path, signature, body in webhooks.signed(self.used, count):
                out.write(f"{path}\t{signature}\t".encode() + body + b"\n")
        self.used += count
        command = [
            "stdbuf", "-oL", "taskset", "-c", str(machine.LOAD_CORE), "wrk", "--latency", "-t1", f"-c{connections}",
            f"-d{seconds}s", "-s", str(machine.ROOT / "bench" / "post.lua"), f"http://127.0.0.1:{port}",
            "--", str(file),
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as wrk:
            assert wrk.stdout is not None
            # It reads its requests first: what the server does meanwhile is no part of what is measured.
            said = wrk.stdout.readline()
            used = machine.cpu_seconds(server)
            said += wrk.communicate(timeout=seconds + 60)[0]
            used = machine.cpu_seconds(server) - used
        found = {match["name"]: match for match in _LINE.finditer(said)}
        if wrk.returncode or b"Requests/sec:" not in found:
            raise RuntimeError(f"wrk failed: {said[-500:].decode(errors='replace')}")
        failed = sum(int(each) for match in _FAILED.finditer(said) for each in match.groups() if each)
        p50, p99 = (float(found[name]["value"]) * _MS[found[name]["unit"]] for name in (b"50%", b"99%"))
        rate = float(found[b"Requests/sec:"]["value"])
        return Loaded(rate=rate, cpu_rate=rate * seconds / used, failed=failed, p50=p50, p99=p99)


@contextmanager
def generator() -> Iterator[Generator]:
    """The load generator together with the pretended provider, on the load core."""
    (port,) = machine.free_ports(1)
    log = machine.WORK / "customers.log"
    process = machine.spawn(
        machine.python("-m", "bench.customers", str(port)),
        machine.LOAD_CORE,
        log=log,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        machine.wait_for(port, process, log)
        yield Generator(provider_port=port, process=process)
    finally:
        machine.end(process)


@contextmanager
def bare() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The baseline server on the server's core: its port and process."""
    (port,) = machine.free_ports(1)
    command = machine.python(str(machine.ROOT / "bench" / "bare.py"), str(port))
    with machine.running(command, machine.SERVER_CORE, log=machine.WORK / "bare.log", port=port) as process:
        yield port, process
