"""The receipt as a signed PDF: one A5 page in both languages, tagged (PDF/UA-1), the same bytes for the same facts.

After the last `%%EOF` stands a line with the statement and an Ed25519 signature over every byte before the signature:
readers ignore it, and one changed byte anywhere in the file breaks it. `verify` reads it back without any PDF library.
"""

from __future__ import annotations

import io
import threading
from datetime import date
from pathlib import Path

import msgspec
import segno
import typst

from receipts.signature import SigningKey, Statement, encode, sign_statement, statement_of
from receipts.terms import Terms
from receipts.texts import Links, values_of
from receipts.verify import seal
from receipts.wording import LANGUAGES, Language, Sentence, Values, Wording, filled
from tickets.told import ToldComplaint, ToldTicket

_TEMPLATE = Path(__file__).parent / "templates" / "receipt.typ"


class Issuer:
    """Issues the receipts of one installation; may be used from several threads."""

    def __init__(self, *, key: SigningKey, wording: Wording, public_url: str) -> None:
        self._key = key
        self._wording = wording
        self._verify_url = f"{public_url}/verify"
        # Reused: reading the fonts takes ten times as long as setting a page. It may serve one thread at a time.
        self._compiler = typst.Compiler(str(_TEMPLATE), ignore_system_fonts=True)
        self._turn = threading.Lock()
        self._links = Links(status_url=f"{public_url}/status", verify_url=self._verify_url)

    def issue(
        self, complaint: ToldComplaint, ticket: ToldTicket, *, terms: Terms, access_code: str | None = None
    ) -> bytes:
        """The signed PDF of a receipt; `access_code` only for a paper that goes straight into the customer's hands."""
        pages = {
            language: values_of(
                complaint,
                ticket,
                wording=self._wording,
                terms=terms,
                language=language,
                access_code=access_code,
                links=self._links,
            )
            for language in LANGUAGES
        }
        due: date | None = ticket.first_response_due if pages["id"]["response_due"] else None
        statement = statement_of(
            complaint, ticket, organisation=terms.organisation, response_due=due, by=self._key.key_id
        )
        return seal(self._render(complaint, statement, pages), statement, self._key)

    def _render(
        self, complaint: ToldComplaint, statement: Statement, pages: dict[Language, dict[str, str | None]]
    ) -> bytes:
        texts = self._wording.tongues["id"].document
        data = {
            "title": f"{_put(texts['title'], pages['id'])} {statement.ticket_number}",
            "organisation": statement.organisation,
            "parts": [self._part(language, values) for language, values in pages.items()],
            "qr": _qr(f"{self._verify_url}?s={sign_statement(statement, self._key)}"),
            "qr_alt": _put(texts["qr"], pages["id"]),
            "fingerprint": f"Ed25519 {statement.key_id}",
            "statement": encode(statement).decode(),
        }
        with self._turn:
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs={"data": msgspec.json.encode(data).decode()},
                pdf_standards=["ua-1"],
                timestamp=int(complaint.received_at.timestamp()),
            )
        if not isinstance(pdf, bytes):
            raise TypeError("the receipt is one PDF")
        return pdf

    def _part(self, language: Language, values: dict[str, str | None]) -> dict[str, object]:
        texts = self._wording.tongues[language].document
        rows: list[tuple[str, str | None, bool]] = [
            (_put(texts["number"], values), values["ticket_number"], True),
            (_put(texts["received"], values), _put(texts["received_at"], values), False),
            (_put(texts["category"], values), values["category"], False),
            (
                _put(texts["answer"], values),
                values["response_due"] or texts["answer_after_documents"].fill(values),
                True,
            ),
            (_put(texts["resolution"], values), values["resolve_range"], False),
            (_put(texts["documents"], values), values["documents"], False),
            (_put(texts["contact"], values), values["contact"], False),
            (_put(texts["code"], values), values["access_code"], True),
        ]
        return {
            "lang": language,
            "title": _put(texts["title"], values),
            "intro": _put(texts["intro"], values),
            "rows": [row for row in rows if row[1]],
            "keep": _put(texts["keep"], values),
            "status": _put(texts["status"], values),
            "verify": _put(texts["verify"], values),
        }


def _put(sentence: Sentence, values: Values) -> str:
    return filled(sentence, **{name: values[name] or "" for name in sentence.names})


def _qr(content: str) -> str:
    """A QR code as SVG; error correction L, because a receipt is read from a clean page or a screen."""
    image = io.BytesIO()
    # A fixed mask is legal and saves weighing all eight, which takes longer than the whole page.
    segno.make_qr(content, error="l", mask=2).save(image, kind="svg", xmldecl=False, svgns=True, border=2)
    return image.getvalue().decode()
