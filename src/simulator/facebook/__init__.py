"""A Facebook page at Meta, pretended on loopback: Messenger, and the comments under its posts."""

from collections.abc import Sequence

from simulator.facebook.account import ALL_FIELDS, Facebook
from simulator.facebook.records import Comment, Received, Sent, Update
from simulator.place import Account, Ports, Service

__all__ = ["ALL_FIELDS", "SERVICE", "Comment", "Facebook", "Received", "Sent", "Update"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[Facebook]:
    """A page for each account; its app is subscribed, as the operator's console would show it after the set-up."""
    found = []
    for account in accounts:
        given = account.settings
        page = Facebook(
            app_secret=given["app_secrets"][0],
            page_token=given["page_token"],
            page_id=given["page_id"],
            verify_token=given["verify_token"],
            webhook_url=account.webhook_url,
            name=account.name,
            **({"app_id": given["app_id"]} if given.get("app_id") else {}),
        )
        page.subscribe()
        found.append(page)
    return found


SERVICE = Service(kinds=("facebook",), providers=providers)
