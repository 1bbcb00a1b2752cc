"""`aduan init`: a first configuration that loads, and what to paste where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from gateway.config_load import load

Run = Callable[..., Any]
CONFIG = Path(__file__).parents[3] / "config"
#: Values that pass each setting's own rule.
VALUES = {
    "FROM": "+6281200000001",
    "PHONE_NUMBER_ID": "1234567890",
    "ACCOUNT_SID": "AC" + "0" * 32,
    "ADDRESS": "cs@example.co.id",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("policies", "calendars", "wording", "lexicon"):
        (tmp_path / name).symlink_to(CONFIG / name, target_is_directory=True)
    return tmp_path


def environ(answer: str) -> dict[str, str]:
    """A value for each variable that the answer asks for."""
    names = [line.split()[0] for line in answer.splitlines() if line.startswith("  ") and line.split()[0].isupper()]
    return {name: next((v for end, v in VALUES.items() if name.endswith(end)), "a-long-enough-value") for name in names}


def test_flags_write_a_file_that_loads(run: Run, folder: Path) -> None:
    path = folder / "aduan.yaml"
    kinds = ["web_form", "whatsapp_cloud", "whatsapp_twilio", "email", "app_api"]
    words = ["--policy", "akseleran", "--name", "PT Akseleran: Keuangan", "--public-url", "https://aduan.example.co.id"]
    channels = [word for kind in kinds for word in ("--channel", kind)]
    answer = run("init", *words, *channels, "--config", path)
    assert answer.code == 0, answer.err
    found = load(path, environ(answer.out))
    assert [channel.spec.kind for channel in found.channels.values()] == kinds
    assert found.organisations["akseleran"].name == "PT Akseleran: Keuangan"
    assert "https://aduan.example.co.id/in/akseleran-whatsapp-cloud" in answer.out
    assert "AKSELERAN_WHATSAPP_CLOUD_VERIFY_TOKEN" in answer.out
    assert "https://aduan.example.co.id/akseleran/" in answer.out
    assert "aduan check --live" in answer.out


def test_questions_lead_to_the_same(run: Run, folder: Path) -> None:
    path = folder / "aduan.yaml"
    answer = run("init", "--config", path, given="klikacc\nhttps://aduan.example.co.id\nKlikACC\n\n")
    assert answer.code == 0, answer.err
    found = load(path, environ(answer.out))
    published = set(found.organisations["klikacc"].policy.channels)
    served = {name for channel in found.channels.values() for name in channel.spec.channels}
    can_be = {name for kind in registry.kinds() for name in registry.find(kind).channels}
    assert published & can_be <= served


def test_a_policy_that_is_not_complete_is_said_at_once(run: Run, folder: Path) -> None:
    words = ["--policy", "klikumkm", "--public-url", "https://a.example.co.id", "--channel", "web_form"]
    answer = run("init", *words, "--config", folder / "aduan.yaml")
    assert answer.code == 0
    assert "klikumkm promises 4 channels" in answer.out


def test_nothing_is_overwritten_without_force(run: Run, folder: Path) -> None:
    path = folder / "aduan.yaml"
    path.write_text("mine", encoding="utf-8")
    words = ["--policy", "akseleran", "--public-url", "https://a.example.co.id", "--channel", "web_form"]
    assert run("init", *words, "--config", path).code == 2
    assert path.read_text(encoding="utf-8") == "mine"
    assert run("init", *words, "--force", "--config", path).code == 0
    assert load(path, {}).channels


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--policy": "aksleran"}, "did you mean `akseleran`?"),
        ({"--public-url": "http://aduan.example.co.id"}, "must begin with https://"),
        ({"--channel": "web_from"}, "did you mean `web_form`?"),
    ],
)
def test_wrong_answers_are_named(run: Run, folder: Path, changes: dict[str, str], says: str) -> None:
    good = {"--policy": "akseleran", "--public-url": "https://a.example.co.id", "--channel": "web_form"} | changes
    path = folder / "aduan.yaml"
    answer = run("init", *[word for pair in good.items() for word in pair], "--config", path)
    assert answer.code == 2
    assert says in answer.err
    assert not path.exists()


def test_a_folder_without_policies_is_named(run: Run, tmp_path: Path) -> None:
    answer = run("init", "--policy", "akseleran", "--config", tmp_path / "aduan.yaml")
    assert answer.code == 2
    assert "policies, calendars, wording, lexicon" in answer.err
