"""The words that an operator teaches the intake: YAML data compiled once into a trie of words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from msgspec import Struct

from normalizer.complaint import Kind, Language, Urgency

#: Between the two halves of a term written "belum .. cair" at most this many other words may stand.
GAP = 3

_GAP_SIGN = ".."
_LONGEST_TERM = 8  # words

#: What a lexicon may speak about, and the values it may propose; None where the policy decides which exist.
_SECTIONS: dict[str, frozenset[str] | None] = {
    "categories": None,
    "issues": None,
    "urgency": frozenset(get_args(Urgency)),
    "kind": frozenset(get_args(Kind)),
    "indications": frozenset({"dispute", "violation"}),
    "already_at": frozenset({"court", "laps", "ojk"}),
    "vulnerable": None,
    "attachments": frozenset({"id_card", "poa", "screenshot", "recording", "transaction_proof"}),
}
_OTHER_KEYS = frozenset({"lexicon", "version", "stop_words", "spelling"})
_LANGUAGES: dict[str, Language] = {"id": "id", "en": "en"}
_ENCLITICS = ("nya", "ku", "mu", "lah", "kah", "pun")
_SHORTEST_STEM = 3

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=[a-z])['’`](?=[a-z])")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
#: For a text of ASCII alone: whatever is no letter and no digit becomes a space.
_APART = bytes(code if chr(code).isalnum() and code < 128 else 0x20 for code in range(256))


class Entry(NamedTuple):
    """One term and what it speaks for."""

    section: str
    value: str
    term: str
    weight: float


class Node:
    """A place in the trie: the words that may follow, what ends here, and whether other words may stand between."""

    __slots__ = ("after_gap", "entries", "gap_ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.after_gap: Node | None = None
        self.entries: tuple[Entry, ...] = ()
        #: The words that may follow a gap: those of `after_gap`.
        self.gap_ends: frozenset[str] | None = None


class Lexicon(Struct, frozen=True, kw_only=True):
    """A compiled lexicon: made by `compile`, never changed, safe to share between threads."""

    #: "id@2026.1 en@2026.1": which words proposed, kept with every complaint.
    name: str
    root: Node
    #: Other spellings, slang and words with enclitics, each with the word it stands for, or several with blanks.
    spelling: dict[str, str]
    #: Those of `spelling` that are several words.
    several: frozenset[str]
    stop_words: dict[str, Language]

    def hits(self, text_words: list[str]) -> list[Entry]:
        """Return every term that occurs in the words (as `words` gives them), each once, in the order of the text."""
        tokens = list(map(self.spelling.get, text_words, text_words))
        if not self.several.isdisjoint(tokens):
            tokens = " ".join(tokens).split()
        tokens.append("")  # no word: so that the last one has a follower too
        found: dict[Node, None] = {}
        for index, node in enumerate(map(self.root.next.get, tokens), 1):
            if node is not None:
                # As in `_follow`, which most words that begin a term never need: another word than the term's follows.
                if node.entries:
                    found[node] = None
                if node.gap_ends is not None and not node.gap_ends.isdisjoint(tokens[index : index + GAP + 1]):
                    _follow_after_gap(node, tokens, index, found)
                deeper = node.next.get(tokens[index])
                if deeper is not None:
                    _follow(deeper, tokens, index + 1, found)
        return [entry for node in found for entry in node.entries]


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without apostrophes and stretched letters ("lamaaa" is "lama")."""
    lowered = text.lower()
    if "'" in lowered or "’" in lowered or "`" in lowered:
        lowered = _APOSTROPHE.sub("", lowered)
    if not lowered.isascii():
        if any(map(str.isalnum, "".join(_NOT_ASCII.findall(lowered)))):
            return _WORD.findall(_STRETCHED.sub(r"\1", lowered))
        lowered = _NOT_ASCII.sub(" ", lowered)  # emoji, dashes and quotation marks
    apart = lowered.encode().translate(_APART)
    plain = apart.decode()
    return (_STRETCHED.sub(r"\1", plain) if _is_stretched(apart) else plain).split()


