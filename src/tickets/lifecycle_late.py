"""An event that is entered after it happened: it counts since then, but the customer hears of it only now. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from tickets.life import ClockName
from tickets.lifecycle_clocks import look_on
from tickets.lifecycle_values import Change, NoticeKind, Rules, Standing

#: The customer's time: it begins when the notice that names its end goes out.
CUSTOMERS: tuple[ClockName, ...] = ("documents", "objection_window", "silent_close")
#: The notices that name such a date.
_NAMING: frozenset[NoticeKind] = frozenset({"documents_requested", "answer", "objection_answer"})


def heard_today(rules: Rules, change: Change, today: Change) -> Change:
    """The change of an event of the past with the customer's time as it begins `today`, the same event judged now.

    An answer of last week that is noted today must not leave the customer half of the window in which to object.
    """
    theirs = today.ticket.life.promised
    promised = {name: theirs[name] if name in CUSTOMERS and name in theirs else each
                for name, each in change.ticket.life.promised.items()}  # fmt: skip
    told = {name: today.ticket.deadlines[name] if name in CUSTOMERS and name in today.ticket.deadlines else each
            for name, each in change.ticket.deadlines.items()}  # fmt: skip
    ticket = replace(change.ticket, deadlines=told, life=replace(change.ticket.life, promised=promised))
    look = look_on(rules, Standing(complaint=change.complaint, ticket=ticket))
    if "problem" in told:
        look = change.ticket.look_on
    notices = tuple(
        replace(mine, due=now.due, closes=now.closes) if mine.kind in _NAMING else mine
        for mine, now in zip(change.notices, today.notices, strict=True)
    )
    return replace(change, ticket=replace(ticket, look_on=look), notices=notices)
