"""Twilio messaging (WhatsApp senders), pretended on loopback."""

from collections.abc import Sequence

from simulator.place import Account, Ports, Service
from simulator.twilio.account import Twilio
from simulator.twilio.calling import Alert
from simulator.twilio.records import Media, Message

__all__ = ["SERVICE", "Alert", "Media", "Message", "Twilio"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[Twilio]:
    """A WhatsApp sender for each account."""
    return [
        Twilio(
            account_sid=account.settings["account_sid"],
            auth_token=account.settings["auth_tokens"][0],
            number=f"whatsapp:{account.settings['number']}",
            webhook_url=account.webhook_url,
            name=account.name,
        )
        for account in accounts
    ]


SERVICE = Service(kinds=("whatsapp_twilio",), providers=providers)
