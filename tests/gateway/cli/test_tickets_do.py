"""`aduan tickets do` and `events`: words become an event, an answer says what changed, a refusal names its rule."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from desk_at_work import CUSTOMER, STORY, DeskAtWork
from gateway.handling_events import kinds
from harness import start_aduan, until
from harness.customer import drained, ticket
from harness.settings import only
from tickets import lifecycle_events as events
from tickets.store import TicketView

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskAtWork, str]]:
    """A desk with one ticket, for tests after which it must be as before."""
    desk = DeskAtWork(tmp_path_factory.mktemp("desk"))
    yield desk, desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.close()


def test_every_event_is_listed_with_its_fields_and_who_may_say_it(run: Run) -> None:
    said = run("tickets", "events")
    assert said.code == 0
    for kind in kinds():
        assert f"\n{kind.event}  (" in f"\n{said.out}"
    assert "clock_passed  (the clock alone" in said.out
    assert "accepted  (staff / petugas, on the word of the complainant" in said.out
    listed = {each["event"]: each for each in run("tickets", "events", "--json").json}
    assert listed["silence_expired"]["by"] == "clock"
    fields = {field["name"]: field for field in listed["responded"]["fields"]}
    assert (fields["kind"]["takes"], fields["kind"]["required"]) == ("explanation|offer", True)
    assert fields["remedies"]["required"] is False


def test_k7_a_first_answer_is_recorded_and_says_what_follows(run: Run, desk: DeskAtWork, number: str) -> None:
    """K7, K10: the state, the message and its route, as lines and as JSON; the log names who did it."""
    answer = run(
        "tickets", "do", number, "first_response", "text=Kami sedang memeriksa.", "--actor", "siti",
        "--config", desk.config,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert f"{number}  first_response: received -> in_progress (revision 1)" in answer.out
    assert "notice_first_response" in answer.out
    view = desk.view(number)
    assert view.audit[-1].actor == "siti"
    shown = run("tickets", "show", number, "--config", desk.config)
    assert "revision 1" in shown.out
    assert "penyelesaian / resolution" in shown.out
    told = run("tickets", "show", number, "--json", "--config", desk.config).json
    assert told["ticket"]["life"]["revision"] == 1


def test_k11_an_extension_shows_the_new_date_with_its_days(run: Run, desk: DeskAtWork, tmp_path: Path) -> None:
    """K11, R7: the long text comes from a file; the answer says from which date to which, and the days counted."""
    desk.now = datetime.now(UTC) - timedelta(minutes=1)
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    cause = tmp_path / "cause.txt"
    cause.write_text("Kami menunggu hasil pemeriksaan khusus.\n", encoding="utf-8")
    config = ("--config", desk.config)
    assert run("tickets", "do", number, "first_response", "text=Kami periksa.", *config).code == 0
    old = desk.view(number).ticket.resolve_due
    said = run(
        "tickets", "do", number, "extension_granted", "ground=special_examination", f"cause=@{cause}", "days=20",
        *config,
    )  # fmt: skip
    assert said.code == 0, said.err
    view = desk.view(number)
    new = view.ticket.resolve_due
    assert f"penyelesaian / resolution: {old} -> {new}" in said.out
    assert "dihitung / counted (" in said.out
    assert view.ticket.life.extensions[0].cause == "Kami menunggu hasil pemeriksaan khusus."
    assert f"{old} -> {new}, special_examination" in run("tickets", "show", number, *config).out


def test_k11_an_extension_that_comes_too_late_is_refused(run: Run, desk: DeskAtWork, number: str) -> None:
    """K11, R7: the notice would go out today, long after the old date; dating the entry back does not help."""
    words = ("tickets", "do", number, "extension_granted", "ground=special_examination", "cause=a", "days=20")
    common = ("--config", desk.config, "--json")
    for at in ((), ("--at", "2026-01-05T11:00")):
        late = run(*words, *at, *common)
        assert late.code == 1
        refused = late.json["refused"]
        assert "K11" in refused["sources"]
        assert refused["message_id"] != refused["message_en"]


def test_a_dry_run_prints_the_same_and_writes_nothing(run: Run, desk: DeskAtWork, number: str) -> None:
    before = desk.view(number)
    words = ("tickets", "do", number, "first_response", "text=Kami periksa.", "--dry-run", "--config", desk.config)
    said = run(*words)
    assert said.code == 0
    assert "nothing was changed" in said.out
    told = run(*words, "--json").json
    assert (told["dry_run"], told["state_before"], told["state"]) == (True, "received", "in_progress")
    assert [notice["channel"] for notice in told["notices"]] == [
        notice["channel"] for notice in told["notices"] if notice["state"] in {"due", "suppressed"}
    ]
    assert CUSTOMER not in json.dumps(told)
    assert desk.view(number) == before


def test_a_refusal_is_a_sentence_in_two_languages_with_its_rule(run: Run, desk: DeskAtWork, number: str) -> None:
    """A21: KlikACC published no ground to reject; the refusal says so."""
    reasons = "reasons=Dokumen yang kami minta tidak pernah dilengkapi sampai hari ini."
    refused = run("tickets", "do", number, "rejected", "ground=unrelated", reasons, "--config", desk.config)
    assert (refused.code, refused.out) == (1, "")
    indonesian, english, rule = refused.err.splitlines()
    assert indonesian != english
    assert rule == "  aturan / rule: rejection [rejection_not_published]"
    assert desk.view(number).ticket.life.revision == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["apologised"], "there is no event `apologised`"),
        (["respondd"], "did you mean `responded`?"),
        (["clock_passed", "clock=resolve", "mark=breached", "percent=100"], "there is no event `clock_passed`"),
        (["silence_expired"], "there is no event `silence_expired`"),
        (["first_response"], "text: is missing"),
        (["first_response", "text=a", "tone=kind"], "tone: there is no such field"),
        (["first_response", "text=a", "text=b"], "is given twice"),
        (["first_response", "text"], "is not FIELD=VALUE"),
        (["first_response", "text=@/no/such/file"], "cannot be read"),
        (["escalated", "level=two"], "level: takes whole number"),
        (["escalated", "level=1"], "level: takes whole number: Expected `int` >= 2"),
        (["responded", "kind=gift", "finding=fault", "text=a"], "kind: takes explanation|offer"),
        (["accepted", "oral=yes"], "oral: takes true|false"),
        (["documents_requested", "documents="], "documents: takes word,word"),
        (["extension_granted", "ground=x", "cause=y", "until=tomorrow"], "until: takes date"),
        (["first_response", "text=a", "--actor", "clock"], "stands for the system"),
        (["first_response", "text=a", "--actor", "Siti A"], "as a login name"),
        (["first_response", "text=a", "--at", "2026-01-05"], "time of day"),
    ],
)
def test_wrong_words_are_named_with_what_there_is(
    run: Run, untouched: tuple[DeskAtWork, str], words: list[str], says: str
) -> None:
    desk, number = untouched
    answer = run("tickets", "do", number, *words, "--config", desk.config)
    assert answer.code == 2, answer.out
    assert says in answer.err
    assert desk.view(number).ticket.life.revision == 0


def test_all_wrong_fields_are_named_at_once(run: Run, desk: DeskAtWork, number: str) -> None:
    answer = run("tickets", "do", number, "responded", "kind=x", "findin=fault", "--config", desk.config)
    for name in ("kind: ", "findin: ", "finding: ", "text: ", "responded takes "):
        assert name in answer.err


def test_u_numbers_and_keys_that_do_not_fit(run: Run, desk: DeskAtWork, number: str) -> None:
    common = ("--config", desk.config)
    unknown = run("tickets", "do", "KLA-20260105-000999-9", "first_response", "text=a", *common)
    assert unknown.code == 1
    assert "There is no ticket" in unknown.err
    first = ("tickets", "do", number, "first_response", "text=a", "--key", "k1", "--revision", "0", *common)
    assert run(*first).code == 0
    again = run(*first)
    assert again.code == 0
    assert "was recorded before" in again.out
    stale = run("tickets", "do", number, "hold_set", "reason=sengketa", "--revision", "0", *common)
    assert stale.code == 1
    assert "[changed_since]" in stale.err


def test_a_busy_store_is_said_plainly(run: Run, desk: DeskAtWork, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, the command waits its while; then it says that nothing was changed."""
    monkeypatch.setattr("tickets.store.dialect.BUSY_SECONDS", 0.05)
    with desk.store.begin():
        answer = run("tickets", "do", number, "first_response", "text=a", "--config", desk.config)
    assert answer.code == 1
    assert "busy" in answer.err
    assert desk.view(number).ticket.life.revision == 0


