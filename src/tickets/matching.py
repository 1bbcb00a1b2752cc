"""Which complaints may be the same one, and which belong to one cause with many customers. Pure; proposals only.

The same person is recognized by a telephone number, an email address or a customer number that a provider or the desk
vouches for on at least one side, never by a handle (B9, A11); then the two texts must be alike. A mass event is many
different senders with like texts in a short time. Nothing is merged or grouped here: a person decides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from normalizer.complaint import Complaint

IdentityKind = Literal["phone", "email", "customer_ref"]
#: Providers vouch for the number of a sender on these channels, on all others for the address (`complainant.verified`).
_BY_NUMBER = frozenset({"whatsapp", "telegram", "sms", "phone"})
#: Fewer words than this say too little to be like anything.
LEAST_WORDS = 3
_SHORTEST_WORD = 3
_SHORTEST_REF = 4
#: A text as long as this is somebody's whole history: its beginning says what it is about.
_MOST_WORDS = 100


class Identity(Struct, frozen=True, kw_only=True):
    """One way to know a person again: a keyed hash, so that the index holds no address."""

    kind: IdentityKind
    digest: str
    verified: bool


class Traits(Struct, frozen=True, kw_only=True):
    """What of a complaint is compared."""

    complaint_id: str
    organisation: str
    received_at: datetime
    #: Tells one sender from another where nothing else does.
    sender: str
    identities: tuple[Identity, ...]
    words: frozenset[str]
    reference: str | None = None


class Match(Struct, frozen=True, kw_only=True):
    """Two complaints that may be one, with what speaks for it."""

    complaint_id: str
    other_id: str
    #: Kinds of identity that both have.
    shared: tuple[IdentityKind, ...]
    #: From 0 to 1: how much of the shorter text is in the other.
    likeness: float
    #: The words that both use, at most twenty, in alphabetical order.
    words: tuple[str, ...]


def traits_of(complaint: Complaint, words: Callable[[str], Iterable[str]], key: bytes) -> Traits:
    """What is compared of a complaint. `words` gives the words of a text that say something; `key` hides identities."""
    who = complaint.complainant
    by_number = complaint.channel in _BY_NUMBER
    given: tuple[tuple[IdentityKind, str | None, bool], ...] = (
        ("phone", who.phone, who.verified and by_number),
        ("email", who.email, who.verified and not by_number),
        ("customer_ref", _telling_ref(who.customer_ref), who.verified),
    )
    text = f"{complaint.subject} {complaint.narrative}"
    said = [word for word in words(text) if len(word) >= _SHORTEST_WORD][:_MOST_WORDS]
    transaction = complaint.transaction
    return Traits(
        complaint_id=complaint.complaint_id,
        organisation=complaint.tenant,
        received_at=complaint.received_at,
        sender=complaint.sender_key or complaint.complaint_id,
        identities=tuple(
            Identity(kind=kind, digest=_digest(kind, value, key), verified=verified)
            for kind, value, verified in given
            if value and value.strip()
        ),
        words=frozenset(said),
        reference=transaction.reference.strip().lower() if transaction and transaction.reference else None,
    )


def likeness(one: Set[str], other: Set[str]) -> float:
    """How much of the shorter text is in the other, from 0 to 1; 0 when one of them says too little."""
    shorter = min(len(one), len(other))
    return len(one & other) / shorter if shorter >= LEAST_WORDS else 0.0


def same_person(one: Traits, other: Traits) -> tuple[IdentityKind, ...]:
    """The kinds of identity that both have and somebody vouches for on at least one side."""
    mine = {(each.kind, each.digest): each.verified for each in one.identities}
    shared: list[IdentityKind] = []
    for each in other.identities:
        vouched = mine.get((each.kind, each.digest))
        if vouched is not None and (vouched or each.verified):
            shared.append(each.kind)
    return tuple(sorted(shared))


def match(one: Traits, other: Traits, *, within: timedelta, least: float) -> Match | None:
    """Whether two complaints may be one: the same person, near in time, about the same. None when not.

    The same transaction reference stands for a like text: nobody writes twice about one transfer by chance.
    """
    if one.organisation != other.organisation or one.complaint_id == other.complaint_id:
        return None
    if abs(one.received_at - other.received_at) > within:
        return None
    shared = same_person(one, other)
    if not shared:
        return None
    alike = likeness(one.words, other.words)
    if one.reference is not None and one.reference == other.reference:
        alike = 1.0
    if alike < least:
        return None
    first, second = sorted((one, other), key=lambda each: (each.received_at, each.complaint_id))
    return Match(
        complaint_id=second.complaint_id,
        other_id=first.complaint_id,
        shared=shared,
        likeness=round(alike, 2),
        words=tuple(sorted(one.words & other.words)[:20]),
    )


def crowd(new: Traits, recent: Sequence[Traits], *, within: timedelta, least: float, many: int) -> tuple[Traits, ...]:
    """The complaints of at least `many` different senders that are like the new one, the oldest first; else none.

    `recent` are complaints of the same organisation; the new one counts among them.
    """
    alike = [
        each
        for each in recent
        if each.organisation == new.organisation
        and abs(new.received_at - each.received_at) <= within
        and (each.complaint_id == new.complaint_id or likeness(new.words, each.words) >= least)
    ]
    if all(each.complaint_id != new.complaint_id for each in alike):
        alike.append(new)
    people = {each.sender for each in alike}
    if len(people) < many or len(new.words) < LEAST_WORDS:
        return ()
    return tuple(sorted(alike, key=lambda each: (each.received_at, each.complaint_id)))


def _telling_ref(given: str | None) -> str | None:
    """A customer number that tells somebody apart; a dash or a word that many type there is none."""
    return given if given and len(given.strip()) >= _SHORTEST_REF and any(map(str.isdigit, given)) else None


def _digest(kind: IdentityKind, value: str, key: bytes) -> str:
    spelled = value.strip() if kind == "customer_ref" else value.strip().lower()
    return hmac.new(key, f"{kind}:{spelled}".encode(), hashlib.sha256).hexdigest()
