"""Every mistake of a configuration is named with its file, line and key, and with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config_load import load, overridden
from tickets.yaml_lines import InvalidFile

CONFIG = Path(__file__).parents[2] / "config"
ENVIRON = {
    "TOKEN": "EAAG-token",
    "SECRET": "0123456789abcdef0123456789abcdef",
    "VERIFY": "a-word-to-verify",
    "APP_KEY": "0123456789abcdefghij",
}
GOOD = """\
public_url: https://aduan.example.co.id
listen: {host: 127.0.0.1, port: 8080}
data_dir: data
organisations:
  akseleran: {name: Akseleran, policy: policies/akseleran.yaml}
channels:
  akseleran-form:
    kind: web_form
    organisation: akseleran
  akseleran-whatsapp:
    kind: whatsapp_cloud
    organisation: akseleran
    phone_number_id: "1234567890"
    access_token: ${TOKEN}
    app_secrets: ["${SECRET}"]
    verify_token: ${VERIFY}
  akseleran-app:
    kind: app_api
    organisation: akseleran
    api_keys: ["${APP_KEY}"]
"""


def write(folder: Path, text: str) -> Path:
    """A configuration in `folder`, beside the shipped policies and texts, and enough of the rest."""
    for name in ("policies", "wording"):
        (folder / name).symlink_to(CONFIG / name, target_is_directory=True)
    for file in ("calendars/id-2026.yaml", "lexicon/en.yaml"):
        (folder / file).parent.mkdir()
        (folder / file).symlink_to(CONFIG / file)
    path = folder / "aduan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    """What is wrong with a file, one line each."""
    with pytest.raises(InvalidFile) as caught:
        load(path, environ)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_configuration_loads(tmp_path: Path) -> None:
    found = load(write(tmp_path, GOOD), ENVIRON)
    assert list(found.channels) == ["akseleran-form", "akseleran-whatsapp", "akseleran-app"]
    assert found.data_dir == tmp_path / "data"
    assert found.channel_of("akseleran", "web_form") is found.channels["akseleran-form"]
    assert "EAAG-token" not in repr(found)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "says"),
    [
        pytest.param("data_dir: data", "data_dri: data", 3, "data_dri", "did you mean `data_dir`?", id="unknown key"),
        pytest.param("  phone_number_id", "  phone_number", 13, "channels.akseleran-whatsapp.phone_number",
                     "did you mean `phone_number_id`?", id="unknown key of a channel"),
        pytest.param('    phone_number_id: "1234567890"\n', "", 10, "channels.akseleran-whatsapp.phone_number_id",
                     "this key is missing: add it", id="missing key"),
        pytest.param("public_url: https://aduan.example.co.id\n", "", 1, "public_url", "missing", id="missing at top"),
        pytest.param("port: 8080", "port: often", 2, "listen.port", "a whole number", id="wrong type"),
        pytest.param("port: 8080", "port: 80800", 2, "listen.port", "less than or equal to 65535", id="out of range"),
        pytest.param("kind: whatsapp_cloud", "kind: whatsapp_clod", 11, "channels.akseleran-whatsapp.kind",
                     "did you mean `whatsapp_cloud`?", id="unknown kind"),
        pytest.param("    kind: web_form\n", "", 7, "channels.akseleran-form.kind", "is missing", id="no kind"),
        pytest.param("kind: web_form\n    organisation: akseleran", "kind: web_form\n    organisation: akselerna", 9,
                     "channels.akseleran-form.organisation", "did you mean `akseleran`?", id="unknown organisation"),
        pytest.param("${TOKEN}", "${TOKN}", 14, "channels.akseleran-whatsapp.access_token",
                     "the environment variable TOKN is not set: set it", id="unset environment variable"),
        pytest.param("${TOKEN}", "Bearer ${TOKEN}", 14, "channels.akseleran-whatsapp.access_token",
                     "a reference must be the whole value", id="a reference inside a value"),
        pytest.param("${TOKEN}", "file:secrets/token", 14, "channels.akseleran-whatsapp.access_token",
                     "cannot be read (No such file or directory)", id="missing secret file"),
        pytest.param("${TOKEN}", '"********"', 14, "channels.akseleran-whatsapp.access_token",
                     "this is a masked secret", id="masked secret"),
        pytest.param('["${SECRET}"]', '["${SECRET}", "••••••••"]', 15, "channels.akseleran-whatsapp.app_secrets[1]",
                     "this is a masked secret", id="masked secret in a list"),
        pytest.param("${TOKEN}", "EAAG-plain", 14, "channels.akseleran-whatsapp.access_token",
                     "a secret must not stand in this file", id="plain secret"),
        pytest.param('["${SECRET}"]', "[plain-and-simple]", 15, "channels.akseleran-whatsapp.app_secrets[0]",
                     "a secret must not stand in this file", id="plain secret in a list"),
        pytest.param("data_dir: data", "metrics_token: plain", 3, "metrics_token",
                     "a secret must not stand in this file", id="plain secret at the top"),
        pytest.param("https://aduan.example.co.id", "http://aduan.example.co.id", 1, "public_url",
                     "must begin with https://", id="public_url without TLS"),
        pytest.param("https://aduan.example.co.id", "https://aduan.example.co.id/in", 1, "public_url",
                     "must be scheme and host only", id="public_url with a path"),
        pytest.param("https://aduan.example.co.id", "${NO_URL}", 1, "public_url",
                     "the environment variable NO_URL is not set", id="public_url from an unset variable"),
        pytest.param("data_dir: data", "simulator: {port: 8090}", 3, "simulator",
                     "pretended providers need `environment: demo`", id="simulator in production"),
        pytest.param("policies/akseleran.yaml", "policies/klikumkm.yaml", 5, "organisations.akseleran.policy",
                     "klikumkm promises 4 channels and its policy lists 0: its owner must list 4 more",
                     id="a policy that its owner must fill in"),
        pytest.param("policies/akseleran.yaml", "policies/klikumkm.yaml", 5, "organisations.akseleran.policy",
                     "the contact of klikumkm has no address, but receipts print it", id="a contact without address"),
        pytest.param("policies/akseleran.yaml", "policies/none.yaml", 5, "organisations.akseleran.policy",
                     "policies/none.yaml cannot be used", id="no such policy"),
        pytest.param("  akseleran-form:", "  akseleran form:", 6, "channels", "use lower-case letters",
                     id="a key with a space"),
        pytest.param("organisations:\n", "organisations:\n  klikacc: {name: K, policy: policies/klikacc.yaml}\n", 5,
                     "organisations.klikacc", "has no channel under `channels`", id="an organisation without channel"),
        pytest.param("data_dir: data", "lexicon: nowhere", None, "", "nowhere", id="no lexicon"),
        pytest.param("data_dir: data", "wording: nowhere", None, "", "nowhere", id="no wording"),
        pytest.param("data_dir: data", "calendars: nowhere", None, "", "nowhere", id="no calendars"),
        pytest.param("data_dir: data", "forward: [{kind: zamad}]", 3, "forward[0]", "expected tags", id="no such kind"),
        pytest.param("data_dir: data", "forward: [{kind: zammad, name: z, token: plain}]", 3, "forward[0].token",
                     "a secret must not stand in this file", id="plain secret of a forward target"),
        pytest.param("channels:\n", "channels: [\n", None, "", "is not valid YAML", id="not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, line: int | None, key: str, says: str) -> None:
    assert GOOD.count(old) == 1
    path = write(tmp_path, GOOD.replace(old, new))
    found = problems(path)
    named = [
        text
        for text in found
        if says in text and (line is None or text.startswith(f"{path}:{line}: ")) and (not key or key in text)
    ]
    assert named, found


@pytest.mark.parametrize("value", ["", "********"])
def test_t32_a_variable_that_holds_nothing_or_a_mask_is_no_secret(tmp_path: Path, value: str) -> None:
    (found,) = problems(write(tmp_path, GOOD), {**ENVIRON, "TOKEN": value})
    assert "channels.akseleran-whatsapp.access_token: " in found
    assert "TOKEN" in found


@pytest.mark.parametrize(("content", "says"), [("", "is empty"), ("xxxxxxxx\n", "holds a masked secret")])
def test_t32_a_file_that_holds_nothing_or_a_mask_is_no_secret(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8")
    (found,) = problems(write(tmp_path, GOOD.replace("${TOKEN}", "file:token")))
    assert says in found


def test_a_policy_with_an_unknown_key_is_named_in_its_own_file(tmp_path: Path) -> None:
    text = (CONFIG / "policies" / "akseleran.yaml").read_text(encoding="utf-8")
    path = write(tmp_path, GOOD.replace("policies/akseleran.yaml", "mine.yaml"))
    (tmp_path / "mine.yaml").write_text(text.replace("first_response:", "first_respons:"), encoding="utf-8")
    found = problems(path)
    assert any("mine.yaml:" in text and "did you mean `first_response`?" in text for text in found)
    assert any(text.startswith(f"{path}:5: organisations.akseleran.policy: mine.yaml cannot be used") for text in found)


TWELVE = """\
public_url: http://aduan.example.co.id
listen: {host: 127.0.0.1, port: many}
data_dri: data
metrics_token: plain-metrics-token
simulator: {port: 8090}
organisations:
  klikumkm: {name: klikUMKM, policy: policies/klikumkm.yaml}
  klikacc: {name: KlikACC, policy: policies/klikacc.yaml}
