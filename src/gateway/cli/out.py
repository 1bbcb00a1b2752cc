"""What commands print: plain lines that read well in a terminal and in a pipe, or JSON for programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

import typer

#: What a terminal obeys instead of showing it: control characters, and marks that turn the direction of text.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WIB = timezone(timedelta(hours=7), "WIB")


def printable(text: str) -> str:
    """The text with everything that a terminal would obey written out; lines and tabs stay."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str = "") -> None:
    """Prints one text to standard output."""
    typer.echo(printable(text))


def complain(text: str) -> None:
    """Prints one text to standard error."""
    typer.echo(printable(text), err=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends the command: 1 when the answer is bad, 2 when it was used wrongly."""
    complain(f"aduan: {message}")
    raise typer.Exit(code)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows in aligned columns; nothing but the headings when there are none."""
    lines = [headings, *[[cell.replace("\n", " ") for cell in row] for row in rows]]
    widths = [max(len(printable(line[column])) for line in lines) for column in range(len(headings))]
    for line in lines:
        say("  ".join(printable(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def as_json(value: Any) -> None:
    """Prints a value as indented JSON; times are RFC 3339."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
    # Only inside strings can these stand, where \u means the same.
    typer.echo("\n".join(printable(line) for line in text.split("\n")))


def wib(moment: datetime | None) -> str:
    """A moment in the time of the customers, to the minute."""
    return "-" if moment is None else moment.astimezone(_WIB).strftime("%Y-%m-%d %H:%M")
