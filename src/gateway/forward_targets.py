"""The kinds of target stores that can be configured, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gateway.forward_http import ForwardCalls
from gateway.forward_settings import Target
from tickets.forwarders.chatwoot import Chatwoot
from tickets.forwarders.chatwoot_settings import ChatwootSettings
from tickets.forwarders.contract import Forwarder
from tickets.forwarders.request_tracker import RequestTracker
from tickets.forwarders.request_tracker_settings import RequestTrackerSettings
from tickets.forwarders.webhook import Webhook
from tickets.forwarders.webhook_settings import WebhookSettings
from tickets.forwarders.zammad import Zammad
from tickets.forwarders.zammad_settings import ZammadSettings


def forwarder_of(settings: Target, now: Callable[[], datetime]) -> Forwarder:
    """The forwarder of a target; it opens connections when it is first used."""
    call = ForwardCalls(settings, now)
    match settings:
        case WebhookSettings():
            return Webhook(settings, call, now)
        case RequestTrackerSettings():
            return RequestTracker(settings, call, now)
        case ZammadSettings():
            return Zammad(settings, call, now)
        case ChatwootSettings():
            return Chatwoot(settings, call, now)


def routes_of(targets: Sequence[Target], organisations: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """The names of the targets that each organisation has."""
    return {
        slug: frozenset(each.name for each in targets if not each.organisations or slug in each.organisations)
        for slug in organisations
        if any(not each.organisations or slug in each.organisations for each in targets)
    }
