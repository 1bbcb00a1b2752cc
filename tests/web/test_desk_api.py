"""The API of the desk, over a running installation: who comes in, what they see, what they may do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
import pytest_asyncio

from harness import Aduan, start_aduan, until
from harness.customer import WhatsApp, number_in, ticket
from harness.desk import Program, hire
from tickets.matching import Match
from tickets.model import QuarantineRow, Records, TaskRow
from tickets.people import Role, new_token
from web.desk_api.operations import OPERATIONS

ANSWER = {"event": "first_response", "text": "Kami sedang memeriksa mutasi saldo Anda."}
PEOPLE: Mapping[str, tuple[Role, tuple[str, ...]]] = {
    "rina": ("agent", ("klikacc",)),
    "sari": ("supervisor", ("*",)),
    "tono": ("auditor", ("*",)),
    "umar": ("admin", ("akseleran",)),
}


def whatsapp_only(config: dict[str, Any]) -> None:
    """Keeps the channels that the tests write by."""
    kept = {"klikacc-whatsapp", "akseleran-whatsapp"}
    config["channels"] = {name: value for name, value in config["channels"].items() if name in kept}
    del config["organisations"]["klikumkm"]


@pytest_asyncio.fixture
async def aduan(tmp_path: Path) -> AsyncIterator[Aduan]:
    async with start_aduan(tmp_path, whatsapp_only) as running:
        yield running


@pytest_asyncio.fixture
async def session(aduan: Aduan) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(aduan.url) as opened:
        yield opened


@pytest.fixture
def programs(aduan: Aduan) -> Mapping[str, Program]:
    """One program for each person."""
    return {name: hire(aduan, name, *what) for name, what in PEOPLE.items()}


@pytest.fixture
def customer(aduan: Aduan) -> WhatsApp:
    """Somebody who writes to KlikACC by WhatsApp."""
    return WhatsApp(aduan, "klikacc", "meta", "6281234567890")


@pytest_asyncio.fixture
async def number(customer: WhatsApp) -> str:
    """The customer's complaint, which has its receipt."""
    await customer.say("Saldo saya terpotong dua kali.")
    return number_in(await customer.receipt())


async def test_without_a_token_nobody_comes_in(session: aiohttp.ClientSession, number: str) -> None:
    for operation in OPERATIONS:
        path = operation.path.format(number=number, id="x", organisation="klikacc", kind="monthly", period="2026-01")
        for headers in ({}, {"Authorization": "Basic cmluYTp4"}, {"Authorization": "Bearer adn_x"}):
            async with session.request(operation.method, path, headers=headers) as answer:
                assert answer.status == 401, operation
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert answer.content_type == "application/problem+json"


async def test_wrong_tokens_are_slowed_down(session: aiohttp.ClientSession) -> None:
    wrong = {"Authorization": f"Bearer {new_token('x', 'x', now=datetime.now(UTC))[1]}"}
    seen = []
    for _ in range(25):
        async with session.get("/api/v1/tickets", headers=wrong) as answer:
            seen.append(answer.status)
    assert seen[0] == 401
    assert seen[-1] == 429


async def test_an_answer_reaches_the_customer(
    aduan: Aduan, programs: Mapping[str, Program], customer: WhatsApp, number: str
) -> None:
    """K7: the first answer goes out by the thread it came on, and the ticket's clock stops."""
    rina = programs["rina"]
    status, lines = await rina.get("/api/v1/tickets?state=open")
    assert (status, [line["ticket_number"] for line in lines]) == (200, [number])
    status, done = await rina.post(f"/api/v1/tickets/{number}/events", ANSWER)
    assert status == 200, done
    assert (done["state"], done["revision"]) == ("in_progress", 1)
    assert done["state_before"] == "received"
    assert done["dates"] == []
    assert [notice["state"] for notice in done["notices"]] == ["due"]
    await until(lambda: any("memeriksa mutasi" in text for text in customer.heard()))
    status, shown = await rina.get(f"/api/v1/tickets/{number}")
    assert status == 200
    assert shown["complaint"]["first_response_at"] is not None
    assert "access_code_hash" not in shown["ticket"]
    view = aduan.running.store.ticket(number)
    assert view is not None
    assert [(event.actor, event.type) for event in view.audit if event.actor == "rina"] == [
        ("rina", "ticket.first_response"),
        ("rina", "access.read"),
    ]


