"""The description of the API as OpenAPI 3.1, from its operations and from the types that go through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from normalizer.complaint import SCHEMA_VERSION
from tickets.lifecycle_events import BY_THE_CLOCK, Event
from tickets.model import TaskRow, Ticket
from tickets.store.views import TicketLine, TicketView

if TYPE_CHECKING:
    from web.desk_api.operations import Operation

_REF = "#/components/schemas/{name}"
#: What is not one of our types: said in words, open for more.
_LOOSE: Mapping[str, str] = {
    "Done": "What the event changed: the ticket before and after, the notices with their routes, tasks, new dates.",
    "ChannelState": "A channel: its kind, what it can do, whether it works and whether it sends.",
    "Quarantined": "Something that could not be understood: where, why, since when.",
    "Proposal": "Two complaints that may belong together: their numbers, what both have, since when.",
    "Report": "The figures of a report with the tickets behind them.",
}


def document(operations: Iterable[Operation], public_url: str) -> dict[str, Any]:
    """The whole description; `public_url` is where the installation is reached."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aduan",
            "version": SCHEMA_VERSION,
            "description": "Complaints, their tickets and what may happen to them. Times are RFC 3339 with offset; "
            "dates are dates of Jakarta; money is whole rupiah. Errors are problem+json (RFC 9457); a refused event "
            "names its rule, the sources of the rule and a sentence in Indonesian and English.",
        },
        "servers": [{"url": public_url}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {str(operation.status): _answer(operation)}
    for status in sorted({401, 429, *operation.errors}):
        answers[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}},
        }
    found: dict[str, Any] = {
        "summary": operation.says,
        "operationId": operation.view.__name__,
        "responses": answers,
    }
    if operation.parameters:
        found["parameters"] = [
            {
                "name": each.name,
                "in": each.where,
                "description": each.says,
                "required": each.required,
                "schema": dict(each.schema or {"type": "string"}),
            }
            for each in operation.parameters
        ]
    if operation.body:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=operation.body)}}},
        }
    return found


def _answer(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        schema: dict[str, Any] = {"$ref": _REF.format(name=operation.answer)}
        if operation.several:
            schema = {"type": "array", "items": schema}
        said["content"] = {"application/json": {"schema": schema}}
    return said


def _schemas() -> dict[str, Any]:
    # A token cannot say what happens by the clock, and nobody reads the hash of an access code.
    by_the_clock = {each.__name__ for each in BY_THE_CLOCK}
    _, components = msgspec.json.schema_components([Event, TicketLine, TicketView, Ticket, TaskRow], ref_template=_REF)
    found = {name: schema for name, schema in components.items() if name not in by_the_clock}
    found["Ticket"]["properties"].pop("access_code_hash", None)
    found["Task"] = found.pop("TaskRow")
    found["Task"]["title"] = "Task"
    events = sorted(name for name in found if _is_event(found[name]))
    found["Event"] = {
        "oneOf": [{"$ref": _REF.format(name=name)} for name in events],
        "discriminator": {
            "propertyName": "event",
            "mapping": {found[name]["properties"]["event"]["enum"][0]: _REF.format(name=name) for name in events},
        },
    }
    found["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "detail_id": {"type": "string", "description": "The sentence in Indonesian."},
            "rule": {"type": "string", "description": "A key of the policy."},
            "sources": {"type": "array", "items": {"type": "string"}},
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    }
    text = msgspec.json.encode(found).decode().replace(_REF.format(name="TaskRow"), _REF.format(name="Task"))
    renamed: dict[str, Any] = msgspec.json.decode(text)
    return renamed | {name: {"type": "object", "description": says} for name, says in _LOOSE.items()}


def _is_event(schema: Mapping[str, Any]) -> bool:
    return "event" in schema.get("required", ()) and "enum" in schema.get("properties", {}).get("event", {})
