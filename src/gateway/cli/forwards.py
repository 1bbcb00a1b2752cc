"""`aduan forwards`: what is owed to other ticket stores, and how they stand. Works while the server runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, installation_at, store_in
from gateway.cli.words import moment, one_of

if TYPE_CHECKING:
    from tickets.store import Store

app = typer.Typer(help="Handing tickets to other ticket stores.", no_args_is_help=True, rich_markup_mode=None)

#: A hand-over as lists and webhooks name it: the complaint id and its number.
_ID = re.compile(r"^([0-9A-Z]{26})-([1-9][0-9]*)$")
_STATES = ("open", "changed", "waiting", "due", "sending", "done", "refused")
#: Tickets that a backfill owes in one transaction: an intake never waits long for it.
_AT_ONCE = 200

TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="Name of a target in `forward`.")]


@app.command("list")
def list_(
    target: Annotated[str | None, typer.Option(metavar="TARGET", help="Only this target.")] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="Only this state; also `open`, or `changed` (there, by others).")
    ] = None,
    number: Annotated[str | None, typer.Option(metavar="NUMBER", help="Only this ticket.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Hand-overs, the newest first, without what anybody wrote."""
    if state is not None:
        state = one_of(state, _STATES, "--state")
    with store_in(data_dir_at(config)) as store:
        number = _number(store, number) if number else None
        lines = store.forwards.lines(target=target, state=state, number=number, limit=limit)
    if json:
        as_json(lines)
        return
    table(
        ("id", "target", "ticket", "event", "at (WIB)", "state", "tries", "there", "state there", "reason"),
        [
            (
                f"{line.complaint_id}-{line.seq}", line.target, line.ticket_number, line.type, wib(line.at), line.state,
                str(line.attempts), line.store_ref or "-", line.remote_state or "-",
                (line.changed_note if state == "changed" else line.reason) or "-",
            )
            for line in lines
        ],
    )  # fmt: skip


@app.command()
def targets(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Every target: whom it serves, what waits for it, and why it is halted; 1 when one is."""
    with store_in(data_dir_at(config)) as store:
        found = list(store.forwards.targets().values())
    if json:
        as_json(found)
    else:
        table(
            ("target", "organisations", "waiting", "refused", "last look (WIB)", "halted"),
            [
                (
                    each.target, ", ".join(each.organisations) or "-", str(each.waiting), str(each.refused),
                    wib(each.looked_at), f"{each.halted}: {each.reason}" if each.halted else "-",
                )
                for each in found
            ],
        )  # fmt: skip
    if any(each.halted for each in found):
        raise typer.Exit(1)


@app.command()
def replay(
    target: TargetArgument,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of the list, or ticket numbers.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Everything that happened since; WIB.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Hand over again what was handed over or refused, under the same ids and in its order."""
    if bool(ids) == (since is not None):
        raise typer.BadParameter("give ids, or --since, and not both")
    begin = moment(since, "--since").astimezone(UTC) if since else None
    count = 0
    with store_in(data_dir_at(config)) as store:
        _known(store, target)
        chosen = [_chosen(store, each) for each in ids or ()] if begin is None else [(None, None)]
        with store.begin() as tx:
            for complaint_id, seq in chosen:
                count += tx.forwards.replay(target, complaint_id=complaint_id, seq=seq, since=begin)
    say(f"{target}: {count} to be handed over again / akan diserahkan ulang")
    if not count:
        raise typer.Exit(1)


@app.command()
def backfill(
    target: TargetArgument,
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Only tickets received since; WIB.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Owe a new target the tickets that it never heard of; those that it knows are left alone."""
    from gateway.forward_targets import routes_of

    begin = moment(since, "--since").astimezone(UTC) if since else None
    installation = installation_at(config)
    given = installation.config.forward
    one_of(target, [each.name for each in given], "TARGET")
    count, after = 0, ""
    with store_in(installation.data_dir) as store:
        with store.begin() as tx:
            tx.forwards.configure(routes_of(given, list(installation.organisations)))
        while True:
            with store.begin() as tx:
                added, next_ = tx.forwards.backfill(target, begin, after, _AT_ONCE)
            count += added
            if next_ is None:
                break
            after = next_
    say(f"{target}: {count} tickets are owed to it now / tiket akan diserahkan")


@app.command()
def resume(target: TargetArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let a halted target be served again; what waits for it is handed over."""
    with store_in(data_dir_at(config)) as store:
        _known(store, target)
        with store.begin() as tx:
            resumed = tx.forwards.resume(target)
    if not resumed:
        fail(f"{target} is not halted")
    say(f"{target}: resumed / dilanjutkan")


@app.command()
def release(target: TargetArgument, number: str, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Decide that our state stands after somebody changed the ticket there: it is written over theirs."""
    from gateway.cli.entering import login_name

    with store_in(data_dir_at(config)) as store:
        _known(store, target)
        complaint_id, _ = _chosen(store, number)
        with store.begin() as tx:
            released = tx.forwards.release(target, complaint_id, login_name())
    if not released:
        fail(f"nobody has to decide about {number} in {target}")
    say(f"{target}: our state of {number} will be written there / status kami akan ditulis di sana")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Ask every configured target whether it would take tickets; changes nothing there."""
    import asyncio

    from gateway.forward_check import ask

    installation = installation_at(config)
    found = asyncio.run(ask(installation.config.forward, lambda: datetime.now(UTC)))
    if json:
        as_json(found)
    else:
        for each in found:
            say(f"{'good' if each.good else 'BAD '}  {each.what}: {each.found}")
    if not all(each.good for each in found):
        raise typer.Exit(1)


def _known(store: Store, target: str) -> None:
    one_of(target, list(store.forwards.targets()), "TARGET")


def _number(store: Store, given: str) -> str:
    from gateway.cli.tickets import ticket

    return ticket(store, given).ticket.ticket_number


def _chosen(store: Store, given: str) -> tuple[str, int | None]:
    """Complaint id and number of a hand-over; a ticket number stands for all of its hand-overs."""
    from gateway.cli.tickets import ticket

    if match := _ID.match(given):
        return match[1], int(match[2])
    return ticket(store, given).complaint.complaint_id, None
