"""The company's own mobile app: complaints that its server hands over with a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from connectors import signing, submission
from connectors.app_api.parse import parse
from connectors.app_api.settings import AppApiSettings
from connectors.contract import Connector, Intake, Request, Setup, Spec
from connectors.errors import Misconfigured, Rejected, Unreachable
from connectors.facts import Facts, load
from normalizer.message import Event, Outgoing, Raw, Sent

#: An app has no rendered form, so nothing limits how long a person took.
_NO_FORM = submission.FormRules(at_least=timedelta(0), at_most=timedelta.max)


class AppApi:
    """One organisation's app."""

    def __init__(self, setup: Setup) -> None:
        if len(setup.secret) < 32:
            raise Misconfigured("the installation's secret is shorter than 32 bytes; submissions could be forged")
        settings: AppApiSettings = setup.settings
        self.channel_id = setup.channel_id
        self.facts: Facts = setup.facts
        self._secret = setup.secret
        self._keys = signing.keys(settings.api_keys)

    def receive(self, request: Request) -> Intake:
        """What to keep. Raises Rejected(401) without key or seal, InvalidSubmission naming every wrong field."""
        given = request.header("x-api-key")
        if given is None or not signing.same(given, self._keys):
            raise Rejected(401, "X-Api-Key is missing or wrong")
        submission.check_seal(self._secret, self.channel_id, request, self.facts.max_body_bytes.value)
        return submission.receive(self._secret, self.channel_id, request, _NO_FORM)

    def parse(self, raw: Raw) -> Sequence[Event]:
        """The one message of a submission. Raises Malformed when it cannot be read."""
        return parse(raw)

    async def send(self, out: Outgoing) -> Sent:
        """Always raises Unreachable: an answer goes to the address that the person gave, by its own channel."""
        raise Unreachable("the app gets its answer at once; later ones go to the address that was given")

    async def check(self) -> None:
        """Nothing to ask: there is no provider."""

    async def aclose(self) -> None:
        """Nothing to give up."""


def build(setup: Setup) -> Connector:
    """The connector of one app. Raises Misconfigured without a secret that seals its submissions."""
    return AppApi(setup)


CONNECTOR = Spec(
    kind="app_api",
    channels=("app_form",),
    settings=AppApiSettings,
    facts=load(Path(__file__).parent / "facts.yaml"),
    build=build,
)
