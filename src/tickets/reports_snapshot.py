"""What was handed in, kept as it was, and what would be counted otherwise today. Pure.

A snapshot is the report as JSON; its SHA-256 says that nobody changed it. A later count never changes it: the
differences are listed, each with its figure, its ticket and the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from tickets.reports_values import TOTAL, Fact, Figure, Handled, Report, Table


class LayoutUsed(Struct, frozen=True, kw_only=True):
    """The mapping file that a report was laid out with."""

    id: str
    #: The first 12 hex digits of the SHA-256 of the file.
    version: str


class Frozen(Struct, frozen=True, kw_only=True):
    """What a snapshot holds."""

    report: Report
    layout: LayoutUsed


class Snapshot(Struct, frozen=True, kw_only=True):
    """A report that was frozen; edition 2 and later replace one that was frozen too early, which stays."""

    organisation: str
    report: str
    period: str
    edition: int
    frozen_at: datetime
    frozen_by: str
    sha256: str
    document: bytes

    @property
    def is_intact(self) -> bool:
        """True when the document is the one that was frozen."""
        return digest(self.document) == self.sha256

    def read(self) -> Frozen:
        """The frozen report. Raises ValueError when the document was changed."""
        if not self.is_intact:
            raise ValueError(f"the snapshot of {self.organisation} {self.report} {self.period} was changed")
        return _decode(self.document)


class Differs(Struct, frozen=True, kw_only=True):
    """One thing that is known otherwise now than when the report was frozen."""

    what: str
    then: str
    now: str


class Correction(Struct, frozen=True, kw_only=True):
    """One item that a figure counted then and would not count now, or the other way round."""

    section: str
    row: str
    column: str
    then: int
    now: int
    #: A ticket number, `number#message` or `publication id`.
    item: str
    counted: bool
    why: tuple[Differs, ...]


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Frozen).decode


def document(report: Report, layout: LayoutUsed) -> bytes:
    """The report as the JSON that is frozen; the same report gives the same bytes."""
    return _encode(Frozen(report=report, layout=layout))


def digest(document: bytes) -> str:
    """SHA-256 of a frozen document, hex."""
    return hashlib.sha256(document).hexdigest()


def corrections(frozen: Report, now: Report, facts: Iterable[Fact]) -> tuple[Correction, ...]:
    """Every difference between what was frozen and today's count of the same days.

    `facts` are today's facts of all tickets that were read, also of those that no longer count. Sums are left out:
    they differ as their parts do.
    """
    known = {fact.number: fact for fact in facts}
    then = {handled.fact.number: handled for handled in frozen.handled}
    today = {handled.fact.number: handled for handled in now.handled}
    found: list[Correction] = []
    for cell, old, new in _cells(frozen, now):
        section, row, column = cell
        for item in sorted({*old.behind} ^ {*new.behind}):
            number = item.partition("#")[0]
            counted = item in new.behind
            found.append(
                Correction(
                    section=section,
                    row=row,
                    column=column,
                    then=old.value,
                    now=new.value,
                    item=item,
                    counted=counted,
                    why=_why(then.get(number), today.get(number), known.get(number), counted),
                )
            )
    return tuple(found)


def _cells(frozen: Report, now: Report) -> Iterable[tuple[tuple[str, str, str], Figure, Figure]]:
    old, new = _by_cell(frozen.tables), _by_cell(now.tables)
    for cell in sorted({*old, *new}):
        empty = Figure(row=cell[1], column=cell[2], value=0, behind=())
        if TOTAL not in cell[1:]:
            yield cell, old.get(cell, empty), new.get(cell, empty)


def _by_cell(tables: Iterable[Table]) -> Mapping[tuple[str, str, str], Figure]:
    return {(table.section, figure.row, figure.column): figure for table in tables for figure in table.figures}


def _why(then: Handled | None, now: Handled | None, fact: Fact | None, counted: bool) -> tuple[Differs, ...]:
    """The fields of the ticket that differ; where only one side knows it, what became of it."""
    if then is not None and now is not None:
        return _fields(_flat(then), _flat(now))
    if then is not None and fact is not None:
        return _fields(_flat(then.fact), _flat(fact))
    return (Differs(what="recorded", then="" if counted else "counted", now="counted" if counted else ""),)


def _fields(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Differs, ...]:
    return tuple(
        Differs(what=name, then=_word(then.get(name)), now=_word(now.get(name)))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    )


def _flat(value: Handled | Fact) -> dict[str, Any]:
    if isinstance(value, Fact):
        return dict(msgspec.to_builtins(value))
    own = {"code": value.code, "problem": value.problem, "settled_in_period": value.settled}
    return {**msgspec.to_builtins(value.fact), **own}


def _word(value: Any) -> str:
    return "" if value is None else str(value)
