"""What the public pages need, from the real journal, worker, store and keys: implements `web.ports.Desk`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.contract import Connector, Push, Request
from connectors.errors import Rejected
from connectors.submission import Admitting, InvalidSubmission
from connectors.submission_fields import Problem
from gateway.installation import Installation
from gateway.journal import Journal, JournalFull
from gateway.organisation_pages import contact_lines, page_of, text_of
from gateway.receipt_files import ReceiptFiles
from gateway.recording import MessageOutcome
from gateway.worker import RunInThread, Worker
from normalizer.message import Raw
from receipts.access import access_code, code_hash, read_token, receipt_token, stand_in
from tickets.calendar import wib_date
from tickets.numbers import parse as parse_number
from tickets.store import Store, TicketView
from tickets.store import Verdict as CodeVerdict
from web.ports import (
    Conflict,
    Entered,
    InFlight,
    Locked,
    OrganisationPage,
    PublicStatus,
    ReceiptView,
    Recorded,
    Text,
    Unavailable,
    Verdict,
)

WRONG_CODES = 3
LOCKED_FOR = timedelta(minutes=15)
_RECORD_SECONDS = 20.0


class FrontDesk:
    """The gateway's side of the public pages."""

    def __init__(
        self,
        installation: Installation,
        *,
        connectors: Mapping[str, Connector],
        journal: Journal,
        worker: Worker,
        store: Store,
        run: RunInThread,
        files: ReceiptFiles,
        secret: bytes,
        now: Callable[[], datetime],
        disk_is_low: Callable[[], bool],
    ) -> None:
        self._installation = installation
        self._connectors = connectors
        self._journal = journal
        self._worker = worker
        self._store = store
        self._run = run
        self._files = files
        self._secret = secret
        self._now = now
        self._disk_is_low = disk_is_low
        self._page_of = {slug: page_of(installation, slug) for slug in installation.organisations}
        #: By the address of the form, which the operator may choose.
        self._pages = {page.slug: page for page in self._page_of.values()}
        self._in_flight: set[tuple[str, bytes]] = set()

    def organisation(self, slug: str) -> OrganisationPage | None:
        """The organisation whose form stands at `/<slug>/`, or None."""
        return self._pages.get(slug)

    def organisations(self) -> Sequence[OrganisationPage]:
        """Every organisation, for the first page."""
        return list(self._pages.values())

    async def submit(self, channel_id: str, request: Request) -> Recorded:
        """Keeps (fsync), records and returns after the commit. Raises Rejected, Conflict, InFlight, Unavailable."""
        view, message, _ = await self._file(channel_id, request)
        return self._recorded(view, created=message.what == "created")

    def admit(self, channel_id: str, request: Request) -> str:
        """Who enters complaints with this request, by its headers alone. Raises Rejected."""
        return _admitting(self._connectors.get(channel_id)).admit(request)

    def problems(self, channel_id: str, request: Request) -> Sequence[Problem]:
        """What is wrong with a sealed document, without keeping it. Raises Rejected."""
        try:
            _pushed(self._connectors.get(channel_id)).receive(request)
        except InvalidSubmission as error:
            return error.problems
        return ()

    async def enter(self, channel_id: str, request: Request) -> Entered:
        """As `submit`, for a complaint that staff enter."""
        person = self.admit(channel_id, request)
        view, message, raw = await self._file(channel_id, request)
        if message.what == "duplicate" and not await self._is_same(view, message.key, raw):
            raise Conflict
        complaint = view.complaint
        return Entered(
            recorded=self._recorded(view, created=message.what == "created"),
            channel=complaint.channel,
            form=complaint.form,
            counts_from=complaint.effective_received_date,
            entered_by=complaint.entered_by or person,
            receipt_goes_by=tuple(
                dict.fromkeys(
                    row.routes[row.route].channel or complaint.channel
                    for row in view.outbox
                    if row.template == "receipt" and row.routes and row.state != "suppressed"
                )
            ),
            read_out=self._files.read_out(view),
        )

    async def _is_same(self, view: TicketView, key: str, raw: Raw) -> bool:
        """Whether an entry says what the first one under its key said; channel and moment are no part of its digest."""
        first = next((each.row.raw_id for each in view.messages if each.row.message.key == key), None)
        kept = None if first is None else await asyncio.to_thread(self._store.raw, first)
        # When its bytes are no longer kept, the digest has the last word.
        return kept is None or kept.raw.body == raw.body

    async def _file(self, channel_id: str, request: Request) -> tuple[TicketView, MessageOutcome, Raw]:
        found = _pushed(self._connectors.get(channel_id)).receive(request)
        if len(found.keep) != 1:
            raise Rejected(400, "not one submission")
        (raw,) = found.keep
        flight = (channel_id, raw.body)
        if flight in self._in_flight:
            raise InFlight
        if self._disk_is_low():
            raise Unavailable("the disk is nearly full")
        self._in_flight.add(flight)
        try:
            (raw_id,) = await self._journal.keep([raw])
            self._worker.wake()
            async with asyncio.timeout(_RECORD_SECONDS):
                outcome = await self._worker.outcome(raw_id)
        except JournalFull as error:
            raise Unavailable("it cannot be kept now") from error
        except TimeoutError as error:
            # It is kept and will be recorded; the same key then gives the number.
            raise Unavailable("it is kept, its number is not ready yet", after=5) from error
        finally:
            self._in_flight.discard(flight)
        if not outcome.messages:
            raise Unavailable("it is kept and waits for a person")
        (message,) = outcome.messages
        if message.conflict:
            raise Conflict
        view = await asyncio.to_thread(self._store.ticket, message.ticket_number)
        assert view is not None
        return view, message, raw

    async def status(self, ticket_number: str, access_code: str, remote: str) -> PublicStatus | None:
        """The public status, or None for an unknown number and a wrong code alike. Raises Locked."""
        number = parse_number(ticket_number)
        text = str(number) if number is not None else stand_in(self._secret, ticket_number)
        view = await asyncio.to_thread(self._store.ticket, text)
        # A merged ticket keeps the code of its own receipt: the customer has no other.
        complaint_id = await asyncio.to_thread(self._store.given_to, text) or ""
        typed = access_code.replace(" ", "").replace("-", "")
        given = code_hash(self._secret, complaint_id, typed)
        now = self._now()

        def try_code() -> CodeVerdict:
            with self._store.begin() as tx:
                return tx.try_code(text, given, now, limit=WRONG_CODES, lock=LOCKED_FOR)

        verdict = await self._run(try_code)
        if verdict == "locked":
            raise Locked(LOCKED_FOR.total_seconds())
        if verdict == "wrong" or view is None:
            return None
        ticket = view.ticket
        due = [d for d in (ticket.first_response_due, ticket.resolve_due) if d is not None]
        return PublicStatus(
            ticket_number=ticket.ticket_number,
            state=ticket.state,
            word=text_of(self._installation, "state", ticket.state),
            updated_at=ticket.updated_at,
            next_due=min(due, default=None),
            organisation=self._installation.organisations[ticket.organisation].name,
        )

    async def receipt(self, token: str) -> ReceiptView | None:
        """The receipt behind a link, or None."""
        view = await self._view_of(token)
        if view is None:
            return None
        complaint = view.complaint
        organisation = self._installation.organisations[complaint.tenant]
        rule = organisation.policy.receipt
        return ReceiptView(
            organisation=organisation.name,
            organisation_slug=self._page_of[organisation.slug].slug,
            recorded=self._recorded(view, created=True),
            title=Text(rule.name, self._files.english("receipt_names", rule.name)),
            number_label=Text(rule.number_label, self._files.english("number_labels", rule.number_label)),
            category=text_of(self._installation, "category", complaint.category) if complaint.category else None,
            contact=contact_lines(organisation.policy),
            missing_documents=tuple(
                text_of(self._installation, "document", name) for name in complaint.missing_documents
            ),
            attachments=tuple(file.name_safe for file in complaint.attachments),
            reachable=bool(complaint.complainant.email or complaint.complainant.phone),
        )

    async def receipt_pdf(self, token: str) -> bytes | None:
        """The same receipt as signed PDF, or None."""
        view = await self._view_of(token)
        return None if view is None else await asyncio.to_thread(self._files.pdf, view)

    async def verify_code(self, code: str) -> Verdict:
        """Whether the statement in a receipt's QR code is one that we signed."""
        return self._files.verdict_of_code(code)

    async def verify(self, pdf: bytes) -> Verdict:
        """Whether `pdf` is one of our receipts, unchanged."""
        return await asyncio.to_thread(self._files.verdict, pdf)

    async def _view_of(self, token: str) -> TicketView | None:
        complaint_id = read_token(self._secret, token)
        if complaint_id is None:
            return None
        view = await asyncio.to_thread(self._store.ticket_of_complaint, complaint_id)
        if view is None:
            return None
        erased = await asyncio.to_thread(self._store.records.erasure, view.ticket.ticket_number)
        return view if erased is None else None

    def _recorded(self, view: TicketView, *, created: bool) -> Recorded:
        complaint, ticket = view.complaint, view.ticket
        organisation = self._installation.organisations[complaint.tenant]
        page = self._page_of[complaint.tenant]
        base = self._installation.config.public_url
        token = receipt_token(self._secret, complaint.complaint_id)
        return Recorded(
            ticket_number=complaint.ticket_number,
            access_code=access_code(self._secret, complaint.complaint_id),
            received_at=complaint.received_at,
            received_date=wib_date(complaint.received_at),
            contact=", ".join([organisation.policy.contact.unit, *(line.value for line in page.contact)]),
            first_response_due=ticket.first_response_due,
            resolve_due=ticket.resolve_due,
            notes=self._files.notes(view),
            status_url=f"{base}/status",
            receipt_url=f"{base}/r/{token}",
            receipt_pdf_url=f"{base}/r/{token}.pdf",
            created=created,
        )


def _pushed(connector: object) -> Push:
    if not isinstance(connector, Push):
        raise Unavailable("this channel did not start")
    return connector


def _admitting(connector: object) -> Admitting:
    if not isinstance(connector, Admitting):
        raise Unavailable("this channel did not start")
    return connector
