"""`aduan inbox`: deliveries that wait for a person, and reading kept ones again. Works while the server runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, installation_at, store_in
from gateway.cli.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.journal import Parked
    from gateway.replay import Replayed
    from normalizer.message import Raw
    from tickets.store import Store

app = typer.Typer(help="Kept and quarantined deliveries.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Items in quarantine and deliveries that could not be recorded, the oldest first."""
    from gateway.cli.parked import parked_in

    data_dir = data_dir_at(config)
    with store_in(data_dir) as store:
        quarantined = store.quarantine(limit=limit)
    parked = parked_in(data_dir)
    if json:
        as_json(
            {
                "quarantine": quarantined,
                "parked": [
                    {"id": p.id, "channel_id": p.raw.channel_id, "at": p.parked_at, "reason": p.reason} for p in parked
                ],
            }
        )
        return
    rows = [(item.id, wib(item.at), "quarantine", item.channel_id, item.path, item.reason) for item in quarantined]
    rows += [(p.id, wib(p.parked_at), "parked", p.raw.channel_id, "$", p.reason) for p in parked]
    table(("id", "since (WIB)", "where", "channel", "path", "reason"), rows)


@app.command()
def show(id: str, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """One delivery as it came, personal data included, with what could not be read in it."""
    from gateway.cli.parked import parked_in

    data_dir = data_dir_at(config)
    with store_in(data_dir) as store:
        raw_id, raw = _find(store, parked_in(data_dir), id)
        items = store.quarantine(state=None, raw_id=raw_id)
    if json:
        as_json({"id": raw_id, "raw": raw, "quarantine": items})
        return
    say(f"{raw_id}  {raw.channel_id}  {wib(raw.received_at)} WIB")
    for item in items:
        say(f"  {item.state}: {item.path}: {item.reason}  ({item.id})")
    for label, value in (("target", raw.target), ("ref", raw.ref), *raw.headers.items()):
        if value:
            say(f"  {label}: {value}")
    say()
    say(raw.body.decode("utf-8", "backslashreplace"))


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="request.http, a mail (.eml) or raw.json.")],
    kind: Annotated[str, typer.Option(metavar="KIND", help="Which connector reads it.")],
    received: Annotated[str | None, typer.Option(metavar="ISO", help="When it came; otherwise now.")] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Read it although nothing proves who sent it.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Print what a raw request or mail would become; keeps nothing."""
    from msgspec import to_builtins

    from gateway.cli.parsing import read

    at = moment(received, "--received").astimezone(UTC) if received else datetime.now(UTC)
    events = read(file, kind, config=config, at=at, unsigned=unsigned)
    if json:
        as_json(events)
        return
    for event in events:
        told = to_builtins(event)
        say(str(told.pop("type")))
        for line in _told(told, 1):
            say(line)


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of `aduan inbox list`.")] = None,
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Everything kept since; WIB.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what today's code would change.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Read kept deliveries again with today's code and record what is new; what is recorded stays as it is."""
    from gateway.cli.parked import forget, parked_in
    from gateway.replay import Replay

    if bool(ids) == (since is not None):
        raise typer.BadParameter("give ids, or --since, and not both")
    begin = moment(since, "--since") if since else None
    installation = installation_at(config)
    with store_in(installation.data_dir) as store:
        parked = parked_in(installation.data_dir)
        if begin is not None:
            chosen = _since(store, parked, begin)
        else:
            chosen = iter(dict(_find(store, parked, id_) for id_ in ids or ()).items())
        with Replay(installation, store, now=lambda: datetime.now(UTC), dry_run=dry_run) as again:
            found = []
            for each in again.run(chosen):
                found.append(each)
                if not json:
                    _print(each)
    recorded = {each.raw_id for each in found if each.problem is None}
    if not dry_run:
        forget(installation.data_dir, [p.id for p in parked if p.id in recorded])
    if json:
        as_json({"dry_run": dry_run, "deliveries": found})
    else:
        _sum_up(found, dry_run)
    if any(each.problem or each.unreadable for each in found):
        raise typer.Exit(1)


def _find(store: Store, parked: list[Parked], id_: str) -> tuple[str, Raw]:
    """The delivery of an id in `aduan inbox list`. Ends the command when there is none."""
    for each in parked:
        if each.id == id_:
            return id_, each.raw
    row = store.raw(id_) or store.raw(id_.rpartition(".")[0])
    if row is not None:
        return row.id, row.raw
    return fail(f"there is no delivery {id_}: see `aduan inbox list`; kept ones go when their retention has passed")


def _since(store: Store, parked: list[Parked], begin: datetime) -> Iterator[tuple[str, Raw]]:
    for row in store.raws_since(begin):
        yield row.id, row.raw
    for each in parked:
        if each.raw.received_at >= begin:
            yield each.id, each.raw


def _print(each: Replayed) -> None:
    parts = [f"new {number}" for number in each.created] + [f"added to {number}" for number in each.added]
    if each.known:
        parts.append(f"{each.known} already recorded")
    if each.different:
        parts.append(f"{each.different} of them read differently today")
    parts += [f"ignored ({reason})" for reason in each.ignored]
    parts += [f"still unreadable at {where}" for where in each.unreadable]
    if each.problem:
        parts.append(f"NOT TRIED: {each.problem}")
    say(f"{each.raw_id}  {each.channel_id}  {wib(each.received_at)}  {'; '.join(parts) or 'nothing new'}")


def _sum_up(found: list[Replayed], dry_run: bool) -> None:
    counts = (
        (sum(len(each.created) for each in found), "new"),
        (sum(len(each.added) for each in found), "added"),
        (sum(each.known for each in found), "already recorded"),
        (sum(len(each.unreadable) for each in found), "still unreadable"),
        (sum(each.problem is not None for each in found), "not tried"),
    )
    end = " (dry run: nothing was changed / tidak ada yang diubah)" if dry_run else ""
    say(f"\n{len(found)} deliveries: {', '.join(f'{count} {what}' for count, what in counts)}{end}")


def _told(value: dict[str, Any], depth: int) -> Iterator[str]:
    """The values that say something, one a line."""
    for name, inner in value.items():
        if inner is None or inner is False or inner in ("", [], (), {}):
            continue
        if isinstance(inner, dict):
            yield f"{'  ' * depth}{name}:"
            yield from _told(inner, depth + 1)
        elif isinstance(inner, list | tuple) and isinstance(inner[0], dict):
            for index, each in enumerate(inner):
                yield f"{'  ' * depth}{name}[{index}]:"
                yield from _told(each, depth + 1)
        else:
            text = ", ".join(map(str, inner)) if isinstance(inner, list | tuple) else str(inner)
            yield f"{'  ' * depth}{name}: " + text.replace("\n", f"\n{'  ' * (depth + 1)}")
