"""The events of the ticket machine as people type them: which there are, their fields, and reading them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct, inspect

from tickets.calendar import WIB
from tickets.lifecycle_events import BY_THE_CLOCK, CLOCK_ACTOR, Event

#: Names under which the audit log knows the system itself: no person may act as one of them.
OF_THE_SYSTEM = frozenset({"aduan", "intake", "replay", CLOCK_ACTOR})

_CLASSES: tuple[type[Struct], ...] = get_args(Event)


class EventField(Struct, frozen=True, kw_only=True):
    """One field of an event."""

    name: str
    #: What may be given: "text", "number", "word,word", "explanation|offer", ...
    takes: str
    required: bool


class EventKind(Struct, frozen=True, kw_only=True):
    """One event of the ticket machine."""

    event: str
    says: str
    fields: tuple[EventField, ...]
    #: "staff" also for what the complainant said: a person of the desk records it; "clock" is for nobody else.
    by: Literal["staff", "clock"]
    #: Recorded on the word of the complainant, or of the representative.
    on_word_of_complainant: bool = False


class UnknownEvent(ValueError):
    """There is no such event for a person."""


class WrongFields(ValueError):
    """Some fields are wrong; `problems` names each with what to do."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in problems))
        self.problems = tuple(problems)


def kinds() -> tuple[EventKind, ...]:
    """Every event in the order of its definition."""
    return tuple(_kind(each) for each in _CLASSES)


def tag_of(event: Event) -> str:
    """The name by which programs and the audit log know the event."""
    return _tag(type(event))


def by_clock(event: Event) -> bool:
    """Whether only the clock may say this, never a person or a program."""
    return isinstance(event, BY_THE_CLOCK)


def read_words(tag: str, given: Mapping[str, str]) -> Event:
    """The event of these words: lists as `a,b`, truth as true or false, times without an offset as WIB.

    Raises UnknownEvent for a tag that no person may use, WrongFields with every mistake at once.
    """
    found = next((each for each in _CLASSES if _tag(each) == tag), None)
    if found is None or issubclass(found, BY_THE_CLOCK):
        raise UnknownEvent(tag)
    fields = {field.name: field for field in msgspec.structs.fields(found)}
    problems = [(name, "there is no such field") for name in given if name not in fields]
    problems += [(name, "is missing") for name, field in fields.items() if field.required and name not in given]
    values: dict[str, Any] = {}
    for name, word in given.items():
        if name in fields:
            try:
                values[name] = _value(word, fields[name].type)
            except ValueError as error:
                takes = _takes(inspect.type_info(fields[name].type))
                problems.append((name, f"takes {takes}: {str(error).partition(' - at')[0]}"))
    if problems:
        raise WrongFields(problems)
    event: Event = msgspec.convert({"event": tag, **values}, Event)
    return event


def _tag(event: type[Struct]) -> str:
    return str(event.__struct_config__.tag)


def _kind(event: type[Struct]) -> EventKind:
    fields = msgspec.structs.fields(event)
    return EventKind(
        event=_tag(event),
        says=(event.__doc__ or "").partition("\n")[0],
        fields=tuple(
            EventField(name=each.name, takes=_takes(inspect.type_info(each.type)), required=each.required)
            for each in fields
        ),
        by="clock" if issubclass(event, BY_THE_CLOCK) else "staff",
        on_word_of_complainant=any(
            each.name == "by" and "complainant" in _takes(inspect.type_info(each.type)) for each in fields
        ),
    )


def _value(word: str, type_: Any) -> Any:
    """The value of a word, checked. Raises ValueError that says what does not fit."""
    kind = _plain(inspect.type_info(type_))
    if isinstance(kind, inspect.VarTupleType):
        given: object = [part.strip() for part in word.split(",") if part.strip()]
    elif isinstance(kind, inspect.DateTimeType):
        moment = datetime.fromisoformat(word)
        given = (moment if moment.tzinfo is not None else moment.replace(tzinfo=WIB)).astimezone(UTC)
    elif isinstance(kind, inspect.BoolType):
        if word not in ("true", "false"):
            raise ValueError("write true or false")
        given = word == "true"
    else:
        given = word
    return msgspec.convert(given, type_, strict=False)


def _plain(kind: inspect.Type) -> inspect.Type:
    """The type without its "or nothing" and its bounds."""
    if isinstance(kind, inspect.Metadata):
        return _plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
        return _plain(kind)
    return kind


def _takes(kind: inspect.Type) -> str:
    kind = _plain(kind)
    match kind:
        case inspect.LiteralType():
            return "|".join(map(str, kind.values))
        case inspect.VarTupleType():
            inner = _takes(kind.item_type)
            return f"{inner},{inner}" if inner == "word" else f"{inner} (several with a comma)"
        case inspect.IntType():
            return "whole number"
        case inspect.BoolType():
            return "true|false"
        case inspect.DateTimeType():
            return "time (2026-01-05T10:00, WIB)"
        case inspect.DateType():
            return "date (2026-01-05)"
        case inspect.StrType():
            return "word" if kind.pattern else "text"
    return type(kind).__name__
