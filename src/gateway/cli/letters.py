"""`aduan letter`: print a notice to a customer as a signed letter, for whom no message can reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption
from gateway.cli.out import fail, say
from gateway.cli.receipts import files_of, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tickets.model import OutboxRow


def letter(
    number: str,
    out: Annotated[Path, typer.Option(metavar="FILE.pdf", help="Where to write the signed PDF.")],
    notice: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Which notice: its kind, its template or its key; otherwise the newest letter."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Issue a notice of a complaint as a letter: to be printed and brought, or handed over."""
    view, files = files_of(number, config)
    row = _chosen(view.outbox, notice, view.ticket.ticket_number)
    pdf = files.letter(view, row)
    write_private(out, pdf)
    say(f"{out}: {view.ticket.ticket_number}, {row.template}, {len(pdf)} bytes")


def _chosen(rows: Sequence[OutboxRow], wanted: str | None, number: str) -> OutboxRow:
    """The newest notice that fits. Ends the command with all there are when none does."""
    from receipts.notice_values import PREFIX, is_letter
    from receipts.texts import template_of

    notices = sorted((row for row in rows if row.template.startswith(PREFIX)), key=lambda row: row.key)
    if wanted is None:
        fitting = [row for row in notices if is_letter(row.data)] or notices
    else:
        names = {wanted, f"{PREFIX}{wanted}"}
        fitting = [row for row in notices if names & {row.key, row.template, template_of(row.template)}]
    if not fitting:
        there = ", ".join(row.template for row in notices) or "none"
        fail(f"{number} has no such notice; it has: {there}")
    return fitting[-1]
