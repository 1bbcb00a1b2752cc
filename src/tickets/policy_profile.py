"""A regulatory profile, and where a policy promises less than it asks. It warns and never changes a date (G11, D3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from tickets.policy import Policy
from tickets.policy_clocks import Clock, Days, DocumentWindow, ExtendRule, ResolveClock, Track
from tickets.policy_part import Part, Text, Word
from tickets.policy_parts import ReceiptField

#: The events a clock can start at, earliest first.
ORDER = ("received", "documents_complete", "first_response")


class ProfileExtension(Part):
    """The longest extension, and when its notice is due."""

    days: Days
    times: Annotated[int, Field(ge=1)]
    notify: Literal["before_due"]


class ProfileDocuments(Part):
    """How long the complainant may take to complete documents."""

    window: DocumentWindow


class ProfileReceipt(Part):
    """What a receipt must hold."""

    required: tuple[ReceiptField, ...]


class RegulatoryProfile(Part):
    """The limits of one regulation, as public restatements give them."""

    profile: Literal[1]
    id: Word
    title: Text
    sources: Annotated[tuple[Text, ...], Field(min_length=1)]
    read_on: date
    oral: Clock
    written: Clock
    extend: ProfileExtension
    documents: ProfileDocuments
    receipt: ProfileReceipt


@dataclass(frozen=True, slots=True)
class Exceeds:
    """One place where a policy promises less than a profile asks."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


def warnings(policy: Policy, profile: RegulatoryProfile) -> tuple[Exceeds, ...]:
    """Where the policy goes beyond the profile (G11); empty when the policy switched the comparison off."""
    ref = policy.regulatory_profile
    if ref is None or ref.mode == "off" or ref.id != profile.id:
        return ()
    found = [exceeds for track in policy.tracks for exceeds in _track(track, profile)]
    window = policy.documents.window
    if window is not None:
        limit = profile.documents.window
        if window.days > limit.days:
            found.append(
                Exceeds("documents.window.days", f"{window.days} working days, {profile.id} gives {limit.days}")
            )
        if (window.extend or 0) > (limit.extend or 0):
            message = f"{window.extend} working days more, {profile.id} gives {limit.extend or 0}"
            found.append(Exceeds("documents.window.extend", message))
    absent = [name for name in profile.receipt.required if name not in policy.receipt.fields]
    if absent:
        found.append(Exceeds("receipt.fields", f"{profile.id} also asks for {', '.join(absent)}"))
    return tuple(found)


def _track(track: Track, profile: RegulatoryProfile) -> Iterator[Exceeds]:
    if track.resolve == "forum":
        return
    spoken = track.when.form == "oral"
    yield from _clock(track.id, track.resolve, profile, profile.oral if spoken else profile.written)
    if track.extend is not None:
        yield from _extension(track.id, track.extend, profile)


def _clock(track: str, clock: ResolveClock, profile: RegulatoryProfile, limit: Clock) -> Iterator[Exceeds]:
    key = f"tracks.{track}.resolve"
    if clock.days > limit.days:
        yield Exceeds(f"{key}.days", f"{clock.days} working days, {profile.id} gives {limit.days}")
    if ORDER.index(clock.from_) > ORDER.index(limit.from_):
        yield Exceeds(f"{key}.from", f"counts from {clock.from_}, {profile.id} from {limit.from_}, which is earlier")


def _extension(track: str, rule: ExtendRule, profile: RegulatoryProfile) -> Iterator[Exceeds]:
    key, limit = f"tracks.{track}.extend", profile.extend
    if rule.days is None:
        yield Exceeds(f"{key}.days", f"no length is stated, {profile.id} gives {limit.days} working days")
    elif rule.days > limit.days:
        yield Exceeds(f"{key}.days", f"{rule.days} working days, {profile.id} gives {limit.days}")
    if rule.times is None:
        yield Exceeds(f"{key}.times", f"no number of extensions is stated, {profile.id} gives {limit.times}")
    elif rule.times > limit.times:
        yield Exceeds(f"{key}.times", f"{rule.times} extensions, {profile.id} gives {limit.times}")
    if rule.notify != limit.notify:
        yield Exceeds(f"{key}.notify", f"{profile.id} asks for the notice before the old date has passed")
