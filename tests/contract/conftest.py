"""Each test that asks for `kind` runs once for every connector that the registry finds."""

from __future__ import annotations

import socket

import pytest

from connectors import registry
from contract.connector_kit import Kind, fixtures_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each test that asks for `kind` once for every installed connector."""
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", registry.kinds(), indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Kind:
    """One installed connector."""
    name: str = request.param
    folder = fixtures_of(name)
    if not folder.is_dir():
        pytest.fail(f"connector {name!r} has no fixtures: {folder} is missing", pytrace=False)
    return Kind(name, registry.find(name), folder)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket leaves this process: parse and receive are pure (P33)."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
