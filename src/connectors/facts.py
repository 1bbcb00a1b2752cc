"""What a provider allows, as data: `facts.yaml` beside each connector, each fact with its source and date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from normalizer.message import Channel

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


class Differences(BaseModel):
    """What is otherwise on one of the channels that a connector serves: a comment beside a direct message."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    max_text: Fact[int] | None = None
    text_unit: Fact[TextUnit] | None = None
    private_reply: Fact[PrivateReply] | None = None
    reply_window_hours: Fact[float | None] | None = None
    attachments_in: Fact[bool] | None = None
    attachments_out: Fact[bool] | None = None
    delivery_reports: Fact[bool] | None = None
    counts_as_written: Fact[bool] | None = None


class Facts(BaseModel):
    """Every fact of one connector; `facts.yaml` holds exactly these keys (`by_channel` only where channels differ)."""

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
    #: What differs on single channels; ask `of`.
    by_channel: Mapping[Channel, Differences] = {}

    def of(self, channel: Channel) -> Facts:
        """The facts that hold on one channel of the connector."""
        return self._of_each.get(channel, self)

    @property
    def reply_window(self) -> timedelta | None:
        """How long after the customer's last message a free-form answer is allowed; None: always."""
        hours = self.reply_window_hours.value
        return timedelta(hours=hours) if hours is not None else None

    def each(self) -> Mapping[str, Fact[Any]]:
        """The facts of the connector by their names, without what differs on single channels."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "by_channel"}

    @cached_property
    def _of_each(self) -> dict[Channel, Facts]:
        return {
            channel: self.model_copy(update={name: getattr(each, name) for name in each.model_fields_set})
            for channel, each in self.by_channel.items()
        }


def load(path: Path) -> Facts:
    """The facts in `path`. Raises pydantic's ValidationError naming every wrong key."""
    return Facts.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))
