"""Ids are ULIDs as the specification has them: read by another implementation, ascending, of the right time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from gateway.ids import Ids, new_id

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=2_900_000)).map(lambda since: EPOCH + since)


@given(now=MOMENTS)
def test_another_implementation_reads_the_same_time_and_writes_the_same_text(now: datetime) -> None:
    text = new_id(now)
    other = ULID.from_str(text)
    assert str(other) == text
    assert other.milliseconds == (now - EPOCH) // MILLISECOND


@given(now=MOMENTS, count=st.integers(2, 50))
def test_ids_of_one_instant_ascend_by_one(now: datetime, count: int) -> None:
    ids = Ids(now)
    texts = [ids.new() for _ in range(count)]
    numbers = [int(ULID.from_str(text)) for text in texts]
    assert texts == sorted(texts)
    assert numbers == list(range(numbers[0], numbers[0] + count))


@given(first=MOMENTS, second=MOMENTS)
def test_ids_sort_by_their_millisecond(first: datetime, second: datetime) -> None:
    if (first - EPOCH) // MILLISECOND < (second - EPOCH) // MILLISECOND:
        assert new_id(first) < new_id(second)


@pytest.mark.parametrize("drawn", [b"\0" * 10, b"\xff" * 10, b"\0" * 7 + b"\x1f\xff\xfd"])
def test_counting_on_carries_into_the_part_that_does_not_count(monkeypatch: pytest.MonkeyPatch, drawn: bytes) -> None:
    monkeypatch.setattr("os.urandom", lambda size: drawn[:size])
    ids = Ids(EPOCH)
    numbers = [int(ULID.from_str(ids.new())) for _ in range(4)]
    start = int.from_bytes(drawn) >> 1
    assert numbers == [start + n for n in range(1, 5)]


def test_ids_are_not_given_twice() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    several = [Ids(now) for _ in range(100)]
    assert len({ids.new() for ids in several for _ in range(100)}) == 10_000


@pytest.mark.parametrize("moment", [EPOCH - MILLISECOND, datetime(1, 1, 1, tzinfo=UTC)])
def test_a_time_before_1970_is_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="no such time"):
        new_id(moment)
