"""A mail server, pretended on loopback: pymap for IMAP, aiosmtpd for SMTP."""

from collections.abc import Sequence

from simulator.mail.account import Delivered, Mail, Mailbox
from simulator.mail.messages import SentMail, as_received, bounce, compose
from simulator.place import Account, Ports, Service

__all__ = ["SERVICE", "Delivered", "Mail", "Mailbox", "SentMail", "as_received", "bounce", "compose"]


def providers(accounts: Sequence[Account], ports: Ports) -> list[Mail]:
    """One mail server with the mailboxes of all accounts."""
    boxes = [Mailbox(each.settings["address"], each.settings["imap"]["password"], each.name) for each in accounts]
    return [Mail(boxes, imap_port=ports.imap, smtp_port=ports.smtp)]


SERVICE = Service(kinds=("email",), providers=providers)
