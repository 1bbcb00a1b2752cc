"""One item of a webhook, read by the places that the settings name: aggregators differ in nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from connectors import json_items
from connectors.errors import Malformed
from connectors.sms_http.settings import OutgoingFields, Place, Places, Value
from connectors.twilio_signing import MOST_FIELDS

T = TypeVar("T")

_LARGEST = 2**63


# {"events":[{"type":"sms.received","id":"mo-1","from":"62812...","to":"62811...","text":"Dana belum cair",
#   "received_at":"2026-01-05T10:00:00+07:00","udh":{"ref":7,"part":1,"parts":2}}]}
# or a form:  MessageSid=SM1&From=%2B62812...&To=%2B62811...&Body=Dana+belum+cair&SmsStatus=received
class Item(Struct, frozen=True):
    """One message or report of a webhook."""

    content: Mapping[str, Any]

    def text(self, places: Places) -> str | None:
        """The first of these places that holds a word or a number, as text; None when none does."""
        return next((found for place in places if (found := word(at(self.content, place)))), None)


# {"message":{"id":"cs-1","segments":2},"status":"queued"}  or  {"error":{"code":1202,"message":"..."}}
def at(content: Any, place: Place) -> Any:
    """What stands at a place, or None. A form's field whose name has dots in it is found too."""
    if isinstance(content, Mapping) and place in content:
        return content[place]
    for name in place.split("."):
        if isinstance(content, Mapping):
            content = content.get(name)
        elif isinstance(content, Sequence) and not isinstance(content, str) and name.isascii() and name.isdecimal():
            content = content[int(name)] if len(name) < 5 and int(name) < len(content) else None
        else:
            return None
    return content


def word(value: Any) -> str | None:
    """A word or number as text; None for anything else, and for nothing."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _LARGEST:
        return None
    return str(value)


def form(body: bytes) -> Item:
    """The item that a form is; of a name that stands twice the first counts. Raises Malformed."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeError, ValueError):
        raise Malformed("the form cannot be read") from None
    return Item(dict(reversed(pairs)))


def items(body: bytes, place: Place | None) -> tuple[str, Iterable[msgspec.Raw]]:
    """The path and the undecoded items of a JSON body; the body itself where it holds one. Raises Malformed."""
    if place is None:
        return "$", [json_items.whole(body, msgspec.Raw)]
    names = place.split(".")
    path, raw = "$", json_items.whole(body, msgspec.Raw)
    for name in names:
        found = _opened(raw, dict[str, msgspec.Raw], path)
        if name not in found:
            raise Malformed(f"holds no {name}", path)
        path, raw = f"{path}.{name}", found[name]
    return path, _opened(raw, list[msgspec.Raw], path)


def body(given: OutgoingFields, values: Mapping[Value, str | bool], secret: str) -> dict[str, Any]:
    """What a text is handed in as: values and constants at their places, the secret too where it belongs there."""
    if given.numbers == "digits":
        values = {**values, "to": str(values["to"]).lstrip("+"), "from": str(values["from"]).lstrip("+")}
    placed: dict[str, str | bool] = {**given.constants, **{place: values[name] for name, place in given.fields.items()}}
    if given.login.scheme == "field":
        placed[given.login.field] = secret
    if given.format == "form":
        return {place: str(value).lower() if isinstance(value, bool) else value for place, value in placed.items()}
    found: dict[str, Any] = {}
    for place, value in placed.items():
        *outer, last = place.split(".")
        inside = found
        for name in outer:
            inside = inside.setdefault(name, {})
        inside[last] = value
    return found


def _opened(raw: msgspec.Raw, type_: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(raw, type=type_)
    except json_items.UNREADABLE as broken:
        raise Malformed(*json_items.why(broken, path)) from None
