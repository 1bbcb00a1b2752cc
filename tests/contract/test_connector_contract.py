"""The contract that every connector keeps, ours and other people's, found by the registry (P13, P18, P19, P32, P33).

What a fixture folder holds stands in connector_kit.py. `pytest --accept` rewrites expected.json: read the diff.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.contract import Connector, Pull, Push, Request
from connectors.errors import Malformed, Refused, Rejected, Unreachable
from contract.connector_kit import Case, Kind
from normalizer.message import (
    Deletion,
    Delivery,
    Edit,
    Ignored,
    Message,
    Outgoing,
    Permission,
    Raw,
    Rekey,
    Unreadable,
)

EVENTS = (Message, Edit, Deletion, Delivery, Rekey, Permission, Ignored, Unreadable)


def test_facts_name_their_source_and_date(kind: Kind) -> None:
    """Every fact says on which page it was read and when; our own notes are no source."""
    facts = kind.spec.facts
    named = list(facts.each().items())
    for channel, different in facts.by_channel.items():
        assert channel in kind.spec.channels, f"by_channel: {channel} is not served"
        assert different.model_fields_set, f"by_channel: {channel} says nothing"
        named += [(f"{channel}.{name}", getattr(different, name)) for name in different.model_fields_set]
    for name, fact in named:
        assert len(fact.source) >= 8, f"{name}: {fact.source!r} names no page"
        assert not re.search(r"providers\.md|domain\.md|\bTODO\b", fact.source), f"{name}: {fact.source!r}"
        assert date(2024, 1, 1) <= fact.read_on <= date.today(), f"{name}: read on {fact.read_on}"  # noqa: DTZ011 - a day, not a moment


def test_settings_name_their_wrong_key(kind: Kind) -> None:
    """A missing, unknown or mistyped key is named; one sentence stands at every key."""
    given_settings = kind.given()
    model = kind.spec.settings
    for field in model.model_fields.values():
        assert field.description, "every key has its sentence"
        assert field.description.strip().endswith((".", "?")), field.description
    for name, field in model.model_fields.items():
        key = field.alias or name
        if field.is_required():
            rest = {other: value for other, value in given_settings.items() if other != key}
            assert _named(kind, rest, key), f"{key} missing is not named"
        assert _named(kind, {**given_settings, key: {"wrong": ["type"]}}, key), f"{key} of a wrong type is not named"
    assert _named(kind, {**given_settings, "no_such_key": 1}, "no_such_key")


def test_masked_and_empty_secrets_are_refused(kind: Kind) -> None:
    """T32, P19: the mask that an editor shows is never taken for the secret; no list of secrets is empty."""
    for key, changed in _spoiled(kind.given(), kind.secrets()):
        assert _named(kind, changed, key), f"{key}: a mask or nothing was taken for a secret"


def _spoiled(given_settings: dict[str, Any], known: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Copies of the settings with one secret masked, empty or taken away, at any depth, each with the key."""
    for key, value in given_settings.items():
        wrong: list[Any] = []
        if isinstance(value, dict):
            for inner, changed in _spoiled(value, known):
                yield inner, {**given_settings, key: changed}
        elif isinstance(value, str) and value in known:
            wrong = ["********", ""]
        elif isinstance(value, list) and value and set(map(str, value)) <= known:
            wrong = [[], [*value, "********"], [*value, ""]]
        for each in wrong:
            yield key, {**given_settings, key: each}


def _named(kind: Kind, changed: dict[str, Any], key: str) -> bool:
    with pytest.raises(ValidationError) as caught:
        kind.spec.settings.model_validate(changed)
    for secret in kind.secrets():
        assert secret not in str(caught.value), "an error of the settings shows a secret"
    return any(key in map(str, error["loc"]) for error in caught.value.errors())


def test_nothing_shows_a_secret(kind: Kind) -> None:
    """No repr or str of the settings or the connector holds a secret."""
    setup = kind.setup()
    connector = kind.spec.build(setup)
    shown = [
        repr(setup.settings),
        str(setup.settings),
        repr(connector),
        str(connector),
        setup.settings.model_dump_json(),
    ]
    for secret in kind.secrets():
        assert len(secret) >= 4, "test secrets are long enough to be found in a text"
        for text in shown:
            assert secret not in text


