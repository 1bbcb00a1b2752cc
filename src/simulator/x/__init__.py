"""X, pretended on loopback: direct messages, mentions, and the webhooks of the X Activity API."""

from collections.abc import Sequence

from simulator.place import Account, Ports, Service
from simulator.x.account import X
from simulator.x.records import Challenge, Encrypted, Message, Person, Post

__all__ = ["SERVICE", "Challenge", "Encrypted", "Message", "Person", "Post", "X"]


def providers(accounts: Sequence[Account], _ports: Ports) -> list[X]:
    """An account for each, as it stands after its set-up: its webhook valid and everything subscribed."""
    found = []
    for account in accounts:
        given = account.settings
        login = given["oauth2"] or {}
        found.append(
            X(
                user_id=given["user_id"],
                username=given["username"],
                consumer_key=given["consumer_keys"][0]["key"],
                consumer_secret=given["consumer_keys"][0]["secret"],
                access_token=given["access_token"] or "",
                access_token_secret=given["access_token_secret"] or "",
                client_id=login.get("client_id", ""),
                client_secret=login.get("client_secret") or "",
                refresh_token=login.get("refresh_token", ""),
                webhook_url=account.webhook_url if given["mode"] == "webhook" else "",
                name=account.name,
            )
        )
    return found


SERVICE = Service(kinds=("x",), providers=providers)
