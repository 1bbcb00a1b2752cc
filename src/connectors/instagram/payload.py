"""Instagram's comments and mentions as types, and the answers of its API: only the fields that we read.

The envelope and direct messages have Messenger's shape: connectors.meta_messaging.
"""

from __future__ import annotations

from msgspec import Raw, Struct, field

from connectors.meta_payload import Node


# {"field":"comments","value":{...}}
class Change(Struct):
    """One change; `field` says what its value is about."""

    value: Raw
    field: str = ""


# {"id":"1784140555","username":"sari.w"}
class From(Struct):
    """Who commented: the id is the one under which direct messages come; the last field stands where we did."""

    id: str | None = None
    username: str | None = None
    self_ig_scoped_id: str | None = None


# {"id":"1790001","media_product_type":"FEED"}
class OnMedia(Struct):
    """The post that was commented on; the album is missing for a picture inside one."""

    id: str | None = None


# {"id":"1780001","text":"Dana saya?","from":{...},"media":{...},"parent_id":"1780000"}
class Comment(Struct):
    """A comment in a webhook (`media`), or in the API's list (`timestamp`)."""

    id: str
    text: str | None = None
    from_: From | None = field(default=None, name="from")
    media: OnMedia | None = None
    parent_id: str | None = None
    timestamp: str | None = None
    user: Node | None = None

    def is_of(self, account: str) -> bool:
        """Whether the account itself said it: a list names its `user` there, a webhook `self_ig_scoped_id`."""
        by = self.from_ or From()
        return account in (by.id, self.user.id if self.user is not None else "") or bool(by.self_ig_scoped_id)


# {"media_id":"1790002","comment_id":"1780002"}
class Mention(Struct):
    """Somebody named us under or in a post that is not ours: neither words nor author come with it."""

    media_id: str
    comment_id: str | None = None


# {"account":"17841400000000001","media":"1790001","comments":[{...}]}
class Listed(Struct):
    """Comments of one post as the API listed them: the content of a `Raw` of `since`, items as they came."""

    account: str
    media: str
    comments: list[Raw]


class Replies(Struct):
    """{"data":[{...}]}"""

    data: list[Raw] = []


# {"id":"1780001","timestamp":"2026-01-05T03:00:00+0000","replies":{"data":[{...}]}}
class ListedComment(Struct):
    """Of a listed comment, what decides whether it is new, and the replies below it."""

    timestamp: str | None = None
    replies: Replies | None = None


# {"id":"9876000000001","user_id":"17841400000000001"}
class Account(Node):
    """The account as the API names it; `user_id` only with Instagram Login."""

    user_id: str = ""


# {"text":"@akseleran dana saya?"}, {"caption":"..."}
class Mentioning(Struct):
    """The comment or post that mentions us."""

    text: str | None = None
    caption: str | None = None


# {"mentioned_comment":{...},"id":"17841400000000001"}
class Mentioned(Struct):
    """What the API says of a mention."""

    mentioned_comment: Mentioning | None = None
    mentioned_media: Mentioning | None = None


# {"id":"aWdf","created_time":"2026-01-05T03:00:05+0000","from":{...},"message":"Nomor tiket: ..."}
class Written(Struct):
    """A message in a conversation (`message`) or a reply under a comment (`text`)."""

    id: str
    created_time: str | None = None
    timestamp: str | None = None
    from_: From | None = field(default=None, name="from")
    user: Node | None = None
    message: str | None = None
    text: str | None = None

    def may_be_of(self, account: str) -> bool:
        """Whether the account said it, or nobody is named."""
        return self.from_ is None or account in (self.from_.id, self.user.id if self.user is not None else "")


class WrittenList(Struct):
    """{"data":[{...}]}"""

    data: list[Written] = []


# {"id":"aWdf","messages":{"data":[{...}]}}
class Conversation(Struct):
    """A conversation with its newest messages."""

    messages: WrittenList | None = None


class Conversations(Struct):
    """{"data":[{...}]}"""

    data: list[Conversation] = []
