"""Calls and recordings as Twilio's REST API lists them. A webhook is a form and read by name in parse.py."""

from __future__ import annotations

import msgspec
from msgspec import Struct, field


# {"sid":"CA1","account_sid":"AC1","from":"+62812","to":"+62215","direction":"inbound","status":"completed",
#  "duration":"42","start_time":"Mon, 05 Jan 2026 03:00:00 +0000","end_time":"Mon, 05 Jan 2026 03:00:42 +0000"}
class CallResource(Struct):
    """One call, either way."""

    sid: str
    account_sid: str
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    direction: str = ""
    status: str = ""
    start_time: str | None = None
    end_time: str | None = None
    date_created: str | None = None


# {"sid":"RE1","account_sid":"AC1","call_sid":"CA1","duration":"21","status":"completed","source":"RecordVerb",
#  "start_time":"Mon, 05 Jan 2026 03:00:12 +0000","date_created":"Mon, 05 Jan 2026 03:00:12 +0000"}
class RecordingResource(Struct):
    """One recording of a call."""

    sid: str
    account_sid: str
    call_sid: str
    status: str = ""
    #: "RecordVerb" is what a caller was asked to say; "Trunking" and others record whole calls.
    source: str = "RecordVerb"
    start_time: str | None = None
    date_created: str | None = None


# {"phone_number":"+62215","voice_url":"https://aduan.example.co.id/in/x","voice_application_sid":"","trunk_sid":null}
class NumberResource(Struct):
    """A number of the account, and what it calls; an application or a trunk goes before `voice_url`."""

    phone_number: str
    voice_url: str | None = None
    voice_application_sid: str | None = None
    trunk_sid: str | None = None


class NumberPage(Struct):
    """{"incoming_phone_numbers":[...]}"""

    incoming_phone_numbers: list[NumberResource]


class CallPage(Struct):
    """{"calls":[...],"next_page_uri":"/2010-04-01/Accounts/AC1/Calls.json?Page=1"}"""

    calls: list[msgspec.Raw]
    next_page_uri: str | None = None


class RecordingPage(Struct):
    """{"recordings":[...],"next_page_uri":null}"""

    recordings: list[msgspec.Raw]
    next_page_uri: str | None = None


class Listed(Struct):
    """What the reconciler keeps of one call that it found: the call and one of its recordings, word for word."""

    call: msgspec.Raw
    #: Empty: the caller hung up without a word.
    recordings: list[msgspec.Raw] = []
