"""Mails from a mailbox to tickets, beside django-helpdesk reading the same mails."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench import installation, machine, post_office
from bench.figures import Figure
from bench.mailbox import MailServer, serving
from bench.mails import COUNT, mails

GOAL = 3.0
HELPDESK = "2.6.1"
_VENV = machine.WORK / "helpdesk-venv"
_GIVE_UP_SECONDS = 120.0


def measure(rounds: int) -> list[Figure]:
    """Mails per second that became tickets: ours beside django-helpdesk's, both running and logged in before."""
    python = _environment()
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    first, *_ = mails(post_office.ADDRESS)
    with serving() as server:
        server.stage(mails(post_office.ADDRESS))
        warm = first.replace(b"Message-ID: <", b"Message-ID: <warm.").replace(b"<pelanggan0@", b"<warm@")
        for n in range(rounds):
            server.folder(f"Ours{n}", warm)
            ours.append(_ours(n, server))
            server.folder(f"Theirs{n}", warm)
            with _helpdesk(python, n, server) as (helpdesk, pid):
                helpdesk(f"Theirs{n}")
                server.release(f"Theirs{n}")
                used = machine.cpu_seconds(pid)
                answer = helpdesk(f"Theirs{n}")
                used = machine.cpu_seconds(pid) - used
                if answer["tickets"] != COUNT + 1:
                    raise RuntimeError(f"django-helpdesk made {answer['tickets']} tickets of {COUNT + 1} mails")
                theirs.append((COUNT / answer["seconds"], COUNT / used))
        name = server.name
        server.client.logout()
    return [
        Figure(
            name=f"{COUNT} mails to tickets",
            unit="mails/s",
            ours=[wall for wall, _ in ours],
            baseline_name=f"django-helpdesk {HELPDESK}",
            baseline=[wall for wall, _ in theirs],
            goal=GOAL,
            ours_cpu=[cpu for _, cpu in ours],
            baseline_cpu=[cpu for _, cpu in theirs],
            notes=[
                f"mail server: {name}; ours hands its receipts to an SMTP server meanwhile, theirs renders them for a "
                "dummy backend",
            ],
        )
    ]


def _ours(n: int, server: MailServer) -> tuple[float, float]:
    """Mails per second, and per second of processor time, of a server that already read one."""
    channel = {
        "kind": "email",
        "organisation": "akseleran",
        "address": post_office.ADDRESS,
        "imap": {
            "host": "127.0.0.1",
            "port": server.imap_port,
            "tls": "none",
            "user": post_office.ADDRESS,
            "password": "file:mail-password",
            "folder": f"Ours{n}",
            # So that a server which reports new mail late does not make the mail wait.
            "check_every_seconds": 0.2,
        },
        "smtp": {
            "host": "127.0.0.1",
            "port": server.smtp_port,
            "tls": "none",
            "user": post_office.ADDRESS,
            "password": "file:mail-password",
        },
    }
    site = installation.write(f"imap-{n}", 0, {"bench-email": channel})
    with site.serving() as process:
        _tickets(site.folder, 1)
        used = machine.tree_cpu_seconds(process.pid)
        began = time.perf_counter()
        server.release(f"Ours{n}")
        _tickets(site.folder, COUNT + 1)
        seconds = time.perf_counter() - began
        return COUNT / seconds, COUNT / (machine.tree_cpu_seconds(process.pid) - used)


def _tickets(folder: Path, wanted: int) -> None:
    """Returns when the store holds as many tickets. Raises RuntimeError when that takes too long."""
    until = time.monotonic() + _GIVE_UP_SECONDS
    found = 0
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'tickets.db'}?mode=ro", uri=True)) as store:
        while time.monotonic() < until:
            found = store.execute("select count(*) from tickets").fetchone()[0]
            if found >= wanted:
                return
            time.sleep(0.01)
    raise RuntimeError(f"only {found} of {wanted} mails became tickets in {_GIVE_UP_SECONDS:g} s")


def _environment() -> str:
    """The Python of django-helpdesk's own environment, made when it is missing."""
    python = _VENV / "bin" / "python"
    mark = _VENV / f".helpdesk-{HELPDESK}"
    if not mark.exists():
        shutil.rmtree(_VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(_VENV)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"django-helpdesk=={HELPDESK}"], check=True)
        mark.touch()
    return str(python)


@contextmanager
def _helpdesk(python: str, n: int, server: MailServer) -> Iterator[Any]:
    """A function that makes django-helpdesk read a folder, and its process id."""
    data = machine.WORK / f"helpdesk-{n}"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    log = machine.WORK / "helpdesk.log"
    process = machine.spawn(
        [
python, "-P", str(machine.ROOT / "bench" / "django_helpdesk.py"), str(data), str(server.imap_port),
            post_office.ADDRESS,
            post_office.PASSWORD,
        ],
        machine.SERVER_CORE,
        log=log,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def answer() -> dict[str, Any]:
        line = stdout.readline()
        if not line:
            raise RuntimeError("django-helpdesk ended; see var/bench/helpdesk.log")
        return dict(json.loads(line))

    def read(folder: str) -> dict[str, Any]:
        stdin.write(f"{folder}\n".encode())
        stdin.flush()
        return answer()

    try:
        answer()
        yield read, process.pid
    finally:
        machine.end(process)
