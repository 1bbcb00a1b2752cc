"""What a provider allows, as data: `facts.yaml` beside each connector, each fact with its source and date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

T = TypeVar("T")

TextUnit = Literal["characters", "utf16_units", "bytes", "weighted"]
PrivateReply = Literal["never", "same_thread", "from_comment_once", "by_template"]
Evidence = Literal["delivery_report", "list_before_retry", "same_id", "none"]


class Fact(BaseModel, Generic[T]):
    """One fact with where it comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    value: T
    source: str
    read_on: date


class Facts(BaseModel):
    """Every fact of one connector; `facts.yaml` holds exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    #: The provider's name as people know it.
    name: Fact[str]
    max_text: Fact[int]
    text_unit: Fact[TextUnit]
    private_reply: Fact[PrivateReply]
    #: Hours after the customer's last message in which a free-form answer is allowed; null: always.
    reply_window_hours: Fact[float | None]
    attachments_in: Fact[bool]
    attachments_out: Fact[bool]
    #: Largest attachment the provider hands us, bytes; null: the provider states none.
    max_attachment_bytes: Fact[int | None]
    delivery_reports: Fact[bool]
    counts_as_written: Fact[bool]
    #: Largest request body the provider may push, bytes; 0 for a channel that is pulled.
    max_body_bytes: Fact[int]
    #: Sends per second for one account; null: the provider states none.
    sends_per_second: Fact[float | None]
    #: How to find out whether an ambiguous send went through (sheet A13), and how long to wait for it, seconds.
    ambiguous_evidence: Fact[Evidence]
    ambiguous_wait_seconds: Fact[float]
    #: Hosts that media may be fetched from; "*.x" matches sub-domains. Empty: no media is fetched.
    media_hosts: Fact[list[str]]
    #: Until when the provider keeps what we did not acknowledge, hours.
    redelivery_hours: Fact[float]


def load(path: Path) -> Facts:
    """The facts in `path`. Raises pydantic's ValidationError naming every wrong key."""
    return Facts.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
