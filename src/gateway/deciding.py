"""A person decides a proposal: two complaints become one, a complaint joins a mass event, or neither."""

from __future__ import annotations

from gateway.handling import Handling
from gateway.handling_values import Done, Refused
from gateway.matching import CROWD, SAME
from tickets.lifecycle_events import Event, Merged
from tickets.store import Store
from tickets.store.proposals import Decision, Proposal

_TASKS = {"same": SAME, "crowd": CROWD}


class Deciding:
    """Decides proposals of one installation. Only from the thread that writes the store."""

    def __init__(self, store: Store, handling: Handling) -> None:
        self._store = store
        self._handling = handling

    def confirm(self, proposal: Proposal, actor: str) -> Done | Refused:
        """What became of it: the newer complaint goes on under the older one's number. Raises the store's errors.

        Done again after a crash between its steps it does what is left: the event carries the proposal's key.
        """
        found = self._handling.once(
            self._number(proposal.complaint_id), self._event(proposal), actor=actor, key=f"proposal:{proposal.id}"
        )
        if isinstance(found, Done):
            self._decide(proposal, "confirmed", actor)
        return found

    def refuse(self, proposal: Proposal, actor: str) -> None:
        """The two have nothing to do with each other: they are not proposed again. Raises LookupError, store errors."""
        self._decide(proposal, "refused", actor)

    def _event(self, proposal: Proposal) -> Event:
        return Merged(into=self._number(proposal.other_id))

    def _number(self, complaint_id: str) -> str:
        """The complaint's own number. Raises LookupError when it is not there any more."""
        view = self._store.ticket_of_complaint(complaint_id)
        if view is None:
            raise LookupError("one of the complaints is not there any more")
        return view.ticket.ticket_number

    def _decide(self, proposal: Proposal, decision: Decision, actor: str) -> None:
        """Writes the decision, and closes the task when nothing of its kind is left to decide for the complaint."""
        about = proposal.complaint_id if proposal.kind == "same" else proposal.other_id
        with self._store.begin() as tx:
            tx.proposals.decide(proposal.id, decision, actor)
        left = self._store.proposals.listed(kind=proposal.kind, complaint_id=about, state="open", limit=1)
        if left:
            return
        with self._store.begin() as tx:
            tasks = [each.id for each in tx.casework.open_tasks(about) if each.kind == _TASKS[proposal.kind]]
            tx.close_tasks(tasks, actor)
