"""What the connector contract runs on: every kind that the registry finds, with its folder of fixtures.

A folder of fixtures (tests/fixtures/<kind>, or below a directory named in CONNECTOR_FIXTURES for a connector that lives
in another package) holds

    settings.json       settings that build the connector; invented secrets, two of each list that may rotate
    <case>/             request.http (a whole request: head with CRLF, body as received) | raw.eml | raw.json
                        expected.json, note.md
    sign.py             for a connector that is pushed to:
                          HEADERS: the header names that carry the proof, lower case
                          SIGNS_TARGET: whether path and query are proven too
                          SIGNS_BODY: False where the proof is a shared secret that covers no body (default True)
                          secrets(setup) -> list[bytes]: the live secrets, newest first
                          sign(request, setup, secret) -> Request: the request with a proof made with that secret
    pull.py             for a connector that pulls:
                          source(make) -> async context manager that yields (connector factory, expected refs);
                          see test_connector_pull.py
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import msgspec
import pytest
from pydantic import BaseModel, SecretStr

from connectors.contract import Connector, Request, Setup, Spec
from normalizer.message import Raw

RECEIVED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
PUBLIC_URL = "https://aduan.example.co.id"
INSTALLATION_SECRET = b"contract-test-installation-secret"
CHANNEL_ID = "contract"
FIXTURES = Path(__file__).parents[1] / "fixtures"


@dataclass(frozen=True)
class Case:
    """One fixture folder."""

    folder: Path

    def request(self) -> Request | None:
        """The request as it came, or None for a pulled item."""
        file = self.folder / "request.http"
        return read_request(file.read_bytes()) if file.is_file() else None

    def raw(self) -> Raw | None:
        """The pulled item, or None for a pushed one."""
        mail, item = self.folder / "raw.eml", self.folder / "raw.json"
        if mail.is_file():
            return Raw(channel_id=CHANNEL_ID, received_at=RECEIVED, body=mail.read_bytes(), ref="1:1")
        if item.is_file():
            found = {"channel_id": CHANNEL_ID, "received_at": RECEIVED.isoformat(), **json.loads(item.read_bytes())}
            if isinstance(found.get("body"), str):
                found["body"] = found["body"].encode()
            return msgspec.convert(found, Raw)
        return None


@dataclass(frozen=True)
class Kind:
    """One connector with everything that the contract needs to try it."""

    name: str
    spec: Spec
    folder: Path

    def given(self) -> dict[str, Any]:
        """The settings as an operator would give them."""
        file = self.folder / "settings.json"
        if not file.is_file():
            pytest.fail(f"connector {self.name!r}: no {file}; the contract needs settings to build it", pytrace=False)
        settings: dict[str, Any] = json.loads(file.read_bytes())
        return settings

    def setup(self, changes: Mapping[str, Any] | None = None, session: aiohttp.ClientSession | None = None) -> Setup:
        """What the connector is built from; no network unless a session is lent."""

        def lend() -> aiohttp.ClientSession:
            assert session is not None, "this part of the contract runs without network"
            return session

        return Setup(
            channel_id=CHANNEL_ID,
            settings=self.spec.settings.model_validate({**self.given(), **(changes or {})}),
            facts=self.spec.facts,
            public_url=PUBLIC_URL,
            session=lend,
            secret=INSTALLATION_SECRET,
            now=lambda: RECEIVED,
        )

    def build(self) -> Connector:
        """The connector, without network."""
        return self.spec.build(self.setup())

    def cases(self) -> list[Case]:
        """Every fixture."""
        found = [Case(each) for each in sorted(self.folder.iterdir()) if each.is_dir() and each.name != "__pycache__"]
        if not found:
            pytest.fail(f"connector {self.name!r}: {self.folder} holds no case", pytrace=False)
        return found

    def signer(self) -> ModuleType:
        """The kind's sign.py."""
        return self.module("sign.py", "the contract forges requests with it")

    def module(self, name: str, why: str) -> ModuleType:
        """A Python file of the fixture folder."""
        file = self.folder / name
        if not file.is_file():
            pytest.fail(f"connector {self.name!r}: no {file}; {why} (tests/contract/connector_kit.py)", pytrace=False)
        found = importlib.util.spec_from_file_location(f"fixtures_{self.name}_{file.stem}", file)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        return module

    def secrets(self) -> set[str]:
        """Every secret in the settings, and the installation's own."""
        return {INSTALLATION_SECRET.decode(), *_secrets(self.setup().settings)}


def read_request(data: bytes) -> Request:
    """A request.http as a value; header values as an HTTP server hands them over."""
    head, gap, body = data.partition(b"\r\n\r\n")
    assert gap, "request.http has no empty line (CRLF CRLF) between head and body"
    first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Request(method=method, target=target, headers=headers, body=body, received_at=RECEIVED)


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _secrets(each)


def fixtures_of(kind: str) -> Path:
    """Where the fixtures of a connector lie."""
    elsewhere = [Path(each) / kind for each in os.environ.get("CONNECTOR_FIXTURES", "").split(os.pathsep) if each]
    return next((each for each in elsewhere if each.is_dir()), FIXTURES / kind)
