"""Opens a configuration for a start: what is needed to receive messages first, the rest when it is asked for.

A configuration with a mistake is refused as a whole before anything listens. One that an earlier start found good, byte
for byte, is only read as far as receiving needs; the rest is understood while messages are already kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.config import data_folder
from gateway.config_file import ConfigFile, overridden, read_config
from gateway.config_memory import Memory, mark_of
from gateway.installation import Front, Installation
from tickets.yaml_lines import InvalidFile


@dataclass(frozen=True, slots=True)
class Opened:
    """A configuration on its way to an installation."""

    front: Front
    #: The whole installation; reads what was not read yet. Raises InvalidFile.
    rest: Callable[[], Installation]


def open_config(path: Path, environ: Mapping[str, str] = os.environ) -> Opened:
    """The configuration at `path`. Raises InvalidFile with every problem of every file it names."""
    own = read_config(path, environ)
    if own.config is None or own.problems or own.unresolved:
        return _opened(_whole(own, environ))
    data_dir = data_folder(path, None, own.config.data_dir, environ)
    front = overridden(Front(path, own.config, data_dir, own.channels), environ)
    memory = Memory(front.data_dir)
    mark = mark_of(own)
    if mark is not None and memory.knows(mark):
        return Opened(front, lambda: _remembered(own, environ, memory, mark))
    return _opened(_remembered(own, environ, memory, mark))


def _opened(installation: Installation) -> Opened:
    return Opened(installation, lambda: installation)


def _remembered(own: ConfigFile, environ: Mapping[str, str], memory: Memory, mark: str | None) -> Installation:
    """The installation, from what is remembered of its files. Raises InvalidFile."""
    try:
        installation = _whole(own, environ, memory)
    except InvalidFile:
        # What is remembered has no lines: whoever must correct a file wants to know where.
        return _whole(own, environ)
    if mark is not None:
        memory.keep(mark)
    return installation


def _whole(own: ConfigFile, environ: Mapping[str, str], memory: Memory | None = None) -> Installation:
    from gateway.config_load import whole  # its imports take longer than a first message takes to acknowledge

    return overridden(whole(own, environ) if memory is None else whole(own, environ, memory.read), environ)
