"""`aduan serve` as a service unit writes it, without the libraries that read words and print help for people.

After a crash every provider waits for this start. Whatever is not plain, or not good, goes the way of every other
command, which says what is wrong with it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DEFAULT_CONFIG = Path("config/aduan.yaml")


def serve(words: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """The exit code of a server that ran, or None when these words, or their configuration, are not plain."""
    match words:
        case []:
            config = Path(environ.get("ADUAN_CONFIG") or DEFAULT_CONFIG)
        case ["--config", path] if path:
            config = Path(path)
        case _:
            return None
    if not config.is_file():
        return None
    load_structlog()
    from gateway.config_open import open_config
    from gateway.serve import run_opened
    from tickets.yaml_lines import InvalidFile

    try:
        return run_opened(open_config(config))
    except InvalidFile:
        return None


def load_structlog() -> None:
    """Imports structlog without rich, which it would load to draw tracebacks: ours are JSON."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python writes "this cannot be imported"
    try:
        import structlog  # noqa: F401  # for its being there
    finally:
        del sys.modules["rich"]
