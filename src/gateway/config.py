"""The settings of an installation: what the operator chose, one sentence per key."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.forward_settings import AnyTarget, Target

#: First parts of our own addresses: an organisation's form could not stand there.
_TAKEN = frozenset(
    {"api", "assets", "desk", "healthz", "in", "metrics", "openapi.json", "r", "readyz", "status", "verify"}
)


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("must be an address or a network, such as 10.0.0.5 or 10.0.0.0/24") from None
    return value


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values never show in error texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Listen(Section):
    """Where the server listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; a TLS proxy stands in front of it.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")


class Attachments(Section):
    """Files that customers send."""

    keep: Literal["files"] = Field(default="files", description="Where files are kept: `files` under `data_dir`.")
    max_bytes: int = Field(default=26_214_400, ge=1024, description="Largest file that is kept, bytes.")
    scan: str | None = Field(
        default=None,
        pattern=r"^clamd://[^\s/]+:\d+$",
        description="ClamAV daemon that scans each file (clamd://host:3310); null: files stay `pending`.",
    )


class Uploads(Section):
    """Files sent with the web form (sheet A12)."""

    max_files: int = Field(default=10, ge=0, le=50, description="Files in one form.")
    max_file_bytes: int = Field(default=10_485_760, ge=1024, description="Largest file in a form, bytes.")
    max_total_bytes: int = Field(default=26_214_400, ge=1024, description="All files of one form together, bytes.")


class Limits(Section):
    """What protects the server and the people it writes to."""

    header_seconds: float = Field(default=9.0, gt=0, le=10, description="A connection without whole headers is closed.")
    body_seconds: float = Field(default=28.0, gt=0, le=30, description="A request without its whole body is closed.")
    connections: int = Field(default=4096, ge=16, description="Open connections; further ones wait.")
    waiting_deliveries: int = Field(
        default=1_000_000, ge=1, description="Deliveries in the journal before the answer is 503."
    )
    free_disk_bytes: int = Field(
        default=268_435_456, ge=0, description="Below this much free disk the answer is 503 and health turns red."
    )
    receipts_per_sender_per_day: int = Field(
        default=3, ge=1, description="Automatic answers to one sender in 24 hours; further ones are suppressed."
    )
    reconcile_seconds: float = Field(
        default=600.0, ge=1, description="How often providers with a history are asked what a webhook missed, seconds."
    )
    check_seconds: float = Field(
        default=300.0, ge=1, description="How often each channel's credentials and subscription are checked, seconds."
    )
    parse_memory_bytes: int = Field(
        default=268_435_456, ge=67_108_864, description="Memory of the worker process that reads hostile formats."
    )
    parse_seconds: float = Field(default=5.0, gt=0, description="Time that one hostile delivery may take to read.")


class Outbox(Section):
    """How what we owe customers is sent."""

    ambiguous_wait_seconds: float | None = Field(
        default=None, ge=0, description="Wait after a send without an answer; null: what the provider's facts say."
    )
    concurrent_sends: int = Field(default=32, ge=1, le=512, description="Sends under way at the same time.")
    give_up_hours: float = Field(default=48.0, gt=0, description="After this long a failing send is a person's task.")


class ReportSettings(Section):
    """Reports to the regulator."""

    layouts: str = Field(default="reports", description="Folder of the mapping files, relative to this file.")
    remind_working_days: int = Field(
        default=5, ge=1, le=20, description="Working days before its due date at which a report becomes a task."
    )


class OrganisationSettings(Section):
    """One institution that owes answers."""

    name: str = Field(description="Its name as customers know it.")
    policy: str = Field(description="Policy file, relative to this file.")


class MassEvent(Section):
    """When many like complaints are proposed as one cause."""

    customers: int = Field(default=10, ge=2, description="So many different customers.")
    hours: int = Field(default=24, ge=1, le=168, description="Within so many hours.")
    least_likeness: float = Field(
        default=0.5, gt=0, le=1, description="Share of the shorter text's telling words that the other has too."
    )


class Matching(Section):
    """When two complaints are proposed as one; a person decides."""

    days: int = Field(default=7, ge=1, le=90, description="Received at most so many days apart.")
    least_likeness: float = Field(
        default=0.3, gt=0, le=1, description="Share of the shorter text's telling words that the other has too."
    )
    mass_event: MassEvent = Field(default=MassEvent(), description="One cause, many customers.")


