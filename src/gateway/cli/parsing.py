"""Reads one file as a delivery of a connector: what `aduan inbox parse` shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer
from pydantic import ValidationError

from connectors import registry
from connectors.contract import ChannelSettings, Connector, Push, Request, Setup, Spec
from connectors.errors import Malformed, Misconfigured, Rejected, Unavailable
from gateway.cli.out import fail
from gateway.cli.place import installation_at
from gateway.cli.words import one_of
from gateway.isolate import Account, Isolated
from gateway.replay import no_network, secret_of
from normalizer.message import Event, Raw

#: What stands in for the operator's own where settings come from a folder of fixtures.
_FIXTURE_URL = "https://aduan.example.co.id"
_FIXTURE_CHANNEL = "fixture"


def read(file: Path, kind: str, *, config: Path, at: datetime, unsigned: bool) -> list[Event]:
    """The events of a file, with the settings of the first channel of that kind, or those beside the file.

    Ends the command with 1 for a request that is refused or cannot be read, with 2 for wrong usage.
    """
    spec = registry.find(one_of(kind, registry.kinds(), "--kind"))
    setup = _setup(spec, file, config, at)
    try:
        content = file.read_bytes()
        connector = spec.build(setup)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", 2)
    except Misconfigured as error:
        fail(str(error), 2)
    found: list[Event] = []
    for raw in _raws(file, content, connector, setup.channel_id, at, unsigned):
        try:
            found += _events(spec, connector, setup, raw)
        except Malformed as error:
            fail(f"this would go to quarantine: {error}")
        except Unavailable as error:
            fail(str(error))
    return found


def _setup(spec: Spec, file: Path, config: Path, at: datetime) -> Setup:
    beside = next((p / "settings.json" for p in file.resolve().parents[:2] if (p / "settings.json").is_file()), None)
    channel_id, public_url, secret = _FIXTURE_CHANNEL, _FIXTURE_URL, bytes(32)
    settings: ChannelSettings | None = None
    if config.is_file():
        installation = installation_at(config)
        channel = next((c for c in installation.channels.values() if c.spec.kind == spec.kind), None)
        if channel is not None:
            settings, channel_id = channel.settings, channel.id
            public_url, secret = installation.config.public_url, secret_of(installation.data_dir)
    if settings is None and beside is not None:
        try:
            settings = spec.settings.model_validate(json.loads(beside.read_bytes()))
        except (ValidationError, ValueError) as error:
            fail(f"{beside} does not hold settings of {spec.kind} ({type(error).__name__})", 2)
    if settings is None:
        message = f"no channel of this kind in {config}, and no settings.json beside the file or above it"
        raise typer.BadParameter(message, param_hint="--kind")
    return Setup(
        channel_id=channel_id,
        settings=settings,
        facts=spec.facts,
        public_url=public_url,
        session=no_network,
        secret=secret,
        now=lambda: at,
    )


def _raws(
    file: Path, content: bytes, connector: Connector, channel_id: str, at: datetime, unsigned: bool
) -> Sequence[Raw]:
    if file.suffix == ".http":
        request = _request(content, at)
        if unsigned:
            headers = dict(request.headers)
            return [
                Raw(channel_id=channel_id, received_at=at, body=request.body, headers=headers, target=request.target)
            ]
        if not isinstance(connector, Push):
            fail("this connector is not called by its provider: give a mail (.eml) or raw.json", 2)
        try:
            intake = connector.receive(request)
        except Rejected as error:
            fail(f"this request would be refused with {error.status}: {error.reason} (--unsigned reads it)")
        if not intake.keep:
            fail(f"this request would be answered with {intake.answer.status}, and nothing would be kept", 0)
        return intake.keep
    if file.suffix == ".json":
        return [_from_json(content, channel_id, at)]
    return [Raw(channel_id=channel_id, received_at=at, body=content, ref="1:1")]


def _request(content: bytes, at: datetime) -> Request:
    """A whole request: head, an empty line, body as received."""
    head, gap, body = content.partition(b"\r\n\r\n")
    if not gap:
        head, gap, body = content.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    parts = first.split(" ")
    if not gap or len(parts) < 2:
        fail("this is no whole request: a first line such as `POST /in/channel HTTP/1.1`, headers, an empty line", 2)
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return Request(method=parts[0], target=parts[1], headers=headers, body=body, received_at=at)


def _from_json(content: bytes, channel_id: str, at: datetime) -> Raw:
    """A pulled item as it is kept ({"body": ..., "headers": ..., "ref": ...}), or the body alone."""
    try:
        told: Any = json.loads(content)
    except ValueError:
        told = None
    if not isinstance(told, dict) or "body" not in told:
        return Raw(channel_id=channel_id, received_at=at, body=content)
    if isinstance(told["body"], str):
        told["body"] = told["body"].encode()
    try:
        return msgspec.convert({"received_at": at.isoformat(), **told, "channel_id": channel_id}, Raw)
    except msgspec.ValidationError as error:
        fail(f"this is not a kept delivery: {error}", 2)


def _events(spec: Spec, connector: Connector, setup: Setup, raw: Raw) -> Sequence[Event]:
    """The events of one delivery, hostile formats in a process of their own. Raises Malformed, Unavailable."""
    if not spec.isolate:
        return connector.parse(raw)
    account = Account(kind=spec.kind, settings=setup.settings, public_url=setup.public_url, secret=setup.secret)
    isolated = Isolated({raw.channel_id: account}, memory_bytes=268_435_456, seconds=30.0)
    try:
        (found,) = isolated.parse([raw])
    finally:
        isolated.close()
    if isinstance(found, Malformed):
        raise found
    return found
