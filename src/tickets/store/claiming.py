"""The statement that claims due outbox rows, compiled once for each number of channels that it names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Integer,
    String,
    bindparam,
    case,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningUpdate

from tickets.store import schema
from tickets.store.batch import Found

#: What a claimed row is made of, in the order of `rows.outbox_claimed`.
CLAIMED_COLUMNS = (
    "key", "organisation", "complaint_id", "template", "language", "routes", "data", "route", "due_at", "attempts",
    "parts", "parts_sent", "first_attempt_at", "ambiguous", "possible_duplicate", "reason", "error_class",
)  # fmt: skip


class Claim:
    """Makes due rows `sending`; rows come as the database stores them."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[tuple[int | None, int], SQLCompiler] = {}

    def rows(
        self, connection: Connection, now: int, limit: int, only: Collection[str] | None, exclude: Collection[str]
    ) -> Sequence[Found]:
        """The rows that were due at `now` (microseconds since 1970), at most `limit`, in any order.

        Only of the channels in `only` when given, never of those in `exclude`.
        """
        if only is not None and not only:
            return ()
        shape = None if only is None else len(only), len(exclude)
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = _claim(*shape).compile(dialect=self._dialect)
        given = {
            **compiled.params,
            "now": now,
            "most": limit,
            **{f"only_{n}": channel_id for n, channel_id in enumerate(only or ())},
            **{f"exclude_{n}": channel_id for n, channel_id in enumerate(exclude)},
        }
        if self._dialect.positional:
            values = tuple(given[name] for name in compiled.positiontup or ())
            return connection.exec_driver_sql(str(compiled), values).all()
        return connection.exec_driver_sql(str(compiled), given).all()


def _claim(only: int | None, exclude: int) -> ReturningUpdate[Any]:
    outbox = schema.outbox
    now = bindparam("now", type_=BigInteger())
    # Written out in the statement, so that the partial index is used.
    due = select(outbox.c.key).where(outbox.c.state == literal_column("'due'"), outbox.c.due_at <= now)
    if only is not None:
        due = due.where(outbox.c.channel_id.in_([bindparam(f"only_{n}", type_=String()) for n in range(only)]))
    if exclude:
        due = due.where(outbox.c.channel_id.not_in([bindparam(f"exclude_{n}", type_=String()) for n in range(exclude)]))
    due = due.order_by(outbox.c.due_at, outbox.c.key).limit(bindparam("most", type_=Integer()))
    return (
        update(outbox)
        .where(outbox.c.key.in_(due.with_for_update(skip_locked=True).scalar_subquery()))
        .values(
            state=literal_column("'sending'"),
            attempts=outbox.c.attempts + literal_column("1"),
            first_attempt_at=func.coalesce(outbox.c.first_attempt_at, now),
            # Durable before the send: whatever happens during it, a second copy is flagged (P11).
            possible_duplicate=case(
                (outbox.c.ambiguous == literal_column("1"), literal_column("1")), else_=outbox.c.possible_duplicate
            ),
        )
        .returning(*(outbox.c[name] for name in CLAIMED_COLUMNS))
    )
