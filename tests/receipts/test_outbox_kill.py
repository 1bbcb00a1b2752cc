"""P11: the real process is killed while it sends; every receipt arrives, and a second copy is always flagged as one."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from ulid import ULID

from normalizer.complaint import Complaint
from tickets.model import OutboxItem, Records, Route, Ticket
from tickets.store import Store

ROWS = 120
KILLS = 2
CHILD = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
import aiohttp
from ulid import ULID
folder, url, store = sys.argv[1:]
sys.path[:0] = [folder, str(Path(folder).parent)]
from conftest import CONFIG, NAMES, facts
from outbox_at_work import QUICK, HttpConnector
from receipts.lane import Channel
from receipts.outbox import Outbox
from receipts.terms import terms_of
from receipts.wording_load import load_wording
from receipts.writer import ReceiptWriter
from tickets.policy_load import load_labels, load_policy
from tickets.store import Store

wording = load_wording(CONFIG / "wording")
labels = load_labels(CONFIG / "policies" / "labels.yaml")
policy = load_policy(CONFIG / "policies" / "klikacc.yaml")
terms = {"klikacc": terms_of(policy, organisation_name="KlikACC", wording=wording, labels=labels)}
writer = ReceiptWriter(wording=wording, terms=terms, secret=b"s" * 32, public_url="https://a.test", issuer=None)

async def main():
    thread = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        here = facts()
        channel = Channel(connector=HttpConnector("wa", here, url, session), facts=here, concurrent_sends=8)
        await Outbox(
            store=Store.open(store), run=lambda work: loop.run_in_executor(thread, work), channels={"wa": channel},
            writer=writer, now=lambda: datetime.now(UTC), new_id=lambda: str(ULID()), observe=lambda *_: None,
            patience=QUICK, poll_seconds=0.02, batch=16,
        ).serve()

asyncio.run(main())
"""


async def test_p11_kills_lose_nothing_and_every_second_copy_is_flagged(
    tmp_path: Path, make_complaint: Callable[..., Complaint], make_item: Callable[..., OutboxItem]
) -> None:
    copies: dict[str, list[bool]] = defaultdict(list)
    taken = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal taken
        message = await request.json()
        copies[message["to"]].append(message["flag"])
        taken += 1
        await asyncio.sleep(0.01)
        return web.Response(text=f"p{taken}")

    app = web.Application()
    app.router.add_post("/messages", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store.open(url)
    made = [
        make_complaint("klikacc", complaint_id=str(ULID()), ticket_number=f"K-{n}", channel_id="wa")
        for n in range(ROWS)
    ]
    due = datetime.now(UTC)
    items = [
        make_item(one, key=str(ULID()), due_at=due, routes=(Route(channel_id="wa", recipient=f"+62{n}"),))
        for n, one in enumerate(made)
    ]
    tickets = [i.ticket for i in items if isinstance(i.ticket, Ticket)]
    with store.begin() as tx:
        tx.add(Records(complaints=made, tickets=tickets, outbox=[i.row for i in items]))

    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), f"http://{host}:{port}", url]
    for kill in range(KILLS + 1):
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(60):
            if kill < KILLS:
                # In the midst of sending, each time a little further on.
                before = taken
                while taken < min(before + 9 + kill, ROWS) and child.returncode is None:
                    await asyncio.sleep(0.001)
            else:
                while store.counts()["outbox_due"] + store.counts()["outbox_sending"] and child.returncode is None:
                    await asyncio.sleep(0.02)
        assert child.returncode is None
        child.send_signal(signal.SIGKILL)
        await child.wait()
    await runner.cleanup()

    assert len(copies) == ROWS
    rows = {f"+62{n}": store.ticket(f"K-{n}") for n in range(ROWS)}
    store.close()
    for recipient, flags in copies.items():
        view = rows[recipient]
        assert view is not None
        assert view.outbox[0].state == "sent"
        assert all(flags[1:])
        assert view.outbox[0].possible_duplicate >= (len(flags) > 1)
    assert sum(len(flags) - 1 for flags in copies.values()) <= sum(
        v.outbox[0].possible_duplicate for v in rows.values() if v
    )
