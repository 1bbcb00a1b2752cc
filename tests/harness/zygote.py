"""Starts the real `aduan serve` again and again, quickly, and kills it with SIGKILL at a chosen hop.

Everything is imported once; each run is a fork of that state with its own event loop, threads and files, and it is
killed for real. A line of JSON on standard input starts a run: {"config", "hop" (or null), "nth", "log"}; two lines on
standard output give its process id and, at its end, its wait status.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gateway.app  # noqa: F401  # the server imports it when it already listens: here it must be there before a fork
from connectors import registry
from connectors.whatsapp_cloud import WhatsAppCloud
from gateway import serve, worker
from gateway.config_load import load
from gateway.installation import Installation
from gateway.journal.sqlite import SqliteJournal
from tickets.store import Store, Transaction


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(hop: str, nth: int) -> None:
    """Makes the `nth` passage of a hop the last thing this process does."""
    where, _, name = hop.partition(" ")
    owner, method = _HOPS[name]
    count = 0
    original: Callable[..., Any] = getattr(owner, method)

    def passes() -> bool:
        nonlocal count
        count += 1
        return count == nth

    if method in _ASYNC:

        @functools.wraps(original)
        async def armed_async(*args: Any, **kwargs: Any) -> Any:
            last = passes()
            if last and where == "before":
                _die()
            result = await original(*args, **kwargs)
            if last:
                _die()
            return result

        setattr(owner, method, armed_async)
        return

    @functools.wraps(original)
    def armed(*args: Any, **kwargs: Any) -> Any:
        last = passes()
        if last and where == "before":
            _die()
        result = original(*args, **kwargs)
        if last:
            _die()
        return result

    setattr(owner, method, armed)


#: Every hop of a message's path, by the function that makes the step.
_HOPS: dict[str, tuple[Any, str]] = {
    "receive": (WhatsAppCloud, "receive"),
    "journal commit": (SqliteJournal, "_commit"),
    "keep": (SqliteJournal, "keep"),
    "take": (SqliteJournal, "take"),
    "parse": (WhatsAppCloud, "parse"),
    "record": (worker, "record"),
    "store add": (Transaction, "add"),
    "ack": (SqliteJournal, "ack"),
    "claim": (Transaction, "claim_outbox"),
    "send": (WhatsAppCloud, "send"),
    "settle": (Transaction, "settle_outbox"),
    "deliveries": (Transaction, "deliveries"),
    "begin": (Store, "begin"),
}
_ASYNC = frozenset({"keep", "take", "ack", "send"})
HOPS = tuple(f"{where} {name}" for name in _HOPS for where in ("before", "after"))


def _run(order: dict[str, Any], installation: Installation) -> None:
    """One run in a forked child; never returns."""
    with open(order["log"], "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if order["hop"]:
        _arm(order["hop"], order["nth"])
    code = serve.run(installation)
    os._exit(code)


def _say(**what: int) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serves orders until standard input closes."""
    for kind in registry.kinds():
        registry.find(kind)
    read: dict[str, Installation] = {}
    for line in sys.stdin:
        order = json.loads(line)
        # Read once: half a second of YAML per start would be most of the test's time.
        installation = read.get(order["config"]) or read.setdefault(order["config"], load(Path(order["config"])))
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            _run(order, installation)
        _say(pid=child)
        _say(status=os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
