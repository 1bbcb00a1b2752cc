"""Calls, visits and letters that a person enters: our own channel, so its provider is our own web front."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from connectors import signing, submission
from connectors.contract import Connector, Intake, Request, Setup, Spec
from connectors.errors import Misconfigured, Rejected, Unreachable
from connectors.facts import Facts, load
from connectors.staff import entry
from connectors.staff.parse import Entered, parse
from connectors.staff.person import person_of
from connectors.staff.settings import StaffSettings
from normalizer.message import Event, Outgoing, Raw, Sent


class Staff:
    """The people of one organisation who write down what they are told."""

    def __init__(self, setup: Setup) -> None:
        if len(setup.secret) < 32:
            raise Misconfigured("the installation's secret is shorter than 32 bytes; entries could be forged")
        settings: StaffSettings = setup.settings
        self.channel_id = setup.channel_id
        self.facts: Facts = setup.facts
        self._secret = setup.secret
        self._people = {name: signing.keys(tokens) for name, tokens in settings.people.items()}
        self._within = timedelta(days=settings.received_within_days)

    def admit(self, request: Request) -> str:
        """Who enters it; reads no body. Raises Rejected(401) for anybody else."""
        given = request.header("authorization")
        found = person_of(
            given, request.received_at, people=self._people, secret=self._secret, channel_id=self.channel_id
        )
        if found is None:
            raise Rejected(401, "Authorization is missing, wrong or too old")
        return found

    def receive(self, request: Request) -> Intake:
        """What to keep. Raises Rejected(401) without person or seal, InvalidSubmission naming every wrong field."""
        person = self.admit(request)
        submission.check_seal(self._secret, self.channel_id, request, self.facts.max_body_bytes.value)
        given = submission.read_document(request.body)
        fields, problems = submission.judge(given, leave=entry.NAMES)
        found, wrong = entry.check(given.fields, request.received_at, self._within)
        if found is None or wrong or problems:
            raise submission.InvalidSubmission([*wrong, *problems])
        kept = Entered(
            session=person,
            idempotency_key=given.idempotency_key,
            fields=fields,
            attachments=given.attachments,
            channel=found.channel,
            received_at=found.received_at,
        )
        return submission.keep(self.channel_id, request, kept)

    def parse(self, raw: Raw) -> Sequence[Event]:
        """The one message of an entry. Raises Malformed when it cannot be read."""
        return parse(raw)

    async def send(self, out: Outgoing) -> Sent:
        """Always raises Unreachable: an answer goes to the address that the customer gave, by its own channel."""
        raise Unreachable("the receipt is read out or printed; later answers go to the address that was given")

    async def check(self) -> None:
        """Nothing to ask: there is no provider."""

    async def aclose(self) -> None:
        """Nothing to give up."""


def build(setup: Setup) -> Connector:
    """The connector of one organisation's staff. Raises Misconfigured without a secret that seals its entries."""
    return Staff(setup)


CONNECTOR = Spec(
    kind="staff",
    channels=submission.ENTERED_CHANNELS,
    settings=StaffSettings,
    facts=load(Path(__file__).parent / "facts.yaml"),
    build=build,
)