async def test_beside_a_running_server_the_customer_hears_of_it(tmp_path: Path) -> None:
    """Two processes, one store: messages and the command's event are all kept, and the notice goes out."""
    async with start_aduan(tmp_path, only("klikacc-whatsapp")) as aduan:
        cloud = aduan.clouds["klikacc"]
        await cloud.inject_text(CUSTOMER, STORY)
        await until(lambda: [sent for sent in cloud.sent if sent.to == CUSTOMER])
        (number,) = aduan.ticket_numbers()
        command = [
            str(Path(sys.executable).with_name("aduan")), "tickets", "do", number, "first_response",
            "text=Kami sedang memeriksa transaksi Anda.", "--actor", "siti", "--config", str(aduan.config_path),
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
        reading = asyncio.create_task(process.communicate())
        count = 0
        while not reading.done():
            # The server writes all the while.
            count += 1
            await cloud.inject_text(CUSTOMER, f"Tolong cepat ya, ini yang ke-{count}")
            await drained(aduan)
        out, err = await reading
        assert process.returncode == 0, err.decode()
        assert b"received -> in_progress" in out
        await until(lambda: [sent for sent in cloud.sent if "Kami sedang memeriksa transaksi Anda." in sent.text])
        await drained(aduan)
        view: TicketView = ticket(aduan, number)
        assert len(view.messages) == 1 + count
        assert view.ticket.state == "in_progress"
        assert aduan.running.store.verify_audit().intact


def test_g10_a_letter_that_was_brought_is_done_and_the_clock_may_go_on(run: Run, desk: DeskAtWork) -> None:
    """G10: an answer without a route is brought by a person; the command line ends that task, and says what is open."""
    number = desk.whatsapp("klikacc", CUSTOMER, STORY)
    desk.pass_time(days=2)
    desk.done(number, events.Responded(kind="explanation", finding="no_fault", text="Transaksi Anda sesuai."))
    assert "bring_letter" in desk.open_tasks(number)
    wrong = run("tickets", "done", number, "brought", "--actor", "siti", "--config", desk.config)
    assert (wrong.code, "bring_letter" in wrong.err) == (1, True)
    right = run("tickets", "done", number.lower(), "bring_letter", "--actor", "siti", "--config", desk.config)
    assert right.code == 0, right.err
    assert "bring_letter" not in desk.open_tasks(number)
    assert run("tickets", "done", number, "bring_letter", "--actor", "clock", "--config", desk.config).code == 2
    assert desk.store.verify_audit().intact


@pytest.mark.parametrize(
    ("event", "field", "says"),
    [("first_response", "text=Sedang kami \udcff periksa", "UTF-8"), ("classified", f"product={'x' * 201}", "product")],
)
def test_what_is_no_text_or_no_name_is_wrong_usage(
    run: Run, untouched: tuple[DeskAtWork, str], event: str, field: str, says: str
) -> None:
    desk, number = untouched
    before = desk.view(number)
    answer = run("tickets", "do", number, event, field, "--actor", "siti", "--config", desk.config)
    assert (answer.code, says in answer.err) == (2, True), answer.err
    assert desk.view(number) == before
