"""Whose doing an entry of a ticket's history in RT is, and what it says to a person. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tickets.forwarders.request_tracker_api import RtTransaction

#: The user that RT itself acts as: its scrips reopen a ticket after a reply, record mails that were sent.
SYSTEM = "RT_System"
#: Mails that RT sent: nothing of the ticket changed.
MAILS = frozenset({"EmailRecord", "CommentEmailRecord"})

_WORDS = {
    "Correspond": "pesan / message",
    "Comment": "catatan / note",
    "Create": "dibuat / created",
    "Take": "pemilik / owner",
    "Steal": "pemilik / owner",
    "Give": "pemilik / owner",
    "Untake": "pemilik / owner",
    "SetWatcher": "pemilik / owner",
    "AddWatcher": "peserta / participant",
    "DelWatcher": "peserta / participant",
    "CustomField": "kolom tambahan / custom field",
}

_FIELDS = {"Queue": "antrean / queue", "Owner": "pemilik / owner", "Due": "tenggat / due", "Subject": "judul / subject"}


def by_others(rows: Sequence[RtTransaction], ours: Collection[str]) -> tuple[RtTransaction, ...]:
    """The entries of one ticket that others made, oldest first; `rows` in their order, `ours` are ids.

    What RT does by itself belongs to whoever acted before it; with nobody before it, to others.
    """
    found: list[RtTransaction] = []
    foreign = True
    for row in rows:
        if row.id in ours:
            foreign = False
        elif row.creator.id != SYSTEM:
            foreign = True
        if foreign and row.type not in MAILS:
            found.append(row)
    return tuple(found)


def moves(row: RtTransaction) -> bool:
    """Whether the entry changes what our state stands for there: the status, or the queue with its lifecycle."""
    return row.type == "Status" or (row.type == "Set" and row.changed in {"Status", "Queue"})


def note(rows: Sequence[RtTransaction]) -> str:
    """What was changed, for a person of the desk: kinds of entries, statuses and names of fields, nothing else."""
    return "; ".join(dict.fromkeys(_said(row) for row in rows))


def _said(row: RtTransaction) -> str:
    if row.type == "Status":
        return f"status {row.old_value} -> {row.new_value}"
    if row.type in {"AddLink", "DeleteLink"}:
        return "digabung / merged" if row.changed == "MergedInto" else "tautan / link"
    if row.type == "Set" and row.changed:
        return _FIELDS.get(row.changed, row.changed)
    return _WORDS.get(row.type, row.type)
