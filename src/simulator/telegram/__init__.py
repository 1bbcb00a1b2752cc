"""Telegram's Bot API, pretended on loopback."""

from collections.abc import Sequence

from simulator.place import Account, Ports, Service
from simulator.telegram.account import Telegram
from simulator.telegram.errors import ApiError
from simulator.telegram.limits import Limits
from simulator.telegram.people import Received, Sent

__all__ = ["SERVICE", "ApiError", "Limits", "Received", "Sent", "Telegram"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[Telegram]:
    """A bot for each account, as it stands after its set-up: with its webhook, where it has one."""
    return [
        Telegram(
            bot_token=account.settings["bot_token"],
            webhook_url=account.webhook_url if account.settings["mode"] == "webhook" else "",
            secret_token=account.settings["secret_token"] or "",
            name=account.name,
            username="".join(filter(str.isalnum, account.name.lower())) + "_aduan_bot",
        )
        for account in accounts
    ]


SERVICE = Service(kinds=("telegram",), providers=providers)
