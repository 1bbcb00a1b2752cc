"""What Meta's webhook says, as values: one update of one number, and updates packed into one POST. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulator.meta_account import encode as encode
from simulator.meta_account import sign as sign

MOST_UPDATES = 1_000  # in one POST
MOST_BYTES = 3_000_000  # of one POST

Json = dict[str, Any]
Part = Literal["messages", "statuses", "errors"]


@dataclass(frozen=True, slots=True)
class Number:
    """A business number and the business account that it belongs to."""

    phone_number_id: str
    display_phone_number: str
    waba_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """A WhatsApp user; wa_id is absent when the user hides the number behind a user name."""

    wa_id: str | None
    user_id: str | None  # business-scoped user id
    name: str | None = None
    username: str | None = None

    @property
    def key(self) -> str:
        """What the simulator knows this user by."""
        return self.wa_id or self.user_id or ""


@dataclass(frozen=True, slots=True)
class Update:
    """One message, status or account event on its way to the business."""

    number: Number
    field: str
    part: str  # the list of `value` that it stands in; empty if the value is the update
    item: Json
    contact: Json | None = None


def business_scoped_id(wa_id: str, waba_id: str) -> str:
    """A business-scoped user id: the same person has another one at another business."""
    digest = hashlib.sha256(f"{waba_id}:{wa_id}".encode()).digest()
    return f"ID.{int.from_bytes(digest[:7], 'big')}"


def contact_of(person: Person) -> Json:
    """The entry of `contacts` that goes with a message of this person."""
    contact: Json = {}
    profile: Json = {}
    if person.name is not None:
        profile["name"] = person.name
    if person.username is not None:
        profile["username"] = person.username
    if profile:
        contact["profile"] = profile
    if person.wa_id is not None:
        contact["wa_id"] = person.wa_id
    if person.user_id is not None:
        contact["user_id"] = person.user_id
    return contact


def message(person: Person, message_id: str, at: float, type_: str, content: Mapping[str, Any]) -> Json:
    """One entry of `messages`; `content` holds the key named like the type, and context, errors and so on."""
    item: Json = {}
    if person.wa_id is not None:
        item["from"] = person.wa_id
    if person.user_id is not None:
        item["from_user_id"] = person.user_id
    item["id"] = message_id
    item["timestamp"] = str(int(at))
    item["type"] = type_
    item.update(content)
    return item


def status(
    person: Person,
    message_id: str,
    word: str,
    at: float,
    *,
    pricing: Json | None = None,
    callback_data: str | None = None,
    errors: Sequence[Json] = (),
) -> Json:
    """One entry of `statuses`."""
    item: Json = {"id": message_id, "status": word, "timestamp": str(int(at))}
    if person.wa_id is not None:
        item["recipient_id"] = person.wa_id
    if person.user_id is not None:
        item["recipient_user_id"] = person.user_id
    if callback_data is not None:
        item["biz_opaque_callback_data"] = callback_data
    if pricing is not None and word != "failed":
        item["pricing"] = pricing
    if errors:
        item["errors"] = list(errors)
    return item


def envelope(updates: Iterable[Update]) -> Json:
    """One POST: entries by business account, changes by number and field, lists within a change."""
    entries: dict[str, list[Json]] = {}
    open_change: dict[tuple[str, str, str], Json] = {}
    for update in updates:
        changes = entries.setdefault(update.number.waba_id, [])
        if not update.part:
            changes.append({"value": update.item, "field": update.field})
            continue
        key = (update.number.waba_id, update.number.phone_number_id, update.field)
        change = open_change.get(key)
        if change is None or update.part not in change["value"]:
            # Messages and statuses of one number come as separate changes.
            value: Json = {
                "messaging_product": "whatsapp",
                "metadata": {
                    "display_phone_number": update.number.display_phone_number,
                    "phone_number_id": update.number.phone_number_id,
                },
            }
            if update.contact:
                value["contacts"] = []
            value[update.part] = []
            change = {"value": value, "field": update.field}
            open_change[key] = change
            changes.append(change)
        value = change["value"]
        if update.contact and update.contact not in value.setdefault("contacts", []):
            value["contacts"].append(update.contact)
        value[update.part].append(update.item)
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba_id, "changes": changes} for waba_id, changes in entries.items()],
    }


def webhook_sha256(content: bytes) -> str:
    """The base64 SHA-256 that a media message carries."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")


def packs(updates: list[Update]) -> list[list[Update]]:
    """The updates in groups that keep to Meta's limits of one POST."""
    done: list[list[Update]] = []
    while updates:
        size = min(len(updates), MOST_UPDATES)
        while size > 1 and len(encode(envelope(updates[:size]))) > MOST_BYTES:
            size //= 2
        done.append(updates[:size])
        updates = updates[size:]
    return done
