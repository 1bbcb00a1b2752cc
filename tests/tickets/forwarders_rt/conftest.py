"""A real Request Tracker 5 for every test of this folder, and a line to it that can fail after RT has acted."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.forward_http import ForwardCalls
from harness.request_tracker import QUEUE, RequestTrackerServer, Template, missing, prepare, running
from harness.request_tracker_line import Line, lay
from store_values import Build
from tickets import numbers
from tickets.forwarders.contract import Handover
from tickets.forwarders.request_tracker import RequestTracker
from tickets.forwarders.request_tracker_settings import RequestTrackerSettings

_count = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that starts an RT, so that none can forget to say so."""
    for item in items:
        if isinstance(item, pytest.Function) and "rt_template" in item.fixturenames:
            item.add_marker(pytest.mark.request_tracker)


@pytest.fixture(scope="session")
def rt_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A database that every server of the session starts from; skips with the reason where no RT can be started."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    return prepare(tmp_path_factory.mktemp("rt-template"))


@pytest.fixture(scope="session")
def rt(rt_template: Template) -> Iterator[RequestTrackerServer]:
    """One RT for all tests that do not stop it."""
    with tempfile.TemporaryDirectory(prefix="aduan-rt-") as home, running(rt_template, Path(home)) as server:
        yield server


@pytest.fixture
def own_rt(rt_template: Template, tmp_path: Path) -> Iterator[RequestTrackerServer]:
    """An RT that the test may kill."""
    with running(rt_template, tmp_path) as server:
        yield server


@pytest.fixture
async def forward() -> AsyncIterator[Callable[..., RequestTracker]]:
    """Makes forwarders; they are closed with the test."""
    made: list[RequestTracker] = []

    def make(rt: RequestTrackerServer, url: str | None = None, who: str = "aduan", **settings: Any) -> RequestTracker:
        given = RequestTrackerSettings.model_validate(
            {
                "name": "rt", "kind": "request_tracker", "url": url or rt.url, "inside": True, "queue": QUEUE,
                "token": rt.tokens[who], **settings,
            }
        )  # fmt: skip
        forwarder = RequestTracker(given, ForwardCalls(given, _now), _now)
        made.append(forwarder)
        return forwarder

    yield make
    for each in made:
        await each.aclose()


@pytest.fixture
async def line(rt: RequestTrackerServer) -> AsyncIterator[Line]:
    """A line to the shared RT."""
    async with lay(rt.url) as laid:
        yield laid


@pytest.fixture
def handover() -> Callable[..., Handover]:
    """Makes what is handed over; every call without `complaint_id` is about another complaint."""

    def make(
        complaint_id: str | None = None,
        *,
        ticket: dict[str, Any] | None = None,
        complaint: dict[str, Any] | None = None,
        **given: Any,
    ) -> Handover:
        build = Build()
        name = complaint_id or f"01JRT{next(_count):06}"
        number = numbers.make("KLA", date(2026, 1, 5), int(name[5:]))
        values: dict[str, Any] = {"type": "complaint.received", "at": build.now, "seq": 1, **given}
        return Handover(
            complaint=build.complaint(name, number, **(complaint or {})),
            ticket=build.ticket(name, number, **(ticket or {})),
            **values,
        )

    return make


def _now() -> datetime:
    return datetime.now(UTC)