class SimulatorSettings(Section):
    """The pretended providers, for a demonstration only."""

    port: int = Field(default=8090, ge=0, le=65535, description="Port of the simulator's page and APIs.")
    imap_port: int = Field(default=8143, ge=0, le=65535, description="Port of its mail boxes (IMAP).")
    smtp_port: int = Field(default=8025, ge=0, le=65535, description="Port of its mail server (SMTP).")
    weather: str = Field(default="calm", description="How the providers behave: calm, duplicates, shuffle, ...")


class Config(Section):
    """The whole of `aduan.yaml`, before channels are checked by their own connector."""

    environment: Literal["production", "demo"] = Field(
        default="production", description="`demo` allows assumed policies and the simulator."
    )
    public_url: str = Field(description="What providers and customers see; signatures are checked against it.")
    listen: Listen = Field(default=Listen(), description="Where the server listens.")
    data_dir: str = Field(default="var", description="Folder for everything that must survive, relative to this file.")
    journal: str = Field(default="sqlite", pattern=r"^sqlite$", description="Durable inbox: `sqlite`, in `data_dir`.")
    store: str = Field(default="sqlite", pattern=r"^sqlite$", description="Ticket store: `sqlite`, in `data_dir`.")
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = Field(
        default=[], description="Addresses or networks of proxies whose X-Forwarded-For is believed, for rate limits."
    )
    calendars: str = Field(default="calendars", description="Folder of holiday files, relative to this file.")
    wording: str = Field(default="wording", description="Folder of the texts customers receive.")
    lexicon: str = Field(default="lexicon", description="Folder of the words that propose categories and urgency.")
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token for /metrics; null: only the local machine may read it."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    attachments: Attachments = Field(default=Attachments(), description="Files that customers send.")
    uploads: Uploads = Field(default=Uploads(), description="Files sent with the web form.")
    limits: Limits = Field(default=Limits(), description="What protects the server and the people it writes to.")
    outbox: Outbox = Field(default=Outbox(), description="How what we owe customers is sent.")
    matching: Matching = Field(default=Matching(), description="Which complaints are proposed as belonging together.")
    reports: ReportSettings = Field(default=ReportSettings(), description="Reports to the regulator.")
    organisations: dict[str, OrganisationSettings] = Field(
        min_length=1, description="Institutions; the key stands in the address of their form."
    )
    channels: dict[str, dict[str, Any]] = Field(
        min_length=1,
        # Holds secrets as plain text until each channel's own settings have them.
        repr=False,
        description="Channels; the key stands in the webhook address and in every record.",
    )
    forward: list[AnyTarget] = Field(
        default=[], description="Further ticket stores that tickets are handed to, each with a `kind` and a `name`."
    )
    simulator: SimulatorSettings | None = Field(default=None, description="Pretended providers, demo only.")

    @field_validator("forward")
    @classmethod
    def _own_names(cls, value: list[Target]) -> list[Target]:
        names = [each.name for each in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two targets have the name `{name}`: records could not tell them apart")
        return value

    @model_validator(mode="after")
    def _known_organisations(self) -> Config:
        for target in self.forward:
            for slug in target.organisations:
                if slug not in self.organisations:
                    raise ValueError(f"forward target `{target.name}`: there is no organisation `{slug}`")
        return self

    @field_validator("public_url")
    @classmethod
    def _whole_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not parts.hostname or parts.query or parts.fragment or parts.path not in {"", "/"}:
            raise ValueError("must be scheme and host only, such as https://aduan.example.co.id")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("must begin with https:// (http:// only for this machine)")
        return value.rstrip("/")

    @field_validator("organisations")
    @classmethod
    def _free_addresses(cls, value: dict[str, OrganisationSettings]) -> dict[str, OrganisationSettings]:
        for key in value:
            if key in _TAKEN:
                raise ValueError(f"`{key}` is an address of ours: choose another key")
        return value

    @field_validator("organisations", "channels")
    @classmethod
    def _speaking_keys(cls, value: dict[str, Any]) -> dict[str, Any]:
        for key in value:
            if not key.replace("-", "").isalnum() or not key.isascii() or key != key.lower():
                raise ValueError(f"`{key}` stands in addresses: use lower-case letters, digits and hyphens")
        return value


def data_folder(file: Path, environment: Any, data_dir: Any, environ: Mapping[str, str]) -> Path:
    """The folder of an installation's data: beside its file, or DATA_DIR (of the working directory) for a demo."""
    given = environ.get("DATA_DIR") if environment == "demo" else None
    return Path(given).resolve() if given else (file.parent / str(data_dir)).resolve()
