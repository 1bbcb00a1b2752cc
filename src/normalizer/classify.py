"""Kind, category, issue and urgency proposed from the words of a text; a person confirms. Every proposal says why."""

from __future__ import annotations

from typing import Literal, cast

from msgspec import Struct

from normalizer.complaint import Kind, Reason, Severity, Urgency
from normalizer.lexicon import Entry, Lexicon

#: What a proposal must weigh at least: one clear term, or two weak ones.
THRESHOLD = 2.0

_URGENCIES: tuple[Urgency, ...] = ("emergency", "high", "low")
_NOT_COMPLAINTS: tuple[Kind, ...] = ("information", "suggestion", "criticism")


class Proposal(Struct, frozen=True, kw_only=True):
    """What the words of a text suggest."""

    kind: Kind = "complaint"
    category: str | None = None
    issue: str | None = None
    urgency: Urgency = "medium"
    severity: Severity = "minor"
    dispute_indication: bool = False
    violation_indication: bool = False
    already_at: Literal["none", "court", "laps", "ojk"] = "none"
    vulnerable_tags: tuple[str, ...] = ()
    category_reasons: tuple[Reason, ...] = ()
    urgency_reasons: tuple[Reason, ...] = ()


def classify(
    text_words: list[str],
    lexicon: Lexicon,
    categories: tuple[str, ...] | None = None,
    kinds: tuple[str, ...] | None = None,
) -> Proposal:
    """Return what the words (see `lexicon.words`) suggest, within the policy's categories and kinds.

    Doubt is a complaint (B1); no clear category is None, which leaves it to a person; urgency is medium unless said.
    `categories` None: the policy publishes none, so none is proposed. `kinds` None: every kind may be proposed.
    """
    hits = lexicon.hits(text_words)
    if not hits:
        return Proposal()
    scores: dict[str, dict[str, float]] = {}
    for section, value, _, weight in hits:
        values = scores.setdefault(section, {})
        values[value] = values.get(value, 0.0) + weight
    category = _best(scores.get("categories"), categories) if categories else None
    issue = _best(scores.get("issues"), None)
    urgency = _urgency(scores.get("urgency", {}), hits)
    indications = scores.get("indications", {})
    return Proposal(
        kind=_kind(scores, kinds, urgency),
        category=category,
        issue=issue,
        urgency=urgency,
        severity="major" if urgency in ("high", "emergency") else "minor",
        dispute_indication=indications.get("dispute", 0.0) >= THRESHOLD,
        violation_indication=indications.get("violation", 0.0) >= THRESHOLD,
        already_at=cast("Literal['none', 'court', 'laps', 'ojk']", _best(scores.get("already_at"), None) or "none"),
        vulnerable_tags=tuple(sorted(tag for tag, score in scores.get("vulnerable", {}).items() if score >= THRESHOLD)),
        category_reasons=_reasons(hits, "categories", category) + _reasons(hits, "issues", issue),
        urgency_reasons=_reasons(hits, "urgency", urgency),
    )


def _best(scores: dict[str, float] | None, allowed: tuple[str, ...] | None) -> str | None:
    """The value that weighs most; on a tie the one that the text names first."""
    if not scores:
        return None
    best, best_score = None, 0.0
    for value, score in scores.items():
        if score > best_score and (allowed is None or value in allowed):
            best, best_score = value, score
    return best if best_score >= THRESHOLD else None


def _urgency(scores: dict[str, float], hits: list[Entry]) -> Urgency:
    if "low" in scores and "high" in scores:
        # "tidak mendesak" holds "mendesak" and means the opposite.
        calm = [f" {hit.term} " for hit in hits if hit.section == "urgency" and hit.value == "low"]
        negated = sum(
            hit.weight
            for hit in hits
            if hit.section == "urgency" and hit.value == "high" and any(f" {hit.term} " in term for term in calm)
        )
        scores = scores | {"high": scores["high"] - negated}
    for level in _URGENCIES:
        if scores.get(level, 0.0) >= THRESHOLD:
            return level
    return "medium"


def _kind(scores: dict[str, dict[str, float]], kinds: tuple[str, ...] | None, urgency: Urgency) -> Kind:
    if urgency in ("high", "emergency"):
        return "complaint"
    by_kind = scores.get("kind", {})
    complaint = by_kind.get("complaint", 0.0)
    best: Kind = "complaint"
    best_score = max(complaint, THRESHOLD - 0.01)
    for kind in _NOT_COMPLAINTS:
        score = by_kind.get(kind, 0.0)
        if score > best_score and (kinds is None or kind in kinds):
            best, best_score = kind, score
    return best


def _reasons(hits: list[Entry], section: str, value: str | None) -> tuple[Reason, ...]:
    if value is None:
        return ()
    return tuple(
        [
            Reason(term=hit.term, value=hit.value, weight=hit.weight)
            for hit in hits
            if hit.value == value and hit.section == section
        ]
    )
