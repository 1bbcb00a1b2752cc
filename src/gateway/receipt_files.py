"""Receipts as files and as words on a page, for the public pages and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.installation import Installation
from receipts.access import access_code
from receipts.document import Issuer
from receipts.signature import LetterStatement, Statement, open_key, public_keys, read_statement
from receipts.terms import Terms
from receipts.texts import Links, write
from receipts.verify import verify
from receipts.wording import Language
from tickets.calendar import wib_date
from tickets.model import OutboxRow
from tickets.store import TicketView
from web.ports import Text, Verdict

_REASONS = {
    "genuine": Text(
        "Asli: tanda terima ini kami terbitkan dan tidak berubah sejak itu.",
        "Genuine: we issued this receipt and it has not changed since.",
    ),
    "not_a_receipt": Text("Berkas ini bukan dokumen dari kami.", "This file is not a document that we issued."),
    "genuine_code": Text(
        "Asli: kode QR ini kami tandatangani. Cocokkan nomor dan tanggal di bawah ini dengan yang tercetak.",
        "Genuine: we signed this QR code. Compare the number and the date below with those printed.",
    ),
    "genuine_letter": Text(
        "Asli: surat ini kami terbitkan dan tidak berubah sejak itu.",
        "Genuine: we issued this letter and it has not changed since.",
    ),
    "not_a_code": Text(
        "Kode QR ini bukan dari tanda terima kami: jangan percayai lembar itu.",
        "This QR code is not from a receipt of ours: do not trust that paper.",
    ),
    "unknown_key": Text(
        "Tanda tangannya bukan tanda tangan kami: jangan percayai berkas ini.",
        "It is not signed with a key of ours: do not trust this file.",
    ),
    "changed": Text(
        "Isi berkas ini sudah berubah sejak diterbitkan: jangan percayai berkas ini.",
        "This file was changed after it was issued: do not trust it.",
    ),
}


class ReceiptFiles:
    """Issues and verifies the receipts of this installation."""

    def __init__(self, installation: Installation, *, keys: Path, terms: Mapping[str, Terms], secret: bytes) -> None:
        self._installation = installation
        self._terms = terms
        self._secret = secret
        self._keys = keys
        self.issuer = Issuer(
            key=open_key(keys), wording=installation.wording, public_url=installation.config.public_url
        )
        self._public_keys = public_keys(keys)

    def pdf(self, view: TicketView) -> bytes:
        """The signed PDF for the person who holds the receipt's link, with the code; blocking."""
        complaint = view.complaint
        return self.issuer.issue(
            complaint,
            view.ticket,
            terms=self._terms[complaint.tenant],
            access_code=access_code(self._secret, complaint.complaint_id),
        )

    def letter(self, view: TicketView, row: OutboxRow) -> bytes:
        """The signed PDF of a notice, to be printed or sent; blocking. Raises KeyError for a row that is no notice."""
        terms = self._terms[view.complaint.tenant]
        return self.issuer.letter(row.template, row.data, view.complaint, view.ticket, terms=terms)

    def read_out(self, view: TicketView) -> Text:
        """The receipt as staff say it, with the code, in both languages."""
        complaint = view.complaint
        code = access_code(self._secret, complaint.complaint_id)

        def said(language: Language) -> str:
            return write(
                "receipt",
                "oral",
                complaint,
                view.ticket,
                wording=self._installation.wording,
                terms=self._terms[complaint.tenant],
                language=language,
                access_code=code,
                links=Links(),
            ).body

        return Text(said("id"), said("en"))

    def verdict(self, pdf: bytes) -> Verdict:
        """Whether `pdf` is one of our receipts, unchanged; blocking."""
        found = verify(pdf, self._public_keys)
        is_letter = isinstance(found.statement, LetterStatement)
        return _verdict("genuine_letter" if is_letter else found.reason, found.statement)

    def verdict_of_code(self, code: str) -> Verdict:
        """Whether the statement in a receipt's QR code is one that we signed."""
        statement = read_statement(code, self._public_keys)
        return _verdict("genuine_code" if statement else "not_a_code", statement)

    def notes(self, view: TicketView) -> tuple[Text, ...]:
        """What takes a date's place while a clock has not started (A8), and the range a policy promises (U5-U7)."""
        terms = self._terms[view.complaint.tenant]
        notes: list[Text] = []
        if terms.response_from_documents and view.ticket.first_response_due is None:
            notes.append(
                Text(
                    f"Kami menjawab paling lambat {terms.response_days} hari kerja setelah dokumen lengkap.",
                    f"We answer within {terms.response_days} working days after the documents are complete.",
                )
            )
        ranges = (terms.words["id"].resolve_range, terms.words["en"].resolve_range)
        if ranges[0] and ranges[1]:
            notes.append(Text(ranges[0], ranges[1]))
        return tuple(notes)

    def english(self, group: str, words: str) -> str:
        """The English words that stand beside a policy's own Indonesian ones."""
        return self._installation.wording.tongues["en"].word(group, words)


def _verdict(reason: str, statement: Statement | None) -> Verdict:
    if statement is None:
        return Verdict(valid=False, reason=_REASONS[reason])
    return Verdict(
        valid=True,
        reason=_REASONS[reason],
        ticket_number=statement.ticket_number,
        organisation=statement.organisation,
        received_date=wib_date(statement.received_at),
    )
