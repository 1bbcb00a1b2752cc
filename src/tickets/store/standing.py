"""Where a message that is owed to a customer stands, given what the provider said about its parts. Pure.

Deliveries come in any order and more than once. Each part keeps the highest of `RANK` that was ever reported, so every
order of the same reports ends alike (P10), and nothing is ever downgraded (T28): a failure outranks "sent", a proof
that the customer has it outranks the failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from normalizer.message import Delivery
from tickets.model import OutboxRow
from tickets.store import rows
from tickets.store.batch import Found, Values
from tickets.store.times import micros_or_none, moment_or_none, to_micros

RANK: Mapping[str, int] = {"queued": 0, "sent": 1, "failed": 2, "delivered": 3, "read": 4}
#: Failures after which another route may reach the customer (names of the connectors' errors).
NEXT_ROUTE = frozenset({"WindowClosed", "Unreachable"})
#: States that a report may move; a row that is being sent is settled by its sender.
_MOVABLE = frozenset({"due", "sent", "failed"})


class Part(Struct, frozen=True, kw_only=True):
    """One part that a provider took, with the furthest state reported; `at` in microseconds since 1970 UTC."""

    channel_id: str
    provider_id: str
    outbox_key: str
    route: int
    state: str
    at: int
    error_code: str | None = None
    error_class: str | None = None
    pricing: str | None = None

    def row(self) -> Values:
        """Its row in `sent_parts`."""
        return (
            self.channel_id, self.provider_id, self.outbox_key, self.route, self.state, self.at, self.error_code,
            self.error_class, self.pricing,
        )  # fmt: skip

    def change(self) -> Values:
        """What is written when a report moved it."""
        return (
            self.state, self.at, self.error_code, self.error_class, self.pricing, self.channel_id, self.provider_id,
        )  # fmt: skip


class Standing(Struct, frozen=True, kw_only=True):
    """An outbox row together with what its receipt carries."""

    row: OutboxRow
    receipt_state: str
    #: Bit r: everything went out on route r.
    sent_routes: int = 0
    provider_id: str | None = None
    body_hash: str | None = None
    template_version: str = ""
    sent_at: int | None = None

    def columns(self) -> Values:
        """What is written when it changed, in the order of `statements.STANDING_COLUMNS`, its key last."""
        row = self.row
        return (
            *rows.route_columns(row), rows.document(row.routes), rows.document(row.data), row.route, row.state,
            to_micros(row.due_at), row.attempts, row.parts, row.parts_sent, micros_or_none(row.first_attempt_at),
            int(row.ambiguous), int(row.possible_duplicate), row.reason, row.error_class, self.sent_routes,
            self.receipt_state, self.provider_id, self.body_hash, self.template_version, self.sent_at, row.key,
        )  # fmt: skip


def part_from(row: Found) -> Part:
    """The part that a row of `sent_parts` is, with plain moments."""
    return Part(
        channel_id=row.channel_id,
        provider_id=row.provider_id,
        outbox_key=row.outbox_key,
        route=row.route,
        state=row.state,
        at=row.at,
        error_code=row.error_code,
        error_class=row.error_class,
        pricing=row.pricing,
    )


def standing_from(row: Found) -> Standing:
    """The standing that a row of `outbox` is, with plain moments."""
    return Standing(
        row=rows.outbox_from(row),
        receipt_state=row.receipt_state,
        sent_routes=row.sent_routes,
        provider_id=row.provider_id,
        body_hash=row.body_hash,
        template_version=row.template_version,
        sent_at=row.sent_at,
    )


def advance(part: Part, report: Delivery) -> Part:
    """The part after a report; itself when the report says nothing further."""
    pricing = part.pricing or report.pricing
    if RANK[report.state] <= RANK[part.state]:
        return part if pricing == part.pricing else msgspec.structs.replace(part, pricing=pricing)
    return msgspec.structs.replace(
        part,
        state=report.state,
        at=to_micros(report.at),
        error_code=report.error_code,
        error_class=report.error_class,
        pricing=pricing,
    )


def stand(standing: Standing, parts: Iterable[Part]) -> Standing:
    """The standing after all that is known of its parts: proven, gone to the next route, failed, or as it was."""
    by_route: dict[int, list[Part]] = {}
    for part in parts:
        by_route.setdefault(part.route, []).append(part)
    proven = _proof(standing, by_route)
    if proven is not None:
        return proven
    row = standing.row
    failed = [part for part in by_route.get(row.route, ()) if part.state == "failed"]
    if not failed or row.state not in ("due", "sent"):
        return standing
    first = min(failed, key=lambda part: (part.at, part.provider_id))
    if first.error_class in NEXT_ROUTE and row.route + 1 < len(row.routes):
        onward = msgspec.structs.replace(
            row,
            state="due",
            route=row.route + 1,
            attempts=0,
            first_attempt_at=None,
            parts=0,
            parts_sent=0,
            ambiguous=False,
            due_at=moment_or_none(first.at),
            reason=first.error_code,
            error_class=first.error_class,
        )
        return stand(msgspec.structs.replace(standing, row=onward, receipt_state="queued"), parts_of(by_route))
    ended = msgspec.structs.replace(
        row, state="failed", ambiguous=False, reason=first.error_code, error_class=first.error_class
    )
    return msgspec.structs.replace(standing, row=ended, receipt_state="failed")


def parts_of(by_route: Mapping[int, list[Part]]) -> list[Part]:
    """All parts of all routes."""
    return [part for parts in by_route.values() for part in parts]


def _proof(standing: Standing, by_route: Mapping[int, list[Part]]) -> Standing | None:
    """The standing when everything of some route reached the customer, else None."""
    row = standing.row
    reached = [
        (RANK[state], -route, state)
        for route, parts in by_route.items()
        if standing.sent_routes >> route & 1 and (state := _together(parts)) in ("delivered", "read")
    ]
    if not reached or row.state not in _MOVABLE:
        return None
    _, negative, state = max(reached)
    if row.state != "sent":
        # Nothing went out on the route in use: the one that reached the customer is the route again.
        row = msgspec.structs.replace(
            row,
            state="sent",
            route=-negative,
            parts=len(by_route[-negative]),
            parts_sent=len(by_route[-negative]),
            ambiguous=False,
            reason=None,
            error_class=None,
        )
    return msgspec.structs.replace(standing, row=row, receipt_state=state)


def _together(parts: list[Part]) -> str:
    """The state of a text in several parts: failed when one failed, else that of the part that is least far."""
    if any(part.state == "failed" for part in parts):
        return "failed"
    return min((part.state for part in parts), key=lambda state: RANK[state])
