"""`aduan letter`: print a notice to a customer as a signed letter, for whom no message can reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption
from gateway.cli.out import fail, say
from gateway.cli.place import data_dir_at, store_in
from gateway.cli.receipts import files_of, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tickets.model import OutboxRow
    from tickets.store import TicketView


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
    view = _own(number, view, config)
    row = _chosen(view.outbox, notice, number)
    pdf = files.letter(view, row)
    write_private(out, pdf)
    say(f"{out}: {view.ticket.ticket_number}, {row.template}, {len(pdf)} bytes")


def _own(number: str, view: TicketView, config: Path) -> TicketView:
    """What is kept under this number itself: what was owed before a merge was owed under the number of that time."""
    from tickets.numbers import parse

    parsed = parse(number)
    if parsed is None or str(parsed) == view.ticket.ticket_number:
        return view
    seen, waiting = {view.complaint.complaint_id}, list(view.complaint.related)
    with store_in(data_dir_at(config)) as store:
        while waiting:
            complaint_id = waiting.pop()
            merged = None if complaint_id in seen else store.ticket_of_complaint(complaint_id)
            seen.add(complaint_id)
            if merged is not None and merged.ticket.ticket_number == str(parsed):
                return merged
            waiting += merged.complaint.related if merged is not None else ()
    return view


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
