"""What Meta does with what the business sends at Instagram: refuse or accept, in private and in public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.instagram.errors import GraphError
from simulator.instagram.payloads import Json
from simulator.instagram.records import (
    COMMENT_CHARACTERS,
    PRIVATE_REPLY_SECONDS,
    TEXT_BYTES,
    Comment,
    Person,
    Sent,
    new_id,
    new_message_id,
)

if TYPE_CHECKING:
    from simulator.instagram.account import Instagram

HOUR = 3600.0


def accept(account: Instagram, body: Any) -> Sent:
    """The accepted private message; raises GraphError for a refused one."""
    recipient = body.get("recipient") if isinstance(body, dict) else None
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(recipient, dict) or not isinstance(message, dict):
        raise GraphError(100, "The parameters recipient and message are required.")
    if set(body) - {"recipient", "message", "messaging_type", "tag"} or set(message) - {"text", "attachment"}:
        raise GraphError(100, "Unknown parameter")
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        raise GraphError(100, "Param message['text'] must be a non-empty string.")
    if len(text.encode()) > TEXT_BYTES:
        raise GraphError(100, "Length of param message[text] must be less than or equal to 1000 bytes")
    if isinstance(recipient.get("comment_id"), str):
        return _answer_comment(account, recipient["comment_id"], text)
    if not isinstance(recipient.get("id"), str):
        raise GraphError(100, "The parameter recipient['id'] is required.")
    person = account.known(recipient["id"])
    if person is None:
        raise GraphError(2534014)
    if person.handle in account.unreachable:
        raise GraphError(551)
    if account.enforce_window and not account.window_open(person, account.clock()):
        raise GraphError(2534022)
    return _keep(account, person, text, None)


def _answer_comment(account: Instagram, comment_id: str, text: str) -> Sent:
    comment = account.comments.get(comment_id)
    if comment is None or comment.person is None or comment.post is None:
        raise GraphError(2534013)
    if comment.private_answer is not None:
        raise GraphError(account.already_replied)
    if comment.person.handle in account.unreachable:
        raise GraphError(551)
    now = account.clock()
    ended = comment.post.live and comment.post not in account.posts
    if account.enforce_window and (ended or now - comment.at > PRIVATE_REPLY_SECONDS):
        raise GraphError(2534022)
    recent = sum(1 for sent in account.sent if sent.comment_id is not None and now - sent.at < HOUR)
    if recent >= account.private_replies_per_hour:
        raise GraphError(613)
    comment.private_answer = _keep(account, comment.person, text, comment_id)
    return comment.private_answer


def _keep(account: Instagram, person: Person, text: str, comment_id: str | None) -> Sent:
    sent = Sent(new_message_id(), person, text, account.clock(), comment_id)
    account.sent.append(sent)
    return sent


def answer_publicly(account: Instagram, comment_id: str, message: Any) -> Comment:
    """The account's reply under a comment; it attaches to the top level. Raises GraphError."""
    under = account.comments.get(comment_id)
    if under is None or under.post is None:
        raise GraphError(33)
    if under.post.live:
        raise GraphError(100, "Replies to comments on a live video are not supported.")
    return _written(account, message, Comment(new_id("178"), None, "", 0.0, under.post, under.parent_id or under.id))


def answer_mention(account: Instagram, body: Any) -> Comment:
    """The account's reply to a mention elsewhere. Raises GraphError."""
    if not isinstance(body, dict) or not isinstance(body.get("media_id"), str):
        raise GraphError(100, "The parameter media_id is required.")
    place = body.get("comment_id") or body["media_id"]
    mention = account.comments.get(place) if isinstance(place, str) else None
    if mention is None or mention.post is not None or mention.media_id != body["media_id"]:
        raise GraphError(33)
    reply = Comment(new_id("178"), None, "", 0.0, None, mention.id, mention.media_id)
    return _written(account, body.get("message"), reply)


def _written(account: Instagram, message: Any, reply: Comment) -> Comment:
    if not isinstance(message, str) or not 0 < len(message.strip()) <= COMMENT_CHARACTERS:
        raise GraphError(100, "The comment is empty or too long.")
    reply.text, reply.at = message, account.clock()
    account.keep_comment(reply)
    account.answers.append(reply)
    return reply


async def echo(account: Instagram, sent: Sent) -> None:
    """The echo of a private message: without metadata, for no document promises any on Instagram."""
    if account.echoes:
        await account.inject_echo(sent.person.handle, sent.text, sent.id)


def taken(sent: Sent) -> Json:
    """The answer to an accepted private message."""
    return {"recipient_id": sent.person.id, "message_id": sent.id}
