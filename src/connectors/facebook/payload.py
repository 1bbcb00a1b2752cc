"""Comments of a Facebook page as types, pushed and listed, and the answers to our calls: only the fields that we read.

Direct messages are read by `connectors.meta_messaging`.
"""

from __future__ import annotations

from msgspec import Raw, Struct, field

from connectors.json_items import Stamp
from connectors.meta_payload import NOTHING, Node


# {"field":"feed","value":{...}}
class Change(Struct):
    """One change of a page; `field` says what its value is about."""

    value: Raw
    field: str = ""


class Author(Struct):
    """{"id":"24900001","name":"Sari Wulandari"}; missing where the token may not see it."""

    id: str | int = ""
    name: str | None = None


# {"item":"comment","verb":"add","comment_id":"88_901","post_id":"1029_88","parent_id":"1029_88",
#  "from":{...},"message":"...","created_time":1767573000,"photo":"https://scontent.xx.fbcdn.net/a.jpg"}
class Feed(Struct):
    """What happened on the page: comments, and everything else that we pass over."""

    item: str = ""
    verb: str = ""
    comment_id: str | None = None
    post_id: str | None = None
    parent_id: str | None = None
    from_: Author | None = field(default=None, name="from")
    message: str | None = None
    created_time: Stamp = None
    is_hidden: bool = False
    photo: Raw = NOTHING
    video: Raw = NOTHING


class Source(Struct):
    """{"src":"https://scontent.xx.fbcdn.net/a.jpg"}"""

    src: str | None = None


class Picture(Struct):
    """{"image":{"src":"..."},"source":"https://video.xx.fbcdn.net/a.mp4"}"""

    image: Source | None = None
    source: str | None = None


class Enclosed(Struct):
    """{"type":"photo","media":{...}}"""

    type: str = ""
    media: Picture | None = None


# {"id":"88_901","message":"...","from":{...},"created_time":"2026-01-05T00:30:00+0000","parent":{...},"attachment":{}}
class Comment(Struct):
    """A comment as the Graph API lists it."""

    id: str
    message: str | None = None
    from_: Author | None = field(default=None, name="from")
    created_time: str | None = None
    parent: Node | None = None
    is_hidden: bool = False
    attachment: Raw = NOTHING


class Listed(Struct):
    """Comments of one post as we keep them: every item as Meta listed it."""

    page_id: str
    post_id: str
    data: list[Raw]


class Post(Struct):
    """{"id":"1029_88","updated_time":"2026-01-05T00:30:00+0000"}: a new comment moves the time."""

    id: str
    updated_time: str | None = None


# {"can_reply_privately":false,"private_reply_conversation":{"id":"t_1"}}
class Privacy(Struct):
    """Whether a comment had its private reply."""

    can_reply_privately: bool | None = None
    private_reply_conversation: Node | None = None
