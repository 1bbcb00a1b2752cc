"""TwiML as a telephone hears it: the verbs of a document, and what is wrong with a document. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

VERBS = frozenset({"Say", "Play", "Pause", "Gather", "Record", "Redirect", "Hangup", "Reject"})
INSIDE_GATHER = frozenset({"Say", "Play", "Pause"})
LARGEST = 65_536  # bytes of one document


class NoTwiml(Exception):
    """What came is no TwiML: Twilio logs this error and tells the caller that an application error occurred."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    """One instruction."""

    name: str
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    inside: Sequence[Verb] = ()

    def number(self, name: str, default: int) -> int:
        """A whole number among the attributes."""
        text = self.attributes.get(name, "")
        return int(text) if text.isdigit() else default


def read(body: bytes, content_type: str) -> list[Verb]:
    """The verbs of a document. Raises NoTwiml with Twilio's code."""
    if content_type.partition(";")[0].strip().lower() not in ("text/xml", "application/xml", "text/html"):
        raise NoTwiml(12300)
    if len(body) > LARGEST or b"<!DOCTYPE" in body:
        raise NoTwiml(11750)
    try:
        root = ET.fromstring(body)  # noqa: S314 - the answer of the business under test, without a document type
    except ET.ParseError:
        raise NoTwiml(12100) from None
    if root.tag != "Response":
        raise NoTwiml(12100)
    return [_verb(each, VERBS) for each in root]


def _verb(element: ET.Element, known: frozenset[str]) -> Verb:
    if element.tag not in known:
        raise NoTwiml(12200)
    inside = [_verb(each, INSIDE_GATHER) for each in element] if element.tag == "Gather" else ()
    return Verb(element.tag, (element.text or "").strip(), dict(element.attrib), inside)
