"""The command line. `main` is the console script; each command is a module that imports what it needs when it runs."""

from __future__ import annotations

import gc
import os
import sys

#: A start makes a few hundred thousand objects and throws none away: looking for garbage was a seventh of its time.
_COLLECT_AFTER = 1_000_000


def main() -> None:
    """Runs the command that was typed and ends with its exit code: 0 good, 1 the answer is bad, 2 wrong usage."""
    gc.set_threshold(_COLLECT_AFTER)
    # Without this, pydantic reads the metadata of every installed package to find plugins; we have none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gateway.cli.guard import problem

    found = problem()
    if found is not None:
        print(f"aduan: {found}", file=sys.stderr)
        sys.exit(1)
    if sys.argv[1:2] == ["serve"]:
        from gateway.cli.plain import serve

        code = serve(sys.argv[2:], os.environ)
        if code is not None:
            sys.exit(code)
    from gateway.cli.commands import app

    app()
