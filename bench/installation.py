"""An installation to measure: one institution with many WhatsApp numbers, against the simulator."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from ruamel.yaml import YAML

from bench import machine, webhooks

CONFIG = machine.ROOT / "config"
_FOLDERS = ("policies", "calendars", "wording", "lexicon")


@dataclass(frozen=True, slots=True)
class Site:
    """One configuration on disk and the ports in it."""

    folder: Path
    file: Path
    port: int
    provider_port: int

    @property
    def log(self) -> Path:
        """Where the server's output goes."""
        return self.folder / "server.log"

    def command(self, *, recording: bool = True) -> list[str]:
        """What serves it: the product's own command, or the same with its recording held back."""
        if recording:
            return [str(Path(machine.python()[0]).with_name("aduan")), "serve", "--config", str(self.file)]
        return machine.python("-m", "bench.intake_only", str(self.file))

    @contextmanager
    def serving(self, *, recording: bool = True) -> Iterator[Popen[bytes]]:
        """The running server, on the server's core."""
        with machine.running(
            self.command(recording=recording), machine.SERVER_CORE, log=self.log, port=self.port
        ) as process:
            machine.get(self.port, "/metrics")  # it listens before it is whole; this address waits for the rest
            yield process


def write(name: str, provider_port: int, channels: dict[str, dict[str, Any]] | None = None) -> Site:
    """A fresh installation in `var/bench/<name>`; without `channels` it has `webhooks.NUMBERS` WhatsApp numbers."""
    folder = machine.WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (port,) = machine.free_ports(1)
    for secret, value in {
        "app-secret": webhooks.APP_SECRET,
        "access-token": "bench-access-token",
        "verify-token": "bench-verify-token",
        "mail-password": "bench-mail-password",
    }.items():
        (folder / secret).write_text(value)
    for each in _FOLDERS:
        (folder / each).symlink_to(CONFIG / each, target_is_directory=True)
    data = {
        "environment": "demo",
        "public_url": f"http://127.0.0.1:{port}",
        "listen": {"host": "127.0.0.1", "port": port},
        "data_dir": "data",
        "organisations": {"akseleran": {"name": "Akseleran", "policy": "policies/akseleran.yaml"}},
        "channels": channels or {webhooks.channel(n): number(n, provider_port) for n in range(webhooks.NUMBERS)},
    }
    file = folder / "aduan.yaml"
    with file.open("w", encoding="utf-8") as handle:
        YAML(typ="safe").dump(data, handle)
    return Site(folder=folder, file=file, port=port, provider_port=provider_port)


def number(index: int, provider_port: int) -> dict[str, Any]:
    """The settings of one WhatsApp number."""
    return {
        "kind": "whatsapp_cloud",
        "organisation": "akseleran",
        "phone_number_id": webhooks.phone_number_id(index),
        "waba_id": "200000000001",
        "access_token": "file:access-token",
        "app_secrets": ["file:app-secret"],
        "verify_token": "file:verify-token",
        "sends_per_second": webhooks.SENDS_PER_SECOND,
        "api_base": f"http://127.0.0.1:{provider_port}/graph",
    }


def forget(site: Site) -> None:
    """Deletes what the server kept, so that the next start is a first one."""
    shutil.rmtree(site.folder / "data", ignore_errors=True)
