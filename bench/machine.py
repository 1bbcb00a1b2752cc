"""Processes on a core of their own: started, looked at, held still, ended."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "var" / "bench"
_CORES = sorted(os.sched_getaffinity(0))
#: What is measured runs alone on the first core; who loads it and who answers it runs on the second.
SERVER_CORE = _CORES[0]
LOAD_CORE = _CORES[1] if len(_CORES) > 1 else _CORES[0]
STAND_STILL = signal.SIGSTOP
GO_ON = signal.SIGCONT
#: `make` exports these for the demonstration; a measured server must not follow them.
_NOT_INHERITED = frozenset({"HOST", "PORT", "DATA_DIR", "PYTHONDONTWRITEBYTECODE"})
#: Every process finds its bytecode, as it does on a machine where it runs every day.
_BYTECODE = {"PYTHONPYCACHEPREFIX": str(WORK / "bytecode")}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def python(*arguments: str) -> list[str]:
    """The command that runs this environment's Python with `arguments`."""
    return [sys.executable, *arguments]


def spawn(
    command: Sequence[str],
    core: int,
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = None,
) -> subprocess.Popen[bytes]:
    """A process that runs on one core from its first instruction; what it says goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        with log.open("ab") as file:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, **_BYTECODE, **(env or {})},
                stdin=stdin,
                stdout=file if stdout is None else stdout,
                stderr=file,
            )
    finally:
        os.sched_setaffinity(0, before)


def end(process: subprocess.Popen[bytes], seconds: float = 15.0) -> None:
    """Ends one process of ours, by force when it does not end by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(GO_ON)
            process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


@contextmanager
def running(
    command: Sequence[str], core: int, *, log: Path, port: int, seconds: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that listens on `port`. Raises RuntimeError when it does not come up in time."""
    process = spawn(command, core, log=log)
    try:
        wait_for(port, process, log, seconds)
        yield process
    finally:
        end(process)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60.0) -> None:
    """Returns once something listens on `port`. Raises RuntimeError when it does not come up in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"a server ended with {process.returncode}; see {log.relative_to(ROOT)}")
        time.sleep(0.02)
    raise RuntimeError(f"a server does not listen after {seconds:g} s; see {log.relative_to(ROOT)}")


def get(port: int, path: str) -> bytes:
    """The body of one GET, whatever its status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def held_still(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stops a process, so that another one on its core can be measured."""
    process.send_signal(STAND_STILL)
    try:
        yield
    finally:
        process.send_signal(GO_ON)


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MB: all of it, and the part that is its own (no mapped files)."""
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in {"VmRSS", "RssAnon"}:
            found[name] = int(rest.split()[0]) / 1024
    return found["VmRSS"], found["RssAnon"]


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(pid: int) -> float:
    """Processor time of a process and of the children it has now."""
    children: list[str] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        children += (task / "children").read_text().split()
    return cpu_seconds(pid) + sum(cpu_seconds(int(child)) for child in children)
