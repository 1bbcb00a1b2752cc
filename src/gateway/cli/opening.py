"""`aduan tickets open`: a call, a visit or a letter becomes a ticket, and the receipt is read out and printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, wib
from gateway.cli.place import installation_at
from gateway.cli.receipts import write_private
from gateway.cli.words import has_time, moment, one_of, person

FilesOption = Annotated[
    list[Path] | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, readable=True, help="May be repeated.")
]


def open_(
    organisation: Annotated[str, typer.Option(metavar="O", help="Whose complaint it is (a key of `organisations`).")],
    channel: Annotated[Literal["phone", "walk_in", "letter"], typer.Option(help="How it came.")],
    name: Annotated[str | None, typer.Option(help="The customer's name.")] = None,
    phone: Annotated[str | None, typer.Option(help="The customer's number; the receipt may go there.")] = None,
    email: Annotated[str | None, typer.Option(help="The customer's address; the receipt goes there.")] = None,
    text: Annotated[
        str | None,
        typer.Option(help="What the customer says; other users of the machine may see it in the list of processes."),
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(metavar="FILE", allow_dash=True, help="The same from a file; - reads standard input.")
    ] = None,
    received: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="When it came; WIB without an offset; a date alone suits letters; else now."),
    ] = None,
    attach: FilesOption = None,
    power_of_attorney: FilesOption = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A further field of the form (category, customer_ref, ...); repeated."),
    ] = None,
    receipt: Annotated[Path | None, typer.Option(metavar="FILE.pdf", help="Where to write the signed receipt.")] = None,
    as_: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who enters it; else the login name.")] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key of an earlier try: it is entered once at most.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Enter a phone call, a visit or a letter into the running server; prints what the customer must be told."""
    from uuid import uuid4

    from gateway.cli.entering import Entry, enter, login_name

    fields = {
        "channel": channel,
        "full_name": name,
        "phone": phone,
        "email": email,
        "narrative": _narrative(text, text_file),
        "received_at": _received(received, channel),
    }
    given = {name_: value for name_, value in fields.items() if value} | dict(_extra(field or (), fields))
    installation = installation_at(config)
    one_of(organisation, tuple(installation.organisations), "--organisation")
    files = [("files", path) for path in attach or ()]
    files += [("power_of_attorney", path) for path in power_of_attorney or ()]
    entry = Entry(
        fields=given, files=files, key=key or uuid4().hex, person=person(as_, "--as") if as_ else login_name()
    )
    said, pdf = enter(installation, organisation, entry, pdf=receipt is not None)
    if json:
        as_json(said)
    else:
        for line in _lines(said):
            say(line)
    if receipt is not None:
        _print(receipt, pdf, said["ticket_number"], quiet=json)


def _narrative(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise typer.BadParameter("give what the customer says as --text, or in a --text-file, and not both")
    if file is None:
        return text or ""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}", param_hint="--text-file") from error
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{file} is not text in UTF-8", param_hint="--text-file") from error


def _received(given: str | None, channel: str) -> str | None:
    if given is None:
        return None
    found = moment(given, "--received")
    if has_time(given):
        return found.isoformat()
    if channel == "phone":
        raise typer.BadParameter("a call needs its hour: office hours decide its first day", param_hint="--received")
    return given


def _extra(given: Sequence[str], own: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or name in own:
            wrong = "has an option of its own" if sign else "is not NAME=VALUE"
            raise typer.BadParameter(f"`{each}` {wrong}", param_hint="--field")
        yield name, value


def _lines(said: Mapping[str, Any]) -> Iterator[str]:
    """The ticket for whoever enters it, then the words for the customer."""
    from datetime import datetime

    received = wib(datetime.fromisoformat(said["received_at"]))
    sent = ", ".join(said["receipt_goes_by"])
    yield f"{said['ticket_number']}  {said['channel']}, {said['form']}, {said['entered_by']}"
    yield f"  diterima / received          {received} WIB"
    yield f"  dihitung dari / counts from  {said['counts_from']}"
    yield f"  jawaban / answer by          {said['first_response_due'] or '-'}"
    yield f"  selesai / solve by           {said['resolve_due'] or '-'}"
    yield f"  kode / code                  {said['access_code']}"
    yield f"  kontak / contact             {said['contact']}"
    yield f"  tanda terima / receipt       {f'dikirim lewat / sent by {sent}' if sent else _BY_HAND[said['channel']]}"
    yield ""
    yield "Bacakan kepada pelanggan:"
    yield said["read_out"]["id"]
    yield ""
    yield "Read out to the customer:"
    yield said["read_out"]["en"]


_BY_HAND = {
    "phone": "bacakan / read it out",
    "walk_in": "serahkan / hand it over",
    "letter": "cetak dan kirim lewat pos / print it and send it by post",
}


def _print(out: Path, pdf: bytes, number: str, *, quiet: bool) -> None:
    if not pdf:
        fail(f"the ticket is there, but not its PDF: `aduan receipt {number} --out {out}` writes it")
    write_private(out, pdf)
    if not quiet:
        say(f"\n{out}: {number}, {len(pdf)} bytes")
