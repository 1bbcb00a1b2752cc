"""Complaints typed in at a partner's counter: the whole of a connector that lives in another package."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from pydantic import ConfigDict, Field

from connectors import facts, signing
from connectors.contract import Answer, ChannelSettings, Connector, Intake, Request, Setup, Spec
from connectors.errors import Malformed, Rejected, Unreachable
from normalizer.message import Event, Ignored, Message, Outgoing, Raw, Sender, Sent

FACTS = facts.load(Path(__file__).parent / "facts.yaml")


class Settings(ChannelSettings):
    """Keys of a `loket` channel."""

    model_config = ConfigDict(hide_input_in_errors=True)
    counter: str = Field(description="Name of the partner's counter.")
    secrets: signing.Secrets = Field(description="What the partner signs with, newest first.")


# {"id":"7","at":"2026-01-05T10:00:00+07:00","customer":"C-1","name":"Sari","text":"Dana belum cair"}
class Note(msgspec.Struct):
    """One complaint as the partner's clerk typed it."""

    id: str
    at: datetime
    customer: str
    name: str | None = None
    text: str = ""


class Loket:
    """One counter."""

    def __init__(self, setup: Setup) -> None:
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        self._counter = setup.settings.counter
        self._keys = signing.keys(setup.settings.secrets)

    def receive(self, request: Request) -> Intake:
        """Keeps a note whose signature is good. Raises Rejected."""
        if len(request.body) > self.facts.max_body_bytes.value:
            raise Rejected(413, "larger than any note")
        if not signing.base64_matches(request.header("x-loket-signature"), request.body, self._keys):
            raise Rejected(401, "signature missing or wrong")
        raw = Raw(channel_id=self.channel_id, received_at=request.received_at, body=request.body)
        return Intake(keep=(raw,), answer=Answer(status=202))

    def parse(self, raw: Raw) -> list[Event]:
        """The one message of a note. Raises Malformed."""
        try:
            note = msgspec.json.decode(raw.body, type=Note)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as broken:
            raise Malformed(type(broken).__name__) from None
        if not note.text:
            return [Ignored(reason="empty note")]
        sent_at = note.at if note.at.tzinfo is not None else raw.received_at
        return [
            Message(
                channel="other",
                account=self._counter,
                key=f"loket:{self._counter}:{note.id}",
                external_id=note.id,
                sent_at=sent_at,
                sender=Sender(key=f"loket:{note.customer}", name=note.name),
                text=note.text,
            )
        ]

    async def send(self, out: Outgoing) -> Sent:
        """Always raises Unreachable: a counter has no way back."""
        raise Unreachable("the clerk hands the receipt over")

    async def check(self) -> None:
        """Nothing to ask."""

    async def aclose(self) -> None:
        """Nothing to give up."""


def build(setup: Setup) -> Connector:
    """The connector of one counter."""
    return Loket(setup)


CONNECTOR = Spec(kind="loket", channels=("other",), settings=Settings, facts=FACTS, build=build)
