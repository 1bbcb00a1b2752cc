"""SMS, pretended on loopback: an invented aggregator, and Twilio where an operator chose Twilio's profile."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from simulator.place import Account, Ports, Provider, Service
from simulator.sms.account import Sms, digits_of
from simulator.sms.records import Report, Text
from simulator.twilio import Twilio

__all__ = ["SERVICE", "Report", "Sms", "Text", "digits_of"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[Provider]:
    """A sender for each account: at Twilio where its settings begin with Twilio's profile."""
    return [_twilio(each) if each.settings["profile"] == "twilio" else _invented(each) for each in accounts]


def _invented(account: Account) -> Sms:
    given = account.settings
    return Sms(
        api_key=given["outgoing"]["login"]["secret"] or given["secrets"][0],
        webhook_secret=given["secrets"][0],
        sender=given["sender"],
        webhook_url=account.webhook_url,
        name=account.name,
    )


def _twilio(account: Account) -> Twilio:
    given = account.settings
    return Twilio(
        account_sid=urlsplit(str(given["send_url"])).path.split("/")[-2],
        auth_token=given["secrets"][0],
        number=given["sender"],
        webhook_url=account.webhook_url,
        name=account.name,
    )


SERVICE = Service(kinds=("sms_http",), providers=providers)
