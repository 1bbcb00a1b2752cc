"""What became of an event, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.cli.out import wib
from gateway.handling_refusals import sentence
from gateway.handling_values import Done, Refused
from gateway.handling_words import MovedDate, moved_dates
from tickets.model import OutboxRow

#: How clocks are called, Indonesian first.
CLOCKS = {
    "first_response": "jawaban pertama / first response",
    "resolve": "penyelesaian / resolution",
    "documents": "dokumen / documents",
    "objection_window": "keberatan pengadu / complainant's objection",
    "objection_answer": "jawaban keberatan / answer to the objection",
    "silent_close": "ditutup bila diam / closed when silent",
    "personal_data": "data pribadi / personal data",
}


def lines_of(found: Done, *, dry_run: bool) -> Iterator[str]:
    """State, dates with the days counted, messages to the customer, tasks."""
    before, ticket = found.before.ticket, found.after.ticket
    if dry_run:
        yield "(uji coba: tidak ada yang diubah / dry run: nothing was changed)"
    if found.repeated:
        yield f"{ticket.ticket_number}  {found.event} sudah tercatat / was recorded before; nothing was done now"
        return
    change = before.state if before.state == ticket.state else f"{before.state} -> {ticket.state}"
    yield f"{ticket.ticket_number}  {found.event}: {change} (revision {ticket.life.revision})"
    if found.into is not None:
        yield f"  berlanjut / goes on   {found.into.ticket.ticket_number}"
    for moved in moved_dates(before, ticket):
        yield from _moved(moved)
    for row in found.notices:
        yield f"  pesan / message       {_notice(row)}"
    for task in found.tasks:
        yield f"  tugas / task          {task.kind}: {task.reason}"
    for task in found.settled:
        yield f"  selesai / settled     {task.kind}"


def refusal_lines(found: Refused) -> Iterator[str]:
    """The sentence in both languages, the rule and where it comes from."""
    refusal = found.refusal
    yield sentence(refusal, "id")
    yield sentence(refusal, "en")
    sources = f" ({', '.join(refusal.sources)})" if refusal.sources else ""
    yield f"  aturan / rule: {refusal.rule}{sources} [{refusal.code}]"


def _moved(moved: MovedDate) -> Iterator[str]:
    was = f"{moved.before} -> " if moved.before else ""
    yield f"  tenggat / date        {CLOCKS.get(moved.clock, moved.clock)}: {was}{moved.after or 'selesai / done'}"
    if moved.counted:
        days = ", ".join(day[5:] for day in moved.counted)
        yield f"    dihitung / counted ({len(moved.counted)}): {days}"
    if moved.skipped:
        days = ", ".join(f"{skip['date'][5:]} {skip['reason']}" for skip in moved.skipped)
        yield f"    dilewati / skipped: {days}"


def _notice(row: OutboxRow) -> str:
    if row.state == "suppressed" or row.route >= len(row.routes):
        return f"{row.template}: tidak dikirim / not sent: {row.reason or '-'}"
    route = row.routes[row.route]
    how = " (template)" if route.template else ""
    return f"{row.template}: {route.channel or route.channel_id}{how}, {wib(row.due_at)} WIB, {row.language}"
