"""What Instagram's webhook says, as values: updates of one account, and how they share a POST. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from simulator.instagram.records import Comment, Person

Json = dict[str, Any]
#: Where a change stands: in a list (Facebook Login), or beside the account's id (Instagram Login).
Form = Literal["changes", "entry"]


@dataclass(frozen=True, slots=True)
class Update:
    """One conversation event (no field) or one change on its way to the business."""

    account_id: str
    at: float
    item: Json
    field: str = ""


def messaging(account_id: str, person: Person, at: float, what: Json, *, echo: bool = False) -> Update:
    """An event of a conversation; an echo comes from the account."""
    parties = (account_id, person.id) if echo else (person.id, account_id)
    item = {"sender": {"id": parties[0]}, "recipient": {"id": parties[1]}, "timestamp": int(at * 1000), **what}
    return Update(account_id, at, item)


def comment_value(comment: Comment, account_id: str, username: str) -> Json:
    """The value of a change with field comments or live_comments."""
    author = {"id": comment.person.id, "username": comment.person.handle} if comment.person else {
        "id": account_id, "username": username
    }  # fmt: skip
    value: Json = {"from": author, "id": comment.id}
    if comment.post is not None:
        value["media"] = {"id": comment.post.id, "media_product_type": "LIVE" if comment.post.live else "FEED"}
    if comment.parent_id is not None:
        value["parent_id"] = comment.parent_id
    if comment.text:
        value["text"] = comment.text
    return value


def envelope(updates: Sequence[Update], form: Form) -> Json:
    """One POST; conversation events of an account share an entry."""
    entries: list[Json] = []
    conversations: dict[str, list[Json]] = {}
    for update in updates:
        if not update.field:
            items = conversations.get(update.account_id)
            if items is None:
                items = conversations[update.account_id] = []
                entries.append({"time": int(update.at * 1000), "id": update.account_id, "messaging": items})
            items.append(update.item)
            continue
        change = {"field": update.field, "value": update.item}
        entry: Json = {"id": update.account_id, "time": int(update.at)}
        entries.append(entry | ({"changes": [change]} if form == "changes" else change))
    return {"object": "instagram", "entry": entries}


def api_time(at: float) -> str:
    """A time as the Graph API writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def listed(comment: Comment, account_id: str, username: str, replies: Sequence[Comment] = ()) -> Json:
    """A comment as the API lists it."""
    value = comment_value(comment, account_id, username)
    found = {
        "id": comment.id,
        "text": comment.text,
        "timestamp": api_time(comment.at),
        "from": value["from"],
        "username": value["from"]["username"],
    }
    if comment.parent_id is not None:
        found["parent_id"] = comment.parent_id
    if replies:
        found["replies"] = {"data": [listed(reply, account_id, username) for reply in replies]}
    return found
