"""Whatever is sent to the API of the desk: a known answer, never an error of ours, and only what the role allows."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from harness import Aduan, start_aduan
from harness.customer import WhatsApp, number_in
from harness.desk import hire
from harness.settings import only
from tickets.lifecycle_events import BY_THE_CLOCK, Happening

_KNOWN = {200, 400, 403, 404, 409, 413, 415, 422}
_WORDS = ("klikacc", "laps_sjk", "fault", "supporting_documents", "cs_manager", "", "2026-01-05", "x" * 40)
_SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=50)
_VALUES = st.recursive(
    _SCALARS | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _given(type_: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of a field as JSON, mostly good ones."""
    match type_:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([_given(each) for each in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(_given(item), max_size=2)
        case inspect.IntType():
            return st.integers(0, 25)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.DateTimeType():
            return st.just("2026-01-05T10:00:00+07:00")
        case inspect.DateType():
            return st.dates(date(2026, 1, 1), date(2027, 12, 31)).map(str)
        case _:
            return st.sampled_from(_WORDS) | st.text(min_size=1, max_size=40)


def _event(kind: type[Happening]) -> st.SearchStrategy[dict[str, Any]]:
    fields = msgspec.structs.fields(kind)
    needed = {each.name: _given(inspect.type_info(each.type)) for each in fields if each.required}
    other = {each.name: _given(inspect.type_info(each.type)) for each in fields if not each.required}
    tag = st.just(str(kind.__struct_config__.tag))
    return st.fixed_dictionaries({"event": tag} | needed, optional=other)


_BODIES = st.one_of(*map(_event, Happening.__subclasses__()), _VALUES)


@pytest_asyncio.fixture
async def aduan(tmp_path: Path) -> AsyncIterator[Aduan]:
    async with start_aduan(tmp_path, only("klikacc-whatsapp")) as running:
        yield running


async def test_any_json_is_answered(aduan: Aduan) -> None:
    """A thousand bodies: events, and the same with one byte changed."""
    customer = WhatsApp(aduan, "klikacc", "meta", "6281234567890")
    await customer.say("Saldo saya terpotong dua kali.")
    number = number_in(await customer.receipt())
    headers = hire(aduan, "rina").headers | {"Content-Type": "application/json"}
    bodies: list[bytes] = []

    @settings(max_examples=500, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(_BODIES)
    def collect(body: Any) -> None:
        bodies.append(json.dumps(body).encode())

    collect()
    rng = random.Random(7)
    for whole in list(bodies):
        cut = bytearray(whole)
        cut[rng.randrange(len(cut))] = rng.randrange(256)
        bodies.append(bytes(cut))
    seen: dict[int, int] = {}
    async with aiohttp.ClientSession(aduan.url, headers=headers) as session:
        for body in bodies:
            async with session.post(f"/api/v1/tickets/{number}/events", data=body) as answer:
                said = await answer.read()
            seen[answer.status] = seen.get(answer.status, 0) + 1
            assert answer.status in _KNOWN, (answer.status, body, said)
            assert isinstance(msgspec.json.decode(said), dict)
            if answer.status == 200:
                assert json.loads(body)["event"] not in {str(each.__struct_config__.tag) for each in BY_THE_CLOCK}
    assert seen[400] > 100, seen
    assert seen.get(200, 0) > 5, seen
    assert seen.get(422, 0) > 50, seen
    report = await asyncio.to_thread(aduan.running.store.verify_audit)
    assert report.intact
