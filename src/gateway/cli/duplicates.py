"""`aduan duplicates`: complaints that may be one, and mass events with many customers. A person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, installation_at, store_in

if TYPE_CHECKING:
    from gateway.handling_values import Done, Refused
    from tickets.store import Store
    from tickets.store.proposals import Proposal

app = typer.Typer(no_args_is_help=True, help="Complaints that may belong together.", rich_markup_mode=None)

ActorOption = Annotated[str | None, typer.Option("--actor", metavar="NAME", help="Who decides; else the login name.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `aduan duplicates list` shows it.")]


@app.command("list")
def list_(
    organisation: Annotated[str | None, typer.Option(metavar="SLUG", help="Only this organisation.")] = None,
    decided: Annotated[bool, typer.Option("--decided", help="Also those that were decided.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Proposals, the oldest first: which complaints, what speaks for it."""
    with store_in(data_dir_at(config)) as store:
        found = store.proposals.listed(organisation=organisation, state=None if decided else "open", limit=limit)
        shown = [_shown(store, each) for each in found]
    if json:
        as_json(shown)
        return
    numbers = {each["id"]: (each["number"], each["other"]) for each in shown}
    table(
        ("id", "made (WIB)", "kind", "newer", "older", "alike", "both have", "state"),
        [
            (
                each.id, wib(each.at), each.kind, *numbers[each.id], f"{each.likeness:.0%}",
                ", ".join([*each.reasons.shared, *each.reasons.words[:5]]), each.state,
            )
            for each in found
        ],
    )  # fmt: skip


@app.command()
def confirm(
    proposal: IdArgument, actor: ActorOption = None, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """They belong together: the newer complaint goes on under the older one's number, or is grouped under it."""
    from gateway.cli.doing import acting, handling_of, tell
    from gateway.deciding import Deciding

    who, installation = acting(actor), installation_at(config)
    with store_in(installation.data_dir) as store:
        try:
            found = Deciding(store, handling_of(installation, store)).confirm(_proposal(store, proposal), who)
        except LookupError as error:
            fail(str(error.args[0]))
    tell(found, installation, dry_run=False, json=json)


@app.command()
def refuse(proposal: IdArgument, actor: ActorOption = None, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """They have nothing to do with each other: they are not proposed again."""
    from gateway.cli.doing import acting, handling_of
    from gateway.deciding import Deciding

    who, installation = acting(actor), installation_at(config)
    with store_in(installation.data_dir) as store:
        try:
            Deciding(store, handling_of(installation, store)).refuse(_proposal(store, proposal), who)
        except LookupError as error:
            fail(str(error.args[0]))
    say(f"{proposal}: ditolak / refused")


@app.command()
def group(
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="The ticket that stands for the mass event.")],
    numbers: Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Tickets with the same cause.")],
    actor: ActorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """One cause, many customers: each ticket keeps its receipt and its dates, the parent stands for all."""
    from gateway.cli.doing import acting, handling_of
    from tickets.lifecycle_events import Grouped

    who, installation = acting(actor), installation_at(config)
    with store_in(installation.data_dir) as store:
        handling = handling_of(installation, store)
        found = {number: handling.once(number, Grouped(parent=parent), actor=who) for number in numbers}
    finish(found)


def finish(found: dict[str, Done | Refused]) -> None:
    """Prints a line for each ticket; ends the command with 1 when one of them was refused."""
    from gateway.handling_refusals import sentence
    from gateway.handling_values import Refused

    for number, each in found.items():
        if isinstance(each, Refused):
            say(f"{number}: {sentence(each.refusal, 'id')} / {sentence(each.refusal, 'en')}")
        else:
            done = "sudah dicatat / recorded before" if each.repeated else f"{each.event} -> {each.after.ticket.state}"
            say(f"{number}: {done}")
    if any(isinstance(each, Refused) for each in found.values()):
        raise typer.Exit(1)


def _proposal(store: Store, proposal_id: str) -> Proposal:
    found = store.proposals.one(proposal_id)
    if found is None:
        fail(f"there is no proposal {proposal_id}: `aduan duplicates list` shows them")
    return found


def _shown(store: Store, proposal: Proposal) -> dict[str, Any]:
    def number(complaint_id: str) -> str:
        view = store.ticket_of_complaint(complaint_id)
        return "-" if view is None else view.ticket.ticket_number

    return {
        "id": proposal.id,
        "organisation": proposal.organisation,
        "kind": proposal.kind,
        "number": number(proposal.complaint_id),
        "other": number(proposal.other_id),
        "likeness": proposal.likeness,
        "shared": proposal.reasons.shared,
        "words": proposal.reasons.words,
        "at": proposal.at,
        "state": proposal.state,
        "decided_by": proposal.decided_by,
    }
