"""The core ticket store: SQLAlchemy Core on SQLite, every statement portable to PostgreSQL.

Start at `store.py` (opening, reading) and `transaction.py` (every write).
"""

from tickets.store.access import Verdict
from tickets.store.audit import AuditReport
from tickets.store.changes import Applied
from tickets.store.errors import Conflict, SchemaMismatch
from tickets.store.store import Store
from tickets.store.transaction import Transaction
from tickets.store.views import MessageVersion, MessageView, TicketLine, TicketView

__all__ = [
    "Applied", "AuditReport", "Conflict", "MessageVersion", "MessageView", "SchemaMismatch", "Store", "TicketLine",
    "TicketView", "Transaction", "Verdict",
]  # fmt: skip
