"""What travels between the hops: bytes as they came, the events they mean, and what goes back.

Every connector parses into these events and sends these outgoing texts; nothing here knows a provider. All times are
aware datetimes in UTC. All values are immutable.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Channel = Literal[
    "whatsapp",
    "phone",
    "email",
    "web_form",
    "app_form",
    "facebook_dm",
    "facebook_comment",
    "instagram_dm",
    "instagram_comment",
    "x_dm",
    "x_mention",
    "telegram",
    "sms",
    "live_chat",
    "walk_in",
    "letter",
    "ojk_appk",
    "other",
]

Visibility = Literal["private", "public"]
DeliveryState = Literal["sent", "delivered", "read", "failed"]
AttachmentKind = Literal["image", "video", "audio", "document", "sticker", "location", "contact", "other"]


class Raw(Struct, frozen=True, kw_only=True):
    """The bytes of one delivery as they came, with the little that is needed to read them again."""

    channel_id: str
    received_at: datetime
    body: bytes
    #: Only the headers that `parse` reads, names in lower case.
    headers: dict[str, str] = {}
    #: Path and query of a pushed delivery; empty for a pulled one.
    target: str = ""
    #: The provider's own position of a pulled item ("<uidvalidity>:<uid>"); empty for a pushed one.
    ref: str = ""


class Sender(Struct, frozen=True, kw_only=True):
    """Who wrote, as far as the provider says."""

    #: Stable identity inside one provider account ("wa:ID.1349", "tel:+62812...", "mailto:a@b").
    key: str
    handle: str | None = None
    name: str | None = None
    #: As the provider gives it; `normalizer.identity` makes it E.164.
    phone: str | None = None
    email: str | None = None
    #: True only where the provider vouches for the address (DMARC pass aligned, a WhatsApp number).
    verified: bool = False


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that came with a message: either its bytes, a place where our store has them, or where to fetch them."""

    kind: AttachmentKind = "other"
    name: str | None = None
    #: The media type as declared by the sender: never trusted, see `gateway.attachments`.
    mime: str | None = None
    size: int | None = None
    #: Hex digest; set when the bytes are already in the attachment store.
    sha256: str | None = None
    content: bytes | None = None
    #: The provider's media id, to be fetched by `connector.open`.
    ref: str | None = None
    url: str | None = None
    #: Why there is nothing to fetch ("over 100 MB at the provider"); shown to the desk.
    error: str | None = None


class ReplyAddress(Struct, frozen=True, kw_only=True):
    """Where an answer to this message may go on its own channel."""

    #: What `connector.send` needs as recipient ("+62812...", "ID.1349...", "a@b").
    recipient: str
    #: The message that is answered (wamid, Message-ID): quoted or threaded by the provider.
    in_reply_to: str | None = None
    #: Email: ids of the thread, oldest first.
    references: tuple[str, ...] = ()
    #: Until when a free-form answer is allowed; None when the provider has no such rule (sheet A1, A2).
    window_until: datetime | None = None


#: Flags of a message that decide how it may be answered; connectors set them, `receipts.route` reads them.
#: The provider allows no public answer under it: nobody summoned us (sheet A9), or the broadcast is over (A8).
NO_PUBLIC_ANSWER = "no_public_answer"
#: The caller wants no message at the number that was shown: a borrowed telephone, a switchboard.
NO_MESSAGE_TO_CALLER = "no_message_to_caller"
#: Only a caller who heard the whole ticket number can cause it.
NUMBER_HEARD = "number_heard"


