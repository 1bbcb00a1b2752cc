"""Words, moments and names of people that are typed as options."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import typer

_WIB = timezone(timedelta(hours=7), "WIB")


def one_of(given: str, known: Sequence[str], option: str) -> str:
    """The word itself, when it is known. Raises BadParameter with the nearest known word."""
    if given in known:
        return given
    from tickets.yaml_lines import nearest

    hint = nearest(given, known) or f"; known are {', '.join(known)}"
    raise typer.BadParameter(f"`{given}` is not known{hint}", param_hint=option)


def moment(given: str, option: str) -> datetime:
    """An ISO 8601 date or time; without an offset it is WIB. Raises BadParameter for anything else."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        message = f"`{given}` is no ISO time: write 2026-01-05T10:00 (WIB) or 2026-01-05T03:00Z"
        raise typer.BadParameter(message, param_hint=option) from None
    return found if found.tzinfo else found.replace(tzinfo=_WIB)


def has_time(given: str) -> bool:
    """Whether a time of day was typed, not only a date."""
    return len(given) > len("2026-01-05")


def person(given: str, option: str) -> str:
    """The name of a person as the records name people. Raises BadParameter for anything else."""
    import re

    from connectors.staff.settings import PERSON

    if not re.fullmatch(PERSON, given):
        message = "use lower-case letters, digits, dots and hyphens, as a login name"
        raise typer.BadParameter(message, param_hint=option)
    return given
