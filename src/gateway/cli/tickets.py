"""`aduan tickets`: what the core ticket store holds. For the desk: `show` and `export` print personal data."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, store_in
from gateway.cli.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tickets.store import Store, TicketView

app = typer.Typer(help="The core ticket store.", no_args_is_help=True, rich_markup_mode=None)

OrganisationOption = Annotated[str | None, typer.Option(metavar="SLUG", help="Only this organisation.")]
StateOption = Annotated[str | None, typer.Option(metavar="STATE", help="Only this state, or `open`.")]
LimitOption = Annotated[int, typer.Option(min=1, help="At most so many.")]
_HEADINGS = ("number", "received (WIB)", "organisation", "channel", "state", "kind", "urgency", "answer by", "solve by")


@app.command("list")
def list_(
    tasks: Annotated[bool, typer.Option("--tasks", help="What people must do, instead of tickets.")] = False,
    organisation: OrganisationOption = None,
    state: StateOption = None,
    channel: Annotated[str | None, typer.Option(metavar="C", help="Only this channel (whatsapp, email, ...).")] = None,
    limit: LimitOption = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tickets, the newest first; or open tasks, the oldest first."""
    with store_in(data_dir_at(config)) as store:
        if tasks:
            _tasks(store, organisation, limit, json)
            return
        lines = store.tickets(organisation=organisation, state=state, channel=channel, limit=limit)
    if json:
        as_json(lines)
        return
    table(
        _HEADINGS,
        [
            (
                line.ticket_number, wib(line.received_at), line.organisation, line.channel, line.state, line.kind,
                line.urgency, str(line.first_response_due or "-"), str(line.resolve_due or "-"),
            )
            for line in lines
        ],
    )  # fmt: skip


@app.command()
def show(number: str, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Everything that is kept of one complaint, personal data included."""
    with store_in(data_dir_at(config)) as store:
        view = ticket(store, number)
    from msgspec.structs import replace

    # The hash opens nothing, but it has no place outside the store.
    view = replace(view, ticket=replace(view.ticket, access_code_hash=None))
    if json:
        as_json(view)
        return
    from gateway.cli.rules import profile_lines
    from gateway.cli.ticket_text import lines_of
    from tickets.lifecycle_values import Standing

    for line in lines_of(view):
        say(line)
    for line in profile_lines(config, Standing(complaint=view.complaint, ticket=view.ticket)):
        say(f"  {line}")


@app.command()
def export(
    format: Annotated[Literal["csv", "xlsx", "json"], typer.Option("--format", help="Form of the file.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write; otherwise standard output.")] = None,
    organisation: OrganisationOption = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="Only this state.")] = None,
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Received at or after; WIB.")] = None,
    until: Annotated[str | None, typer.Option(metavar="ISO", help="Received before; WIB.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Tickets as a table, personal data included; spreadsheets compute nothing in it."""
    begin = moment(since, "--since") if since else None
    end = moment(until, "--until") if until else None
    if out is None and format == "xlsx" and sys.stdout.isatty():
        raise typer.BadParameter("a workbook does not belong on a screen: give a file", param_hint="--out")
    with store_in(data_dir_at(config)) as store:
        rows = store.export_rows(organisation=organisation, since=begin, until=end, state=state)
        if out is None:
            _write(rows, format, sys.stdout.buffer)
            return
        try:
            with out.open("wb") as file:
                count = _write(rows, format, file)
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}")
    say(f"{out}: {count}")


@app.command()
def verify(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Walk the chain of the audit log; 1 when an event was changed, removed or put in."""
    with store_in(data_dir_at(config)) as store:
        report = store.verify_audit()
    if json:
        as_json({"intact": report.intact, "report": report})
    elif report.intact:
        say(f"utuh / intact: {report.events} events, the last hash is {report.head}")
    else:
        say(f"RUSAK / BROKEN at event {report.first_broken}: it {report.reason}; {report.events} before it are intact")
    if not report.intact:
        raise typer.Exit(1)


def ticket(store: Store, number: str) -> TicketView:
    """The ticket of a number, however it was typed. Ends the command when there is none."""
    from tickets.numbers import parse

    found = parse(number)
    view = store.ticket(str(found) if found is not None else number)
    if view is None:
        why = "" if found is not None else ": it is mistyped, its check digit does not fit"
        fail(f"there is no ticket {number}{why}")
    return view


def _tasks(store: Store, organisation: str | None, limit: int, json: bool) -> None:
    from msgspec import to_builtins

    found = store.open_tasks(organisation=organisation, limit=limit)
    numbers = {None: None} | {
        id_: view.ticket.ticket_number
        for id_ in {task.complaint_id for task in found if task.complaint_id}
        if (view := store.ticket_of_complaint(id_)) is not None
    }
    if json:
        as_json([to_builtins(task) | {"ticket_number": numbers.get(task.complaint_id)} for task in found])
        return
    table(
        ("opened (WIB)", "organisation", "ticket", "what", "reason"),
        [
            (wib(task.opened_at), task.organisation, numbers.get(task.complaint_id) or "-", task.kind, task.reason)
            for task in found
        ],
    )


def _write(rows: Iterable[Mapping[str, object]], format: str, out: BinaryIO) -> int:
    from tickets.store import export as writers

    if format == "json":
        return writers.write_json(rows, out)
    if format == "xlsx":
        return writers.write_xlsx(rows, out)
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    try:
        return writers.write_csv(rows, text)
    finally:
        text.flush()
        text.detach()