def _is_stretched(text: bytes) -> bool:
    """Whether a letter stands three times in a row in lower case ASCII without signs.

    Compares all neighbours at once, each in its byte of one large number: an expression that looks back at every letter
    takes several times as long as all the rest of `words`.
    """
    size = len(text)
    letters = int.from_bytes(text, "little")
    differences = (letters ^ letters >> 8) | (letters ^ letters >> 16)  # 0 in the byte of the first of three
    # Seven bits and 0x7f make the eighth bit, unless they are 0; of what `_APART` leaves only letters have the seventh.
    differ = differences + int.from_bytes(b"\x7f" * size, "little")
    return letters << 1 & ~differ & int.from_bytes(b"\x80" * size, "little") != 0


def compile(data: Mapping[str, Any]) -> Lexicon:
    """Return the lexicon of `{"id": <content of id.yaml>, "en": <content of en.yaml>}`.

    Raises ValueError with one line for every problem, each beginning with its place.
    """
    problems: list[str] = []
    names: list[str] = []
    entries: list[Entry] = []
    spelling: dict[str, tuple[str, ...]] = {}
    stop_words: dict[str, Language] = {}
    contested: set[str] = set()
    if not data:
        problems.append("lexicon: empty; give at least one language")
    for language, content in data.items():
        known = _LANGUAGES.get(language)
        if known is None:
            problems.append(f"{language}: unknown language; known are id and en")
            continue
        if not isinstance(content, Mapping):
            problems.append(f"{language}: must be a mapping")
            continue
        version = content.get("version")
        if not isinstance(version, str) or not version:
            problems.append(f"{language}.version: must be a text such as '2026.1'")
        names.append(f"{language}@{version}")
        problems += [
            f"{language}.{key}: unknown section" for key in content if key not in _SECTIONS and key not in _OTHER_KEYS
        ]
        for section in _SECTIONS:
            entries += _entries(language, section, content.get(section), problems)
        for place, word in _texts(f"{language}.stop_words", content.get("stop_words"), problems):
            parts = words(word)
            if len(parts) != 1:
                problems.append(f"{place}: must be one word")
            elif stop_words.get(parts[0], known) != known:
                contested.add(parts[0])
            else:
                stop_words[parts[0]] = known
        _read_spelling(language, content.get("spelling"), spelling, problems)
    if problems:
        raise ValueError("\n".join(problems))
    # One step further: "dc" stands for "debt collector", and "collector" itself for "kolektor".
    spelling = {
        word: tuple(token for part in stands_for for token in spelling.get(part, (part,)))
        for word, stands_for in spelling.items()
    }
    root, vocabulary = _trie(entries, spelling)
    spelling = {**_with_enclitics(vocabulary, spelling), **spelling}
    written = {word: " ".join(stands_for) for word, stands_for in spelling.items()}
    return Lexicon(
        name=" ".join(names),
        root=root,
        spelling=written,
        several=frozenset(stands_for for stands_for in written.values() if " " in stands_for),
        # A word that both languages claim decides nothing.
        stop_words={word: language for word, language in stop_words.items() if word not in contested},
    )


def _follow(node: Node, tokens: list[str], index: int, found: dict[Node, None]) -> None:
    """Adds the nodes where terms end that led to `node` and go on with `tokens[index]`; the last token is no word."""
    deeper: Node | None = node
    while deeper is not None:
        if deeper.entries:
            found[deeper] = None
        if deeper.gap_ends is not None and not deeper.gap_ends.isdisjoint(tokens[index : index + GAP + 1]):
            _follow_after_gap(deeper, tokens, index, found)
        deeper = deeper.next.get(tokens[index])
        index += 1


def _follow_after_gap(node: Node, tokens: list[str], index: int, found: dict[Node, None]) -> None:
    """The same for terms that have their gap here; it never branches again below, as a term has one gap at most."""
    assert node.after_gap is not None
    for start, token in enumerate(tokens[index : index + GAP + 1], index + 1):
        beyond = node.after_gap.next.get(token)
        if beyond is not None:
            _follow(beyond, tokens, start, found)


