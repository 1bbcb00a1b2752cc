"""SIGKILL of the real process at every hop: what was acknowledged is exactly one complaint with at most one receipt.

P1, P11: 10 seeded campaigns of 20 kills each. The provider (signed POSTs here) repeats until it is answered 200; the
simulator takes the receipts and reports their delivery. A receipt may come twice only where its row says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ruamel.yaml import YAML

from gateway.config_load import load
from gateway.demo import providers_of
from harness import write_config
from harness.meta import body_of, signed, text_message
from harness.zygote import HOPS
from simulator import Mail, WhatsAppCloud, start
from tickets.store import Store

KILLS = 20
AT_ONCE = 6
NUMBER = "100000000001"


class Process:
    """The zygote and the run it holds."""

    def __init__(self, zygote: asyncio.subprocess.Process, config: Path) -> None:
        self._zygote = zygote
        self._config = config
        self.log = config.parent / "serve.log"
        self.pid = 0
        self.ended: asyncio.Task[int] | None = None

    async def start(self, hop: str | None = None, nth: int = 1) -> None:
        """Starts a run; `ended` gives its wait status."""
        assert self._zygote.stdin is not None
        order = {"config": str(self._config), "hop": hop, "nth": nth, "log": str(self.log)}
        self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
        await self._zygote.stdin.drain()
        self.pid = (await self._line())["pid"]
        self.ended = asyncio.create_task(self._status())

    async def _status(self) -> int:
        return int((await self._line())["status"])

    async def _line(self) -> dict[str, Any]:
        assert self._zygote.stdout is not None
        line = await self._zygote.stdout.readline()
        assert line, "the zygote ended"
        found: dict[str, Any] = json.loads(line)
        return found


@asynccontextmanager
async def zygote(config: Path) -> AsyncIterator[Process]:
    """A zygote; whatever it still runs is ended with it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "harness.zygote",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    found = Process(process, config)
    try:
        yield found
    finally:
        if found.ended is not None and not found.ended.done():
            os.kill(found.pid, signal.SIGTERM)
            await found.ended
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def deliver(http: aiohttp.ClientSession, url: str, body: bytes, secret: str) -> None:
    """Posts until it is answered 200, as Meta does."""
    while True:
        try:
            async with http.post(url, data=body, headers=signed(body, secret)) as answer:
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.05)


def _without_simulator(path: Path) -> None:
    """The providers run in the test, not in the process that dies."""
    yaml = YAML(typ="safe")
    data = yaml.load(path.read_text(encoding="utf-8"))
    del data["simulator"]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(data, file)


async def _campaign(
    chance: random.Random, process: Process, http: aiohttp.ClientSession, url: str, secret: str, mail: Mail
) -> tuple[set[str], set[str]]:
    """Kills again and again while messages and mails come in; returns who wrote, by number and by address."""
    numbers: set[str] = set()
    addresses: set[str] = set()
    deliveries: list[asyncio.Task[None]] = []
    serial = 0
    for _ in range(KILLS):
        await process.start(chance.choice(HOPS), nth=chance.randint(1, 4))
        assert process.ended is not None
        while not process.ended.done():
            # As many as the process can take: a hop that was not passed yet is passed by further traffic.
            if sum(not each.done() for each in deliveries) < AT_ONCE:
                serial += 1
                number = f"62811{serial:06}"
                numbers.add(number)
                body = body_of(NUMBER, [text_message(f"wamid.{number}", number, "Dana belum cair")])
                deliveries += [
                    asyncio.create_task(deliver(http, f"{url}/in/klikacc-whatsapp", body, secret))
                    for _ in range(chance.choice([1, 1, 2]))
                ]
                if serial % 10 == 0:
                    address = f"k{serial}@pelanggan.example"
                    addresses.add(address)
                    await mail.write(address, "support@klikacc.demo", "Pencairan", "Dana saya belum cair")
            await asyncio.wait({process.ended}, timeout=0.02)
        assert os.WIFSIGNALED(process.ended.result()), process.log.read_text()[-2000:]
    await process.start()
    await asyncio.gather(*deliveries)
    return numbers, addresses


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(10))
async def test_kills_lose_nothing_and_double_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)

    def only_klikacc(data: dict[str, Any]) -> None:
        data["organisations"] = {"klikacc": data["organisations"]["klikacc"]}
        data["channels"] = {k: v for k, v in data["channels"].items() if k in {"klikacc-whatsapp", "klikacc-email"}}

    path = write_config(tmp_path, only_klikacc)
    installation = load(path)
    providers = providers_of(installation)
    (cloud,) = (p for p in providers if isinstance(p, WhatsAppCloud))
    (mail,) = (p for p in providers if isinstance(p, Mail))
    cloud.enforce_window = False
    cloud.time_scale = 0.02
    assert installation.config.simulator is not None
    simulation = await start(providers, port=installation.config.simulator.port)
    _without_simulator(path)
    try:
        async with zygote(path) as process, aiohttp.ClientSession() as http:
            secret = cloud.app_secret
            url = installation.config.public_url
            numbers, addresses = await _campaign(chance, process, http, url, secret, mail)
            await _judge(installation.data_dir, cloud, mail, numbers, addresses)
    finally:
        await simulation.aclose()


async def _judge(data_dir: Path, cloud: WhatsAppCloud, mail: Mail, numbers: set[str], addresses: set[str]) -> None:
    """Waits until nothing is left to do, then compares what was said with what is there."""
    store = Store.open(f"sqlite:///{data_dir / 'tickets.db'}")
    try:
        wanted = {f"tel:+{n}" for n in numbers} | {f"mailto:{a}" for a in addresses}

        def left() -> set[str]:
            counts = store.counts()
            waiting = {name for name in ("outbox_due", "outbox_sending") if counts[name]}
            return wanted - {str(view.complaint.sender_key) for view in store.views()} | waiting

        for _ in range(300):
            if not left():
                break
            await asyncio.sleep(0.2)
        assert not left()
        views = list(store.views())
        senders = Counter(view.complaint.sender_key for view in views)
        assert senders == Counter(wanted)
        assert len({view.complaint.ticket_number for view in views}) == len(wanted)
        flagged = {view.complaint.sender_key for view in views if view.outbox[0].possible_duplicate}
        states = Counter(view.outbox[0].state for view in views)
        assert states == Counter({"sent": len(views)})
        receipts = Counter(f"tel:+{sent.to}" for sent in cloud.sent)
        assert set(receipts) == {f"tel:+{n}" for n in numbers}
        doubled = {who for who, count in receipts.items() if count > 1}
        assert doubled <= flagged
        attempts = {view.complaint.sender_key: view.outbox[0].attempts for view in views}
        assert all(count <= attempts[who] for who, count in receipts.items())
        # The same Message-ID twice is one mail to every receiver (A13).
        mailed = {(sent.recipients, sent.message_id) for sent in mail.outbox}
        assert len(mailed) == len(addresses)
        assert store.verify_audit().first_broken is None
    finally:
        store.close()
