"""Real mail servers on loopback: pymap and Dovecot for IMAP, aiosmtpd for SMTP, and a line between that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors.email import CONNECTOR, Email
from connectors.email.settings import EmailSettings
from connectors_email.kit import setup
from connectors_email.servers import (
    DOVECOT,
    Cable,
    ImapServer,
    Introspection,
    Listener,
    Postbox,
    free_port,
    self_signed,
    wait_for_port,
)


@pytest.fixture(scope="session")
def pymap_server() -> Iterator[ImapServer]:
    """pymap with its demonstration user, in its own process."""
    port = free_port()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("pymap")), "--no-service", "managesieve", "--no-service", "admin",
            "--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict", "--demo-data",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_port(port, process)
        server = ImapServer(port, "demouser", "demopass")
        yield server
        server.close()
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def dovecot_server(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[ImapServer]:
    """Dovecot in a folder of its own; skips with the reason where it cannot run."""
    binary = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("dovecot is not installed (apt-get install dovecot-imapd)")
    if os.geteuid() != 0:
        pytest.skip("dovecot needs root to start its processes as another user")
    # Not below pytest's own folder: other users may not enter that one.
    home = Path(f"/var/tmp/aduan-dovecot-{os.getpid()}")
    shutil.rmtree(home, ignore_errors=True)
    (home / "mail").mkdir(parents=True)
    shutil.chown(home / "mail", "nobody", "nogroup")
    home.chmod(0o755)
    for path in certificate:
        shutil.copy(path, home / path.name)
    port, tls_port = free_port(), free_port()
    introspection = Introspection()
    (home / "oauth2.conf").write_text(
        f"introspection_url = http://127.0.0.1:{introspection.port}/\nintrospection_mode = post\n"
        "active_attribute = active\nactive_value = true\nusername_attribute = username\ntokeninfo_url =\n"
    )
    (home / "dovecot.conf").write_text(DOVECOT.format(home=home, port=port, tls_port=tls_port))
    process = subprocess.Popen([binary, "-F", "-c", str(home / "dovecot.conf")])
    try:
        wait_for_port(port, process)
        server = ImapServer(port, "pengaduan", "rahasia-dovecot", tls_port, home / "cert.pem")
        yield server
        server.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        introspection.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["pymap", pytest.param("dovecot", marks=pytest.mark.dovecot)])
def imap_server(request: pytest.FixtureRequest) -> ImapServer:
    """Each IMAP server with an empty folder."""
    server: ImapServer = request.getfixturevalue(f"{request.param}_server")
    server.fresh()
    return server


@pytest.fixture
def start_smtp() -> Iterator[Callable[..., Postbox]]:
    """Starts SMTP servers; they end with the test."""
    running: list[Listener] = []

    def start(**options: Any) -> Postbox:
        box = Postbox(port=free_port())
        listener = Listener(
            box, hostname="127.0.0.1", port=box.port, server_hostname="mx.akseleran.example", enable_SMTPUTF8=True,
            **options,
        )  # fmt: skip
        listener.start()
        running.append(listener)
        return box

    yield start
    for listener in running:
        listener.stop()


@pytest.fixture
def postbox(start_smtp: Callable[..., Postbox]) -> Postbox:
    """An SMTP server without TLS and login."""
    return start_smtp()


@pytest.fixture
async def lay_cable() -> AsyncIterator[Callable[[int], Any]]:
    """Lays lines to servers; they end with the test."""
    laid: list[Cable] = []

    async def lay(target: int) -> Cable:
        cable = Cable(target)
        await cable.open()
        laid.append(cable)
        return cable

    yield lay
    for cable in laid:
        await cable.aclose()


@pytest.fixture
async def build() -> AsyncIterator[Callable[..., Email]]:
    """Builds connectors from settings; they are closed with the test."""
    built: list[Email] = []

    def make(found: EmailSettings, session: Callable[[], aiohttp.ClientSession] | None = None) -> Email:
        connector = CONNECTOR.build(setup(found, session))
        assert isinstance(connector, Email)
        built.append(connector)
        return connector

    yield make
    for connector in built:
        await connector.aclose()