class Message(Struct, frozen=True, kw_only=True, tag=True):
    """Something a customer said: it becomes a complaint or is added to an open one."""

    channel: Channel
    #: Our account at the provider (phone number id, mailbox, form slug).
    account: str
    #: Permanent identity of this message, complete with provider and account: the unique key against doubles.
    key: str
    #: The provider's own id of the message: what edits, deletions and replies name.
    external_id: str
    sent_at: datetime
    sender: Sender
    text: str = ""
    subject: str | None = None
    attachments: tuple[Attachment, ...] = ()
    #: Threads this message may belong to, best first, each complete with provider and account.
    thread_refs: tuple[str, ...] = ()
    #: Refs under which later messages will find this one's complaint.
    registers: tuple[str, ...] = ()
    reply: ReplyAddress | None = None
    visibility: Visibility = "private"
    post_ref: str | None = None
    #: Structured answers the channel itself collects (form fields), by the names of `complaint.FIELDS`.
    fields: dict[str, str] = {}
    #: "has_audio", "unsupported", "forwarded", "possible_follow_up", "future_timestamp", ...
    flags: tuple[str, ...] = ()
    #: Why no automatic answer may go out ("precedence: list"); None when it may (RFC 3834 section 2).
    no_receipt: str | None = None


class Edit(Struct, frozen=True, kw_only=True, tag=True):
    """The customer changed a message: a new version of it, never a new complaint."""

    key: str
    #: `Message.key` of the message that was edited.
    #: Our account at the provider, where one delivery may speak of several; "" when it cannot.
    account: str = ""
    message_key: str
    edited_at: datetime
    text: str
    subject: str | None = None


class Deletion(Struct, frozen=True, kw_only=True, tag=True):
    """The customer withdrew a message: kept as evidence, marked as withdrawn."""

    key: str
    account: str = ""
    message_key: str
    deleted_at: datetime


class Delivery(Struct, frozen=True, kw_only=True, tag=True):
    """What became of something we sent."""

    account: str = ""
    state: DeliveryState
    at: datetime
    #: The provider's id of what we sent, or None when only our own key is known.
    provider_id: str | None = None
    #: Our outbox key, where the provider gives it back (sheet A13).
    outbox_key: str | None = None
    #: Provider code and class of a failure: the class is a name of `connectors.errors`.
    error_code: str | None = None
    error_class: str | None = None
    #: "service/1" and the like, for the cost report (sheet A0.2).
    pricing: str | None = None


class Rekey(Struct, frozen=True, kw_only=True, tag=True):
    """The provider says that a sender has a new identity: old threads belong to the new key."""

    account: str = ""
    old: str
    new: str
    at: datetime


class Permission(Struct, frozen=True, kw_only=True, tag=True):
    """A customer forbade us to write to an address, or allowed it again: STOP and START, a bot that was blocked."""

    account: str = ""
    #: As in `ReplyAddress.recipient`.
    recipient: str
    allowed: bool
    at: datetime


class Ignored(Struct, frozen=True, kw_only=True, tag=True):
    """An event that is never a complaint; the reason is counted."""

    reason: str


class Unreadable(Struct, frozen=True, kw_only=True, tag=True):
    """One item of a delivery that could not be understood: it goes to quarantine, its neighbours go on."""

    #: Where in the delivery ("$.entry[0].changes[1].value.messages[3]").
    path: str
    reason: str


Event = Message | Edit | Deletion | Delivery | Rekey | Permission | Ignored | Unreadable


class File(Struct, frozen=True, kw_only=True):
    """A file that we send."""

    name: str
    mime: str
    content: bytes


class Outgoing(Struct, frozen=True, kw_only=True):
    """One text to one recipient, already within the channel's limit."""

    #: Our outbox id (with the part's number): given to the provider where it gives it back.
    key: str
    recipient: str
    text: str
    subject: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    #: Everybody may read it: the neutral line under a comment. Anything else goes out in private or not at all.
    public: bool = False
    #: Purpose of an approved template of the channel (settings `templates`), for a notice outside the reply window;
    #: the text then fills its one variable.
    template: str | None = None
    #: A retry after an ambiguous send: the provider may already have delivered the first.
    possible_duplicate: bool = False
    #: When the first attempt was made; lets a connector look for it before repeating.
    first_attempt_at: datetime | None = None


class Sent(Struct, frozen=True, kw_only=True):
    """The provider took it. `delivered` comes later as a `Delivery`, where the provider reports one."""

    provider_id: str
    at: datetime
    #: Refs to register, so that an answer to what we sent finds the complaint.
    registers: tuple[str, ...] = ()
