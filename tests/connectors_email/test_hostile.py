"""Mails built to break a reader: every one becomes what it should, within 256 MB and 5 s each (P24, B2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.email.parse import parse
from connectors.errors import Malformed
from connectors_email.hostile import ACCOUNT, AT
from normalizer.message import Delivery, Ignored, Message, Raw

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    """What became of each hostile mail in a process of its own with an address-space limit."""
    source = str(HERE.parents[1] / "src")
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile.py")],
        env={**os.environ, "PYTHONPATH": source}, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_each_becomes_what_it_should(outcomes: dict[str, dict[str, Any]]) -> None:
    found = {name: o for name, o in outcomes.items() if name}
    assert len(found) >= 100
    wrong = {
        name: o
        for name, o in found.items()
        if o["kind"] != ("message" if o["wanted"] == "any" else o["wanted"])
        or (o["wanted"] == "message" and not o["text"])
    }
    assert wrong == {}
    assert max(o["seconds"] for o in found.values()) <= 5
    assert outcomes[""]["peak_mb"] <= 256


def test_a_header_is_never_made_of_another(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["encoded_word_crlf"]["subject"] == "a Bcc: evil@x"
    assert outcomes["cr_in_header"]["flags"] == []
    assert outcomes["subject_brackets"]["subject"] == "[" * 998


def test_limits_are_flagged(outcomes: dict[str, dict[str, Any]]) -> None:
    flags = {name: set(o.get("flags", ())) for name, o in outcomes.items()}
    assert "too_many_parts" in flags["parts_100000"]
    assert "too_deep" in flags["multiparts_nested_2000"]
    assert "oversized_header" in flags["header_10_mb"]
    assert "oversized_header" in flags["encoded_words_100000"]
    assert "too_many_recipients" in flags["recipients_3000"]
    assert "malformed_structure" in flags["boundary_unterminated"]
    assert "duplicate_from" in flags["duplicate_from"]
    assert "authentication_conflict" in flags["forged_results_200"]
    assert {"tnef", "smime", "encrypted"} <= flags["tnef_smime_pgp"]


def test_nothing_forged_is_believed(outcomes: dict[str, dict[str, Any]]) -> None:
    assert [name for name, o in outcomes.items() if o.get("verified")] == []


def test_names_of_files_are_safe(outcomes: dict[str, dict[str, Any]]) -> None:
    names = {name: o["names"] for name, o in outcomes.items() if name.startswith("name_")}
    assert names["name_traversal"] == ["passwd"]
    assert names["name_windows"] == ["_con.txt"]
    assert names["name_rtl"] == ["invoicefdp.exe"]
    assert len(names["name_4_kb"][0]) <= 150
    assert names["name_nul"] == ["ab.pdf"]


FRAGMENTS = st.sampled_from(
    [
        b"From: a@b.example\r\n", b"To: cs@akseleran.example\r\n", b"Subject: =?utf-8?b?4oKs?=\r\n", b"\r\n",
        b"--b\r\n", b"--b--\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: text/html\r\n",
        b"<p>halo</p>",
        b"Content-Transfer-Encoding: base64\r\n", b"Auto-Submitted: auto-replied\r\n", b"Message-ID: <a@b>\r\n",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n", b"=?", b"?=", b'"', b"(", b"\0",
        b"Content-Type: message/delivery-status\r\n", b"Action: failed\r\n", b"\xff\xfe", b"\r", b" ", b";",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(st.one_of(FRAGMENTS, st.binary(max_size=12)), max_size=40))
def test_any_mixture_gives_one_event_or_malformed(pieces: list[bytes]) -> None:
    """P32: no other exception, and reading again gives the same."""
    raw = Raw(channel_id="c", received_at=AT, body=b"".join(pieces))
    if not raw.body.strip():
        with pytest.raises(Malformed, match="empty"):
            parse(raw, ACCOUNT)
        return
    found = parse(raw, ACCOUNT)
    assert isinstance(found[0], Message | Ignored | Delivery)
    assert parse(raw, ACCOUNT) == found