async def test_a_refusal_names_its_rule_in_both_languages(programs: Mapping[str, Program], number: str) -> None:
    """K15: without a rejection in the policy nothing is rejected, whoever asks."""
    rejection = {"event": "rejected", "ground": "unrelated", "reasons": "Bukan layanan kami, melainkan pihak lain."}
    status, problem = await programs["sari"].post(f"/api/v1/tickets/{number}/events", rejection)
    assert status == 422
    assert problem["rule"] == "rejection"
    assert problem["type"].startswith("urn:aduan:refusal:")
    assert problem["detail"] != problem["detail_id"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("tono", ANSWER, 403),
        ("umar", ANSWER, 404),
        ("rina", {"event": "hold_set", "reason": "perkara"}, 403),
        ("sari", {"event": "hold_set", "reason": "perkara"}, 200),
        ("sari", {"event": "clock_passed", "clock": "resolve", "mark": "breached", "percent": 100}, 403),
        ("sari", {"event": "silence_expired"}, 403),
        ("rina", {"event": "first_response"}, 400),
        ("rina", {"event": "first_response", "text": "x", "txet": "y"}, 400),
        ("rina", {"event": "no_such_event"}, 400),
        ("rina", ["first_response"], 400),
    ],
    ids=str,
)
async def test_who_may_what(programs: Mapping[str, Program], number: str, name: str, body: Any, status: int) -> None:
    found, answer = await programs[name].post(f"/api/v1/tickets/{number}/events", body)
    assert found == status, answer


