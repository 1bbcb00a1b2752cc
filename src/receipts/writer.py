"""Gives `compose` what it needs from this installation: terms, codes, links and the signed document."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connectors.facts import Facts
from normalizer.message import File, Outgoing
from receipts.access import access_code
from receipts.compose import compose, medium_of
from receipts.document import Issuer
from receipts.terms import Terms
from receipts.texts import Links, template_of
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
        """The parts to send; the PDF is attached to receipts by email to a proven address.

        Raises KeyError for an organisation or template that does not exist.
        """
        ticket, row = item.ticket, item.row
        document: File | None = None
        if (
            self._issuer is not None
            and template_of(row.template) == "receipt"
            and facts.attachments_out.value
            and medium_of(item, row.routes[row.route]) == "email"
        ):
            content = await asyncio.to_thread(
                self._issuer.issue, item.complaint, ticket, terms=self._terms[row.organisation]
            )
            document = File(name=f"{ticket.ticket_number}.pdf", mime="application/pdf", content=content)
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

    def version(self, template: str) -> str:
        """The content hash of a template's wording; of the notice's for what the dialog says."""
        name = template_of(template)
        return self._wording.versions["notice" if name == "text" else name]
