"""Every channel in one installation in one weather: who complained, what became of it, and what a person knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.customer import ticket
from harness.installation import Aduan
from simulator import Climate, Weather
from simulator.place import Provider
from simulator.weather import CLIMATES
from tickets.model import OutboxRow
from tickets.store import TicketView

Got = Counter[object]
#: Somebody complains once; how the answer will be addressed in what was got.
Complain = Callable[[Aduan, str], Awaitable[object]]

P = TypeVar("P", bound=Provider)

ARRIVED = ("delivered", "read")


def nothing(_: Aduan) -> Got:
    """What is said in public on a private channel."""
    return Counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How the customers of one channel complain, what they got, and what its provider lets anybody find out."""

    #: The channel of the configuration that takes the complaint, and the channel of the policy that it is.
    source: str
    channel: str
    people: Sequence[str]
    complain: Complain
    #: The address of every receipt that was taken; a copy that shows itself as the same one counts once.
    reached: Callable[[Aduan], Iterable[object]]
    #: How the provider calls a customer.
    address: Callable[[str], object] = str
    #: Lines in public by what they stand under, one for each customer where there are any.
    public: Callable[[Aduan], Got] = nothing
    in_public: bool = False
    #: Whose weather it is, and the channel that the receipts go out by; none where they are handed over.
    provider: Callable[[Aduan], Provider]
    sends_by: str | None
    #: Climates that mean nothing to this provider: it has calm weather in them.
    untouched: Collection[str] = ()
    #: Whether the provider reports what arrived.
    reports: bool = False
    #: Climates in which an answer may stay open twice whether it went out: then it is a person's task.
    doubtful: Collection[str] = ()
    #: Climates in which a receipt may still wait as long as the provider asked.
    waits: Collection[str] = ()
    #: Whether a second copy may exist where it is flagged as possible.
    may_double: bool = False
    #: Whether the provider lists what no webhook brought, and what a person is told of a lost subscription, if any.
    listed: bool = True
    told_of_loss: str = ""
    #: Whether its window closes: then nothing goes out and a person has the task.
    window: bool = False
    #: Files that each complaint brings.
    files: int = 0
    #: Milder than its name: retries double, and sends must end.
    mild: bool = True

    @property
    def name(self) -> str:
        """How the line is called among the tests."""
        return f"{self.source}:{self.channel}"

    def got(self, aduan: Aduan) -> Got:
        """How many receipts each of the line's customers has, by address."""
        own = self.addresses
        return Counter(address for address in self.reached(aduan) if address in own)

    @property
    def addresses(self) -> set[object]:
        """The addresses of all the line's customers."""
        return {self.address(person) for person in self.people}

    def meets(self, climate: str) -> bool:
        """Whether the climate is this line's at all."""
        return climate not in self.untouched

    def views(self, aduan: Aduan) -> list[TicketView]:
        """The tickets of this line."""
        lines = aduan.running.store.tickets(limit=10_000)
        mine = [line for line in lines if (line.channel_id, line.channel) == (self.source, self.channel)]
        return [ticket(aduan, line.ticket_number) for line in mine]


def climate_of(name: str, *, mild: bool = True) -> Climate:
    """The named climate; mild with one trouble at a time and a short silence: retries double, and tests must end."""
    climate = CLIMATES[name]
    if climate.trouble is None or climate.spell == 0 or not mild:
        return climate
    return Climate(trouble=climate.trouble, chance=0.4, spell=1, stall_seconds=3)


def set_weather(aduan: Aduan, lines: Sequence[Line], name: str, *, seed: int) -> None:
    """Gives every provider this weather, or calm where it would mean nothing, and makes its waits short."""
    for number, line in enumerate(lines):
        provider = line.provider(aduan)
        found = name if line.meets(name) else "calm"
        provider.weather = Weather(name=found, climate=climate_of(found, mild=line.mild), seed=seed + number)
        quicken(provider)


def quicken(provider: Provider) -> None:
    """Makes the retries and reports of a pretended provider quick, and its lists free."""
    clocked: Any = getattr(provider, "queue", provider)
    if hasattr(clocked, "time_scale"):
        clocked.time_scale = min(clocked.time_scale, 0.001)
    if hasattr(provider, "enforce_limits"):
        provider.enforce_limits = False


def quick(aduan: Aduan, slug: str, kind: type[P]) -> P:
    """The one pretended account of this kind that an institution has, its waits short."""
    provider = aduan.provider(slug, kind)
    quicken(provider)
    return provider


def _settled(line: Line, view: TicketView, row: OutboxRow, name: str) -> bool:
    if row.state in ("sent", "suppressed"):
        return True
    if row.state == "failed":
        return bool(view.tasks)
    # While a channel rests, rows that were never tried wait for it too.
    return name in line.waits and row.state == "due" and (row.error_class == "Throttled" or row.attempts == 0)


def answered_for(line: Line, view: TicketView, name: str) -> bool:
    """Whether all that is owed went out and arrived, became somebody's task, or waits as long as the provider asked."""
    if not all(_settled(line, view, row, name) for row in view.outbox):
        return False
    if [file.status for file in view.attachments] != ["stored"] * line.files:
        return False
    # Without a subscription no report comes either.
    reported = line.reports and not CLIMATES[name].unsubscribed
    arrived = not reported or view.complaint.receipts[0].state in ARRIVED
    return arrived or view.outbox[0].state != "sent"


def all_answered_for(aduan: Aduan, lines: Sequence[Line], name: str) -> str:
    """The lines that are not yet done in this weather, empty when all are."""
    return ", ".join(
        line.name for line in lines if not all(answered_for(line, view, name) for view in line.views(aduan))
    )


def judge(aduan: Aduan, line: Line, name: str, said: Sequence[object]) -> None:
    """Asserts P8, P10, P11 and P13 for one line: nothing lost, nothing doubled unless it is flagged, a person knows."""
    views = line.views(aduan)
    assert len(views) == len(line.people), "one complaint for each"
    assert all(len(view.messages) == 1 for view in views), "nothing came twice"
    assert not [row.routes[row.route].channel_id for view in views for row in view.outbox if _elsewhere(line, row)]
    got = line.got(aduan)
    flagged = sum(row.possible_duplicate for view in views for row in view.outbox)
    assert got.total() <= len(got) + (flagged if line.may_double else 0), "a second receipt that nobody flagged"
    assert max(got.values(), default=0) <= (2 if line.may_double else 1)
    failed = [view for view in views if view.outbox[0].state == "failed"]
    under = line.public(aduan)
    assert max(under.values(), default=0) <= 1, "said twice in public"
    assert not line.in_public or set(under) <= set(said), "said under what nobody wrote here"
    if name not in {*line.doubtful, *line.waits}:
        assert not failed
        assert set(got) == line.addresses, "everybody has a receipt"
        assert len(under) == (len(line.people) if line.in_public else 0)
    for view in failed:
        assert "check_possible_duplicate" in {task.kind for task in view.tasks}
    waiting = [view for view in views if view.outbox[0].state == "due"]
    assert len(got) >= len(line.people) - len(failed) - len(waiting), "called sent, and nobody has it"


def _elsewhere(line: Line, row: OutboxRow) -> bool:
    return row.state == "sent" and row.routes[row.route].channel_id != line.sends_by
