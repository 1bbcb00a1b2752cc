"""`aduan serve` whose worker takes nothing from the journal: what is left is the cost of the intake alone.

For measuring only; `python -m bench.intake_only FILE`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gateway import serve
from gateway.config_load import load
from gateway.worker import Worker


async def _rest(worker: Worker) -> None:
    while not worker._stopping:
        worker._woken.clear()
        await worker._woken.wait()


def main() -> None:
    """Serves until SIGTERM."""
    Worker.run = _rest  # type: ignore[assignment]  # the one thing that differs from the product
    sys.exit(serve.run(load(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
