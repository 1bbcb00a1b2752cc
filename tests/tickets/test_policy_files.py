"""The shipped policies say what the institutions published, all of it, and what was added is listed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from ruamel.yaml import YAML

from normalizer.complaint import Finding, Forum, Kind, RejectionGround, Tier, Urgency
from normalizer.message import Channel
from tickets.life import Remedy
from tickets.lifecycle_events import Dismissed
from tickets.policy import Policy
from tickets.policy_labels import Group, Labels
from tickets.policy_load import load_issues, load_labels, load_policy, load_profile
from tickets.policy_profile import warnings

POLICIES = Path(__file__).parents[2] / "config" / "policies"
SEED = Path(__file__).parent / "seed"
NAMES = ("klikacc", "akseleran", "klikumkm")
#: Keys that decisions D4, D5, D6 and the clock events add to what was published.
ADDED = {
    "silent_close_days",
    "due_soon_percent",
    "retention_years",
    "raw_payload_days",
    "deleted_messages",
    "public_reply",
    "reopen_days",
    "personal_data_hours",
}
#: Which published sentence a rule comes from: no promise of its own, so no default either.
NAMED = {"sources"}


def plain(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(YAML(typ="safe").load(path.read_text())))
    return loaded


def shipped(name: str) -> Policy:
    return load_policy(POLICIES / f"{name}.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_file_holds_the_seed_word_for_word(name: str) -> None:
    seed, file = plain(SEED / f"{name}.yaml"), plain(POLICIES / f"{name}.yaml")
    assert set(seed["defaults_not_in_seed"]) <= set(file["defaults_not_in_seed"])
    file["external"].pop("addresses")
    assert {key: file[key] for key in seed if key != "defaults_not_in_seed"} == {
        key: value for key, value in seed.items() if key != "defaults_not_in_seed"
    }
    assert set(file) - set(seed) == ADDED | NAMED


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_file_is_lost_in_the_typed_value(name: str) -> None:
    file = plain(POLICIES / f"{name}.yaml")
    for track in file["tracks"]:
        for key in {"tier", "kind"} & set(track["when"]):
            value = track["when"][key]
            track["when"][key] = value if isinstance(value, list) else [value]
    assert shipped(name).model_dump(mode="json", by_alias=True, exclude_unset=True) == file


@pytest.mark.parametrize("name", [*NAMES, "klikumkm-demo"])
def test_every_added_value_is_listed_as_a_default(name: str) -> None:
    listed = " ".join(shipped(name).defaults_not_in_seed)
    assert all(key in listed for key in ADDED | {"external.addresses"})


@pytest.mark.parametrize("name", NAMES)
def test_the_bare_seed_is_a_valid_policy_too(name: str) -> None:
    assert load_policy(SEED / f"{name}.yaml").id == name


@pytest.mark.parametrize("name", NAMES)
def test_the_version_is_the_hash_of_the_file(name: str) -> None:
    path = POLICIES / f"{name}.yaml"
    assert load_policy(path).version == hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_a_policy_without_a_file_has_a_version_too() -> None:
    policy = Policy.model_validate(plain(POLICIES / "klikacc.yaml"))
    changed = policy.model_copy(update={"retention_years": 6})
    assert len(policy.version) == 12
    assert policy.version == Policy.model_validate(plain(POLICIES / "klikacc.yaml")).version
    assert policy.version != changed.version


def test_d5_d6_no_number_in_public_and_five_years() -> None:
    for name in NAMES:
        policy = shipped(name)
        assert policy.public_reply.include_ticket_number is False
        assert policy.retention_years == 5
        assert policy.raw_payload_days == 90
        assert policy.silent_close_days == 10


@pytest.mark.parametrize("name", ["klikacc", "akseleran"])
def test_policies_with_published_channels_are_ready_for_production(name: str) -> None:
    policy = shipped(name)
    assert policy.production_problems() == ()
    assert len(policy.channels) == policy.channels_expected


def test_g2_klikumkm_says_what_its_owner_must_fill_in() -> None:
    problems = shipped("klikumkm").production_problems()
    assert len(problems) == 3
    assert "promises 4 channels and its policy lists 0: its owner must list 4 more" in problems[0]
    assert "`contact.email`" in problems[1]
    assert "`operating_hours`" in problems[2]


def test_d2_the_demo_fills_four_channels_and_each_assumed_one_blocks_production() -> None:
    demo, real = plain(POLICIES / "klikumkm-demo.yaml"), plain(POLICIES / "klikumkm.yaml")
    differs = {key for key in real if real[key] != demo.get(key)} | (set(demo) - set(real))
    assert differs == {"channels", "contact", "defaults_not_in_seed"}
    policy = shipped("klikumkm-demo")
    assert set(policy.channels) == {"web_form", "email", "whatsapp", "phone"}
    assert sum("is assumed" in problem for problem in policy.production_problems()) == 4


PROFILE = load_profile(POLICIES / "ojk_2023.yaml")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("klikacc", ["tracks.oral.resolve.from", "tracks.written.resolve.days", "tracks.written.extend.days"]),
        ("akseleran", ["tracks.oral_minor.resolve.from", "tracks.external.resolve.days"]),
        (
            "klikumkm",
            [
                "tracks.cross_unit.resolve.days",
                "tracks.cross_unit.extend.days",
                "tracks.cross_unit.extend.times",
                "tracks.cross_unit.extend.notify",
                "tracks.problem.extend.days",
                "tracks.problem.extend.times",
                "tracks.problem.extend.notify",
            ],
        ),
    ],
)
def test_g11_the_profile_warns_and_changes_nothing(name: str, keys: list[str]) -> None:
    policy = shipped(name)
    before = policy.model_dump()
    assert [found.key for found in warnings(policy, PROFILE)] == keys
    assert policy.model_dump() == before


def test_g11_a_long_document_window_and_a_thin_receipt_are_warned_about() -> None:
    file = plain(POLICIES / "akseleran.yaml")
    file["documents"]["window"] = {"days": 15, "extend": 12}
    file["receipt"].update(fields=["ticket_number"], required=[])
    found = [str(item) for item in warnings(Policy.model_validate(file), PROFILE)]
    assert "documents.window.days: 15 working days, ojk_2023 gives 10" in found
    assert "documents.window.extend: 12 working days more, ojk_2023 gives 10" in found
    assert "receipt.fields: ojk_2023 also asks for received_date, contact" in found


def test_d3_a_policy_may_switch_the_comparison_off() -> None:
    file = plain(POLICIES / "klikacc.yaml")
    file["regulatory_profile"]["mode"] = "off"
    assert warnings(Policy.model_validate(file), PROFILE) == ()


LABELS: Labels = load_labels(POLICIES / "labels.yaml")
ISSUES = load_issues(POLICIES / "issues.yaml")


def test_g14_d7_the_second_list_adds_what_the_categories_lack() -> None:
    keys = [issue.key for issue in ISSUES]
    assert {"debt_collection_conduct", "credit_record", "fraud", "other"} <= set(keys)
    assert len(set(keys)) == len(keys)
    assert not {"debt_collection_conduct", "credit_record", "fraud"} & set(shipped("akseleran").categories or ())


def words() -> dict[Group, set[str]]:
    policies = [shipped(name) for name in NAMES]
    return {
        "category": {word for policy in policies for word in policy.categories or ()},
        "issue": {issue.key for issue in ISSUES},
        "document": {word for policy in policies for word in policy.documents.list},
        "rejection_ground": {*get_args(RejectionGround), "objection_without_effect"},
        "extension_ground": {
            ground
            for policy in policies
            for track in policy.tracks
            if track.extend
            for ground in track.extend.grounds or ()
        },
        "unit": {unit for policy in policies for level in policy.escalation for unit in level.units},
        "channel": set(get_args(Channel)),
        "urgency": set(get_args(Urgency)),
        "tier": set(get_args(Tier)),
        "kind": set(get_args(Kind)),
        "forum": set(get_args(Forum)),
        "finding": set(get_args(Finding)),
        "remedy": {"explanation", *get_args(Remedy)},
        "dismissal": set(get_args(get_type_hints(Dismissed)["reason"])),
    }


@pytest.mark.parametrize("group", words())
def test_every_word_of_a_policy_has_words_for_people(group: Group) -> None:
    assert words()[group] == set(LABELS.labels[group])


def test_u5_labels_agree_with_what_the_institutions_call_it() -> None:
    for name in NAMES:
        assert LABELS.label("state", "resolved") == shipped(name).statuses["resolved"]
    urgency = shipped("klikumkm").urgency
    assert urgency is not None
    assert {level: LABELS.label("urgency", level) for level in urgency.levels} == urgency.labels
    assert all(LABELS.label("issue", issue.key, "en") == issue.en for issue in ISSUES)
    assert all(LABELS.label("issue", issue.key) == issue.id for issue in ISSUES)


def test_a_word_without_label_reads_as_plain_letters() -> None:
    assert LABELS.label("unit", "night_desk") == "night desk"


def test_the_grammar_has_a_json_schema() -> None:
    schema = Policy.model_json_schema(by_alias=True)
    assert schema["additionalProperties"] is False
    assert "from" in schema["$defs"]["Clock"]["properties"]
