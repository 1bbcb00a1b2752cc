"""Pretended ticket stores on loopback, written from their public API documentation: for tests and demonstrations.

Each keeps its data while it is stopped and started again, and can be told to fail (`Fault`).
"""

from __future__ import annotations

from simulator.ticket_stores.chatwoot import Chatwoot
from simulator.ticket_stores.server import Fault, Server
from simulator.ticket_stores.webhook import Receiver
from simulator.ticket_stores.zammad import Zammad

__all__ = ["Chatwoot", "Fault", "Receiver", "Server", "Zammad"]
