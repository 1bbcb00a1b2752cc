"""Which of the policy's documents are there: what starts the clocks that count from complete documents (A8)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from normalizer.complaint import Complaint

Presence = Literal["present", "missing", "unknown", "not_required"]


class DocumentRules(Struct, frozen=True, kw_only=True):
    """The documents that a policy may ask for (A12, K9)."""

    #: Names of documents, in the policy's order.
    listed: tuple[str, ...] = ()
    #: Name -> "represented", "technical" or "about_transaction": only then is it needed.
    required_when: dict[str, str] = {}
    #: Nothing is missing until an agent asks for it (K9).
    on_request_only: bool = False
    #: Which categories and issues are meant by "technical" and "about_transaction".
    technical: frozenset[str] = frozenset({"login", "registration", "site_inaccessible", "site_navigation"})
    about_transaction: frozenset[str] = frozenset(
        {"late_repayment", "account_funding", "withdrawal", "failed_transaction"}
    )


def presence(complaint: Complaint, rules: DocumentRules) -> dict[str, Presence]:
    """Return for every listed document whether it is present, missing, unknown, or not required for this complaint."""
    kinds: set[str] = set()
    if complaint.attachments:
        kinds = {item.kind for item in complaint.attachments if item.status in ("pending", "stored")}
    found: dict[str, Presence] = {}
    for name in rules.listed:
        there = _presence(name, complaint, kinds)
        condition = rules.required_when.get(name) if there != "present" else None
        if condition is not None:
            needed = _needed(condition, complaint, rules)
            if needed is not True:
                there = "unknown" if needed is None else "not_required"
        found[name] = there
    return found


def missing_documents(complaint: Complaint, rules: DocumentRules) -> tuple[str, ...]:
    """Return the names of the documents that are certainly needed and certainly not there, in the policy's order."""
    return assess(complaint, rules)[0]


def documents_complete(complaint: Complaint, rules: DocumentRules) -> bool | None:
    """Return whether everything the policy needs is there; None while it cannot be known.

    A policy that asks for documents only on request, or lists none, has nothing outstanding: True.
    """
    return assess(complaint, rules)[1]


def assess(complaint: Complaint, rules: DocumentRules) -> tuple[tuple[str, ...], bool | None]:
    """Return `missing_documents` and `documents_complete` together."""
    if rules.on_request_only or not rules.listed:
        return (), True
    states = presence(complaint, rules)
    if "missing" in states.values():
        return tuple([name for name, state in states.items() if state == "missing"]), False
    return (), None if "unknown" in states.values() else True


def _needed(condition: str, complaint: Complaint, rules: DocumentRules) -> bool | None:
    if condition == "represented":
        return complaint.representative is not None
    if condition == "technical":
        subjects = rules.technical
    elif condition != "about_transaction":
        return None
    elif complaint.transaction is not None:
        return True
    else:
        subjects = rules.about_transaction
    if complaint.category in subjects or complaint.issue in subjects:
        return True
    return None if complaint.category is None and complaint.issue is None else False


def _presence(name: str, complaint: Complaint, kinds: set[str]) -> Presence:
    who = complaint.complainant
    match name:
        case "full_name":
            # The name of a chat profile or a mail header is a guess that CS must confirm.
            if who.full_name is not None and "name_from_profile" in complaint.flags:
                return "unknown"
            return _is_there(who.full_name)
        case "id_address":
            return _is_there(who.id_address)
        case "phone":
            return _is_there(who.phone)
        case "email":
            return _is_there(who.email)
        case "power_of_attorney":
            return _power_of_attorney(complaint, kinds)
        case "transaction_type_date":
            transaction = complaint.transaction
            return _is_there(transaction is not None and transaction.type and transaction.date)
        case "problem":
            return _is_there(complaint.narrative)
        case "screenshot_or_recording":
            return _attached(kinds, {"screenshot", "recording"})
        case "id_card":
            return _attached(kinds, {"id_card"})
        case "transaction_proof":
            return _attached(kinds, {"transaction_proof"})
        case "supporting_documents":
            return _is_there(complaint.assessment.has_documents)
        case "other_relevant":
            return "present"  # "other" names nothing that could be missing (A12: not limited to)
        case _:
            return "unknown"


def _power_of_attorney(complaint: Complaint, kinds: set[str]) -> Presence:
    status = complaint.representative.poa_status if complaint.representative is not None else "missing"
    if status == "verified":
        return "present"
    # A paper that came in counts only after a person has checked it.
    return "unknown" if status == "received" or "poa" in kinds else "missing"


def _attached(kinds: set[str], wanted: set[str]) -> Presence:
    if kinds & wanted:
        return "present"
    return "unknown" if "other" in kinds else "missing"


def _is_there(value: object) -> Presence:
    return "present" if value else "missing"
