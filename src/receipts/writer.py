"""Gives `compose` what it needs from this installation: terms, codes, links and the signed document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connectors.facts import Facts
from normalizer.message import File, Outgoing
from receipts.access import access_code
from receipts.compose import compose, medium_of
from receipts.document import Issuer
from receipts.notice_values import is_letter
from receipts.route import RECEIPT
from receipts.terms import Terms
from receipts.texts import Links, kind_of, template_of
from receipts.wording import Wording
from tickets.model import OutboxItem


class ReceiptWriter:
    """The writer of all organisations of an installation; holds no state."""

    def __init__(
        self,
        *,
        wording: Wording,
        terms: Mapping[str, Terms],
        secret: bytes,
        public_url: str,
        issuer: Issuer | None,
    ) -> None:
        self._wording = wording
        self._terms = terms
        self._secret = secret
        self._links = Links(status_url=f"{public_url}/status", verify_url=f"{public_url}/verify")
        self._issuer = issuer

    async def write(self, item: OutboxItem, facts: Facts) -> tuple[Outgoing, ...]:
        """The parts to send; the PDF is attached to receipts and letters by email to a proven address.

        Raises KeyError for an organisation or template that does not exist.
        """
        ticket, row = item.ticket, item.row
        document: File | None = None
        has_document = template_of(row.template) == RECEIPT or is_letter(row.data)
        if has_document and facts.attachments_out.value and medium_of(item, row.routes[row.route]) == "email":
            document = await asyncio.to_thread(self._document, item)
        code = access_code(self._secret, row.complaint_id) if ticket.access_code_hash is not None else None
        return compose(
            item,
            wording=self._wording,
            terms=self._terms[row.organisation],
            facts=facts,
            access_code=code,
            links=self._links,
            document=document,
        )

    def _document(self, item: OutboxItem) -> File | None:
        """The receipt or the letter as a signed PDF; None where nobody signs; blocking."""
        row, complaint, ticket = item.row, item.complaint, item.ticket
        if self._issuer is None:
            return None
        terms, name = self._terms[row.organisation], ticket.ticket_number
        if template_of(row.template) == RECEIPT:
            content = self._issuer.issue(complaint, ticket, terms=terms)
        else:
            content = self._issuer.letter(row.template, row.data, complaint, ticket, terms=terms)
            name = f"{name}-{kind_of(template_of(row.template))}"
        return File(name=f"{name}.pdf", mime="application/pdf", content=content)

    def version(self, template: str) -> str:
        """The content hash of a template's wording; of the notice's for what the dialog says."""
        name = template_of(template)
        return self._wording.versions["notice" if name == "text" else name]
