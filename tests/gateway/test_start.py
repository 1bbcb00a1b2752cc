"""A start in two steps: messages are kept first, the rest follows; what goes wrong later loses nothing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from gateway.app import Running
from gateway.config_file import read_config
from gateway.config_load import load
from gateway.config_memory import Memory, mark_of
from gateway.installation import Installation
from gateway.reception import Reception
from harness import until, write_config
from harness.meta import body_of, signed, text_message
from harness.settings import only
from tickets.store import SchemaMismatch

CHANNELS = ("klikacc-whatsapp", "klikacc-form")
START = "from gateway.cli import main; main()"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """One number and one form, nothing running."""
    return load(write_config(tmp_path, only(*CHANNELS)))


async def post(url: str, installation: Installation, wamid: str, text: str = "Dana saya belum cair") -> int:
    """The status that a genuine webhook is answered with."""
    settings = installation.channels["klikacc-whatsapp"].settings
    body = body_of(settings.phone_number_id, [text_message(wamid, "6281100000001", text)])  # type: ignore[attr-defined]  # the settings of this kind
    secret: str = settings.app_secrets[0].get_secret_value()  # type: ignore[attr-defined]  # the settings of this kind
    async with (
        aiohttp.ClientSession(url) as session,
        session.post("/in/klikacc-whatsapp", data=body, headers=signed(body, secret)) as answer,
    ):
        return answer.status


def texts(running: Running) -> set[str | None]:
    """What customers said, as the store has it."""
    found = [running.store.ticket(line.ticket_number) for line in running.store.tickets(limit=100)]
    return {message.text for view in found if view is not None for message in view.messages}


async def test_a_message_is_acknowledged_before_the_rest_is_there_and_recorded_afterwards(
    installation: Installation,
) -> None:
    """Keep first, understand later, from the first moment on; whoever opens a page waits instead of failing."""
    reception = await Reception.open(installation)
    async with aiohttp.ClientSession(reception.url) as session:
        assert await post(reception.url, installation, "wamid.early") == 200
        async with session.get("/healthz") as answer:
            assert answer.status == 200
        async with session.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["status"] == "starting"
        page = asyncio.create_task(session.get("/klikacc/"))
        fields, key = {"narrative": "Saldo saya hilang"}, {"Idempotency-Key": "early-form-1"}
        form = asyncio.create_task(session.post("/api/v1/organisations/klikacc/complaints", json=fields, headers=key))
        await asyncio.sleep(0.1)
        assert not page.done()
        assert not form.done()
        running = await Running.complete(reception, installation)
        try:
            async with await page as answer:
                assert answer.status == 200
                assert "KlikACC" in await answer.text()
            async with await form as answer:
                assert answer.status == 201
            await until(lambda: {"Dana saya belum cair", "Saldo saya hilang"} <= texts(running))
            # The same connection that was opened before the rest was there.
            async with session.get("/readyz") as answer:
                assert (await answer.json())["channels"].keys() == set(CHANNELS)
            async with session.get("/nobody/here") as answer:
                assert answer.status == 404
            async with session.post("/healthz") as answer:
                assert answer.status == 405
        finally:
            await running.aclose()


async def test_a_rest_that_does_not_come_leaves_everything_kept(installation: Installation) -> None:
    """A database of a newer version: whoever waits is told to come again, and what was acknowledged is there later."""
    await (await Running.start(installation)).aclose()
    database = installation.data_dir / "tickets.db"
    (version,) = sqlite3.connect(database).execute("select version_num from alembic_version").fetchone()
    _set_version(database, "from-the-future")
    reception = await Reception.open(installation)
    async with aiohttp.ClientSession(reception.url) as session:
        assert await post(reception.url, installation, "wamid.kept") == 200
        page = asyncio.create_task(session.get("/"))
        await asyncio.sleep(0.1)
        with pytest.raises(SchemaMismatch):
            await Running.complete(reception, installation)
        assert await post(reception.url, installation, "wamid.still", "Masih ada?") == 200
        closing = asyncio.create_task(reception.aclose())
        async with await page as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert (await answer.text()).startswith("Sedang dimulai")
        await closing
    _set_version(database, version)
    running = await Running.start(installation)
    try:
        await until(lambda: texts(running) == {"Dana saya belum cair", "Masih ada?"})
    finally:
        await running.aclose()


def test_a_rest_that_fails_ends_the_process_in_the_same_words(installation: Installation) -> None:
    """The operator sees one sentence and exit code 1, on a first start as on a later one."""
    installation.data_dir.mkdir(parents=True)
    database = installation.data_dir / "tickets.db"
    with sqlite3.connect(database) as db:
        db.execute("create table alembic_version (version_num text)")
        db.execute("insert into alembic_version values ('from-the-future')")
    db.close()
    said = [serve(installation.file) for _ in range(2)]
    assert (installation.data_dir / "cache" / "configuration").is_file()
    for each in said:
        assert each.returncode == 1
        assert "start the version that wrote it" in each.stderr.splitlines()[-1]
        assert "Traceback" not in each.stderr
        assert not each.stdout


def test_a_mark_that_is_wrong_only_delays_the_refusal(installation: Installation) -> None:
    """Should a bad configuration pass for a known one, the start still ends with every mistake and its line."""
    wrong = installation.file.with_name("lexicon-of-this-test")
    wrong.mkdir()
    (wrong / "id.yaml").write_text("lexicon: 1\n  version: 2\n", encoding="utf-8")
    with installation.file.open("a", encoding="utf-8") as file:
        file.write(f"lexicon: {wrong.name}\n")
    mark = mark_of(read_config(installation.file, os.environ))
    assert mark is not None
    Memory(installation.data_dir).keep(mark)
    said = serve(installation.file)
    assert said.returncode == 1
    assert f"{wrong.name}/id.yaml:2: is not valid YAML" in said.stderr
    assert said.stderr.splitlines()[-1].endswith("cannot be used: 1 problems")
    assert "Traceback" not in said.stderr
    assert (installation.data_dir / "journal.db").is_file()


def test_what_receiving_needs_imports_nothing_that_can_wait(tmp_path: Path) -> None:
    """The order of a start is a matter of imports: these libraries belong to its second step."""
    later = {"alembic", "jinja2", "phonenumbers", "rich", "simulator", "sqlalchemy", "typer", "typst"}
    code = (
        "import sys\n"
        "from gateway.cli.plain import load_structlog\n"
        "load_structlog()\n"
        "import gateway.config_open, gateway.serve, connectors.whatsapp_cloud\n"
        f"print(sorted({later!r} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "[]"


def serve(config: Path) -> subprocess.CompletedProcess[str]:
    """A server that cannot start, at its end."""
    words = [sys.executable, "-c", START, "serve", "--config", str(config)]
    kept = {name: value for name, value in os.environ.items() if name not in {"HOST", "PORT", "DATA_DIR"}}
    return subprocess.run(words, env=kept, capture_output=True, text=True, timeout=60, check=False)


def _set_version(database: Path, version: str) -> None:
    with sqlite3.connect(database) as db:
        db.execute("update alembic_version set version_num = ?", (version,))
    db.close()
