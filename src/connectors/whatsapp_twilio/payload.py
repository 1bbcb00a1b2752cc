"""Twilio's message resource as types: what a listing gives. A webhook is a form and read by name in parse.py."""

from __future__ import annotations

import msgspec
from msgspec import Struct, field


# {"sid":"MM5","account_sid":"AC1","from":"whatsapp:+62812","to":"whatsapp:+62215","body":"Halo","direction":"inbound",
#  "num_media":"1","status":"received","date_sent":"Mon, 05 Jan 2026 03:00:00 +0000","error_code":null}
class Resource(Struct):
    """One message, either way, as `GET /Messages` lists it."""

    sid: str
    account_sid: str
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    body: str | None = None
    direction: str = ""
    num_media: str | int = "0"
    status: str = ""
    date_sent: str | None = None
    date_created: str | None = None


# {"sid":"ME1","content_type":"image/jpeg","parent_sid":"MM5","uri":"/2010-04-01/Accounts/AC1/.../ME1.json"}
class MediaResource(Struct):
    """One file of a message, as `GET /Messages/{sid}/Media` lists it."""

    sid: str
    content_type: str | None = None


class Page(Struct):
    """{"messages":[...],"next_page_uri":"/2010-04-01/Accounts/AC1/Messages.json?PageSize=50&Page=1&PageToken=PAMM"}"""

    messages: list[msgspec.Raw]
    next_page_uri: str | None = None


class MediaPage(Struct):
    """{"media_list":[...],"next_page_uri":null}"""

    media_list: list[MediaResource] = []


class Listed(Struct):
    """What the reconciler keeps for one message that it found: the resource, word for word, and its files."""

    message: msgspec.Raw
    media: list[MediaResource] = []


# {"sid":"SM3","status":"queued",...}  or  {"code":63016,"message":"...","more_info":"...","status":400}
class Answer(Struct):
    """What a call is answered with, good or bad."""

    sid: str | None = None
    code: int | None = None
    status: str | int | None = None
