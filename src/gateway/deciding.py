"""A person decides a proposal: two complaints become one, a complaint joins a mass event, or neither."""

from __future__ import annotations

from gateway.handling import Handling
from gateway.handling_values import Done, Refused
from gateway.matching import CROWD, SAME
from tickets.lifecycle_events import Event, Grouped, Merged
from tickets.store import Store
from tickets.store.proposals import Decision, Proposal

_TASKS = {"same": SAME, "crowd": CROWD}


class Deciding:
    """Decides proposals of one installation. Only from the thread that writes the store."""

    def __init__(self, store: Store, handling: Handling) -> None:
        self._store = store
        self._handling = handling

    def confirm(self, proposal: Proposal, actor: str) -> Done | Refused:
        """What became of it: the newer complaint goes on under the older one's number, or is grouped under it.

        Done again after a crash between its steps it does what is left: the event carries the proposal's key. Raises
        LookupError when one of the complaints is gone or the proposal was decided, and the store's errors.
        """
        found = self._handling.once(
            self._number(proposal.complaint_id), self._event(proposal), actor=actor, key=f"proposal:{proposal.id}"
        )
        if isinstance(found, Done):
            self._decide(proposal, "confirmed", actor)
        return found

    def refuse(self, proposal: Proposal, actor: str) -> None:
        """The two have nothing to do with each other and are not proposed again. Raises as `confirm`."""
        self._decide(proposal, "refused", actor)

    def for_all(self, number: str, event: Event, *, actor: str, key: str) -> dict[str, Done | Refused]:
        """What an event did to a ticket and to every ticket grouped under it, by their numbers.

        The first ticket decides: when it is refused the others are left alone. With the same key it does what is left.
        """
        first = self._handling.once(number, event, actor=actor, key=key)
        if isinstance(first, Refused):
            return {number: first}
        found: dict[str, Done | Refused] = {first.after.ticket.ticket_number: first}
        for child in self._store.proposals.children(first.after.ticket.complaint_id):
            found[child] = self._handling.once(child, event, actor=actor, key=key)
        return found

    def _event(self, proposal: Proposal) -> Event:
        other = self._number(proposal.other_id)
        return Merged(into=other) if proposal.kind == "same" else Grouped(parent=other)

    def _number(self, complaint_id: str) -> str:
        view = self._store.ticket_of_complaint(complaint_id)
        if view is None:
            raise LookupError("one of the complaints is not there any more")
        return view.ticket.ticket_number

    def _decide(self, proposal: Proposal, decision: Decision, actor: str) -> None:
        """Writes the decision, and closes the tasks of complaints for which nothing of its kind is left to decide."""
        now = self._store.proposals.one(proposal.id)
        if now is None or now.state not in {"open", decision}:
            raise LookupError("the proposal was decided otherwise")
        if now.state == "open":
            with self._store.begin() as tx:
                tx.proposals.decide(proposal.id, decision, actor)
        # After a merge the tasks of the one that went are with the one that goes on.
        for about in (proposal.complaint_id, proposal.other_id):
            if self._store.proposals.listed(kind=proposal.kind, complaint_id=about, limit=1):
                continue
            with self._store.begin() as tx:
                tasks = [each.id for each in tx.casework.open_tasks(about) if each.kind == _TASKS[proposal.kind]]
                tx.close_tasks(tasks, actor)
