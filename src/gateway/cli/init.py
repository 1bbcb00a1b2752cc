"""`aduan init`: asks a few questions, writes a working configuration, says what to paste where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.options import DEFAULT_CONFIG, ConfigOption
from gateway.cli.out import fail, say
from gateway.cli.words import one_of

if TYPE_CHECKING:
    from connectors.contract import Spec
    from gateway.cli.example import Example
    from tickets.policy import Policy

_FOLDERS = ("policies", "calendars", "wording", "lexicon")


def init(
    policy: Annotated[str | None, typer.Option(metavar="ID", help="The institution's policy (klikacc, ...).")] = None,
    name: Annotated[str | None, typer.Option(help="The institution's name as customers know it.")] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="What providers and customers will see.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="A connector; repeat it for several channels.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file when it is there.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Ask a few questions, write a working aduan.yaml and print what to paste into each provider's console."""
    if config.exists() and not force:
        fail(f"{config} is there already: --force overwrites it", 2)
    missing = [folder for folder in _FOLDERS if not (config.parent / folder).is_dir()]
    if missing:
        fail(f"beside {config} must lie the folders {', '.join(missing)}: copy them from Aduan's `config/`", 2)
    policies = _policies(config.parent / "policies")
    chosen = policies[one_of(policy or _ask("Kebijakan / policy", policies), tuple(policies), "--policy")]
    url = _url(public_url or typer.prompt("Alamat publik / public address", default="https://aduan.example.co.id"))
    slug = chosen.id.replace("_", "-")
    title = name or (typer.prompt("Nama / name", default=slug) if policy is None else slug)
    kinds = channel or typer.prompt("Kanal / channels", default=",".join(_usual(chosen))).split(",")
    specs = _specs([kind.strip() for kind in kinds if kind.strip()])
    example = _write(config, chosen, slug, title, url, specs)
    _tell(config, slug, url, specs, example, chosen)


def _ask(question: str, known: dict[str, Policy]) -> str:
    answer: str = typer.prompt(f"{question} ({', '.join(known)})")
    return answer


def _policies(folder: Path) -> dict[str, Policy]:
    """Every policy in the folder by the name of its file; other files lie there too."""
    from tickets.policy_load import load_policy
    from tickets.yaml_lines import InvalidFile

    found: dict[str, Policy] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            found[file.stem] = load_policy(file)
        except InvalidFile:
            continue
    if not found:
        fail(f"there is no policy in {folder}", 2)
    return found


def _url(given: str) -> str:
    """The address as the configuration takes it. Raises BadParameter."""
    from pydantic import ValidationError

    from gateway.config import Config

    sample = {"organisations": {"a": {"name": "a", "policy": "a"}}, "channels": {"a": {}}}
    try:
        return Config.model_validate({"public_url": given, **sample}).public_url
    except ValidationError as error:
        reason = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(reason, param_hint="--public-url") from None


def _usual(policy: Policy) -> list[str]:
    """The first connector for each channel that the policy publishes; the form and mail where it names none."""
    from connectors import registry

    serving: dict[str, str] = {}
    for kind in registry.kinds():
        for served in registry.find(kind).channels:
            serving.setdefault(served, kind)
    found = [serving[name] for name in policy.channels if name in serving]
    return list(dict.fromkeys(found)) or ["web_form", "email"]


def _specs(kinds: list[str]) -> dict[str, Spec]:
    from connectors import registry

    if not kinds:
        raise typer.BadParameter("name at least one", param_hint="--channel")
    return {kind: registry.find(one_of(kind, registry.kinds(), "--channel")) for kind in kinds}


def channel_id_of(slug: str, kind: str) -> str:
    """The id that a channel gets: it stands in addresses."""
    return f"{slug}-{kind.replace('_', '-')}"


def _write(config: Path, policy: Policy, slug: str, name: str, url: str, specs: dict[str, Spec]) -> Example:
    import json

    from gateway.cli.example import Example

    example = Example(complete=False)
    example.say("Every key with its sentence: docs/settings.md. Secrets come from the environment or from file:PATH.")
    example.put(f"public_url: {url}", 0)
    example.put("organisations:", 0)
    file = next(p for p, found in _policies(config.parent / "policies").items() if found.id == policy.id)
    example.put(f"{slug}: {{name: {json.dumps(name, ensure_ascii=False)}, policy: policies/{file}.yaml}}", 2)
    example.put("channels:", 0)
    for kind, spec in specs.items():
        example.channel(channel_id_of(slug, kind), slug, spec)
    try:
        config.write_text("\n".join([*example.lines, ""]), encoding="utf-8")
    except OSError as error:
        fail(f"{config} cannot be written: {error.strerror}")
    return example


#: What is told of our own channels, which have no provider's console.
_OWN = {
    "web_form": "the form's address",
    "app_form": "the address for your app",
    "walk_in": "by hand with `aduan tickets open`; the address for your programs",
}


def _tell(config: Path, slug: str, url: str, specs: dict[str, Spec], example: Example, policy: Policy) -> None:
    from gateway.cli.capabilities import address_of, is_pushed

    say(f"{config} ditulis / written.\n")
    say("Di konsol penyedia / in each provider's console:")
    for kind, spec in specs.items():
        id_ = channel_id_of(slug, kind)
        if not is_pushed(spec.facts):
            say(f"  {spec.facts.name.value}: nothing to paste, it is fetched")
            continue
        what = next((_OWN[name] for name in spec.channels if name in _OWN), "webhook")
        say(f"  {spec.facts.name.value}: {what} {address_of(spec, url, slug, id_)}")
        if "verify_token" in spec.settings.model_fields:
            say(f"    verify token: what you put into {id_.replace('-', '_').upper()}_VERIFY_TOKEN")
    say("\nVariabel lingkungan / environment variables to set:")
    for variable, sentence in example.variables.items():
        say(f"  {variable}  {sentence}")
    problems = policy.production_problems()
    if problems:
        say("\nPemilik kebijakan harus melengkapi / the owner of the policy must still fill in:")
        for problem in problems:
            say(f"  {problem}")
    say(f"\nLalu / then: aduan check --config {config}; aduan check --live --config {config}")
