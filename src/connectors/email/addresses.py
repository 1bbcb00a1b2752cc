"""Address lists in one pass (RFC 5322 section 3.4): the standard library's parser recurses per comment."""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

from connectors.email import charset
from connectors.email.headers import Headers, unlabelled

LOCAL = re.compile(r"^[^\s<>(),:;@\"\[\]\x00-\x20\x7f-\x9f]{1,64}$|^\"[^\"\x00-\x1f\x7f-\x9f]{1,62}\"$")
DOMAIN = re.compile(r"^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$")
LOOKS_LIKE_ADDRESS = re.compile(r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,253}")


class Address(Struct, frozen=True, kw_only=True):
    """One mailbox. `email` has its domain in lower-case ASCII form; it is empty when the address is not valid."""

    name: str = ""
    email: str = ""

    @property
    def domain(self) -> str:
        """The domain in ASCII form."""
        return self.email.rpartition("@")[2]


def read(headers: Headers, name: str) -> list[Address]:
    """Every mailbox in all headers called `name`, at most `limits.recipients`."""
    found: list[Address] = []
    for value in headers.all(name):
        for address in parse(unlabelled(value[: headers.limits.header_block]), headers):
            if len(found) >= headers.limits.recipients:
                headers.flags.add("too_many_recipients")
                return found
            found.append(address)
    return found


def parse(value: str, headers: Headers) -> list[Address]:
    """The mailboxes in one header value; groups are opened, comments left out."""
    found: list[Address] = []
    phrase: list[str] = []
    angle: list[str] | None = None
    spec = ""
    quoted, depth, escaped = False, 0, False

    def finish() -> None:
        nonlocal angle, spec
        text = "".join(phrase).strip()
        phrase.clear()
        address = spec or ("".join(angle) if angle is not None else "")
        if not address and "@" in text:
            address, text = text, ""
        if address or text:
            name = charset.one_line(headers.decode(text.replace('"', "")[:2000]), 200)
            found.append(Address(name=name, email=normal(address)))
        angle, spec = None, ""

    for ch in value:
        if len(found) > headers.limits.recipients:
            break
        target = angle if angle is not None else phrase
        if escaped:
            escaped = False
            if not depth:
                target.append(ch)
        elif ch == "\\" and (quoted or depth):
            escaped = True
        elif ch == '"' and not depth:
            quoted = not quoted
            target.append(ch)
        elif quoted:
            target.append(ch)
        elif ch == "(":
            depth += 1
        elif depth:
            depth -= ch == ")"
        elif ch == "<":
            angle = []
        elif ch == ">" and angle is not None:
            spec, angle = "".join(angle), None
        elif ch in ",;":
            finish()
        elif ch == ":" and angle is None:
            phrase.clear()  # the name of a group
        else:
            target.append(ch)
    finish()
    return found


def normal(value: str) -> str:
    """`value` as local@domain with the domain in lower-case ASCII form, or empty when it is no address."""
    value = value.strip().strip("'")
    if ":" in value and value.startswith("@"):
        value = value.rpartition(":")[2]  # an obsolete source route
    local, _, domain = value.rpartition("@")
    domain = domain.strip().rstrip(".").lower()
    if not LOCAL.match(local) or not domain or len(domain) > 253:
        return ""
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return f"{local}@{domain}" if DOMAIN.match(domain) else ""


def key(email: str) -> str:
    """The identity of a mailbox ("mailto:..."): nobody runs mailboxes that differ in case only."""
    return f"mailto:{email.lower()}"


def without_tag(email: str) -> str:
    """`email` in lower case without its plus tag (RFC 5233)."""
    local, _, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def tag(email: str) -> str:
    """The plus tag of `email`, or nothing."""
    return email.rpartition("@")[0].partition("+")[2]


def confusable(domain: str) -> bool:
    """Whether a label of `domain` mixes alphabets that look alike (UTS 39, single-script rule, reduced to three)."""
    for label in domain.split("."):
        if not label.startswith("xn--"):
            continue
        try:
            text = label.encode("ascii").decode("idna")
        except UnicodeError:
            return True
        scripts = {unicodedata.name(ch, "").partition(" ")[0] for ch in text if ch.isalpha()}
        if len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1 or scripts == {"CYRILLIC"}:
            return True
    return False


def names_another(address: Address) -> bool:
    """Whether the display name shows an address that is not the sender's."""
    found = LOOKS_LIKE_ADDRESS.search(address.name)
    return found is not None and found.group().lower().strip(".,;:()[]") != address.email.lower()
