"""What X does with what the account sends: refuse or take it. A second reading of X's rules, not of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.x import payloads
from simulator.x.errors import ApiError
from simulator.x.payloads import Event
from simulator.x.records import MESSAGE_CHARACTERS, POST_WEIGHT, Json, Message, Post, weight

if TYPE_CHECKING:
    from simulator.x.account import X

_DAY = 86_400.0


def take_message(account: X, person_id: str, body: Any) -> Json:
    """X's answer to a direct message; raises ApiError for a refused one."""
    if not isinstance(body, dict) or set(body) - {"text", "attachments"} or not isinstance(body.get("text"), str):
        raise ApiError(214)
    if not body["text"]:
        raise ApiError(214)
    if len(body["text"]) > MESSAGE_CHARACTERS:
        raise ApiError(354)
    person = account.known(person_id)
    if person is None:
        raise ApiError(34)
    wrote = any(each.sender.id == person_id for each in account.received)
    if person.handle in account.blocked or (person.handle in account.closed and not wrote):
        raise ApiError(349)
    now = account.clock()
    message = Message(account.new_id(now), account.me, person, body["text"], now)
    account.messages.append(message)
    account.sent.append(message)
    account.tasks.spawn(account.put(payloads.conversation("dm.sent", message)))
    return {"data": {"dm_conversation_id": message.conversation, "dm_event_id": message.id}}


def take_post(account: X, body: Any) -> Json:
    """X's answer to a post; raises ApiError for a refused one. Only who summoned the account may be answered."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str) or set(body) - {"text", "reply"}:
        raise ApiError(214)
    if weight(body["text"]) > POST_WEIGHT:
        raise ApiError(186)
    now = account.clock()
    target: Post | None = None
    if "reply" in body:
        id_ = body["reply"].get("in_reply_to_tweet_id") if isinstance(body["reply"], dict) else None
        if not isinstance(id_, str) or not id_.isdecimal():
            raise ApiError(214)
        target = next((each for each in account.posts if each.id == id_), None)
        if target is None:
            raise ApiError(385)
        if not target.summons(account.me):
            raise ApiError(433)
    for each in account.answers:
        same_place = account.same_text_anywhere or each.in_reply_to is target
        if each.text == body["text"] and same_place and now - each.at < _DAY:
            raise ApiError(187)
    item = Post(account.new_id(now), account.me, body["text"], now, target)
    account.answers.append(item)
    account.tasks.spawn(account.put(Event("post.create", payloads.post(item, account.me))))
    return {"data": {"id": item.id, "text": item.text}}
