"""Opens what a command works on, and says plainly what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gateway.cli.out import complain, fail

if TYPE_CHECKING:
    from gateway.config_open import Opened
    from gateway.installation import Installation
    from tickets.store import Store
    from tickets.yaml_lines import InvalidFile


def installation_at(config: Path) -> Installation:
    """The installation that a file describes. Ends the command with every problem of the file."""
    from gateway.config_load import load, overridden
    from tickets.yaml_lines import InvalidFile

    _must_exist(config)
    try:
        return overridden(load(config))
    except InvalidFile as error:
        refuse(config, error)


def opened_at(config: Path) -> Opened:
    """The configuration of a file, opened for a start. Ends the command with every problem of the file."""
    from gateway.config_open import open_config
    from tickets.yaml_lines import InvalidFile

    _must_exist(config)
    try:
        return open_config(config)
    except InvalidFile as error:
        refuse(config, error)


def data_dir_at(config: Path) -> Path:
    """The data folder that a file names; needs none of the file's secrets. Ends the command when it names none."""
    from gateway.config import Config, data_folder
    from tickets.yaml_lines import InvalidFile, read_document

    _must_exist(config)
    try:
        data = read_document(config).data
    except InvalidFile as error:
        fail(str(error))
    known = data if isinstance(data, dict) else {}
    default = Config.model_fields["data_dir"].default
    return data_folder(config, known.get("environment"), known.get("data_dir", default), os.environ)


@contextmanager
def store_in(data_dir: Path) -> Iterator[Store]:
    """The ticket store in a data folder, also while the server runs. Ends the command when there is none."""
    from sqlalchemy.exc import DatabaseError

    from tickets.store import SchemaMismatch, Store

    file = data_dir / "tickets.db"
    if not file.is_file():
        fail(f"there is no ticket store in {data_dir} yet: `aduan serve` makes it")
    try:
        store = Store.open(f"sqlite:///{file}")
    except SchemaMismatch as error:
        fail(str(error))
    except DatabaseError as error:
        fail(f"{file} cannot be opened ({type(error.orig).__name__}): is it a database, and may you write it?")
    try:
        yield store
    finally:
        store.close()


def refuse(config: Path, error: InvalidFile) -> NoReturn:
    """Ends the command with every problem of a file."""
    for problem in error.problems:
        complain(str(problem))
    fail(f"{config} cannot be used: {len(error.problems)} problems")


def _must_exist(config: Path) -> None:
    if not config.is_file():
        fail(f"there is no {config}: name one with --config or ADUAN_CONFIG, or make one with `aduan init`", 2)
