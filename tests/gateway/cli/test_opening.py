"""`aduan tickets open`: staff enter a call, a visit or a letter on the server's machine, and print the receipt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.staff.person import prove
from gateway.cli.entering import login_name
from gateway.keys import installation_secret
from harness import Aduan, free_ports, start_aduan
from harness.customer import number_in, ticket
from harness.settings import only
from web_samples import png

Run = Callable[..., Any]
TEXT = "Dana pinjaman saya belum cair."


def _change(config: dict[str, Any]) -> None:
    only("klikacc-staff", "klikacc-form", "akseleran-staff")(config)
    config["channels"]["klikacc-form"]["slug"] = "klik-acc"
    for slug in ("klikacc", "akseleran"):
        config["channels"][f"{slug}-staff"]["received_within_days"] = 36_500


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aduan(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aduan]:
    """A running server with staff of two institutions; the form of one stands under another name."""
    async with start_aduan(tmp_path_factory.mktemp("aduan"), _change) as running:
        yield running


@pytest.fixture
def opens(run: Run, aduan: Aduan) -> Callable[..., Any]:
    """Runs `aduan tickets open` beside the running server."""

    async def command(*words: object, given: str = "") -> Any:
        return await asyncio.to_thread(run, "tickets", "open", *words, "--config", aduan.config_path, given=given)

    return command


@pytest.mark.asyncio(loop_scope="module")
async def test_a_call_is_entered_read_out_and_printed(
    aduan: Aduan, opens: Callable[..., Any], run: Run, tmp_path: Path
) -> None:
    """K3-K7: number, date, contact and deadlines in both languages, and a signed PDF for this account's eyes."""
    pdf = tmp_path / "tanda-terima.pdf"
    found = await opens(
        "--organisation", "klikacc", "--channel", "phone", "--name", "Siti Aminah", "--phone", "0812-3456-7890",
        "--text", TEXT, "--received", "2026-01-10T10:00", "--receipt", pdf,
    )  # fmt: skip
    assert found.code == 0, found.err
    number = number_in(found.out)
    for words in (
        "oral", "10:00 WIB", "counts from  2026-01-12", "2026-01-15", "+6281585629508", "support@klikacc.com",
        "Bacakan kepada pelanggan:", "paling lambat Kamis, 15 Januari 2026", "Read out to the customer:",
        "Thursday, 15 January 2026", "bacakan / read it out", str(pdf),
    ):  # fmt: skip
        assert words in found.out, words
    view = ticket(aduan, number)
    assert view.complaint.entered_by == f"cli:{login_name()}"
    assert view.complaint.complainant.phone == "+6281234567890"
    assert pdf.stat().st_mode & 0o077 == 0
    assert (await asyncio.to_thread(run, "verify", pdf, "--config", aduan.config_path)).code == 0


