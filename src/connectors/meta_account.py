"""What every account at Meta has in common: webhook, Graph API, files, and the rules of an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from connectors.codes import Codes
from connectors.contract import Batch, Intake, Request, Setup
from connectors.errors import AuthFailed, Misconfigured, Refused, Unreachable
from connectors.facts import Facts
from connectors.media import MediaClient
from connectors.meta_graph import Graph
from connectors.meta_webhook import MetaWebhook
from connectors.signing import Secret
from normalizer.message import Attachment, Outgoing, Raw

#: How far Meta's clock may be behind ours when something that we said is looked for.
CLOCK_SKEW = timedelta(minutes=2)
#: Nothing is tried again sooner than this after its first attempt began.
FIRST_RETRY = timedelta(seconds=1)


# {"data":[{"id":"5511","name":"Aduan","subscribed_fields":["messages","feed"]}]}
class App(Struct):
    """An app that listens to the account."""

    id: str | int = ""
    subscribed_fields: list[str] = []


class Apps(Struct):
    """The answer of `subscribed_apps`."""

    data: list[App] = []


# {"recipient_id":"24900001","message_id":"m_A"}; a comment: {"id":"88_902"}
class Taken(Struct):
    """What a message, or a public answer, is answered with."""

    message_id: str = ""
    recipient_id: str | int = ""
    id: str = ""


class MetaAccount:
    """One account at Meta."""

    def __init__(self, setup: Setup, account: str, token: Secret, codes: Codes) -> None:
        """`account` is Meta's id of it, `token` what its calls are made with."""
        settings = setup.settings
        self.channel_id = setup.channel_id
        self.facts = setup.facts
        #: What stands in `Message.account`: whose message it is, whichever channel's address it came to.
        self.account = account
        self._now = setup.now
        self._webhook = MetaWebhook(setup)
        base = str(settings.api_base).rstrip("/")
        self._graph = Graph(
            setup.facts.name.value,
            f"{base}/{settings.api_version}",
            token.get_secret_value,
            codes,
            session=setup.session,
            now=setup.now,
            timeout=settings.timeout_seconds,
        )
        self._media = MediaClient.of(setup.facts, base, timeout=settings.media_timeout_seconds)

    def receive(self, request: Request) -> Intake:
        """Answers Meta's handshake, or keeps a POST whose signature is good. Raises Rejected."""
        return self._webhook.receive(request)

    async def open(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """The bytes of an attachment; its address is signed, needs no token and expires."""
        try:
            async with aclosing(self._media.fetch(attachment.url or "")) as chunks:
                async for chunk in chunks:
                    yield chunk
        except AuthFailed:
            # No credentials went along: what the media host refuses is an address whose time is over.
            raise Unreachable("the address of this attachment has expired") from None

    async def aclose(self) -> None:
        """Closes the media connections; safe to call twice."""
        await self._media.aclose()

    def _listed(self, found: Struct, ref: str, since: datetime) -> Batch:
        """What Meta listed, as `parse` reads it."""
        body = msgspec.json.encode(found)
        raw = Raw(channel_id=self.channel_id, received_at=self._now(), body=body, ref=ref)
        return Batch(keep=(raw,), cursor=since.isoformat())

    def _may_stand(self, out: Outgoing) -> bool:
        """Whether an earlier attempt may have succeeded: also a 5xx may come after the words stand there.

        Where everybody reads it, a second try is never blind (sheet A13).
        """
        first = out.first_attempt_at
        return out.possible_duplicate or (first is not None and self._now() - first >= FIRST_RETRY)

    async def _check_subscription(self, node: str, needed: Collection[str], app_id: str | None = None) -> None:
        """Raises Misconfigured when no app, or not the one with `app_id`, hears of all that is `needed` (A0.7)."""
        apps = (await self._graph.get(f"{node}/subscribed_apps", Apps)).data
        own = [app for app in apps if app_id in (None, str(app.id))]
        if not own:
            raise Misconfigured(
                "no app of ours is subscribed to this account, so no webhook will ever come; Meta ends the "
                "subscription after an hour of failed deliveries: subscribe again (README.md)"
            )
        heard = {name for app in own for name in app.subscribed_fields}
        missing = [name for name in needed if name not in heard]
        if heard and missing:
            raise Misconfigured(f"the app is subscribed to this account without the fields {', '.join(missing)}")


def refuse_unsendable(out: Outgoing, facts: Facts) -> None:
    """Raises Refused for what Meta would refuse, by the facts of where `out` goes."""
    limit, unit = facts.max_text.value, facts.text_unit.value
    if not 1 <= len(out.text.encode() if unit == "bytes" else out.text) <= limit:
        raise Refused("text_length", f"a text has 1 to {limit} {unit}")
    if out.files:
        raise Refused("files", "this channel sends text only")
    if out.template is not None:
        raise Refused("template", "this channel has no templates")
