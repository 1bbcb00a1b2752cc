"""Who speaks for the complainant, and what they may hear (K15, A12)."""

from __future__ import annotations

from msgspec.structs import replace

from normalizer import identity
from normalizer.complaint import Representative
from tickets.lifecycle_events import PowerOfAttorney, RepresentativeNamed
from tickets.lifecycle_step import Step
from tickets.lifecycle_values import Change, Refusal, Todo

RULE = "complainants.representative"
POWER_OF_ATTORNEY = "power_of_attorney"


def authorised(step: Step) -> bool:
    """True when a representative may hear the answer and act.

    A power of attorney was verified, or the policy says that it may be left out. Where the text is silent it is needed:
    nothing is disclosed to somebody whose authority nobody has seen.
    """
    representative = step.complaint.representative
    if representative is None:
        return False
    return (
        representative.poa_status == "verified"
        or step.policy.complainants.representative.power_of_attorney == "optional"
    )


def acts(step: Step, by: str) -> Refusal | None:
    """Why a representative may not do this for the complainant, None when they may or the complainant acts alone."""
    if by != "representative":
        return None
    if step.complaint.representative is None:
        return step.refuse("no_representative", RULE)
    return None if authorised(step) else step.refuse("power_of_attorney_not_verified", RULE)


def name_representative(step: Step, event: RepresentativeNamed) -> Change | Refusal:
    """Somebody acts for the complainant; until their power of attorney is verified they hear nothing."""
    rule = step.policy.complainants.representative
    if rule.allowed is False:
        return step.refuse("representative_not_allowed", f"{RULE}.allowed")
    number, address = identity.phone(event.phone), identity.email(event.email)
    if (event.phone and number is None) or (event.email and address is None):
        return step.refuse("representative_unreachable", RULE)
    if not event.full_name.strip():
        return step.refuse("representative_without_name", RULE)
    known = step.complaint.representative
    same = known is not None and (known.full_name, known.kind) == (event.full_name, event.kind)
    named = Representative(
        full_name=event.full_name,
        kind=event.kind,
        phone=number or (known.phone if known is not None and same else None),
        email=address.address if address else known.email if known is not None and same else None,
    )
    if known is not None and same:
        # The same person with another address: the power of attorney that was seen still holds.
        named = replace(named, poa_status=known.poa_status)
        if named == known:
            return step.refuse("representative_already_named", RULE)
        return step.change(event, complaint={"representative": named}, data={"kind": event.kind})
    missing = step.complaint.missing_documents
    needed = rule.power_of_attorney != "optional"
    if needed and POWER_OF_ATTORNEY in step.policy.documents.list and POWER_OF_ATTORNEY not in missing:
        missing = (*missing, POWER_OF_ATTORNEY)
    return step.change(
        event,
        complaint={
            "representative": named,
            "missing_documents": missing,
        },
        data={"kind": event.kind},
        todos=(Todo(kind=POWER_OF_ATTORNEY, reason="the representative's power of attorney must be seen and checked"),)
        if needed
        else (),
    )


def power_of_attorney(step: Step, event: PowerOfAttorney) -> Change | Refusal:
    """The special power of attorney came, or a person checked it."""
    known = step.complaint.representative
    if known is None:
        return step.refuse("no_representative", RULE)
    if known.poa_status == "verified":
        return step.refuse("power_of_attorney_already_verified", RULE)
    came = step.life.documents_came
    missing = step.complaint.missing_documents
    verified = event.status == "verified"
    return step.change(
        event,
        complaint={
            "representative": replace(known, poa_status=event.status),
            "missing_documents": tuple(name for name in missing if name != POWER_OF_ATTORNEY) if verified else missing,
        },
        life={"documents_came": came if POWER_OF_ATTORNEY in came else (*came, POWER_OF_ATTORNEY)},
        data={"status": event.status},
        settles=(POWER_OF_ATTORNEY,) if verified else (),
    )
