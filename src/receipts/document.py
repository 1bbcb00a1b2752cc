"""The receipt as a signed PDF: one A5 page in both languages, tagged (PDF/UA-1), the same bytes for the same facts.

After the last `%%EOF` stands a line with the statement and an Ed25519 signature over every byte before the signature:
readers ignore it, and one changed byte anywhere in the file breaks it. `verify` reads it back without any PDF library.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from receipts.letter import letter_of
from receipts.press import Press
from receipts.signature import SigningKey, Statement, encode, statement_of
from receipts.terms import Terms
from receipts.texts import Links, values_of
from receipts.wording import LANGUAGES, Language, Sentence, Values, Wording, filled
from tickets.told import ToldComplaint, ToldTicket


class Issuer:
    """Issues the receipts and letters of one installation; may be used from several threads."""

    def __init__(self, *, key: SigningKey, wording: Wording, public_url: str) -> None:
        self._key = key
        self._wording = wording
        self._links = Links(status_url=f"{public_url}/status", verify_url=f"{public_url}/verify")
        self._receipts = Press("receipt.typ", key, verify_url=f"{public_url}/verify")
        self._letters = Press("letter.typ", key, verify_url=f"{public_url}/verify")

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
        return self._receipts.print(self._page(statement, pages), statement, at=complaint.received_at)

    def letter(
        self, template: str, data: Mapping[str, str], complaint: ToldComplaint, ticket: ToldTicket, *, terms: Terms
    ) -> bytes:
        """The signed PDF of a notice: A4, both languages, the same bytes for the same row of the outbox.

        `template` and `data` are those of the row. Raises KeyError for a row that is no notice.
        """
        letter = letter_of(
            template,
            data,
            complaint,
            ticket,
            wording=self._wording,
            terms=terms,
            links=self._links,
            by=self._key.key_id,
        )
        return self._letters.print(letter.page, letter.statement, at=letter.issued_at)

    def _page(self, statement: Statement, pages: dict[Language, dict[str, str | None]]) -> dict[str, object]:
        texts = self._wording.tongues["id"].document
        return {
            "title": f"{_put(texts['title'], pages['id'])} {statement.ticket_number}",
            "organisation": statement.organisation,
            "parts": [self._part(language, values) for language, values in pages.items()],
            "qr_alt": _put(texts["qr"], pages["id"]),
            "fingerprint": f"Ed25519 {statement.key_id}",
            "statement": encode(statement).decode(),
        }

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
