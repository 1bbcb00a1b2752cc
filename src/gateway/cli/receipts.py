"""`aduan receipt` and `aduan verify`: issue a signed receipt, and tell whether a file is a document of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from gateway.cli.out import as_json, fail, say, wib
from gateway.cli.place import data_dir_at, installation_at, store_in
from gateway.cli.tickets import ticket

if TYPE_CHECKING:
    from gateway.receipt_files import ReceiptFiles
    from receipts.signature import PublicKeys
    from tickets.store import TicketView

_REASONS = {
    "genuine": "Asli, tidak berubah sejak diterbitkan. / Genuine, unchanged since it was issued.",
    "not_a_receipt": "Bukan dokumen Aduan. / Not a document of Aduan.",
    "unknown_key": "Ditandatangani dengan kunci yang tidak dikenal. / Signed with a key that is not known here.",
    "changed": "Isinya berubah setelah diterbitkan. / Changed after it was issued.",
}


def receipt(
    number: str,
    out: Annotated[Path, typer.Option(metavar="FILE.pdf", help="Where to write the signed PDF.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Issue the receipt of a complaint; it holds the check code, so it is for the customer's hands only."""
    view, files = files_of(number, config)
    pdf = files.pdf(view)
    write_private(out, pdf)
    say(f"{out}: {view.ticket.ticket_number}, {len(pdf)} bytes")


def files_of(number: str, config: Path) -> tuple[TicketView, ReceiptFiles]:
    """A ticket and what issues its documents. Ends the command when there is no such ticket, or no key to sign with."""
    from connectors.errors import Misconfigured
    from gateway.keys import installation_secret
    from gateway.letters import terms_by_organisation
    from gateway.receipt_files import ReceiptFiles

    installation = installation_at(config)
    with store_in(installation.data_dir) as store:
        view = ticket(store, number)
        erased = store.records.erasure(view.ticket.ticket_number)
    if erased is not None:
        fail(f"the personal data of {number} were erased: there is no document to issue any more")
    terms = terms_by_organisation(installation)
    if view.complaint.tenant not in terms:
        fail(f"the organisation `{view.complaint.tenant}` of this ticket is not configured any more")
    try:
        secret = installation_secret(installation.data_dir)
        return view, ReceiptFiles(installation, keys=installation.data_dir / "keys", terms=terms, secret=secret)
    except (Misconfigured, ValueError) as error:
        fail(str(error))


def write_private(out: Path, pdf: bytes) -> None:
    """Writes a document for this account's eyes only: it is the customer's. Ends the command when it cannot."""
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pdf)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}")


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt or letter (PDF), or an evidence bag (ZIP).")],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The public key (PEM); otherwise the keys of this installation.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Tell whether a file is a genuine, unchanged receipt, letter or evidence bag; needs no network."""
    from receipts import verify as receipt_verify
    from receipts.signature import LetterStatement

    try:
        if _is_zip(file):
            from gateway.cli.records import verify_bag

            verify_bag(file, _keys(key, config), json=json)
            return
        pdf = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", 2)
    verdict = receipt_verify.verify(pdf, _keys(key, config))
    if json:
        as_json(verdict)
    else:
        say(_REASONS[verdict.reason])
        if verdict.statement is not None:
            statement = verdict.statement
            say(f"  {statement.ticket_number}, {statement.organisation}, {wib(statement.received_at)} WIB")
            if isinstance(statement, LetterStatement):
                say(f"  {statement.notice}, {statement.issued_on} (surat / letter)")
            else:
                say(f"  {statement.response_due or '-'} (jawaban paling lambat / answer by)")
    if not verdict.valid:
        raise typer.Exit(1)


def _is_zip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == b"PK"


def _keys(key: Path | None, config: Path) -> PublicKeys:
    """The keys to verify with. Ends the command when a file is no such key, or when there is none."""
    from receipts.signature import key_id, public_keys

    if key is None:
        folder = data_dir_at(config) / "keys"
        found = public_keys(folder)
        if not found:
            fail(f"there is no public key in {folder}: name one with --key")
        return found
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        loaded = load_pem_public_key(key.read_bytes())
    except OSError as error:
        fail(f"{key} cannot be read: {error.strerror}", 2)
    except (ValueError, UnsupportedAlgorithm):
        fail(f"{key} is not a public key in PEM", 2)
    if not isinstance(loaded, Ed25519PublicKey):
        fail(f"{key} is not an Ed25519 key", 2)
    return {key_id(loaded): loaded}
