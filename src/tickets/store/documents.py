"""How complaints, tickets and messages lie in a column: JSON in UTF-8, without what is empty.

Two thirds of a new complaint's fields are empty, and every byte is written twice: to the log and to the database.
Left out are only None, "", False, 0, () and {}, and only where the field's default is the same: whatever says something
is written, also when it is the default of today, so that no later default can change what was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import NODEFAULT, Struct, structs

from normalizer.complaint import Complaint
from normalizer.message import Message
from tickets.model import Ticket

T = TypeVar("T", bound=Struct)

_encode = msgspec.json.Encoder().encode
#: Never the value of a field: what has it as its default is always written.
_NEVER = object()


class Document(Generic[T]):
    """Writes and reads the documents of one class; also reads those in which nothing was left out."""

    def __init__(self, of: type[T]) -> None:
        self._sparse = _Sparse(of)
        #: The value that `write` gave, or that a version before this one wrote in full.
        self.read: Callable[[bytes], T] = msgspec.json.Decoder(of).decode

    def write(self, value: T) -> bytes:
        """The value as JSON, without what is empty."""
        return _encode(self._sparse(value))


class _Sparse:
    """Makes a value of a twin class that msgspec writes without its empty fields."""

    def __init__(self, of: type[Struct]) -> None:
        fields = structs.fields(of)
        self._twin: Callable[..., Struct] = msgspec.defstruct(
            of.__name__,
            [(field.encode_name, object, _default(field)) for field in fields],
            omit_defaults=True,
            tag=of.__struct_config__.tag,
        )
        #: Fields that hold a struct even when nothing is known.
        self._parts: Sequence[tuple[int, _Sparse]] = [
            (place, _Sparse(type(field.default)))
            for place, field in enumerate(fields)
            if isinstance(field.default, Struct)
        ]

    def __call__(self, value: Struct) -> Struct:
        values = list(structs.astuple(value))
        for place, sparse in self._parts:
            values[place] = sparse(values[place])
        return self._twin(*values)


def _default(field: structs.FieldInfo) -> Any:
    """The default by which msgspec leaves an empty field out; none that a value could have where it says something."""
    if field.default_factory is not NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    said = field.default is NODEFAULT or isinstance(field.default, Struct) or bool(field.default)
    return _NEVER if said else field.default


COMPLAINTS = Document(Complaint)
TICKETS = Document(Ticket)
MESSAGES = Document(Message)
