"""Whose doing an entry of a ticket's history in RT is, and what it says to a person. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tickets.forwarders.request_tracker_api import RtTransaction

#: The user that RT itself acts as: its scrips reopen a ticket after a reply, record mails that were sent.
SYSTEM = "RT_System"

#: What a person here wants to know of. Owners, watchers, priorities, working times and reminders are theirs alone.
_TYPES = {
    "Create": "dibuat / created",
    "Correspond": "pesan / message",
    "Comment": "catatan / note",
    "Status": "status",
}
_FIELDS = {
    "Queue": "antrean / queue",
    "Due": "tenggat / due",
    "Subject": "judul / subject",
    "MergedInto": "digabung / merged",
}


def tells(row: RtTransaction) -> bool:
    """Whether the entry is one that a person here wants to know of, whoever made it."""
    return row.type in _TYPES or (row.type in {"Set", "AddLink"} and row.changed in _FIELDS)


def moves(row: RtTransaction) -> bool:
    """Whether the entry changes what our state stands for there: the status, or the queue with its lifecycle."""
    return row.type == "Status" or (row.type == "Set" and row.changed == "Queue")


def by_others(rows: Sequence[RtTransaction], ours: Collection[str]) -> tuple[RtTransaction, ...]:
    """The entries of one ticket that tell and that others made, oldest first; `rows` in their order, `ours` are ids.

    What RT does by itself belongs to whoever acted before it; with nobody before it, to others.
    """
    found: list[RtTransaction] = []
    foreign = True
    for row in rows:
        if row.id in ours:
            foreign = False
        elif row.creator.id != SYSTEM:
            foreign = True
        if foreign and tells(row):
            found.append(row)
    return tuple(found)


def conflicts(foreign: Sequence[RtTransaction], wanted: str) -> bool:
    """Whether others moved the ticket, and not to the status that we want as well."""
    moved = [row for row in foreign if moves(row)]
    return bool(moved) and not (moved[-1].type == "Status" and moved[-1].new_value == wanted)


def unsettled(foreign: Sequence[RtTransaction], wanted: str) -> RtTransaction | None:
    """The first entry of others that a person must still hear of: the same status on both sides is no news."""
    agreed = not conflicts(foreign, wanted)
    return next((row for row in foreign if not (agreed and moves(row))), None)


def accounted(rows: Sequence[RtTransaction], first: RtTransaction | None, since: str) -> str:
    """The id of the last entry that tells before `first`, or of the last one at all; `since` when there is none."""
    end = None if first is None else first.number
    return next((row.id for row in reversed(rows) if tells(row) and (end is None or row.number < end)), since)


def note(rows: Sequence[RtTransaction]) -> str:
    """What was changed, for a person of the desk: kinds of entries, statuses and names of fields, nothing else."""
    return "; ".join(dict.fromkeys(_said(row) for row in rows))


def _said(row: RtTransaction) -> str:
    if row.type == "Status":
        return f"status {row.old_value} -> {row.new_value}"
    return _FIELDS.get(row.changed or "") or _TYPES.get(row.type, row.type)
