"""What an answer may hold: an explanation without fault, an offer with it, compensation (K15, A15-A17)."""

from __future__ import annotations

from typing import Literal, Protocol

from normalizer.complaint import Finding
from tickets.life import Remedy
from tickets.lifecycle_step import Fields, Step, listed
from tickets.lifecycle_values import Refusal

_RULE = "resolution.compensation"
#: Conditions that can be true only of a complaint about money that was lost.
_MATERIAL = ("material_loss", "material_direct_loss")


class Offered(Protocol):
    """What an answer brings: the part that a first answer and a second one share."""

    @property
    def remedies(self) -> tuple[Remedy, ...]: ...
    @property
    def compensation_idr(self) -> int | None: ...
    @property
    def conditions(self) -> tuple[str, ...]: ...


def unfit_answer(
    step: Step, kind: Literal["explanation", "offer"], finding: Finding, offered: Offered
) -> Refusal | None:
    """Why this answer does not fit its finding or the policy, None when it does (K15, A15-A17)."""
    if kind == "explanation":
        if finding != "no_fault":
            return step.refuse("fault_needs_offer", "resolution.fault", finding=finding)
        if offered.remedies or offered.compensation_idr is not None:
            return step.refuse("explanation_with_remedies", "resolution.no_fault")
        return None
    if finding == "no_fault":
        return step.refuse("no_fault_needs_explanation", "resolution.no_fault")
    missing = [name for name in step.policy.resolution.fault if name not in offered.remedies]
    if missing:
        return step.refuse("remedies_missing", "resolution.fault", missing=listed(missing))
    if not offered.remedies:
        return step.refuse("offer_without_remedy", "resolution.fault")
    return _unfit_compensation(step, offered)


def _unfit_compensation(step: Step, offered: Offered) -> Refusal | None:
    named, amount = "compensation" in offered.remedies, offered.compensation_idr
    if not named and amount is None:
        return None
    rule = step.policy.resolution.compensation
    if rule is None:
        return step.refuse("compensation_not_published", _RULE)
    if not named or amount is None or amount <= 0:
        return step.refuse("compensation_without_amount", _RULE)
    unmet = [name for name in rule.conditions if name not in offered.conditions]
    if unmet:
        return step.refuse("compensation_conditions", f"{_RULE}.conditions", missing=listed(unmet))
    loss = step.complaint.loss
    if "financial_claim" in rule.conditions and not loss.claimed:
        return step.refuse("claim_not_financial", f"{_RULE}.conditions")
    if loss.type != "actual" and any(name in rule.conditions for name in _MATERIAL):
        return step.refuse("loss_not_recorded", f"{_RULE}.conditions")
    if rule.max == "loss_amount":
        if loss.amount_idr is None:
            return step.refuse("loss_amount_needed", f"{_RULE}.max")
        if amount > loss.amount_idr:
            return step.refuse("compensation_above_loss", f"{_RULE}.max", amount=str(amount), most=str(loss.amount_idr))
    return None


def outcome_of(kind: Literal["explanation", "offer"], finding: Finding, offered: Offered) -> Fields:
    """The outcome's fields that an answer sets."""
    monetary = offered.compensation_idr is not None
    return {
        "finding": finding,
        "resolution_type": kind,
        "relief": "none" if kind == "explanation" else "monetary" if monetary else "non_monetary",
        "remedies": offered.remedies,
        "compensation_idr": offered.compensation_idr,
        "acceptance": None,
    }
