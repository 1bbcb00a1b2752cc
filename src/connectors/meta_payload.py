"""One item of a conversation at Meta as types, Messenger and Instagram alike: only the fields that we read."""

from __future__ import annotations

from msgspec import Raw, Struct

from connectors.json_items import Stamp

NOTHING = Raw(b"")


class Node(Struct):
    """{"id":"1029","name":"Akseleran"}: anything that the Graph API names."""

    id: str = ""


class Party(Struct):
    """{"id":"24900001"}; a visitor of a website plugin has a user_ref instead."""

    id: str | int = ""


# Instagram also: {"story":{"url":"https://lookaside.fbsbx.com/...","id":"1790001"}}
class Mid(Struct):
    """{"mid":"m_A"}: the message that is answered, or the story of ours."""

    mid: str | None = None
    story: Raw = NOTHING


# {"mid":"m_A","text":"...","attachments":[{...}],"quick_reply":{"payload":"YA"},"reply_to":{"mid":"m_B"}}
class Message(Struct):
    """A message of the customer, or the echo of one of the account."""

    mid: str
    text: str | None = None
    attachments: list[Raw] | None = None
    quick_reply: Raw = NOTHING
    reply_to: Mid | None = None
    is_echo: bool = False
    is_self: bool = False
    is_deleted: bool = False
    app_id: str | int | None = None
    metadata: str | None = None


# {"mid":"m_A","title":"Mulai","payload":"GET_STARTED"}
class Postback(Struct):
    """A tap on a button; old ones have no mid."""

    mid: str | None = None
    title: str | None = None
    payload: str | None = None


# {"mid":"m_A","text":"...","num_edit":1}
class MessageEdit(Struct):
    """The new text of a message."""

    mid: str
    text: str | None = None
    num_edit: int | str = 1


# {"mids":["m_A"],"watermark":1767573001000}
class Delivered(Struct):
    """Which of our messages arrived."""

    mids: list[str] | None = None
    watermark: Stamp = None


# Messenger: {"watermark":1767573001000}; Instagram: {"mid":"aWdf"}
class Seen(Struct):
    """What the customer read: a message of ours by its id, or everything before a moment."""

    mid: str | None = None


# {"sender":{"id":"24900001"},"recipient":{"id":"1029"},"timestamp":1767573000000,"message":{...}}
class Item(Struct):
    """One item of `messaging` or `standby`."""

    sender: Party | None = None
    recipient: Party | None = None
    timestamp: Stamp = None
    message: Message | None = None
    message_edit: MessageEdit | None = None
    postback: Postback | None = None
    delivery: Delivered | None = None
    read: Seen | None = None


class About(Struct):
    """What an item holds that is about a conversation and not of it."""

    reaction: Raw = NOTHING
    read: Raw = NOTHING
    referral: Raw = NOTHING
    optin: Raw = NOTHING
    pass_thread_control: Raw = NOTHING
    take_thread_control: Raw = NOTHING
    request_thread_control: Raw = NOTHING
    policy_enforcement: Raw = NOTHING
