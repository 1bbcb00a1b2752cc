"""Which channels can carry an answer, and what every institution's answers say: read once from the configuration."""

from __future__ import annotations

from gateway.installation import Installation
from receipts.route import Way
from receipts.terms import Terms, terms_of


def ways_of(installation: Installation) -> dict[str, dict[str, Way]]:
    """The channels of every organisation that can carry an answer."""
    ways: dict[str, dict[str, Way]] = {slug: {} for slug in installation.organisations}
    for channel in installation.channels.values():
        ways[channel.organisation][channel.id] = Way(
            channel_id=channel.id,
            channels=channel.spec.channels,
            facts=channel.spec.facts,
            templates=frozenset(getattr(channel.settings, "templates", {})),
        )
    return ways


def terms_by_organisation(installation: Installation) -> dict[str, Terms]:
    """The terms of every organisation's policy."""
    return {
        slug: terms_of(
            organisation.policy,
            organisation_name=organisation.name,
            wording=installation.wording,
            labels=installation.labels,
        )
        for slug, organisation in installation.organisations.items()
    }