channels:
  form:
    kind: web_from
    organisation: klikumkm
  app:
    kind: app_api
    organisation: klikumkn
    api_keys: ["${UNSET_KEY}"]
  whatsapp:
    kind: whatsapp_cloud
    organisation: klikumkm
    phone_number_id: ["1"]
    access_token: plain-access-token
    app_secrets: ["********"]
    verify_token: file:nowhere
    webhook: true
"""


def test_all_mistakes_are_named_in_one_run(tmp_path: Path) -> None:
    found = problems(write(tmp_path, TWELVE))
    for line, key, says in (
        (1, "public_url", "must begin with https://"),
        (2, "listen.port", "a whole number"),
        (3, "data_dri", "did you mean `data_dir`?"),
        (4, "metrics_token", "must not stand in this file"),
        (5, "simulator", "remove it"),
        (7, "organisations.klikumkm.policy", "its owner must list 4 more under `channels`"),
        (7, "organisations.klikumkm.policy", "its owner must give `operating_hours`"),
        (8, "organisations.klikacc", "has no channel"),
        (11, "channels.form.kind", "did you mean `web_form`?"),
        (15, "channels.app.organisation", "did you mean `klikumkm`?"),
        (16, "channels.app.api_keys[0]", "UNSET_KEY is not set"),
        (20, "channels.whatsapp.phone_number_id", "text (put it in quotes)"),
        (21, "channels.whatsapp.access_token", "must not stand in this file"),
        (22, "channels.whatsapp.app_secrets[0]", "masked secret"),
        (23, "channels.whatsapp.verify_token", "cannot be read"),
        (24, "channels.whatsapp.webhook", "unknown key"),
    ):
        start = f"{tmp_path / 'aduan.yaml'}:{line}: {key}: "
        assert any(text.startswith(start) and says in text for text in found), (start, says, found)
    assert len(found) == len(set(found))


def test_no_problem_repeats_a_value(tmp_path: Path) -> None:
    found = "\n".join(problems(write(tmp_path, TWELVE)))
    assert "plain-metrics-token" not in found
    assert "plain-access-token" not in found


def test_each_mistake_is_named_once(tmp_path: Path) -> None:
    """An unset variable is one problem, not also a value of the wrong form."""
    text = GOOD.replace('"1234567890"', "${UNSET_ID}").replace("${APP_KEY}", "${UNSET_KEY}")
    found = problems(write(tmp_path, text))
    assert len(found) == 2, found


def demo(folder: Path) -> Path:
    return write(folder, f"environment: demo\n{GOOD.replace('https://aduan.example.co.id', 'http://127.0.0.1:8080')}")


def test_the_environment_moves_a_demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"HOST": "0.0.0.0", "PORT": "9123", "DATA_DIR": "else/where"}
    found = overridden(load(demo(tmp_path), ENVIRON), given)
    assert (found.config.listen.host, found.config.listen.port) == ("0.0.0.0", 9123)
    assert found.config.public_url == "http://127.0.0.1:9123"
    assert found.data_dir == tmp_path / "else" / "where"


def test_the_environment_moves_nothing_else(tmp_path: Path) -> None:
    installation = load(write(tmp_path, GOOD), ENVIRON)
    assert overridden(installation, {"HOST": "0.0.0.0", "PORT": "1", "DATA_DIR": "/"}) is installation


def test_a_demonstration_without_such_variables_stays_as_it_is(tmp_path: Path) -> None:
    installation = load(demo(tmp_path), ENVIRON)
    assert overridden(installation, {}) == installation


def test_a_port_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="PORT: must be a port"):
        overridden(load(demo(tmp_path), ENVIRON), {"PORT": "http"})
