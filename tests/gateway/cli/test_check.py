"""`aduan check`: errors fail, what the regulator may ask only warns, the machine and the providers are looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import environment
from gateway.cli.check import calendar_warnings
from gateway.config_load import load
from harness import Aduan, start_aduan, write_config

Run = Callable[..., Any]
CONFIG = Path(__file__).parents[3] / "config"
PRODUCTION = """\
public_url: https://aduan.example.co.id
limits: {free_disk_bytes: 0}
organisations:
  akseleran: {name: Akseleran, policy: policies/akseleran.yaml}
channels:
  form: {kind: web_form, organisation: akseleran}
"""


def production(folder: Path, old: str = "", new: str = "") -> Path:
    for name in ("policies", "calendars", "wording", "lexicon"):
        (folder / name).symlink_to(CONFIG / name, target_is_directory=True)
    path = folder / "aduan.yaml"
    assert old in PRODUCTION
    path.write_text(PRODUCTION.replace(old, new) if old else PRODUCTION, encoding="utf-8")
    return path


def test_a_good_configuration_passes_and_the_regulator_only_warns(run: Run, tmp_path: Path) -> None:
    answer = run("check", "--config", production(tmp_path))
    assert answer.code == 0, answer.out
    assert "warning: akseleran: ojk_2023: tracks.external.resolve.days: 20 working days" in answer.out
    assert "tidak ada kesalahan" in answer.out


def test_r6_a_calendar_that_ends_is_warned_about_while_there_is_time_to_add_the_next(tmp_path: Path) -> None:
    """R3, R6: without the holidays of the next year nobody can be promised a date; the operator hears of it before."""
    installation = load(production(tmp_path))
    last = max(year.year for year in installation.organisations["akseleran"].calendar.years)
    assert calendar_warnings(installation, datetime(last, 9, 20, tzinfo=UTC)) == []
    (warning,) = calendar_warnings(installation, datetime(last, 9, 25, tzinfo=UTC))
    assert f"akseleran: no holidays are known for {last + 1}: add a calendar file for that year" in warning


def test_d2_klikumkm_fails_with_what_its_owner_must_fill_in(run: Run, tmp_path: Path) -> None:
    answer = run("check", "--config", production(tmp_path, "policies/akseleran.yaml", "policies/klikumkm.yaml"))
    assert answer.code == 1
    assert "aduan.yaml:4: organisations.akseleran.policy: klikumkm promises 4 channels" in answer.out
    assert "its owner must list 4 more under `channels`, each with its address and form" in answer.out


def test_programs_get_the_same_as_json(run: Run, tmp_path: Path) -> None:
    answer = run("check", "--json", "--config", production(tmp_path, "web_form", "web_from"))
    assert answer.code == 1
    (problem,) = answer.json["problems"]
    assert (problem["line"], problem["key"]) == (6, "channels.form.kind")
    assert answer.json["good"] is False


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    answer = run("check", "--config", tmp_path / "none.yaml")
    assert answer.code == 2
    assert "aduan init" in answer.err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("limits:", "data_dir: aduan.yaml/data\nlimits:", "cannot be written by this user"),
        ("free_disk_bytes: 0", "free_disk_bytes: 9223372036854775807", "make room"),
        (
            "https://aduan.example.co.id",
            "http://127.0.0.1:1\nenvironment: demo\nsimulator: {weather: rain}",
            "known are",
        ),
        ("policies/akseleran.yaml", "alone/akseleran.yaml", "ojk_2023.yaml"),
    ],
)
def test_what_the_machine_or_a_folder_lacks_fails(run: Run, tmp_path: Path, old: str, new: str, says: str) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "akseleran.yaml").write_bytes((CONFIG / "policies" / "akseleran.yaml").read_bytes())
    answer = run("check", "--config", production(tmp_path, old, new))
    assert answer.code == 1
    assert says in answer.out


def test_p27_mail_cannot_be_given_headers_by_a_stranger() -> None:
    found = environment.email_library()
    assert found.good, found.found


async def test_live_asks_every_provider_and_our_own_address(run: Run, aduan: Aduan) -> None:
    answer = await asyncio.to_thread(run, "check", "--live", "--json", "--config", aduan.config_path)
    looked = {each["what"]: each for each in answer.json["looked_at"]}
    assert looked[f"public_url {aduan.url}"]["good"]
    assert looked["channel klikacc-email"]["good"], looked["channel klikacc-email"]
    assert looked["channel klikacc-twilio"]["good"], looked["channel klikacc-twilio"]
    assert len([what for what in looked if what.startswith("channel ")]) == len(aduan.installation.channels)


async def test_live_names_wrong_credentials_and_a_dead_address(run: Run, tmp_path: Path) -> None:
    async with start_aduan(tmp_path) as aduan:

        def spoil(data: dict[str, Any]) -> None:
            ports = aduan.installation.channels["klikacc-email"].settings
            data["public_url"] = "http://127.0.0.1:9"
            data["channels"] = {"mail": dict(data["channels"]["klikacc-email"])}
            data["organisations"] = {"klikacc": data["organisations"]["klikacc"]}
            nowhere = {"kind": "zammad", "name": "meja", "url": "http://127.0.0.1:9", "group": "Pengaduan"}
            data["forward"] = [nowhere | {"token": "file:wrong", "inside": True}]
            for part in ("imap", "smtp"):
                port = getattr(ports, part).port
                data["channels"]["mail"][part] |= {"port": port, "password": "file:wrong"}

        other = tmp_path / "other"
        other.mkdir()
        (other / "wrong").write_text("not-the-password", encoding="utf-8")
        answer = await asyncio.to_thread(run, "check", "--live", "--config", write_config(other, spoil))
    assert answer.code == 1
    assert "BAD   public_url http://127.0.0.1:9: does not answer" in answer.out
    assert "BAD   channel mail: AuthFailed" in answer.out
    assert "BAD   forward meja: Unavailable" in answer.out
    assert "not-the-password" not in answer.out
