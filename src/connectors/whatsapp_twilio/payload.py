"""The files of a listed message as types. A webhook is a form and read by name in parse.py."""

from __future__ import annotations

import msgspec
from msgspec import Struct


# {"sid":"ME1","content_type":"image/jpeg","parent_sid":"MM5","uri":"/2010-04-01/Accounts/AC1/.../ME1.json"}
class MediaResource(Struct):
    """One file of a message, as `GET /Messages/{sid}/Media` lists it."""

    sid: str
    content_type: str | None = None


class MediaPage(Struct):
    """{"media_list":[...],"next_page_uri":null}"""

    media_list: list[MediaResource] = []


class Listed(Struct):
    """What the reconciler keeps for one message that it found: the resource, word for word, and its files."""

    message: msgspec.Raw
    media: list[MediaResource] = []