@pytest.mark.usefixtures("offline")
def test_fixtures_parse_as_expected(kind: Kind, request: pytest.FixtureRequest) -> None:
    """Each recorded request or item gives exactly its expected events, twice the same, without network."""
    accept = request.config.getoption("--accept")
    connector = kind.build()
    for case in kind.cases():
        found, again = _outcome(connector, case), _outcome(connector, case)
        assert found == again, f"{case.folder.name}: the second reading differs"
        assert (case.folder / "note.md").is_file(), f"{case.folder.name}: note.md says where the shape comes from"
        file = case.folder / "expected.json"
        if accept:
            file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        assert file.is_file(), f"{case.folder.name}: no expected.json; run pytest --accept and read the diff"
        assert found == json.loads(file.read_bytes()), f"{case.folder.name}: differs from expected.json"


def _outcome(connector: Connector, case: Case) -> Any:
    """Events as data; {"rejected": status}, {"malformed": path} or {"answer": text} where there are none."""
    try:
        raws = list(_raws(connector, case))
        if not raws:
            assert isinstance(connector, Push)
            called = case.request()
            assert called is not None
            return {"answer": connector.receive(called).answer.body.decode()}
        return json.loads(msgspec.json.encode([event for raw in raws for event in connector.parse(raw)]))
    except Rejected as rejected:
        return {"rejected": rejected.status}
    except Malformed as malformed:
        return {"malformed": malformed.path}


def _raws(connector: Connector, case: Case) -> Iterator[Raw]:
    called = case.request()
    if called is not None:
        assert isinstance(connector, Push)
        yield from connector.receive(called).keep
        return
    raw = case.raw()
    assert raw is not None, f"{case.folder}: neither request.http nor raw.eml nor raw.json"
    yield raw


@pytest.mark.usefixtures("offline")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=600))
def test_any_bytes_give_events_or_malformed(kind: Kind, body: bytes) -> None:
    """P32: whatever comes, parse answers with events or Malformed and never with another exception."""
    connector = kind.build()
    _parse(connector, Raw(channel_id="contract", received_at=kind.setup().now(), body=body, ref="1:1"))


@pytest.mark.usefixtures("offline")
def test_mutated_fixtures_give_events_or_malformed(kind: Kind) -> None:
    """P32: broken, cut, doubled and poisoned copies of real deliveries, seeded."""
    connector = kind.build()
    chance = random.Random(20260105)
    originals = [raw for case in kind.cases() for raw in _kept(connector, case)]
    assert originals, "at least one fixture is accepted"
    for _ in range(1_000):
        raw = chance.choice(originals)
        _parse(connector, msgspec.structs.replace(raw, body=_mutated(raw.body, chance)))


LARGE = 100_000


@pytest.mark.usefixtures("offline")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4))
def test_large_nonsense_gives_events_or_malformed(kind: Kind, pieces: list[bytes]) -> None:
    """P32: 100 KB of any bytes, as a delivery that grew somewhere on its way."""
    body = b"".join(pieces)
    body *= LARGE // len(body) + 1
    _parse(kind.build(), Raw(channel_id="contract", received_at=kind.setup().now(), body=body[:LARGE], ref="1:1"))


