"""What Meta does with what the business sends: refuse, accept, and report on it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.facebook.errors import GraphError
from simulator.facebook.records import Comment, Json, Sent, new_message_id

if TYPE_CHECKING:
    from simulator.facebook.account import Facebook

MOST_CHARACTERS = 2_000
MOST_METADATA = 1_000
MOST_COMMENT = 8_000
QUICK_REPLIES, QUICK_REPLY_TITLE = 13, 20
TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"})
PRIVATE_REPLY_SECONDS = 7 * 86_400.0
HUMAN_SECONDS = 7 * 86_400.0
PRIVATE_REPLIES_AN_HOUR = 750


def accept_message(page: Facebook, body: Any) -> Json:
    """Meta's answer to an accepted direct message or private reply; raises GraphError for a refused one."""
    if not isinstance(body, dict):
        raise GraphError(100, "The body is not an object")
    recipient, message = body.get("recipient"), body.get("message")
    if not isinstance(recipient, dict) or len(recipient) != 1:
        raise GraphError(100, "Param recipient must name exactly one")
    _check(message)
    if body.get("messaging_type", "RESPONSE") not in TYPES:
        raise GraphError(100, "Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG, UTILITY}")
    now = page.clock()
    comment = _commented(page, recipient["comment_id"], now) if "comment_id" in recipient else None
    to = _inbox_of(page, comment) if comment is not None else str(recipient.get("id", ""))
    if not to.isdigit() or not page.people.knows(to):
        raise GraphError(2018001, "No matching user found")
    if to in page.unreachable:
        raise GraphError(551)
    if comment is None:
        _check_window(page, to, body, now)
    sent = Sent(new_message_id(), to, body, now, comment.id if comment is not None else None)
    if comment is not None:
        comment.private_reply = sent
    page.sent.append(sent)
    if page.reports and page.subscribed_fields:
        page.tasks.spawn(page.report(sent))
    return {"recipient_id": to, "message_id": sent.id}


def _check(message: Any) -> None:
    if not isinstance(message, dict):
        raise GraphError(100, "Param message must be an object")
    text, metadata = message.get("text"), message.get("metadata", "")
    if not isinstance(text, str) or not text or len(text) > MOST_CHARACTERS:
        raise GraphError(100, "Length of param message[text] must be less than or equal to 2000")
    if not isinstance(metadata, str) or len(metadata) > MOST_METADATA:
        raise GraphError(100, "Length of param message[metadata] must be less than or equal to 1000")
    replies = message.get("quick_replies") or []
    if len(replies) > QUICK_REPLIES or any(len(str(each.get("title", ""))) > QUICK_REPLY_TITLE for each in replies):
        raise GraphError(100, "Param message[quick_replies] is not valid")


def _check_window(page: Facebook, to: str, body: Json, now: float) -> None:
    tag = body.get("tag")
    if body.get("messaging_type") == "MESSAGE_TAG":
        if tag != "HUMAN_AGENT":
            raise GraphError(100, "Param tag is not valid: this tag no longer exists")
        if page.people.window_open(to, now - HUMAN_SECONDS + 86_400.0):
            return
    if page.enforce_window and not page.people.window_open(to, now):
        raise GraphError(2018278, "This message is sent outside of allowed window.")


def _commented(page: Facebook, comment_id: Any, now: float) -> Comment:
    comment = page.comments.get(str(comment_id))
    if comment is None or comment.removed:
        raise GraphError(33, "Unsupported post request. Object does not exist")
    if comment.private_reply is not None:
        raise GraphError(page.already_replied)
    if page.enforce_window and now - comment.at > PRIVATE_REPLY_SECONDS:
        raise GraphError(2018278, "This message is sent outside of allowed window.")
    replies = [each for each in page.sent if each.comment_id is not None and now - each.at < 3600]
    if len(replies) >= PRIVATE_REPLIES_AN_HOUR:
        raise GraphError(613)
    return comment


def _inbox_of(page: Facebook, comment: Comment) -> str:
    """The id under which the author writes in Messenger: not always the one that stands under the post."""
    if page.same_ids:
        return comment.author
    return page.people.meet(f"9{comment.author}", comment.name)


def accept_comment(page: Facebook, above: Comment, body: Any) -> Comment:
    """The page's own comment under another one; raises GraphError for a refused one."""
    text = body.get("message") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text or len(text) > MOST_COMMENT:
        raise GraphError(100, "Param message must be a text")
    own = page.add_comment(page.page_id, page.name, text, parent=above.id, post=None)
    page.answers.append(own)
    page.tasks.spawn(page.tell(own, "add"))
    return own
