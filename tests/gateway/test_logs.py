"""Canaries of persons and secrets, sent through every channel and failing path, never come out in logs (P30)."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import structlog

from gateway import logs
from harness import Aduan, start_aduan, until
from harness.customer import drained, post_meta
from harness.meta import body_of, signed, text_message
from harness.settings import only
from simulator import Weather

CHANNELS = ("klikacc-whatsapp", "klikacc-twilio", "klikacc-email", "klikacc-form", "klikacc-app")
PHONE, OTHER_PHONE, HANDLE = "6281987650001", "6281987650002", "siti.kenari"
EMAIL, NIK, NAME = "kenari.siti@pelanggan.example", "3174096512870003", "Kenari Burungwati"
WORDS = "saldo kenari kuning hilang"
TEXT = f"{WORDS}, NIK {NIK}, hubungi {EMAIL} atau +{PHONE}"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged at the most talkative level; the logging of the test run is put back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def canaries(aduan: Aduan) -> list[str]:
    """What must never be seen: the persons', and every secret of the configuration."""
    folder = aduan.config_path.parent / "demo"
    secrets = [path.read_text(encoding="utf-8").strip() for path in folder.iterdir() if path.is_file()]
    return [PHONE, OTHER_PHONE, EMAIL, NIK, NAME, WORDS, *filter(None, secrets)]


async def test_no_canary_sings(tmp_path: Path, written: io.StringIO) -> None:
    """P30: not in the log, not in metrics, readiness or error bodies; and the log is one JSON object a line."""
    async with start_aduan(tmp_path, only(*CHANNELS)) as aduan:
        said = [await everything(aduan)]
        async with aiohttp.ClientSession(aduan.url) as session:
            for path in ("/metrics", "/readyz", f"/in/{PHONE}", f"/in/{EMAIL}"):
                async with session.get(path) as response:
                    said.append(await response.text())
        said.append(written.getvalue())
        for canary in canaries(aduan):
            for place, text in enumerate(said):
                assert canary not in text, (place, canary)
    lines = written.getvalue().splitlines()
    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= set(json.loads(line))


async def everything(aduan: Aduan) -> str:
    """The bodies of all refusals, after good and bad days on every channel."""
    cloud, twilio = aduan.clouds["klikacc"], aduan.twilios["klikacc"]
    bodies: list[str] = []
    await cloud.inject_text(PHONE, TEXT, name=NAME)
    await twilio.inject_text(f"+{OTHER_PHONE}", TEXT, name=NAME)
    await aduan.mail.write(EMAIL, "support@klikacc.demo", WORDS, TEXT, name=NAME)
    await until(lambda: cloud.sent.total and twilio.sent.total and aduan.mail.outbox.total, seconds=30)
    # Broken items, a send that is refused in every way, a recipient that is not there, a file that is not there.
    await post_meta(aduan, "klikacc", [{"id": PHONE, "from": {"name": NAME}, "type": TEXT}])
    for weather in ("server-errors", "expired-token"):
        cloud.weather = twilio.weather = Weather.named(weather, seed=3)
        await post_meta(aduan, "klikacc", [text_message(f"wamid.{weather}", OTHER_PHONE, TEXT)])
        await twilio.inject_text(f"+{PHONE}", TEXT)
    cloud.media_faults.http(404)
    await cloud.inject_image(PHONE, b"not there", caption=TEXT)
    aduan.mail.unknown.add(f"x{EMAIL}")
    await aduan.mail.write(f"x{EMAIL}", "support@klikacc.demo", WORDS, TEXT, name=NAME)
    bodies += await refusals(aduan)
    await drained(aduan)
    await until(lambda: len(aduan.running.outbox.halted) == 2, seconds=30)
    return "\n".join(bodies)


async def refusals(aduan: Aduan) -> list[str]:
    """What forgers and careless clients are told."""
    body = body_of("100000000001", [text_message("wamid.forged", PHONE, TEXT)])
    secret = aduan.clouds["klikacc"].app_secret
    api = "/api/v1/organisations/klikacc/complaints"
    key = {"Idempotency-Key": "canary-key-1"}
    found = []
    async with aiohttp.ClientSession(aduan.url) as session:
        for path, data, headers in (
            ("/in/klikacc-whatsapp", body, {"X-Hub-Signature-256": "sha256=" + "0" * 64}),
            ("/in/klikacc-whatsapp", body[:-5], signed(body, secret)),
            ("/in/klikacc-twilio", f"Body={TEXT}&From={PHONE}".encode(), {"X-Twilio-Signature": secret}),
            (api, json.dumps({"narrative": "", "email": f"{NAME}@", "phone": NIK, "asing": TEXT}).encode(), key),
            (api, f'{{"narrative": "{TEXT}'.encode(), key),
        ):
            kind = {"Content-Type": "application/json"} if path == api else {}
            async with session.post(path, data=data, headers=headers | kind) as response:
                assert response.status in (400, 401, 415)
                found.append(await response.text())
        wrong = {"X-Api-Key": secret, **key}
        async with session.post(api, json={"narrative": TEXT}, headers=wrong) as response:
            assert response.status == 401
            found.append(await response.text())
    return found


def test_what_is_logged_carelessly_is_masked(written: io.StringIO) -> None:
    """P30: the last guard: secrets by the name of their key, persons by structure, errors by their class alone."""
    log = structlog.get_logger("test")
    log.warning("careless", authorization="Bearer abc", access_token="abc", detail=f"call +{PHONE}, {EMAIL}, {NIK}")
    try:
        raise ValueError(TEXT)
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("also failed")
    logging.getLogger("library").warning("mail from %s", EMAIL)
    text = written.getvalue()
    for canary in (PHONE, EMAIL, NIK, WORDS, "Bearer abc", '"abc"'):
        assert canary not in text
    assert text.count("ValueError") >= 2