@pytest.mark.usefixtures("offline")
def test_large_mutations_give_events_or_malformed(kind: Kind) -> None:
    """P32: real deliveries in which a piece, an item or a poison stands until they have 100 KB, seeded."""
    connector = kind.build()
    chance = random.Random(20260106)
    originals = [raw for case in kind.cases() for raw in _kept(connector, case)]
    for _ in range(40):
        raw = chance.choice(originals)
        at = chance.randrange(len(raw.body) + 1)
        piece = chance.choice((raw.body[at : at + chance.randint(1, 400)], chance.choice(POISON))) or b" "
        body = raw.body[:at] + (piece * (LARGE // len(piece) + 1))[:LARGE] + raw.body[at:]
        _parse(connector, msgspec.structs.replace(raw, body=body))


def _kept(connector: Connector, case: Case) -> list[Raw]:
    try:
        return list(_raws(connector, case))
    except Rejected:
        return []


POISON = (
    b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b'"\\ud800"', b"\x00", b"\\u0000", b"\xff\xfe", b"\xef\xbb\xbf",
    b"9" * 400, b"[" * 10_000, b'{"a":' * 10_000, b"%00", b"%ff", b"&", b"=", b"\r\n", b"%", b"=?utf-8?q?=00?=",
    b"\r\n\r\n",
)  # fmt: skip


def _mutated(body: bytes, chance: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        span = chance.randint(1, 40)
        match chance.randrange(5):
            case 0:
                del data[at : at + span]
            case 1:
                data[at:at] = chance.choice(POISON)
            case 2:
                data[at : at + span] = chance.choice(POISON)
            case 3:
                data[at:at] = data[max(0, at - span) : at]
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def _parse(connector: Connector, raw: Raw) -> None:
    """Asserts that the bytes give events, which can be kept, or Malformed; any other exception fails the test."""
    try:
        found = connector.parse(raw)
    except Malformed:
        return
    assert found, "parse is never empty: it says Ignored(reason)"
    assert all(isinstance(event, EVENTS) for event in found)
    msgspec.json.encode(found)


@pytest.mark.usefixtures("offline")
def test_forged_requests_are_rejected(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    """P18, P30: about 2,000 seeded forgeries of every kind; none is kept, none is told a secret."""
    connector = kind.build()
    if not isinstance(connector, Push):
        assert isinstance(connector, Pull), "a connector is pushed to or pulls"
        return
    caplog.set_level(logging.DEBUG)
    secrets = kind.secrets()
    chance = random.Random(18)
    accepted = [each for case in kind.cases() for each in _signed(connector, case)]
    tried, told = 0, set[tuple[int, str]]()
    for number in range(400):
        honest = accepted[number % len(accepted)]
        wanted = _meaning(connector, connector.receive(honest).keep)
        for forged in _forgeries(kind, honest, chance):
            tried += 1
            try:
                kept = connector.receive(forged).keep
            except Rejected as rejected:
                told.add((rejected.status, str(rejected)))
                continue
            # Two spellings of one form ("%3a", "%3A") carry one proof; they must also carry one meaning.
            assert _meaning(connector, kept) == wanted, f"accepted: {forged.headers}, {forged.target}"
    assert tried >= 2_000
    # 503 says "come again": only to a provider that does (docs/adr/0009).
    again = {503} if connector.facts.redelivery_hours.value > 0 else set()
    assert {status for status, _ in told} <= {400, 401, 403, 405, 413, 415, 422} | again
    assert not any(secret in text for _, text in told for secret in secrets)
    assert not any(secret in caplog.text for secret in secrets)


def _signed(connector: Push, case: Case) -> list[Request]:
    called = case.request()
    if called is None:
        return []
    try:
        return [called] if connector.receive(called).keep else []
    except Rejected:
        return []


def _meaning(connector: Connector, kept: Sequence[Raw]) -> list[Any]:
    found: list[Any] = []
    for raw in kept:
        try:
            found.append(connector.parse(raw))
        except Malformed as malformed:
            found.append(malformed.path)
    return found


def _forgeries(kind: Kind, honest: Request, chance: random.Random) -> Iterator[Request]:
    signer, setup = kind.signer(), kind.setup()
    change = msgspec.structs.replace
    proof = {name: value for name, value in honest.headers if name in signer.HEADERS}
    assert proof, f"the fixture carries none of {signer.HEADERS}"
    rest = tuple(pair for pair in honest.headers if pair[0] not in signer.HEADERS)
    yield change(honest, headers=rest)
    for name, value in proof.items():
        others = tuple(pair for pair in honest.headers if pair[0] != name)
        for wrong in _wrong(value, chance):
            yield change(honest, headers=(*others, (name, wrong)))
        yield change(honest, headers=(*honest.headers, (name, value)))
        yield change(honest, headers=(*honest.headers, (name, "x")))
    live = signer.secrets(setup)
    yield signer.sign(honest, setup, b"")
    yield signer.sign(honest, setup, chance.randbytes(32))
    yield signer.sign(honest, setup, live[0][:-1])
    if honest.body and getattr(signer, "SIGNS_BODY", True):
        at = chance.randrange(len(honest.body))
        other = bytes([honest.body[at] ^ chance.randint(1, 255)])
        yield change(honest, body=honest.body[:at] + other + honest.body[at + 1 :])
        yield change(honest, body=honest.body[:at])
        yield change(honest, body=honest.body + bytes([chance.randrange(256)]))
    if signer.SIGNS_TARGET:
        yield change(honest, target=honest.target + ("&" if "?" in honest.target else "?") + "a=1")
        yield change(honest, target="/in/other" + honest.target[honest.target.rfind("?") :])


def _wrong(value: str, chance: random.Random) -> Iterator[str]:
    yield ""
    yield value[:-1]
    yield value + value[-1:]
    yield value + " é"
    yield "\ud800" + value
    yield "sha1=" + value.partition("=")[2]
    at = chance.randrange(len(value))
    yield value[:at] + chance.choice("ghijkl-_é٣") + value[at + 1 :]
    swapped = value.swapcase()
    if swapped != value:
        yield swapped


@pytest.mark.usefixtures("offline")
def test_each_live_secret_is_accepted(kind: Kind) -> None:
    """P19: while a secret is replaced, both prove; requests signed with either are kept."""
    connector = kind.build()
    if not isinstance(connector, Push):
        assert isinstance(connector, Pull)
        return
    signer, setup = kind.signer(), kind.setup()
    live = signer.secrets(setup)
    rotating = [
        value for value in kind.given().values() if isinstance(value, list) and set(map(str, value)) <= kind.secrets()
    ]
    assert len(live) >= min(2, 1 + len(rotating)), "a list of secrets in settings.json holds at least two"
    for case in kind.cases():
        for honest in _signed(connector, case):
            for secret in live:
                assert connector.receive(signer.sign(honest, setup, secret)).keep


@pytest.mark.usefixtures("offline")
def test_oversized_requests_are_rejected(kind: Kind) -> None:
    """T30: even an authentic request above the provider's own limit is refused."""
    connector = kind.build()
    if not isinstance(connector, Push):
        assert kind.spec.facts.max_body_bytes.value == 0, "a pulled channel is pushed nothing"
        return
    limit = kind.spec.facts.max_body_bytes.value
    assert limit > 0
    signer, setup = kind.signer(), kind.setup()
    honest = next(each for case in kind.cases() for each in _signed(connector, case))
    body = honest.body + b" " * (limit + 1 - len(honest.body))
    large = signer.sign(msgspec.structs.replace(honest, body=body), setup, signer.secrets(setup)[0])
    with pytest.raises(Rejected) as caught:
        connector.receive(large)
    assert caught.value.status == 413


@pytest.mark.usefixtures("offline")
async def test_text_over_the_limit_is_never_sent(kind: Kind) -> None:
    """T31: a text above the provider's limit is refused before any network is touched."""
    connector = kind.build()
    limit = kind.spec.facts.max_text.value
    out = Outgoing(key="r-1", recipient="+6281200000001", text="x" * (limit + 1))
    if limit > 1_000_000:
        return  # no limit worth the name (mail)
    with pytest.raises((Refused, Unreachable)):
        await connector.send(out)
    await connector.aclose()
    await connector.aclose()


def test_every_connector_folder_has_its_page(kind: Kind) -> None:
    """README.md says how to get the keys, what is known not to work, and how to record a fixture."""
    module = __import__(kind.spec.build.__module__, fromlist=["__file__"])
    assert module.__file__ is not None
    page = Path(module.__file__).parent / "README.md"
    assert page.is_file(), f"{page} is missing"
    assert len(page.read_text(encoding="utf-8")) > 300