@pytest.mark.asyncio(loop_scope="module")
async def test_a_letter_from_a_file_with_its_scan(aduan: Aduan, opens: Callable[..., Any], tmp_path: Path) -> None:
    """A5: text from standard input, a scan, a power of attorney, further fields; JSON for programs."""
    scan, paper = tmp_path / "surat é.png", tmp_path / "surat kuasa.png"
    scan.write_bytes(png(5, 5))
    paper.write_bytes(png(6, 6))
    found = await opens(
        "--organisation", "akseleran", "--channel", "letter", "--text-file", "-", "--received", "2026-03-02",
        "--attach", scan, "--power-of-attorney", paper, "--field", "category=withdrawal",
        "--field", "representative_name=Agus", "--as", "rina", "--json", given=f"{TEXT}\nHormat saya",
    )  # fmt: skip
    assert found.code == 0, found.err
    said = found.json
    assert (said["channel"], said["form"], said["received_date"]) == ("letter", "written", "2026-03-02")
    assert said["entered_by"] == "cli:rina"
    view = ticket(aduan, said["ticket_number"])
    assert view.complaint.narrative == f"{TEXT}\nHormat saya"
    assert view.complaint.category == "withdrawal"
    assert view.complaint.representative is not None
    assert view.complaint.representative.poa_status == "received"
    assert sorted(file.name_safe for file in view.attachments) == ["surat kuasa.png", "surat é.png"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_key_of_an_earlier_try_enters_it_once(aduan: Aduan, opens: Callable[..., Any]) -> None:
    """Sheet A12: a command that did not hear the answer is repeated with its key."""
    words = ("--organisation", "klikacc", "--channel", "walk_in", "--key", "key-of-the-try", "--json")
    first, again = await opens(*words, "--text", TEXT), await opens(*words, "--text", TEXT)
    assert first.code == again.code == 0
    assert first.json == again.json
    other = await opens(*words, "--text", "Lain sama sekali")
    assert other.code == 2
    assert "--key" in other.err


@pytest.mark.asyncio(loop_scope="module")
async def test_wrong_fields_are_named_by_their_options(aduan: Aduan, opens: Callable[..., Any]) -> None:
    """Every mistake at once, in both languages, and nothing is entered."""
    before = len(aduan.ticket_numbers())
    found = await opens(
        "--organisation", "klikacc", "--channel", "walk_in", "--text", TEXT, "--email", "no address",
        "--phone", "12", "--received", "2200-01-01T00:00", "--field", "colour=red",
    )  # fmt: skip
    assert found.code == 2
    for words in ("--email: Bukan alamat", "--phone: Bukan", "--received: Waktu ini belum tiba", "--field colour: "):
        assert words in found.err, found.err
    assert "4 to correct" in found.err
    assert len(aduan.ticket_numbers()) == before


#: Words that are wrong before anything is sent -> what is said.
WRONG = [
    (("--channel", "phone"), "--text"),
    (("--channel", "phone", "--text", "a", "--text-file", "b"), "--text"),
    (("--channel", "phone", "--text", "a", "--received", "2026-01-05"), "--received"),
    (("--channel", "phone", "--text", "a", "--received", "kemarin"), "--received"),
    (("--channel", "phone", "--text", "a", "--field", "category"), "--field"),
    (("--channel", "phone", "--text", "a", "--field", "phone=1"), "--field"),
    (("--channel", "phone", "--text", "a", "--as", "Rina Dewi"), "--as"),
    (("--channel", "email", "--text", "a"), "--channel"),
    (("--channel", "letter", "--text", "a", "--attach", "/no/such/file"), "--attach"),
]


@pytest.mark.parametrize(("words", "option"), WRONG)
def test_wrong_usage(run: Run, config: Path, words: tuple[str, ...], option: str) -> None:
    """Exit code 2, with the option that is wrong."""
    found = run("tickets", "open", "--organisation", "klikacc", *words, "--config", config)
    assert found.code == 2
    assert option in found.err


def test_a_stopped_server_is_named(run: Run, config: Path) -> None:
    """Nothing is entered, and the message says what to do; nothing is made in the data folder either."""
    words = ("tickets", "open", "--organisation", "klikacc", "--channel", "phone", "--text", TEXT, "--config", config)
    never = run(*words)
    assert never.code == 1
    assert "no server has ever run" in never.err
    folder = config.parent / "data"
    assert not (folder / "keys").exists()
    installation_secret(folder)
    stopped = run(*words)
    assert stopped.code == 1
    assert f"aduan serve --config {config}" in stopped.err
    assert "nothing was entered" in stopped.err
    assert "belum tercatat" in stopped.err


def test_an_institution_without_staff_is_named(run: Run, tmp_path: Path) -> None:
    """It says which lines to add."""
    from harness import write_config

    config = write_config(tmp_path, only("klikacc-form"))
    found = run("tickets", "open", "--organisation", "klikacc", "--channel", "phone", "--text", "a", "--config", config)
    assert found.code == 2
    assert "kind: staff" in found.err
    unknown = run(
        "tickets", "open", "--organisation", "klikac", "--channel", "phone", "--text", "a", "--config", config
    )
    assert unknown.code == 2
    assert "klikacc" in unknown.err


@pytest.mark.asyncio(loop_scope="module")
async def test_another_installations_proof_is_refused(aduan: Aduan, run: Run, tmp_path: Path) -> None:
    """P18: the proof of one data folder opens no other; the message says what differs."""

    def elsewhere(config: dict[str, Any]) -> None:
        _change(config)
        config["listen"]["port"] = aduan.installation.config.listen.port

    from harness import write_config

    config = write_config(tmp_path, elsewhere)
    other = installation_secret(config.parent / "data")
    before = len(aduan.ticket_numbers())
    words = ("tickets", "open", "--organisation", "klikacc", "--channel", "phone", "--text", TEXT, "--config", config)
    found = await asyncio.to_thread(run, *words)
    assert found.code == 1
    assert "data_dir" in found.err
    assert prove(other, "klikacc-staff", "rina", datetime.now(UTC)).removeprefix("Bearer ") not in found.err
    assert len(aduan.ticket_numbers()) == before


async def test_a_busy_server_is_asked_again_and_then_named(run: Run, tmp_path: Path) -> None:
    """A server that answers 503 may have kept it: the key is printed, so that a repeat enters it once."""
    from harness import write_config

    (port,) = free_ports(1)

    def elsewhere(config: dict[str, Any]) -> None:
        _change(config)
        config["listen"]["port"] = port

    config = write_config(tmp_path, elsewhere)
    installation_secret(config.parent / "data")
    keys: list[str] = []

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        keys.append(next(line for line in head.split("\r\n") if line.startswith("Idempotency-Key")).split(": ")[1])
        writer.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(busy, "127.0.0.1", port)
    async with server:
        words = (
            "tickets",
            "open",
            "--organisation",
            "klikacc",
            "--channel",
            "phone",
            "--text",
            TEXT,
            "--config",
            config,
        )
        found = await asyncio.to_thread(run, *words)
    assert found.code == 1
    assert len(keys) > 1
    assert len(set(keys)) == 1
    assert f"--key {keys[0]}" in found.err


@pytest.mark.asyncio(loop_scope="module")
async def test_the_real_answer_is_plain_json(aduan: Aduan, opens: Callable[..., Any]) -> None:
    """`--json` prints one object and nothing else, also when a receipt is written."""
    out = aduan.config_path.parent / "r.pdf"
    words = ("--organisation", "klikacc", "--channel", "walk_in", "--text", TEXT, "--json", "--receipt", out)
    found = await opens(*words)
    assert json.loads(found.out)["receipt_goes_by"] == []
    assert out.read_bytes().startswith(b"%PDF")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("megabytes", [12, 60])
async def test_a_scan_that_is_too_large_is_named(
    aduan: Aduan, opens: Callable[..., Any], tmp_path: Path, megabytes: int
) -> None:
    """Sheet A12: the limit is told and nothing is entered; nobody is sent to try the same again."""
    before = len(aduan.ticket_numbers())
    scan = tmp_path / "surat.png"
    scan.write_bytes(png(5, 5) + b"x" * (megabytes << 20))
    found = await opens("--organisation", "klikacc", "--channel", "letter", "--text", TEXT, "--attach", scan)
    assert found.code == 2
    assert "--attach" in found.err
    assert "entered or not" not in found.err
    assert len(aduan.ticket_numbers()) == before
