"""Writes a configuration of three institutions against the simulator, and starts both in this process."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from gateway.app import Running
from gateway.config_load import load
from gateway.demo import start_simulator
from gateway.installation import Installation
from simulator import Mail, Simulation, Twilio, WhatsAppCloud

T = TypeVar("T")

CONFIG = Path(__file__).parents[2] / "config"
FOLDERS = ("policies", "calendars", "wording", "lexicon", "reports", "demo")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def write_config(folder: Path, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    """The demonstration's configuration in `folder`, on free ports, changed by `change`; data lies in `folder`/data."""
    listen, simulator, imap, smtp = free_ports(4)
    data: dict[str, Any] = YAML(typ="safe").load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    data["public_url"] = f"http://127.0.0.1:{listen}"
    data["listen"]["port"] = listen
    data["data_dir"] = "data"
    data["simulator"] = {"port": simulator, "imap_port": imap, "smtp_port": smtp}
    data["outbox"] = {"ambiguous_wait_seconds": 1}
    # A full disk of the test machine is not what these tests are about.
    data["limits"] = {"free_disk_bytes": 0}
    for channel in data["channels"].values():
        if channel["kind"] == "email":
            channel["imap"] |= {"port": imap, "check_every_seconds": 1}
            channel["smtp"] |= {"port": smtp}
        for key, value in channel.items():
            if isinstance(value, str) and "127.0.0.1:8090" in value:
                channel[key] = value.replace(":8090", f":{simulator}")
    if change is not None:
        change(data)
    for name in FOLDERS:
        link = folder / name
        if not link.exists():
            link.symlink_to(CONFIG / name, target_is_directory=True)
    path = folder / "aduan.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(data, file)
    return path


async def until(what: Callable[[], T | Awaitable[T]], *, seconds: float = 20.0) -> T:
    """The first true value of `what`, asked again and again. Raises AssertionError when it does not come in time."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, f"still {value!r} after {seconds} s"
        await asyncio.sleep(0.02)


@dataclass
class Aduan:
    """A running installation with its pretended providers."""

    config_path: Path
    installation: Installation
    simulation: Simulation
    running: Running
    clouds: Mapping[str, WhatsAppCloud] = field(init=False)
    twilios: Mapping[str, Twilio] = field(init=False)
    mail: Mail = field(init=False)

    def __post_init__(self) -> None:
        providers = self.simulation.providers
        slugs = {organisation.name: slug for slug, organisation in self.installation.organisations.items()}
        self.clouds = {slugs[p.name]: p for p in providers if isinstance(p, WhatsAppCloud)}
        self.twilios = {slugs[p.name]: p for p in providers if isinstance(p, Twilio)}
        mails = [p for p in providers if isinstance(p, Mail)]
        if mails:
            self.mail = mails[0]

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return self.running.url

    def provider(self, slug: str, kind: type[T]) -> T:
        """The one pretended account of this kind that an institution has."""
        name = self.installation.organisations[slug].name
        (found,) = (p for p in self.simulation.providers if isinstance(p, kind) and getattr(p, "name", "") == name)
        return found

    def ticket_numbers(self) -> Sequence[str]:
        """Every ticket in the store, in the order of the store."""
        return [line.ticket_number for line in self.running.store.tickets(limit=10_000)]

    async def restart(self) -> None:
        """Closes the gateway and opens it again on the same data; the simulator stays."""
        await self.running.aclose()
        self.running = await Running.start(self.installation)


@asynccontextmanager
async def start_aduan(folder: Path, change: Callable[[dict[str, Any]], None] | None = None) -> AsyncIterator[Aduan]:
    """A running installation in `folder`; everything is closed at the end."""
    path = write_config(folder, change)
    installation = load(path)
    simulation = await start_simulator(installation)
    try:
        running = await Running.start(installation)
        aduan = Aduan(path, installation, simulation, running)
        try:
            yield aduan
        finally:
            await aduan.running.aclose()
    finally:
        await simulation.aclose()
