"""The second list of subjects (D7) and the words that people see, Indonesian first, for every word of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from tickets.policy_part import Part, Text, Word

Group = Literal[
    "category",
    "issue",
    "document",
    "rejection_ground",
    "extension_ground",
    "unit",
    "channel",
    "state",
    "urgency",
    "tier",
    "kind",
    "forum",
    "form",
    "finding",
    "remedy",
    "dismissal",
]


class Label(Part):
    """One thing in the two languages of our texts."""

    id: Text
    en: Text

    def in_language(self, language: str) -> str:
        """The English words for "en", the Indonesian ones for every other language."""
        return self.en if language == "en" else self.id


class Issue(Part):
    """One subject of the second list: what the complaint is about across all institutions."""

    key: Word
    id: Text
    en: Text


class IssueFile(Part):
    """The file of the second list, with the source that ranked its subjects."""

    source: Text
    read_on: Text
    issues: Annotated[tuple[Issue, ...], Field(min_length=1)]


class Labels(Part):
    """All words that people see, by group and key."""

    labels: Mapping[Group, Mapping[Word, Label]]

    def label(self, group: Group, key: str, language: str = "id") -> str:
        """The words for a key; the key itself, in plain letters, when nobody has written words for it."""
        found = self.labels.get(group, {}).get(key)
        return found.in_language(language) if found else key.replace("_", " ")
