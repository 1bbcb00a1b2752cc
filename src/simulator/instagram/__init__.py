"""Instagram messaging and comments of Meta, pretended on loopback."""

from collections.abc import Sequence

from simulator.instagram.account import Instagram
from simulator.instagram.records import Comment, Post, Received, Sent
from simulator.place import Account, Ports, Service

__all__ = ["SERVICE", "Comment", "Instagram", "Post", "Received", "Sent"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[Instagram]:
    """An account for each channel; its app is subscribed, as after the set-up."""
    return [
        Instagram(
            account_id=account.settings["account_id"],
            access_token=account.settings["access_token"],
            app_secret=account.settings["app_secrets"][0],
            verify_token=account.settings["verify_token"],
            page_id=account.settings["page_id"],
            webhook_url=account.webhook_url,
            name=account.name,
            username="".join(each for each in account.name.lower() if each.isalnum()) or "perusahaan",
        )
        for account in accounts
    ]


SERVICE = Service(kinds=("instagram",), providers=providers)
