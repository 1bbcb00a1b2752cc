"""What the X API answers, as types: only the fields that we read; every other field is passed over."""

from __future__ import annotations

from msgspec import Raw, Struct

from connectors.x.payload import NOTHING, Filter, Includes


class Meta(Struct, frozen=True):
    """{"result_count":2,"next_token":"18ER"}"""

    next_token: str | None = None


class Page(Struct):
    """One page of a list."""

    data: list[Raw] = []
    includes: Includes = Includes()
    meta: Meta = Meta()


# {"title":"Forbidden","detail":"...","type":"about:blank","status":403}  or, older,  {"code":187,"message":"..."}
class Problem(Struct):
    """What X says when it refuses."""

    title: str | None = None
    detail: str | None = None
    type: str | None = None
    message: str | None = None
    code: int | str | None = None


# {"data":{...}}  or  {"errors":[{...}]}  or a problem itself
class Answer(Problem, kw_only=True):
    """What a call is answered with, good or bad."""

    data: Raw = NOTHING
    errors: list[Problem] = []


class Made(Struct):
    """{"dm_conversation_id":"111-222","dm_event_id":"208"}  or  {"id":"209","text":"..."}"""

    dm_event_id: str | None = None
    id: str | None = None


class Webhook(Struct):
    """{"id":"146","url":"https://...","valid":true,"created_at":"..."}"""

    id: str = ""
    url: str = ""
    valid: bool = False


class Subscription(Struct):
    """{"subscription_id":"1","event_type":"dm.received","filter":{"user_id":"111"},"webhook_id":"146"}"""

    event_type: str = ""
    filter: Filter = Filter()
    webhook_id: str | None = None


# {"token_type":"bearer","expires_in":7200,"access_token":"...","refresh_token":"..."}
class Token(Struct):
    """What the token address hands out."""

    access_token: str = ""
    refresh_token: str | None = None
    expires_in: float = 7200.0
