"""`aduan records`: what may be erased and what was, legal holds; and `aduan tickets evidence`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar

import typer
from msgspec.structs import replace

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, table, wib
from gateway.cli.place import data_dir_at, installation_at, store_in
from gateway.cli.tickets import OrganisationOption, ticket
from gateway.cli.words import moment, person

if TYPE_CHECKING:
    from gateway.installation import Installation
    from gateway.retention import Done, Removal, Retention
    from receipts.signature import PublicKeys
    from tickets.store import Store

T = TypeVar("T")

app = typer.Typer(help="Retention, erasure and legal holds.", no_args_is_help=True, rich_markup_mode=None)
ActorOption = Annotated[str | None, typer.Option("--actor", metavar="NAME", help="Who does it; else the login name.")]
#: Why something is kept, as a person reads it.
OBSTACLES = {
    "hold": "ditahan untuk keperluan hukum: tidak ada yang dihapus / under a legal hold: nothing is erased",
    "open": "pengaduan belum ditutup / the complaint is not closed",
    "objection": "keberatan masih ditinjau / an objection is under review",
    "referral": "masih diproses pengadilan atau LAPS / a court or dispute resolution body still has it",
    "request_open": "permintaan data pribadi belum dijawab / a request about the person's data is not answered yet",
    "message_owed": "masih ada kiriman keluar / something to the customer or another ticket store is still due",
    "not_yet": "masa simpan belum lewat / its years of retention are not over",
    "no_retention": "kebijakan tidak menetapkan masa simpan / the policy states no retention",
}

_VERDICTS = {
    "genuine": "Asli, tidak berubah sejak dibuat. / Genuine, unchanged since it was made.",
    "not_a_bag": "Bukan berkas bukti Aduan. / Not an evidence bag of Aduan.",
    "unknown_key": "Ditandatangani dengan kunci yang tidak dikenal. / Signed with a key that is not known here.",
    "changed": "Isinya berubah setelah dibuat. / Changed after it was made.",
}


@app.command()
def due(
    organisation: OrganisationOption = None,
    on: Annotated[
        str | None, typer.Option(metavar="ISO", help="As if it were this date; WIB. Otherwise today.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """What the nightly job would erase, and what is kept although its years are over; changes nothing."""
    at = moment(on, "--on").astimezone(UTC) if on else datetime.now(UTC)
    installation = installation_at(config)
    with store_in(installation.data_dir) as store:
        found = [
            each for each in _retention(installation, store, at).due() if organisation in (None, each.organisation)
        ]
    if json:
        as_json(found)
        return
    table(
        ("number", "organisation", "state", "closed", "erase from", "kept because"),
        [
            (
                each.ticket_number, each.organisation, each.state, str(each.closed_on), str(each.erase_on),
                OBSTACLES[each.obstacle] if each.obstacle else "-",
            )
            for each in found
        ],
    )  # fmt: skip


@app.command()
def purge(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Do now what the nightly job does: erase what is due, remove files, rewrite the databases."""
    installation = installation_at(config)
    with store_in(installation.data_dir) as store, _not_busy():
        done = asyncio.run(_everything(_retention(installation, store, datetime.now(UTC))))
    if json:
        as_json(done)
        return
    say(f"dihapus / erased: {done.complaints} pengaduan / complaints, {done.messages} pesan / messages")
    say(f"  {done.files} berkas / files")
    _say_compacted(done.compacted)