async def test_what_is_no_json_is_named(programs: Mapping[str, Program], session: aiohttp.ClientSession) -> None:
    path = "/api/v1/tickets/KLA-20260105-000001-8/events"
    headers = programs["rina"].headers | {"Content-Type": "application/json"}
    for body, status in ((b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b"x" * 200_000, 413)):
        async with session.post(path, data=body, headers=headers) as answer:
            assert answer.status == status
    async with session.post(path, data=b"{}", headers=headers | {"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415


async def test_who_was_slower_is_told(programs: Mapping[str, Program], number: str) -> None:
    path = f"/api/v1/tickets/{number}/events"
    rina = programs["rina"]
    assert (await rina.post(path, ANSWER, **{"If-Match": '"0"'}))[0] == 200
    note = {"event": "classified", "product": "Pinjaman"}
    status, problem = await programs["sari"].post(path, note, **{"If-Match": '"0"'})
    assert (status, problem["type"]) == (409, "urn:aduan:problem:stale")
    assert (await programs["sari"].post(path, note, **{"If-Match": "1"}))[0] == 200
    assert (await rina.post(path, note, **{"If-Match": "soon"}))[0] == 400


async def test_the_same_key_does_the_same_once(programs: Mapping[str, Program], number: str) -> None:
    path = f"/api/v1/tickets/{number}/events"
    rina = programs["rina"]
    first = await rina.post(path, ANSWER, **{"Idempotency-Key": "a1"})
    again = await rina.post(path, ANSWER, **{"Idempotency-Key": "a1"})
    assert (first[0], again[0]) == (200, 200)
    assert (first[1]["repeated"], again[1]["repeated"]) == (False, True)
    assert again[1]["revision"] == 1


async def test_a_dry_run_changes_nothing(aduan: Aduan, programs: Mapping[str, Program], number: str) -> None:
    path = f"/api/v1/tickets/{number}/events?dry_run=true"
    status, done = await programs["rina"].post(path, ANSWER)
    assert (status, done["dry_run"], done["state"]) == (200, True, "in_progress")
    view = aduan.running.store.ticket(number)
    assert view is not None
    assert view.ticket.state == "received"


async def test_everybody_sees_their_own(programs: Mapping[str, Program], number: str) -> None:
    for name, expected in (("rina", [number]), ("tono", [number]), ("umar", [])):
        status, lines = await programs[name].get("/api/v1/tickets")
        assert (status, [line["ticket_number"] for line in lines]) == (200, expected)
    assert (await programs["umar"].get(f"/api/v1/tickets/{number}"))[0] == 404
    assert (await programs["umar"].get("/api/v1/tickets?organisation=klikacc"))[0] == 404
    assert (await programs["rina"].get("/api/v1/tickets/KLA-20260105-999999-0"))[0] == 404
    assert [each["id"] for each in (await programs["umar"].get("/api/v1/channels"))[1]] == ["akseleran-whatsapp"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "limit=²", "stat=open", "state=open&state=open", "limit=9999999999"]
)
async def test_a_query_that_makes_no_sense_is_named(programs: Mapping[str, Program], query: str) -> None:
    status, problem = await programs["rina"].get(f"/api/v1/tickets?{query}")
    assert status == 400
    assert problem["errors"][0]["message_id"] != problem["errors"][0]["message_en"]


async def test_tasks_and_quarantine_are_decided(aduan: Aduan, programs: Mapping[str, Program]) -> None:
    now = datetime.now(UTC)
    task = TaskRow(id="T1", organisation="klikacc", complaint_id=None, kind="needs_agent", reason="x", opened_at=now)
    item = QuarantineRow(
        id="Q1", raw_id="R1", organisation="klikacc", channel_id="klikacc-whatsapp", path="$", reason="x", at=now
    )
    with aduan.running.store.begin() as tx:
        tx.add(Records(tasks=[task], quarantine=[item]))
    rina, tono, umar = programs["rina"], programs["tono"], programs["umar"]
    assert "T1" in [each["id"] for each in (await rina.get("/api/v1/tasks"))[1]]
    assert [each["id"] for each in (await rina.get("/api/v1/quarantine"))[1]] == ["Q1"]
    assert (await umar.get("/api/v1/quarantine"))[1] == []
    for path in ("/api/v1/tasks/T1/close", "/api/v1/quarantine/Q1/dismiss"):
        assert (await tono.post(path))[0] == 403
        assert (await umar.post(path))[0] == 404
        assert (await rina.post(path))[0] == 204
        assert (await rina.post(path))[0] == 404
    assert (await rina.get("/api/v1/quarantine"))[1] == []


async def test_a11_what_belongs_together_is_decided(
    aduan: Aduan, programs: Mapping[str, Program], customer: WhatsApp, number: str
) -> None:
    other = WhatsApp(aduan, "klikacc", "meta", "6281234567891")
    await other.say("Saldo saya terpotong dua kali juga.")
    second = number_in(await other.receipt())
    older, newer = (ticket(aduan, each).complaint.complaint_id for each in (number, second))
    for id_, kind in (("P1", "same"), ("P2", "crowd")):
        match = Match(complaint_id=newer, other_id=older, shared=("phone",), likeness=0.8, words=("saldo",))
        with aduan.running.store.begin() as tx:
            tx.proposals.propose(id_, kind, "klikacc", match)  # type: ignore[arg-type]  # one of its words
    rina, tono, umar = programs["rina"], programs["tono"], programs["umar"]
    listed = (await rina.get("/api/v1/proposals"))[1]
    assert [(each["id"], each["number"], each["other"]) for each in listed] == [
        ("P1", second, number),
        ("P2", second, number),
    ]
    assert (await umar.get("/api/v1/proposals"))[1] == []
    assert (await umar.post("/api/v1/proposals/P1/confirm"))[0] == 404
    assert (await tono.post("/api/v1/proposals/P1/confirm"))[0] == 403
    assert (await rina.post("/api/v1/proposals/P2/refuse"))[0] == 204
    status, done = await rina.post("/api/v1/proposals/P1/confirm")
    assert (status, done["into"]) == (200, number)
    assert (await rina.post("/api/v1/proposals/P1/confirm"))[0] == 404


async def test_a_late_entry_says_when_it_happened(programs: Mapping[str, Program], number: str) -> None:
    path = f"/api/v1/tickets/{number}/events"
    rina = programs["rina"]
    for at, status in (("soon", 400), ("2026-01-05T10:00:00", 400), ("2999-01-05T10:00:00%2B07:00", 422)):
        assert (await rina.post(f"{path}?at={at}", ANSWER))[0] == status
    assert (await rina.post(f"{path}?at=2020-01-05T10:00:00+07:00", ANSWER))[1]["type"].endswith("before_receipt")


async def test_k19_the_figures_of_a_report(programs: Mapping[str, Program], number: str) -> None:
    this_month = datetime.now(UTC).strftime("%Y-%m")
    path = "/api/v1/organisations/klikacc/reports/{}/{}"
    status, report = await programs["tono"].get(path.format("monthly", this_month))
    assert status == 200, report
    sections = {table["section"] for table in report["tables"]}
    assert sections >= {"product_problem", "settled_in_period", "causes", "negative_publication"}
    assert (await programs["tono"].get(path.format("monthly", "2026-Q1")))[0] == 400
    # Due in a year whose holidays nobody knows yet: the figures are known all the same.
    status, report = await programs["tono"].get(path.format("monthly", "2027-12"))
    assert (status, report.get("due", "?")) == (200, None), report
    for far in ("9999-12", "0001-01"):
        assert (await programs["tono"].get(path.format("monthly", far)))[0] == 400
    assert (await programs["tono"].get(path.format("yearly", this_month)))[0] == 404
    assert (await programs["umar"].get(path.format("monthly", this_month)))[0] == 404


async def test_the_description_describes_what_is_answered(
    session: aiohttp.ClientSession, programs: Mapping[str, Program], number: str
) -> None:
    async with session.get("/openapi.json") as answer:
        assert answer.status == 200
        described = await answer.json()
    assert described["openapi"].startswith("3.1")
    schemas = described["components"]["schemas"]

    def check(name: str, value: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    mounted = {(each.method.lower(), each.path) for each in OPERATIONS}
    assert {(method, path) for path, methods in described["paths"].items() for method in methods} == mounted
    check("TicketLine", (await programs["rina"].get("/api/v1/tickets"))[1][0])
    check("TicketView", (await programs["rina"].get(f"/api/v1/tickets/{number}"))[1])
    check("Event", ANSWER)
    with pytest.raises(jsonschema.ValidationError):
        check("Event", {"event": "first_response"})
    assert "ClockPassed" not in schemas
    assert "access_code_hash" not in json.dumps(described)
