"""The shipped lexicon, compiled once, and the values that most tests start from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from normalizer import lexicon as lexicons
from normalizer.completeness import DocumentRules
from normalizer.lexicon import Lexicon
from normalizer.message import Message, Sender
from normalizer.normalize import Context

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)
AKSELERAN_CATEGORIES = (
    "registration", "login", "late_repayment", "account_funding", "withdrawal", "site_inaccessible", "site_navigation",
    "slow_response", "funding_application", "wrong_information", "other_related", "other_unrelated",
)  # fmt: skip
AKSELERAN_DOCUMENTS = DocumentRules(
    listed=(
        "full_name", "id_address", "phone", "power_of_attorney", "transaction_type_date", "problem",
        "screenshot_or_recording", "other_relevant",
    ),
    required_when={
        "power_of_attorney": "represented",
        "screenshot_or_recording": "technical",
        "transaction_type_date": "about_transaction",
    },
)  # fmt: skip


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    yaml = YAML(typ="safe")
    return lexicons.compile(
        {file.stem: yaml.load(file) for file in sorted((ROOT / "config" / "lexicon").glob("*.yaml"))}
    )


@pytest.fixture(scope="session")
def categories() -> tuple[str, ...]:
    return AKSELERAN_CATEGORIES


@pytest.fixture(scope="session")
def documents() -> DocumentRules:
    return AKSELERAN_DOCUMENTS


@pytest.fixture(scope="session")
def context(lexicon: Lexicon) -> Callable[..., Context]:
    def make(**changes: Any) -> Context:
        values: dict[str, Any] = {
            "complaint_id": "01KE6Z2V8Q0000000000000000",
            "ticket_number": "AKS-20260105-000123-7",
            "tenant": "akseleran",
            "channel_id": "akseleran-whatsapp",
            "policy_id": "akseleran",
            "policy_version": "1",
            "calendar_version": "id-2026.1",
            "form": "written",
            "effective_received_date": date(2026, 1, 5),
            "received_at": NOON,
            "ingested_at": NOON,
            "categories": AKSELERAN_CATEGORIES,
            "documents": AKSELERAN_DOCUMENTS,
            "lexicon": lexicon,
        }
        return Context(**(values | changes))

    return make


@pytest.fixture(scope="session")
def message() -> Callable[..., Message]:
    def make(text: str = "", **changes: Any) -> Message:
        values: dict[str, Any] = {
            "channel": "whatsapp",
            "account": "1234567890",
            "key": "whatsapp:1234567890:wamid.1",
            "external_id": "wamid.1",
            "sent_at": NOON,
            "sender": Sender(key="wa:ID.1349"),
            "text": text,
        }
        return Message(**(values | changes))

    return make
