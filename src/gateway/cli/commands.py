"""Every command by its name. Nothing here, nor in a command's module, imports a provider or the server."""

from __future__ import annotations

import typer

from gateway.cli import duplicates, forwards, inbox, records, report, tickets, user
from gateway.cli.channels import channels
from gateway.cli.check import check
from gateway.cli.dates import dates
from gateway.cli.doing import do, done, events
from gateway.cli.due import due
from gateway.cli.init import init
from gateway.cli.letters import letter
from gateway.cli.opening import open_
from gateway.cli.receipts import receipt, verify
from gateway.cli.schema import schema
from gateway.cli.serve import serve, simulate

app = typer.Typer(
    name="aduan",
    help="Menerima pengaduan dari semua kanal dan menepati tenggatnya.\n\n"
    "Takes complaints from every channel and keeps their deadlines. "
    "Exit codes: 0 good, 1 the answer is bad, 2 wrong usage.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _command in (serve, check, init, channels, due, receipt, letter, verify, schema, simulate):
    app.command()(_command)
tickets.app.command("open")(open_)
tickets.app.command("evidence")(records.evidence)
tickets.app.command("do")(do)
tickets.app.command("done")(done)
tickets.app.command("events")(events)
tickets.app.command("dates")(dates)
app.add_typer(inbox.app, name="inbox")
app.add_typer(tickets.app, name="tickets")
app.add_typer(report.app, name="report")
app.add_typer(user.app, name="user")
app.add_typer(duplicates.app, name="duplicates")
app.add_typer(records.app, name="records")
app.add_typer(forwards.app, name="forwards")
