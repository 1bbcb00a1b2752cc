"""What recording needs beside its transaction, and what it says of a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gateway.files import Files
from gateway.installation import Channel, Installation
from normalizer.completeness import DocumentRules
from normalizer.message import Deletion, Delivery, Edit, Message, Permission, Rekey
from receipts.route import Way

#: Events that name the account they happened at.
Addressed = Message | Edit | Deletion | Delivery | Rekey | Permission


class MessageOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message."""

    key: str
    complaint_id: str
    ticket_number: str
    #: "created" a complaint, was "added" to an open one, or is a "duplicate" of one that is recorded.
    what: str
    #: The key was used before for other content: what the sender meant is not known.
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What recording needs beside the transaction."""

    installation: Installation
    files: Files
    #: Organisation -> its document list.
    rules: Mapping[str, DocumentRules]
    #: Organisation -> its channels that can carry an answer.
    ways: Mapping[str, Mapping[str, Way]]
    #: Hash of the access code of a complaint id.
    code_hash: Callable[[str], str]
    #: (kind, account) -> channel id: a delivery may hold messages for another channel of the same provider.
    accounts: Mapping[tuple[str, str], str]
    now: Callable[[], datetime]

    def channel_of(self, channel: Channel, event: Addressed) -> Channel | None:
        """The configured channel that an event belongs to; None when nobody configured its account.

        An event that names no account, or comes from a connector that has none, belongs to the channel it came by.
        """
        kind = channel.spec.kind
        if (found := self.accounts.get((kind, event.account))) is not None:
            return self.installation.channels[found]
        return None if event.account and any(k == kind for k, _ in self.accounts) else channel
