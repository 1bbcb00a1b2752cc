"""Real policies, real wording, and complaints as the normalizer makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from connectors.facts import Fact, Facts
from normalizer.complaint import Complainant, Complaint
from outbox_at_work import Bench, MakeComplaint, MakeFacts, MakeItem, Provider
from receipts.document import Issuer
from receipts.notice_values import data_of
from receipts.signature import SigningKey, open_key
from receipts.terms import Terms, terms_of
from receipts.texts import Links, write
from receipts.wording import Language, Medium, Wording
from receipts.wording_load import load_wording
from receipts.writer import ReceiptWriter
from tickets.lifecycle_values import Notice
from tickets.model import OutboxItem, OutboxRow, Route, Ticket
from tickets.policy_load import load_labels, load_policy
from tickets.store import Store

CONFIG = Path(__file__).parents[2] / "config"
NAMES = {"klikacc": "KlikACC", "akseleran": "Akseleran", "klikumkm": "klikUMKM"}
URL = "https://aduan.example.co.id"
GIVEN = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)
RECEIVED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)  # Monday, 10.00 WIB


@pytest.fixture(scope="session")
def wording() -> Wording:
    return load_wording(CONFIG / "wording")


@pytest.fixture(scope="session")
def terms(wording: Wording) -> dict[str, Terms]:
    labels = load_labels(CONFIG / "policies" / "labels.yaml")
    files = {"klikacc": "klikacc", "akseleran": "akseleran", "klikumkm": "klikumkm-demo"}
    return {
        key: terms_of(
            load_policy(CONFIG / "policies" / f"{file}.yaml"),
            organisation_name=NAMES[key],
            wording=wording,
            labels=labels,
            procedure_url="https://aduan.example.co.id/p",
        )
        for key, file in files.items()
    }


def facts(**values: Any) -> Facts:
    """Facts of a channel without limits worth speaking of, with `values` changed."""
    plain: dict[str, Any] = {
        "name": "Test",
        "max_text": 4096,
        "text_unit": "characters",
        "private_reply": "same_thread",
        "reply_window_hours": None,
        "attachments_in": True,
        "attachments_out": True,
        "max_attachment_bytes": None,
        "delivery_reports": True,
        "counts_as_written": True,
        "max_body_bytes": 0,
        "sends_per_second": None,
        "ambiguous_evidence": "none",
        "ambiguous_wait_seconds": 0.0,
        "media_hosts": [],
        "redelivery_hours": 24.0,
    }
    day = date(2026, 1, 1)
    return Facts(**{k: Fact(value=v, source="test", read_on=day) for k, v in {**plain, **values}.items()})


def complaint(organisation: str = "klikacc", **changes: Any) -> Complaint:
    """A complaint received on Monday 2026-01-05 at 10.00 WIB."""
    given: dict[str, Any] = {
        "complaint_id": "01JGTEST000000000000000001",
        "ticket_number": "KLA-20260105-000123-7",
        "policy_id": organisation,
        "policy_version": "1",
        "calendar_version": "1",
        "tenant": organisation,
        "channel": "whatsapp",
        "channel_account": "acc",
        "channel_id": f"{organisation}-whatsapp",
        "received_at": RECEIVED,
        "ingested_at": RECEIVED,
        "effective_received_date": date(2026, 1, 5),
        "complainant": Complainant(full_name="Budi Santoso", phone="+628129999000", verified=True),
        "narrative": "Saldo saya hilang Rp1.500.000",
        **changes,
    }
    return Complaint(**given)


def ticket(of: Complaint, **changes: Any) -> Ticket:
    """The ticket of a complaint, with an answer due on Thursday 2026-01-08."""
    given: dict[str, Any] = {
        "ticket_number": of.ticket_number,
        "complaint_id": of.complaint_id,
        "organisation": of.tenant,
        "opened_at": RECEIVED,
        "updated_at": RECEIVED,
        "first_response_due": date(2026, 1, 8),
        "deadlines": {},
        "policy_id": of.policy_id,
        "policy_version": "1",
        "calendar_version": "1",
        "access_code_hash": "set",
        **changes,
    }
    return Ticket(**given)


def item(of: Complaint, *, template: str = "receipt", route: Route | None = None, **changes: Any) -> OutboxItem:
    """The due message of a complaint on the thread it came by."""
    ticket_changes = changes.pop("ticket", {})
    way = route or Route(channel_id=of.channel_id, recipient="+628129999000", channel=of.channel)
    row: dict[str, Any] = {
        "key": "01JGROW0000000000000000001",
        "organisation": of.tenant,
        "complaint_id": of.complaint_id,
        "template": template,
        "language": "id",
        "routes": (way,),
        "due_at": RECEIVED,
        **changes,
    }
    return OutboxItem(row=OutboxRow(**row), complaint=of, ticket=ticket(of, **ticket_changes))


@pytest.fixture(name="make_facts", scope="session")
def _make_facts() -> Callable[..., Facts]:
    return facts


@pytest.fixture(name="make_complaint", scope="session")
def _make_complaint() -> Callable[..., Complaint]:
    return complaint


@pytest.fixture(name="make_item", scope="session")
def _make_item() -> Callable[..., OutboxItem]:
    return item


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "keys"


@pytest.fixture(name="key", scope="module")
def _key(folder: Path) -> SigningKey:
    return open_key(folder)


@pytest.fixture(name="issuer", scope="module")
def _issuer(key: SigningKey, wording: Wording) -> Issuer:
    return Issuer(key=key, wording=wording, public_url=URL)


@pytest.fixture(name="said")
def _said(wording: Wording, terms: dict[str, Terms]) -> Callable[..., str]:
    """What a notice that is given on 7 January 2026 says on a medium, in a language."""

    def said(notice: Notice, organisation: str = "klikacc", medium: Medium = "chat", language: Language = "id") -> str:
        due = item(complaint(organisation))
        written = write(
            f"notice_{notice.kind}", medium, due.complaint, due.ticket, wording=wording, terms=terms[organisation],
            language=language, access_code=None, links=Links(), data=data_of(notice, GIVEN),
        )  # fmt: skip
        return f"{written.subject}\n{written.body}" if written.subject else written.body

    return said


@pytest.fixture(name="bench")
async def _bench(
    tmp_path: Path, wording: Wording, terms: dict[str, Terms], make_facts: MakeFacts, make_complaint: MakeComplaint,
    make_item: MakeItem,
) -> AsyncIterator[Bench]:  # fmt: skip
    provider = Provider()
    runner = web.AppRunner(provider.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    writer = ReceiptWriter(wording=wording, terms=terms, secret=b"s" * 32, public_url="https://aduan.test", issuer=None)
    async with aiohttp.ClientSession() as session:
        store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
        bench = Bench(store, provider, f"http://{host}:{port}", session, writer, make_facts, make_complaint, make_item)
        try:
            yield bench
        finally:
            provider.release.set()
            bench.close()
    await runner.cleanup()
