"""What a receipt says on behalf of one institution, worked out once from its policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from receipts.wording import LANGUAGES, Language, Tongue, Wording
from tickets.policy import Policy
from tickets.policy_labels import Group, Labels


class Words(Struct, frozen=True, kw_only=True):
    """The parts that are the same in every receipt of one institution, in one language."""

    receipt_name: str
    number_label: str
    #: Unit, addresses and phone hours on one line; None without any address (G2).
    contact: str | None
    #: "informasi 1-2 hari kerja, ..." (U5-U7); None when the policy promises no earliest day.
    resolve_range: str | None
    categories: Mapping[str, str]
    documents: Mapping[str, str]
    #: Grounds of a rejection and of an extension, and the bodies outside with their addresses (K17, A20, A21).
    rejection_grounds: Mapping[str, str] = {}
    extension_grounds: Mapping[str, str] = {}
    forums: Mapping[str, str] = {}
    #: The same with their addresses, one line each.
    forum_lines: Mapping[str, str] = {}
    #: The public word of a complaint that was settled, as the institution itself says it ("terselesaikan").
    closed_word: str | None = None
    #: That an objection needs new documents (A18); None where it needs none.
    new_documents: str | None = None


class Terms(Struct, frozen=True, kw_only=True):
    """What one institution promised to print (section 5, `receipt`) and from when its answer counts."""

    organisation: str
    #: Names of `tickets.policy_parts.ReceiptField`.
    fields: frozenset[str]
    words: Mapping[Language, Words]
    #: Working days to the first answer; None when the text is silent (U1-U9).
    response_days: int | None
    #: The answer counts from complete documents (A8): without them no date may be printed.
    response_from_documents: bool
    procedure_url: str | None = None
    #: Where to go from a public comment: the institution's own email address.
    public_contact: str | None = None
    #: Calendar days in which a closed complaint can be reopened; None where the policy sets none.
    reopen_days: int | None = None
    #: Whether the policy knows objections; where its text is silent, none may be invited (K16, A18).
    takes_objections: bool = False
    #: On which ground a complaint may be rejected whose documents never came (A21); None where it may not.
    timeout_ground: str | None = None
    #: The policy allows the ticket number in public (D5: it should not).
    public_number: bool = False


def terms_of(
    policy: Policy,
    *,
    organisation_name: str,
    wording: Wording,
    labels: Labels,
    procedure_url: str | None = None,
) -> Terms:
    """The terms of a policy. Raises ValueError when the policy requires a contact on receipts and gives none."""
    if "contact" in policy.receipt.required and not policy.contact.reachable:
        raise ValueError(f"{policy.id} requires a contact on its receipts: give `contact` an address")
    first = policy.first_response
    return Terms(
        organisation=organisation_name,
        fields=frozenset(policy.receipt.fields),
        words={language: _words(policy, wording.tongues[language], labels, language) for language in LANGUAGES},
        response_days=first.days if first else None,
        response_from_documents=first is not None and first.from_ == "documents_complete",
        procedure_url=procedure_url,
        public_contact=policy.contact.email,
        reopen_days=policy.reopen_days,
        takes_objections=policy.objection is not None,
        timeout_ground=policy.documents.on_timeout.may_reject if policy.documents.on_timeout else None,
        public_number=policy.public_reply.include_ticket_number,
    )


def _words(policy: Policy, tongue: Tongue, labels: Labels, language: Language) -> Words:
    return Words(
        receipt_name=tongue.word("receipt_names", policy.receipt.name),
        number_label=tongue.word("number_labels", policy.receipt.number_label),
        contact=_contact(policy, tongue),
        resolve_range=_ranges(policy, tongue),
        categories={key: labels.label("category", key, language) for key in policy.categories or ()},
        documents={key: labels.label("document", key, language) for key in policy.documents.list},
        rejection_grounds=_group(labels, "rejection_ground", language),
        extension_grounds=_group(labels, "extension_ground", language),
        forums=_group(labels, "forum", language),
        forum_lines={
            key: tongue.join([name, *_addresses(policy, key, tongue)])
            for key, name in _group(labels, "forum", language).items()
        },
        closed_word=policy.statuses.get("resolved")
        if language == "id"
        else labels.label("state", "resolved", language),
        new_documents=tongue.phrase("new_documents") if policy.objection and policy.objection.new_documents else None,
    )


def _group(labels: Labels, group: Group, language: Language) -> dict[str, str]:
    return {key: label.in_language(language) for key, label in labels.labels.get(group, {}).items()}


def _addresses(policy: Policy, forum: str, tongue: Tongue) -> list[str]:
    """How a body outside can be reached, as the policy says; its source stays in the policy."""
    found = next((each for name, each in policy.external.addresses.items() if name == forum), None)
    if found is None:
        return []
    said = (("email", found.email), ("phone", found.phone), ("url", found.url), ("url", found.address))
    return [tongue.phrase(phrase, address=address) for phrase, address in said if address]


def _contact(policy: Policy, tongue: Tongue) -> str | None:
    contact = policy.contact
    if not contact.reachable:
        return None
    parts = [contact.unit]
    if contact.whatsapp:
        parts.append(tongue.phrase("whatsapp", address=contact.whatsapp))
    if contact.phone:
        hours = policy.hours_of("phone")
        # K6, A6: who calls outside these hours must know it before.
        parts.append(
            tongue.phrase(
                "phone_with_hours",
                address=contact.phone,
                open=tongue.hour(hours.open),
                close=tongue.hour(hours.close),
            )
            if hours
            else tongue.phrase("phone", address=contact.phone)
        )
    if contact.email:
        parts.append(tongue.phrase("email", address=contact.email))
    if contact.url:
        parts.append(tongue.phrase("url", address=contact.url))
    return tongue.join(parts)


def _ranges(policy: Policy, tongue: Tongue) -> str | None:
    """The promised ranges of all tracks that have an earliest day, shortest first (G1: it informs, it bans nothing)."""
    ranges = sorted(
        (track.resolve.days, track.resolve.min, track.id)
        for track in policy.tracks
        if track.resolve != "forum" and track.resolve.min is not None
    )
    return (
        tongue.join(
            tongue.phrase("range", track=tongue.word("tracks", name), min=str(least), max=str(most))
            for most, least, name in ranges
        )
        or None
    )
