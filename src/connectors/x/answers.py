"""What the X API answers: the fields that we read, and the error class that says what happens next. Pure.

A refusal is known by its number, its type, its words, or by what was called.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Raw, Struct
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from connectors import codes, http_errors
from connectors.errors import ConnectorError, Throttled
from connectors.http_errors import Answered
from connectors.x.content import readable
from connectors.x.payload import NOTHING, Filter, Includes

T = TypeVar("T")
HERE = Path(__file__).parent
CODES = codes.load(HERE / "codes.yaml")
#: What was called.
Called = Literal["message", "post", "list", "account"]
#: Limits that X counts side by side, by the beginning of their headers.
_LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
#: X's clock and ours differ a little: an answer before the reset would be another 429.
_AFTER_RESET = 1.0
DUPLICATE_TEXT = 187


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


class Names(BaseModel):
    """The content of problems.yaml: how X names a refusal, and the number of codes.yaml that stands for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    read_on: date
    types: Mapping[str, int]
    words: Mapping[str, int]
    forbidden: Mapping[Called, int]


NAMES = Names.model_validate(YAML(typ="safe", pure=True).load((HERE / "problems.yaml").read_text(encoding="utf-8")))


def data(answer: Answered, type_: type[T]) -> T | None:
    """The `data` of an answer, or None when it cannot be read as that."""
    found = readable(answer.body, Answer)
    return readable(found.data, type_) if found is not None else None


def number(answer: Answered, called: Called) -> int | None:
    """The number in codes.yaml that this refusal has, or None when only its status speaks."""
    found = readable(answer.body, Answer)
    for problem in (*found.errors, found) if found is not None else ():
        named = _named(problem)
        if named is not None:
            return named
    if answer.status == HTTPStatus.PAYMENT_REQUIRED:
        return NAMES.types["credits"]
    return NAMES.forbidden.get(called) if answer.status == HTTPStatus.FORBIDDEN else None


def refusal(answer: Answered, called: Called, now: datetime, *, writes: bool) -> ConnectorError:
    """The error that an answer means; a limit is waited for until X says that it is over."""
    found = http_errors.error(
        "X", CODES, answer.status, code=number(answer, called), headers=answer.headers, now=now, writes=writes
    )
    if isinstance(found, Throttled) and http_errors.retry_after(answer.headers, now) is None:
        return Throttled(str(found), after=until_reset(answer.headers, now) or found.after)
    return found


def until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the limits that are used up begin anew; None when X names no time."""
    given = {name.lower(): value for name, value in headers.items()}
    resets = {each: given.get(f"{each}-reset", "") for each in _LIMITS}
    known = {each: float(text) for each, text in resets.items() if text.isascii() and text.isdecimal()}
    empty = [known[each] for each in known if given.get(f"{each}-remaining", "").strip() == "0"]
    if not known:
        return None
    at = max(empty or known.values()) + _AFTER_RESET
    return min(max(at - now.timestamp(), _AFTER_RESET), http_errors.LONGEST_WAIT)


def _named(problem: Problem) -> int | None:
    code = str(problem.code)
    if code.isascii() and code.isdecimal() and len(code) <= 4 and CODES.named(int(code)) is not None:
        return int(code)
    said = f"{problem.detail or ''} {problem.message or ''} {problem.title or ''}".lower()
    for words, meant in NAMES.words.items():
        if words in said:
            return meant
    return NAMES.types.get((problem.type or "").rpartition("/")[2])
