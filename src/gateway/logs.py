"""JSON logs, one object a line, with a last guard: what looks like a secret or a person's data is masked (P30)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

#: Keys whose values are ours: ids, counts, classes. Everything else is looked at.
_OURS = frozenset({"timestamp", "level", "event", "channel", "raw_id", "error", "state", "count", "version", "address"})
_SECRET_KEYS = ("token", "secret", "password", "authorization", "api_key", "code")


def configure(level: str, stream: Any = None) -> None:
    """Sends our log and that of the libraries to `stream` (standard error) as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _only_the_class_of_errors,
        _mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper()))
    # These write whole addresses with tokens, or commands with passwords, at their lower levels.
    for noisy in (
        "httpx", "httpcore", "imapclient", "aiosmtplib", "mail.log", "pymap", "asyncio", "aiohttp.access", "oauthlib",
        "tweepy",
    ):  # fmt: skip
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _only_the_class_of_errors(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A traceback's last line may quote what a customer wrote: its frames and its class say enough."""
    found = event.pop("exc_info", None)
    if found:
        kind, _value, trace = found if isinstance(found, tuple) else sys.exc_info()
        event["error"] = kind.__name__ if kind else "unknown"
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        event["frames"] = frames[-8:]
    return event


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    from normalizer.privacy import redact  # what it knows of telephone numbers is not needed before the first line

    for key, value in event.items():
        if any(word in key.lower() for word in _SECRET_KEYS):
            event[key] = "[masked]"
        elif (key not in _OURS and isinstance(value, str)) or (key == "event" and isinstance(value, str)):
            event[key] = redact(value)
    return event
