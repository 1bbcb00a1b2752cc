"""Deadlines as JSON for programs and as text for people."""

from __future__ import annotations

from typing import Any

from tickets.calendar import Due
from tickets.deadlines_values import Deadlines, Pending, Resolve

_NAMES = {
    "first_response": "Jawaban pertama / first response",
    "resolve": "Penyelesaian / resolution",
    "documents": "Kelengkapan dokumen / documents",
    "objection_window": "Keberatan pengadu / complainant's objection",
    "objection_answer": "Jawaban atas keberatan / answer to the objection",
    "silent_close": "Ditutup bila tidak ada tanggapan / closed when silent",
}
_WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")


def explain(deadlines: Deadlines) -> dict[str, Any]:
    """The deadlines as JSON-able data: for each clock its due date and the days counted and skipped, with reasons."""
    found: dict[str, Any] = {
        "policy": deadlines.policy_id,
        "policy_version": deadlines.policy_version,
        "calendar_version": deadlines.calendar_version,
        "received": deadlines.received.isoformat(),
        "first_response": _clock(deadlines.first_response),
        "resolve": _resolve(deadlines.resolve),
    }
    if deadlines.documents_request_by is not None:
        found["documents_request_by"] = deadlines.documents_request_by.due.isoformat()
    if deadlines.documents is not None:
        found["documents"] = {
            **explain_due(deadlines.documents.window),
            "extended": deadlines.documents.extended and explain_due(deadlines.documents.extended),
            "reject_from": deadlines.documents.reject_from and deadlines.documents.reject_from.isoformat(),
        }
    for name in ("objection_window", "objection_answer", "silent_close"):
        clock: Due | None = getattr(deadlines, name)
        if clock is not None:
            found[name] = explain_due(clock)
    found["warnings"] = _warnings(deadlines)
    return found


def explain_text(deadlines: Deadlines) -> str:
    """The deadlines as lines of text, Indonesian first."""
    lines = [f"Diterima / received: {_day(deadlines.received.isoformat(), deadlines.received.weekday())}"]
    if deadlines.first_response is None:
        lines.append(f"{_NAMES['first_response']}: tidak dijanjikan / not promised")
    elif isinstance(deadlines.first_response, Pending):
        lines.append(_pending("first_response", deadlines.first_response))
    if isinstance(deadlines.resolve.clock, Pending):
        lines.append(_pending("resolve", deadlines.resolve.clock))
    for name, clock in deadlines.clocks:
        lines += _text(name, clock)
        if name == "resolve" and deadlines.resolve.earliest is not None:
            lines.append(f"  paling cepat / earliest: {deadlines.resolve.earliest.isoformat()}")
    return "\n".join([*lines, *(f"! {warning}" for warning in _warnings(deadlines))])


def _clock(clock: Due | Pending | None) -> dict[str, Any] | None:
    if clock is None:
        return None
    if isinstance(clock, Due):
        return explain_due(clock)
    return {"due": None, "pending": clock.reason, "waits_for": clock.waits_for, "days": clock.days}


def _resolve(resolve: Resolve) -> dict[str, Any]:
    clock = _clock(resolve.clock) or {}
    found = {
        "track": resolve.track,
        "earliest": resolve.earliest and resolve.earliest.isoformat(),
        **clock,
    }
    if resolve.extensions:
        found["extensions"] = [
            {"from": step.start.isoformat(), "days": step.days, "due": step.due.isoformat()}
            for step in resolve.extensions
        ]
    return found


def explain_due(due: Due) -> dict[str, Any]:
    """One clock as JSON-able data: its due date, the days counted, and those skipped with reasons."""
    return {
        "due": due.due.isoformat(),
        "counted": [day.isoformat() for day in due.counted],
        "skipped": [{"date": skip.date.isoformat(), "reason": str(skip.reason)} for skip in due.skipped],
    }


def _warnings(deadlines: Deadlines) -> list[str]:
    return [
        f"{name}: {skip.date.isoformat()} ({skip.reason.name}) masih perkiraan / is only estimated: the date may move"
        for name, clock in deadlines.clocks
        for skip in clock.estimated
    ]


def _pending(name: str, clock: Pending) -> str:
    days = "" if clock.days is None else f" ({clock.days} hari kerja / working days)"
    return f"{_NAMES[name]}: belum berjalan / {clock.reason}{days}"


def _text(name: str, clock: Due) -> list[str]:
    lines = [f"{_NAMES[name]}: {_day(clock.due.isoformat(), clock.due.weekday())}"]
    if clock.counted:
        counted = ", ".join(f"{day:%d-%m}" for day in clock.counted)
        lines.append(f"  dihitung / counted ({len(clock.counted)}): {counted}")
    if clock.skipped:
        skipped = ", ".join(f"{skip.date:%d-%m} {skip.reason}" for skip in clock.skipped)
        lines.append(f"  dilewati / skipped: {skipped}")
    return lines


def _day(text: str, weekday: int) -> str:
    return f"{_WEEKDAYS[weekday]} {text}"
