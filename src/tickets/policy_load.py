"""Policy files (config/policies/*.yaml) become typed values; every mistake is reported at once, with its line."""

from __future__ import annotations

from pathlib import Path

from tickets.policy import Policy
from tickets.policy_labels import Issue, IssueFile, Labels
from tickets.policy_profile import RegulatoryProfile
from tickets.policy_sources import unknown_rules
from tickets.yaml_lines import Document, InvalidFile, Key, Problem, Read, load_model, read_document


def load_policy(path: Path, read: Read = read_document) -> Policy:
    """The policy of one file. Raises InvalidFile with every problem of the file."""
    document = read(path)
    policy = load_model(document, Policy)
    problems = _contradictions(document, policy)
    if problems:
        raise InvalidFile(problems)
    return policy.with_file_hash(document.sha256)


def load_profile(path: Path) -> RegulatoryProfile:
    """The regulatory profile of one file. Raises InvalidFile with every problem of the file."""
    return load_model(read_document(path), RegulatoryProfile)


def load_issues(path: Path) -> tuple[Issue, ...]:
    """The second list of subjects (D7). Raises InvalidFile with every problem of the file."""
    return load_model(read_document(path), IssueFile).issues


def load_labels(path: Path, read: Read = read_document) -> Labels:
    """The words that people see for the words of policies. Raises InvalidFile with every problem of the file."""
    return load_model(read(path), Labels)


def _contradictions(document: Document, policy: Policy) -> list[Problem]:
    """What is wrong between the keys of a policy whose single keys are all valid."""
    found: list[tuple[Key, str]] = []
    found += _tracks(policy)
    found += _documents(policy)
    for index, level in enumerate(policy.escalation):
        if level.level != index + 1:
            found.append((("escalation", index, "level"), f"levels count up from 1: this one must be {index + 1}"))
    if policy.categories and len(set(policy.categories)) != len(policy.categories):
        found.append((("categories",), "a category stands here twice"))
    for rule in unknown_rules(policy.model_dump(by_alias=True)):
        found.append((("sources", rule), "names no rule of this policy: write its key with full stops"))
    ids = [report.id for report in policy.reports]
    if len(set(ids)) != len(ids):
        found.append((("reports",), "two reports have the same id"))
    for index, report in enumerate(policy.reports):
        if (report.period is None) != (report.due is None):
            found.append((("reports", index), "a report has both a period and a due date, or neither"))
    return [document.problem(key, message) for key, message in found]


def _tracks(policy: Policy) -> list[tuple[Key, str]]:
    found: list[tuple[Key, str]] = []
    seen: set[str] = set()
    for index, track in enumerate(policy.tracks):
        if track.id in seen:
            found.append((("tracks", index, "id"), "another track has this id: give each its own"))
        seen.add(track.id)
        last = index == len(policy.tracks) - 1
        if track.when.matches_everything and not last:
            found.append((("tracks", index, "when"), "matches everything, so the tracks below are never reached"))
        if last and not track.when.matches_everything:
            found.append((("tracks", index, "when"), "the last track must match everything else: `when: {}`"))
        if track.resolve == "forum":
            continue
        if track.resolve.min is not None and track.resolve.min > track.resolve.days:
            found.append((("tracks", index, "resolve", "min"), "the earliest promise lies after the latest (`days`)"))
        if track.resolve.from_ in {"objection_received", "due"}:
            found.append(
                (("tracks", index, "resolve", "from"), "starts at received, first_response or documents_complete")
            )
    return found


def _documents(policy: Policy) -> list[tuple[Key, str]]:
    rule = policy.documents
    found: list[tuple[Key, str]] = [
        (("documents", "required_when", name), "is not in `documents.list`: add it there")
        for name in rule.required_when
        if name not in rule.list
    ]
    if rule.on_timeout and (policy.rejection is None or rule.on_timeout.may_reject not in policy.rejection.grounds):
        found.append((("documents", "on_timeout", "may_reject"), "is not among `rejection.grounds`"))
    if rule.complete_if_not_requested_by and policy.first_response is None:
        found.append((("documents", "complete_if_not_requested_by"), "needs `first_response.days`"))
    if policy.first_response and policy.first_response.from_ not in {"received", "documents_complete"}:
        found.append((("first_response", "from"), "a first response counts from received or documents_complete"))
    if policy.objection and policy.silent_close_days and policy.silent_close_days < policy.objection.window.days:
        found.append((("silent_close_days",), "would close before the window to object (`objection.window`) ends"))
    if policy.objection and policy.objection.answer.from_ != "objection_received":
        found.append((("objection", "answer", "from"), "an answer to an objection counts from objection_received"))
    return found
