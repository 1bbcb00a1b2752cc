"""`python -m bench [ack|sustained|imap|cold|report ...] [--rounds N]`: prints a table, writes var/bench/result.json."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bench import machine
from bench.figures import Figure, table

#: Part -> rounds when none are asked for; together they take less than 15 minutes.
PARTS = {"ack": 8, "sustained": 3, "imap": 3, "cold": 5, "report": 5}
#: Load average above which the wall clock says little.
_QUIET = 0.7


def main() -> None:
    """Measures the parts that were asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="bench", description="Figures as ratios to a baseline of the same run.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure; everything when left out")
    parser.add_argument("--rounds", type=int, help="rounds of each part")
    asked = parser.parse_args()
    machine.WORK.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    if machine.SERVER_CORE == machine.LOAD_CORE:
        print("There is only one core: server and load share it, the ratios say little.", file=sys.stderr)
    figures: list[Figure] = []
    broken = 0
    busy = os.getloadavg()[0]
    result: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "load_before": busy,
        "figures": [],
    }
    for part in asked.parts or PARTS:
        began = time.monotonic()
        print(f"{part} ...", file=sys.stderr, flush=True)
        try:
            found: list[Figure] = importlib.import_module(f"bench.{part}").measure(asked.rounds or PARTS[part])
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            print(f"{part} could not be measured: {error}", file=sys.stderr, flush=True)
            broken += 1
            continue
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        figures += found
        result["figures"] = [figure.as_json() for figure in figures]
        (machine.WORK / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    print(table(figures))
    if busy > _QUIET:
        print(f"The machine was busy before the run (load {busy:.1f}): trust the processor time.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
