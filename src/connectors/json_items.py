"""Items of one JSON delivery, each read on its own: one that cannot be read leaves its neighbours alone. Pure.

For providers whose batches mix customers. Nothing here repeats a word of the content: reasons name places and types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from connectors.errors import Malformed
from normalizer.message import Event, Unreadable

#: A moment as providers write it: seconds or milliseconds since the epoch, as number or text.
Stamp = str | int | None

MILLISECONDS = 100_000_000_000  # as seconds, this would lie after the year 5000
CLOCK_SKEW = timedelta(minutes=10)  # how far a provider's clock may go ahead of ours before a message is flagged
_ID = re.compile(r"[^\x00-\x20\x7f]{1,512}")
_AT = re.compile(r" - at `\$([^`]*)`$")
# An escape in JSON: a whole surrogate pair, half of one (the group), or any other.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
#: What reading an item may raise.
UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, Malformed)
#: First byte of what is no object -> what `decode` would say of it. Every item is an object.
_OTHERS = {
    byte: f"Expected `object`, got `{name}`"
    for first, name in ((b'"', "str"), (b"[", "array"), (b"tf", "bool"), (b"n", "null"), (b"0123456789-", "int"))
    for byte in first
}

T = TypeVar("T")


def whole(body: bytes, type_: type[T]) -> T:
    """The body as `type_`, half surrogate pairs mended. Raises Malformed with the path of what is wrong."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        try:
            return msgspec.json.decode(body, type=type_)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # A name cut in the middle of an emoji comes as half a surrogate pair; the rest of the delivery is sound.
            mended = _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)
            return msgspec.json.decode(mended, type=type_)
    except UNREADABLE as broken:
        raise Malformed(*why(broken, "$")) from None


def each(items: Iterable[msgspec.Raw], path: str, read: Callable[[msgspec.Raw, str], Iterable[Event]]) -> list[Event]:
    """Events of every item; one that cannot be read becomes Unreadable and its neighbours go on."""
    found: list[Event] = []
    for index, item in enumerate(items):
        where = f"{path}[{index}]"
        other = _OTHERS.get(memoryview(item)[0])
        if other is not None:
            # No exception for each of the 50,000 numbers that fit into 100 KB: the loop must not stand still (P32).
            found.append(Unreadable(path=where, reason=other))
            continue
        try:
            found += read(item, where)
        except UNREADABLE as broken:
            reason, at = why(broken, where)
            found.append(Unreadable(path=at, reason=reason))
    return found


def decode(item: msgspec.Raw, type_: type[T], path: str = "") -> T:
    """The item as `type_`. Raises Malformed with a path that begins with `path`, or what `each` turns into one."""
    try:
        return msgspec.json.decode(item, type=type_)
    except msgspec.ValidationError as wrong:
        raise Malformed(*why(wrong, path)) from None


def is_given(item: msgspec.Raw) -> bool:
    """Whether a key stands there with something in it."""
    return bytes(item) not in (b"", b"null")


def why(broken: Exception, path: str) -> tuple[str, str]:
    """What is wrong and where, without a word of the content."""
    if isinstance(broken, Malformed):
        return broken.reason, path + broken.path.removeprefix("$")
    if isinstance(broken, RecursionError):
        return "nested too deeply", path
    if isinstance(broken, UnicodeError):
        return "not UTF-8", path
    text = str(broken)
    at = _AT.search(text)
    return (text[: at.start()], path + at[1]) if at else (text, path)


def identifier(given: str) -> str:
    """An id as the provider gave it. Raises Malformed for one that is empty, too long or holds control characters."""
    if not _ID.fullmatch(given):
        raise Malformed("an id is empty, too long or holds control characters")
    return given


def is_identifier(given: str | None) -> bool:
    """Whether `identifier` would take it."""
    return given is not None and _ID.fullmatch(given) is not None


def moment(stamp: Stamp, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    """The provider's time, in seconds or milliseconds, as UTC; the time of receipt, flagged, when it makes no sense."""
    digits = str(stamp)
    number = int(digits) if len(digits) <= 13 and digits.isascii() and digits.isdecimal() else 0
    seconds = number / 1000 if number >= MILLISECONDS else number
    if seconds <= 0:
        return received_at, ("no_timestamp",)
    return _judged(datetime.fromtimestamp(seconds, UTC), received_at)


def iso_moment(text: str | None) -> datetime | None:
    """The time of a listed item ("2026-01-05T00:30:00+0000") as UTC, or None when it is none."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def listed_moment(text: str | None, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    """As `moment`, for the time of a listed item."""
    at = iso_moment(text)
    return _judged(at, received_at) if at is not None else (received_at, ("no_timestamp",))


def _judged(at: datetime, received_at: datetime) -> tuple[datetime, tuple[str, ...]]:
    return at, ("future_timestamp",) if at > received_at + CLOCK_SKEW else ()