def _entries(language: str, section: str, content: object, problems: list[str]) -> Iterator[Entry]:
    """The terms of one section, written as `value: {weight: [term, ...]}`."""
    if content is None:
        return
    if not isinstance(content, Mapping):
        problems.append(f"{language}.{section}: must be a mapping of values")
        return
    allowed = _SECTIONS[section]
    for value, by_weight in content.items():
        place = f"{language}.{section}.{value}"
        if allowed is not None and value not in allowed:
            problems.append(f"{place}: unknown value; known are {', '.join(sorted(allowed))}")
            continue
        if not isinstance(by_weight, Mapping):
            problems.append(f"{place}: must be a mapping of weight to terms")
            continue
        for raw_weight, terms in by_weight.items():
            weight = _weight(raw_weight)
            if weight is None:
                problems.append(f"{place}.{raw_weight}: the weight must be a number above 0 and at most 100")
                continue
            for term_place, term in _texts(f"{place}.{raw_weight}", terms, problems):
                if _is_term(term):
                    yield Entry(section, str(value), term, weight)
                else:
                    problems.append(
                        f"{term_place}: must be 1 to {_LONGEST_TERM} words with at most one gap, which is written '..'"
                    )


def _texts(place: str, content: object, problems: list[str]) -> Iterator[tuple[str, str]]:
    if content is None:
        return
    if not isinstance(content, (list, tuple)):
        problems.append(f"{place}: must be a list")
        return
    for index, item in enumerate(content):
        if isinstance(item, str) and item.strip():
            yield f"{place}[{index}]", item.strip()
        else:
            problems.append(f"{place}[{index}]: must be a text; put it in quotes")


def _weight(raw: object) -> float | None:
    try:
        weight = float(str(raw))
    except ValueError:
        return None
    return weight if math.isfinite(weight) and 0 < weight <= 100 else None


def _is_term(term: str) -> bool:
    halves = term.split(_GAP_SIGN)
    return len(halves) <= 2 and all(words(half) for half in halves) and len(words(term)) <= _LONGEST_TERM


def _read_spelling(language: str, content: object, spelling: dict[str, tuple[str, ...]], problems: list[str]) -> None:
    """Written as `right spelling: [other, ...]`; the right one may be two words ("tidak bisa: [gabisa]")."""
    if content is None:
        return
    if not isinstance(content, Mapping):
        problems.append(f"{language}.spelling: must be a mapping")
        return
    for right, others in content.items():
        place = f"{language}.spelling.{right}"
        stands_for = tuple(words(str(right)))
        if not stands_for:
            problems.append(f"{place}: must be one or more words")
        for other_place, other in _texts(place, others, problems):
            parts = words(other)
            if len(parts) != 1:
                problems.append(f"{other_place}: must be one word")
            elif spelling.get(parts[0], stands_for) != stands_for:
                problems.append(f"{other_place}: already stands for '{' '.join(spelling[parts[0]])}'")
            else:
                spelling[parts[0]] = stands_for


def _trie(entries: list[Entry], spelling: Mapping[str, tuple[str, ...]]) -> tuple[Node, set[str]]:
    root = Node()
    gaps: list[Node] = []
    vocabulary: set[str] = set()
    for entry in entries:
        node = root
        for number, half in enumerate(entry.term.split(_GAP_SIGN)):
            if number:
                gaps.append(node)
                node.after_gap = node.after_gap or Node()
                node = node.after_gap
            for word in words(half):
                for token in spelling.get(word, (word,)):
                    vocabulary.add(token)
                    node = node.next.setdefault(token, Node())
        node.entries = _with(node.entries, entry, spelling)
    for node in gaps:
        node.gap_ends = frozenset(node.after_gap.next if node.after_gap is not None else ())
    return root, vocabulary


def _with(entries: tuple[Entry, ...], new: Entry, spelling: Mapping[str, tuple[str, ...]]) -> tuple[Entry, ...]:
    """A term that is written twice ("scam" is spelled "penipuan") speaks once: by its right spelling, with its greater
    weight."""
    for index, known in enumerate(entries):
        if (known.section, known.value) == (new.section, new.value):
            respelled = any(word in spelling for word in words(known.term))
            merged = (new if respelled else known)._replace(weight=max(known.weight, new.weight))
            return (*entries[:index], merged, *entries[index + 1 :])
    return (*entries, new)


def _with_enclitics(vocabulary: set[str], spelling: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """ "dananya" and "uangku" stand for "dana" and "uang", unless the lexicon knows the longer word itself."""
    stems = {word: (word,) for word in vocabulary} | dict(spelling)
    return {
        stem + enclitic: stands_for
        for stem, stands_for in stems.items()
        if len(stem) >= _SHORTEST_STEM and stem.isalpha()
        for enclitic in _ENCLITICS
        if stem + enclitic not in vocabulary
    }
