"""People of the desk: what each may see and do, their passwords and the tokens of their programs. Pure but for chance.

Passwords are kept as scrypt hashes, tokens as SHA-256 of 256 random bits: neither can be read back. Times are UTC.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct

from tickets.lifecycle_events import (
    BY_THE_CLOCK,
    Event,
    HoldLifted,
    HoldSet,
    ObjectionAnswered,
    ObjectionRejected,
    Rejected,
    Responded,
)

Role = Literal["auditor", "agent", "supervisor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
#: Stands for every organisation in a person's list.
EVERY = "*"
NAME = re.compile(r"^[a-z][a-z0-9.-]{1,63}$")
#: NIST SP 800-63B-4 asks for 15 characters where a password stands alone.
LEAST_PASSWORD = 15
MOST_PASSWORD = 256

#: What ends a complaint against its sender, moves money or keeps data beyond its time is not for one agent alone.
_SUPERVISED = (Rejected, ObjectionRejected, HoldSet, HoldLifted)
_COST, _BLOCK, _LANES = 15, 8, 1
_SCHEME = "scrypt"
_TOKEN = re.compile(r"^adn_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$")


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who works at the desk. `organisations` holds slugs, or `EVERY`."""

    name: str
    role: Role
    organisations: tuple[str, ...]
    created_at: datetime
    password_hash: str | None = None
    disabled_at: datetime | None = None

    def sees(self, organisation: str) -> bool:
        """Whether the organisation's complaints are this person's business."""
        return self.disabled_at is None and bool({EVERY, organisation} & set(self.organisations))

    def may(self, event: Event, organisation: str) -> bool:
        """Whether this person may give the event to a ticket of the organisation; the clock's own nobody may."""
        if not self.sees(organisation) or self.role == "auditor" or isinstance(event, BY_THE_CLOCK):
            return False
        return self.role in {"supervisor", "admin"} or not _needs_supervisor(event)


class Token(Struct, frozen=True, kw_only=True):
    """The key of a program that works for a person; `label` says which program."""

    id: str
    person: str
    label: str
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def valid(self, secret: str, now: datetime) -> bool:
        """Whether the secret is this token's and it still counts; compared in constant time."""
        same = hmac.compare_digest(self.secret_hash, _digest(secret))
        return same and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_token(person: str, label: str, *, now: datetime, expires_at: datetime | None = None) -> tuple[Token, str]:
    """A fresh token, and the text that its program sends: shown once, kept nowhere."""
    id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    token = Token(
        id=id_, person=person, label=label, secret_hash=_digest(secret), created_at=now, expires_at=expires_at
    )
    return token, f"adn_{id_}_{secret}"


def read_token(text: str) -> tuple[str, str] | None:
    """Id and secret of what a program sent; None for anything that cannot be a token."""
    found = _TOKEN.match(text)
    return (found[1], found[2]) if found else None


def password_problem(name: str, password: str) -> str | None:
    """Why a password is refused, in Indonesian and English; None when it is good enough."""
    if len(password) < LEAST_PASSWORD:
        return (
            f"minimal {LEAST_PASSWORD} karakter; beberapa kata mudah diingat"
            f" / at least {LEAST_PASSWORD} characters; a few words are easy to remember"
        )
    if len(password) > MOST_PASSWORD:
        return f"paling banyak {MOST_PASSWORD} karakter / at most {MOST_PASSWORD} characters"
    if name in password.lower() or len(set(password)) < 5:
        return "terlalu mudah ditebak / too easy to guess"
    return None


def hash_password(password: str) -> str:
    """The scrypt hash with its cost and its own salt, as one line of text."""
    salt = secrets.token_bytes(16)
    derived = _derive(password, salt, _COST, _BLOCK, _LANES)
    return "$".join((_SCHEME, str(_COST), str(_BLOCK), str(_LANES), _text(salt), _text(derived)))


def password_matches(person: Person | None, password: str) -> bool:
    """Whether it is the person's password; for nobody, or somebody without one, it takes as long and is False."""
    kept = person.password_hash if person is not None and person.disabled_at is None else None
    _, cost, block, lanes, salt, derived = (kept or _NOBODY).split("$")
    given = _derive(password[:MOST_PASSWORD], base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(given, base64.b64decode(derived)) and kept is not None


def _needs_supervisor(event: Event) -> bool:
    if isinstance(event, Responded | ObjectionAnswered):
        return "compensation" in event.remedies or bool(event.compensation_idr)
    return isinstance(event, _SUPERVISED)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _derive(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    memory = 128 * block * (2**cost) * lanes
    return hashlib.scrypt(password.encode(), salt=salt, n=2**cost, r=block, p=lanes, maxmem=2 * memory, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


#: As costly to refuse as a real one, and no password leads to it.
_NOBODY = "$".join((_SCHEME, str(_COST), str(_BLOCK), str(_LANES), _text(bytes(16)), _text(bytes(32))))