@app.command()
def erase(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket, or an alias of it.")],
    reason: Annotated[
        Literal["request", "order", "mistake"],
        typer.Option(help="The person asked (UU 27/2022); an authority ordered it; it should not be here."),
    ],
    actor: ActorOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Erase the personal data of a closed complaint before its years are over; its figures stay in the reports."""
    who = _actor(actor)
    data_dir = data_dir_at(config)
    with store_in(data_dir) as store, _not_busy():
        view = ticket(store, number)
        earlier = store.records.erasure(view.ticket.ticket_number)
        if earlier is not None:
            fail(f"{view.ticket.ticket_number} was erased on {wib(earlier.at)} WIB ({earlier.reason})")
        if not yes and not typer.confirm(f"Hapus data pribadi {view.ticket.ticket_number}? / Erase its personal data?"):
            fail("nothing was erased")
        with store.begin() as tx:
            blocked = tx.records.obstacle(view.ticket.ticket_number)
            gone = None if blocked else tx.records.erase(view.ticket.ticket_number, reason, who)
        if gone is None:
            _refuse(view.ticket.ticket_number, OBSTACLES[blocked or "open"])
        done = asyncio.run(_removal(data_dir, store, datetime.now(UTC)).finish())
    if json:
        as_json({"erased": gone, "files_removed": done.files, "compacted": done.compacted})
        return
    say(f"{gone.ticket_number}: data pribadi dihapus / personal data erased")
    say(f"  {gone.messages} pesan / messages, {gone.files} lampiran / attachments, {gone.raws} kiriman / deliveries")
    if gone.merged:
        say(f"  digabung / merged into it: {', '.join(gone.merged)}")
    if gone.raws_left:
        say(f"  masih tersimpan / still kept: {gone.raws_left} (quarantine, or a legal hold on another complaint)")
    for place in gone.elsewhere:
        say(f"  hapus juga di / erase it there too: {place}")
    _say_compacted(done.compacted)


@app.command("list")
def list_(
    organisation: OrganisationOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1000,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """What was erased, the latest first."""
    with store_in(data_dir_at(config)) as store:
        found = store.records.erasures(organisation, limit)
    if json:
        as_json(found)
        return
    table(
        ("number", "organisation", "erased (WIB)", "reason"),
        [(each.ticket_number, each.organisation, wib(each.at), each.reason) for each in found],
    )


@app.command()
def holds(
    organisation: OrganisationOption = None, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """The complaints under a legal hold; `aduan tickets do NUMBER hold_set` and `hold_lifted` change them."""
    with store_in(data_dir_at(config)) as store:
        found = [each.ticket for each in store.records.held()]
    rows = [
        (each.ticket_number, each.organisation, each.state, each.life.hold)
        for each in found
        if each.life.hold is not None and organisation in (None, each.organisation)
    ]
    if json:
        as_json([{"ticket_number": n, "organisation": o, "state": s, "hold": hold} for n, o, s, hold in rows])
        return
    table(
        ("number", "organisation", "state", "since (WIB)", "by", "reason"),
        [(n, o, s, wib(hold.since), hold.by, hold.reason) for n, o, s, hold in rows],
    )


def evidence(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket, or an alias of it.")],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="Where to write the bag.")],
    actor: ActorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Everything about one complaint as a signed ZIP, for a court or LAPS; holds personal data. See `aduan verify`."""
    from gateway.evidence import Gone, make

    who = _actor(actor)
    installation = installation_at(config)
    with store_in(installation.data_dir) as store, _not_busy():
        view = ticket(store, number)
        try:
            handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w+b") as file:
                made = make(
                    store,
                    view.ticket.ticket_number,
                    file,
                    data_dir=installation.data_dir,
                    names={slug: each.name for slug, each in installation.organisations.items()},
                    actor=who,
                    now=datetime.now(UTC),
                )
        except Gone:
            out.unlink(missing_ok=True)
            fail(f"{view.ticket.ticket_number} was erased: there is nothing left to show")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}")
    if json:
        as_json(made)
        return
    say(f"{out}: {made.ticket_number}, {made.files} files, manifest {made.manifest_sha256}")
    for each in made.missing:
        say(f"  tidak ada / not there: {each}")


def verify_bag(file: Path, keys: PublicKeys, *, json: bool) -> None:
    """Tells whether a file is an evidence bag of ours, unchanged; 1 when it is not. OSError when it cannot be read."""
    from gateway.evidence import verify

    with file.open("rb") as opened:
        verdict = verify(opened, keys)
    if json:
        as_json(verdict)
    else:
        say(_VERDICTS[verdict.reason] + (f" ({verdict.place})" if verdict.place else ""))
        if verdict.manifest is not None:
            manifest = verdict.manifest
            made = wib(datetime.fromisoformat(manifest.made_at))
            say(f"  {manifest.ticket_number}, {manifest.organisation}, {made} WIB, {len(manifest.files)} files")
            for each in manifest.missing:
                say(f"  tidak ada / not there: {each}")
    if not verdict.valid:
        raise typer.Exit(1)


async def _everything(retention: Retention) -> Done:
    """A whole look that ends with the databases rewritten, also when an earlier one could not do that."""
    done = await retention.look()
    return done if done.compacted else replace(done, compacted=await retention.removal.compact())


def _retention(installation: Installation, store: Store, at: datetime) -> Retention:
    """What the nightly job does, in this process, as if it were this moment."""
    from gateway.retention import Retention

    removal = _removal(installation.data_dir, store, at)
    return Retention(installation, store=store, removal=removal, run=_here, now=lambda: at)


def _removal(data_dir: Path, store: Store, at: datetime) -> Removal:
    from gateway.retention import Removal

    return Removal(data_dir, store=store, run=_here, now=lambda: at)


async def _here(work: Callable[[], T], /) -> T:
    return work()


@contextmanager
def _not_busy() -> Iterator[None]:
    """Ends the command when the store is busy or cannot be written."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError:
        fail("the ticket store is busy or cannot be written: run this again in a moment")


def _refuse(number: str, why: str) -> NoReturn:
    fail(f"{number} tidak dihapus / was not erased: {why}")


def _say_compacted(compacted: bool) -> None:
    if not compacted:
        say("  the databases could not be rewritten (busy, or no room): `aduan records purge` tries again")


def _actor(given: str | None) -> str:
    from gateway.cli.entering import login_name

    return login_name() if given is None else person(given, "--actor")
