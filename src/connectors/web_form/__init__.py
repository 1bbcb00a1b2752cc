"""The public complaint form: our own channel, so its provider is our own web front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors import submission
from connectors.contract import Connector, Intake, Request, Setup, Spec
from connectors.errors import Misconfigured, Unreachable
from connectors.facts import Facts, load
from connectors.web_form.parse import parse
from connectors.web_form.settings import WebFormSettings
from normalizer.message import Event, Outgoing, Raw, Sent


class WebForm:
    """One organisation's form."""

    def __init__(self, setup: Setup) -> None:
        if len(setup.secret) < 32:
            raise Misconfigured("the installation's secret is shorter than 32 bytes; forms could be forged")
        settings: WebFormSettings = setup.settings
        self.channel_id = setup.channel_id
        self.facts: Facts = setup.facts
        self._account = settings.slug or settings.organisation
        self._secret = setup.secret
        self._rules = submission.FormRules(at_least=settings.minimum_fill_time, at_most=settings.valid_for)

    def receive(self, request: Request) -> Intake:
        """What to keep of a submission. Raises Rejected(401) without the seal, InvalidSubmission naming every field."""
        submission.check_seal(self._secret, self.channel_id, request, self.facts.max_body_bytes.value)
        return submission.receive(self._secret, self.channel_id, request, self._rules)

    def parse(self, raw: Raw) -> Sequence[Event]:
        """The one message of a submission. Raises Malformed when it cannot be read."""
        return parse(raw, self._account)

    async def send(self, out: Outgoing) -> Sent:
        """Always raises Unreachable: an answer goes to the address that the person gave, by its own channel."""
        raise Unreachable("a form has no way back; the answer goes to the address that was given in it")

    async def check(self) -> None:
        """Nothing to ask: there is no provider."""

    async def aclose(self) -> None:
        """Nothing to give up."""


def build(setup: Setup) -> Connector:
    """The connector of one form. Raises Misconfigured without a secret that signs its forms."""
    return WebForm(setup)


CONNECTOR = Spec(
    kind="web_form",
    channels=("web_form",),
    settings=WebFormSettings,
    facts=load(Path(__file__).parent / "facts.yaml"),
    build=build,
)
