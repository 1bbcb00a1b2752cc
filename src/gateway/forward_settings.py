"""What an operator gives for each kind of target store, told apart by `kind`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tickets.forwarders.chatwoot_settings import ChatwootSettings
from tickets.forwarders.request_tracker_settings import RequestTrackerSettings
from tickets.forwarders.webhook_settings import WebhookSettings
from tickets.forwarders.zammad_settings import ZammadSettings

#: In the order in which they are documented.
KINDS = (WebhookSettings, RequestTrackerSettings, ZammadSettings, ChatwootSettings)
Target = WebhookSettings | RequestTrackerSettings | ZammadSettings | ChatwootSettings
AnyTarget = Annotated[Target, Field(discriminator="kind")]
