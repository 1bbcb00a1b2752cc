"""The facts of a channel as sentences; every number comes from `facts.yaml`."""

from __future__ import annotations

from connectors.contract import Spec
from connectors.facts import Facts
from normalizer.message import Channel

_PRIVATE = {
    "never": "not on this channel: by mail or telephone, where the customer left an address",
    "same_thread": "in private, in the same thread",
    "from_comment_once": "in private, once for each comment",
    "by_template": "in private, by an approved template",
}
_UNITS = {
    "characters": "characters",
    "utf16_units": "UTF-16 units",
    "bytes": "bytes",
    "weighted": "weighted characters",
}
_MEBIBYTE = 1024 * 1024


def size(number: int) -> str:
    """A number of bytes for people."""
    if number >= _MEBIBYTE:
        return f"{number / _MEBIBYTE:.4g} MiB"
    return f"{number / 1024:.4g} KiB" if number >= 1024 else f"{number} bytes"


def address_of(spec: Spec, public_url: str, organisation: str, channel_id: str) -> str:
    """Where a pushed channel takes complaints: the form's page, an address for programs, or the webhook."""
    if "web_form" in spec.channels:
        return f"{public_url}/{organisation}/"
    if "app_form" in spec.channels:
        return f"{public_url}/api/v1/organisations/{organisation}/complaints"
    if "walk_in" in spec.channels:
        return f"{public_url}/api/v1/organisations/{organisation}/tickets"
    return f"{public_url}/in/{channel_id}"


def is_pushed(facts: Facts) -> bool:
    """Whether the provider calls us (a pulled channel takes no request body)."""
    return facts.max_body_bytes.value > 0


def by_facts(spec: Spec) -> list[tuple[tuple[Channel, ...], Facts]]:
    """The channels of a connector, those together on which the same facts hold."""
    found: list[tuple[tuple[Channel, ...], Facts]] = []
    for channel in spec.channels:
        facts = spec.facts.of(channel)
        if found and found[-1][1] == facts:
            found[-1] = ((*found[-1][0], channel), facts)
        else:
            found.append(((channel,), facts))
    return found


def receives(spec: Spec, address: str) -> str:
    """How messages come in, and what may hang on them."""
    facts = spec.facts
    if is_pushed(facts):
        way = f"pushed to {address}, up to {size(facts.max_body_bytes.value)}"
        kept = facts.redelivery_hours.value
        way += f"; tried again for {kept:g} h" if kept else "; the sender tries again itself"
    else:
        way = "pulled from the provider"
    largest = facts.max_attachment_bytes.value
    files = "no files"
    if facts.attachments_in.value:
        files = "files" if largest is None else f"files up to {size(largest)}"
    return f"{way}; {files}"


def answers(facts: Facts) -> str:
    """What an answer may be and until when."""
    if facts.private_reply.value == "never":
        return _PRIVATE["never"]
    window = facts.reply_window_hours.value
    parts = [
        _PRIVATE[facts.private_reply.value],
        f"texts up to {facts.max_text.value:,} {_UNITS[facts.text_unit.value]}",
        "at any time" if window is None else f"free text within {window:g} h of the last message",
        "with files" if facts.attachments_out.value else "without files",
    ]
    if facts.sends_per_second.value is not None:
        parts.append(f"{facts.sends_per_second.value:g} a second")
    return "; ".join(parts)


def reports(facts: Facts) -> str:
    """What the provider says of what we sent."""
    return "whether it was delivered" if facts.delivery_reports.value else "failures at most; accepted counts as sent"
